// What keeps agents from work, and what it costs: outages of providers, the circuit breakers that they open,
// limits of accounts, budgets and what was spent. Records like those of records.hpp: BB_FIELDS is the stored
// order, append, never remove or reorder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "blackboard/fields.hpp"
#include "blackboard/ids.hpp"
#include "blackboard/time.hpp"

namespace bidboard {

/// Why an agent could not work at all, although the task is not at fault. Stored: never change a number.
enum class Outage : std::uint8_t {
  none = 0,
  rate_limit = 1,      ///< too many requests just now
  quota = 2,           ///< a session's or a week's allowance is used up
  overload = 3,        ///< the provider is overloaded
  authentication = 4,  ///< the key is invalid or expired
  credit = 5,          ///< nothing is left to pay with
  network = 6,         ///< the provider cannot be reached
  missing_binary = 7,  ///< the client is not installed, or its model
  crash = 8,           ///< the client itself crashed
  failures = 9,        ///< the agent failed several tasks in a row
  environment = 10,    ///< the agent's directory cannot be entered, or no process can be started
};

enum class BreakerState : std::uint8_t {
  closed = 0,     ///< work is awarded as usual
  open = 1,       ///< no work is awarded
  half_open = 2,  ///< one task is awarded, as a probe
};

/// A circuit breaker (Nygard, Release It!, ch. 5): keeps work from one agent, or from all agents of an
/// account, while it could not be done.
struct Breaker {
  std::string name;  ///< an account's, or "agent/" and an agent's
  BreakerState state = BreakerState::closed;
  Outage outage = Outage::none;  ///< what opened it last
  WallTime until;                ///< open: when it becomes half open
  std::uint32_t openings = 0;    ///< in a row, without a result in between
  TaskId probe;                  ///< half open: the task that probes; 0: none yet
  std::string why;               ///< in the client's own words
  std::vector<TaskId> failed;    ///< different tasks that failed in a row, without a result in between
  WallTime since;                ///< open or half open: when it opened
  bool operator==(const Breaker&) const = default;
  BB_FIELDS(name, state, outage, until, openings, probe, why, failed, since)
};

/// Limits on what the agents of one account do together.
struct AccountLimits {
  std::string name;
  std::uint32_t running_max = 0;  ///< tasks at once; 0: no limit
  Duration stagger{};             ///< the least time between two awards
  Duration after{};               ///< its agents take only what has waited for so long, left to others first
  bool operator==(const AccountLimits&) const = default;
  BB_FIELDS(name, running_max, stagger, after)
};

/// What is spent, or may be.
struct Amount {
  Micros money = 0;
  std::int64_t tokens = 0;
  bool operator==(const Amount&) const = default;
  BB_FIELDS(money, tokens)
};

/// A bound on what all attempts together cost that are charged to a scope (spending.hpp).
struct Budget {
  std::string
      scope;  ///< "board", "day" (each one anew), "project:web", "account:team", "agent:ann", "workflow:w3"
  Amount bound;  ///< 0: none
  bool operator==(const Budget&) const = default;
  BB_FIELDS(scope, bound)
};

/// What was charged to a scope so far.
struct Spending {
  std::string scope;           ///< as of a Budget, but "day:2026-11-29"; also "kind:review" and "task:t5"
  Amount spent;                ///< by attempts of any outcome
  std::uint32_t attempts = 0;  ///< those that cost something
  Amount raised;               ///< on top of the configured bound
  bool operator==(const Spending&) const = default;
  BB_FIELDS(scope, spent, attempts, raised)
};

std::string_view name(Outage outage);
/// Nothing: there is no outage of that name.
std::optional<Outage> outage_named(std::string_view name);
std::string_view name(BreakerState state);

}  // namespace bidboard
