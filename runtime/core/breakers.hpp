// Which agents rest, and why: circuit breakers of agents and of the accounts that they share, and the limits
// of accounts. A provider that refuses work (an outage) or an agent that fails one task after the other opens
// a breaker; when its time is over, one task is awarded as a probe; a result closes it, and so does a probe
// that has told progress and runs for two minutes. Nygard, Release It!, ch. 5 (Circuit Breaker). What is
// decided stands on the board, so that it survives a restart.
//
// - An outage that concerns a whole account (rate limit, quota, overload, authentication, credit) opens the
//   account's breaker; others, and those of an agent without an account, the agent's own.
// - A stated time is kept, but not believed: when it is over, one task probes.
// - An agent whose breaker is open is not eligible (RefusalReason::rests). One that probes already, or whose
//   account is at its limit, counts as busy.
//
// Pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "auction/bid.hpp"
#include "blackboard/ids.hpp"
#include "blackboard/messages.hpp"
#include "blackboard/records.hpp"
#include "blackboard/result.hpp"
#include "blackboard/time.hpp"

namespace bidboard {

struct Change;
struct Core;

/// What the controller remembers beside the board; rebuilt by expect_breakers().
struct Accounts {
  std::set<std::string> active;  ///< breakers that are not closed, or counted a failure
  std::set<std::pair<WallTime, std::string>> opens_until;  ///< of open breakers, the earliest first
  std::map<TaskId, std::string> billed_to;                 ///< held tasks, by the account of their holder
  std::map<std::string, std::uint32_t> running;            ///< how many tasks of `billed_to` each account has
  std::map<std::string, Instant> last_award;               ///< of accounts whose awards are staggered
  std::map<std::string, Instant> probed_until;             ///< half open breakers whose probe runs
};

/// The name of an agent's own breaker.
std::string own_breaker(const std::string& agent_name);

/// Why the agent gets no work at present; nothing: it may.
std::optional<Refusal> rests(const Core& core, const AgentProfile& agent);
/// Whether a further task may be awarded to the agent now, as far as its breakers and its account are
/// concerned.
bool has_room(const Core& core, const AgentProfile& agent);

/// A reaction (reactions.hpp): an attempt began or ended.
void count_for_breakers(Core& core, const Change& change);
/// Breakers whose time is over become half open; staggered accounts may have another task.
void act_on_breakers(Core& core);
Instant next_breaker(const Core& core, Now now);
/// The wall clock jumped: the rests move along.
void move_rests(Core& core, Duration jump);
/// An operator wants it tried again now. Errors: not_found (nothing of that name rests).
Result<Nothing> probe(Core& core, const Probe& request);
/// Reads the board: at start, and when a batch was lost.
void expect_breakers(Core& core);

}  // namespace bidboard
