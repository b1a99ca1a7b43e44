// The life of a task: every state, every move, and what happens to writes that come late, twice or from the
// wrong hand. One table (task_states.cpp); docs/states.md is printed from it.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "blackboard/records.hpp"

namespace bidboard {

enum class Move : std::uint8_t {
  needs_met,    ///< the last open need ended well
  need_failed,  ///< a need ended other than done
  offer,        ///< announced to bidders
  withdraw,     ///< no agent bid
  award,
  start,        ///< its agent reported the start
  finish,       ///< the result was accepted
  retry_later,  ///< an attempt ended without result, more are left
  give_up,      ///< the last attempt failed
  quarantine,   ///< it killed its agents too often
  ask_person,   ///< outcome unknown and not repeatable
  cancel,
  pause,
  resume,          ///< to ready
  resume_blocked,  ///< to blocked: needs are still open
  reopen,          ///< an operator starts it over, to ready
  reopen_blocked,  ///< the same, its needs still open
  need_added,      ///< an open need was added to a ready task
};

struct Transition {
  TaskState from;
  Move move;
  TaskState to;
};

/// All legal transitions, sorted by state.
std::span<const Transition> transitions();
/// Where the move leads, or nothing when the state does not allow it.
std::optional<TaskState> after(TaskState from, Move move);

/// What happens to a write about a task (report, renew, done, fail) that shows an epoch and a capability.
enum class Write : std::uint8_t {
  accepted,   ///< the live award: it counts
  duplicate,  ///< the same holder already ended this epoch: answered again, changes nothing
  stale,      ///< an earlier award's: refused, a result is kept as a late discovery
  late,       ///< this award's, but it ended meanwhile (lease lost, cancelled): refused, a result is kept
  forged,     ///< the capability does not match: refused
};
/// REQUIRES: `capability_matches` was computed against the task's live capability hash, or is true for a
/// caller that proved to be the holder otherwise (`--as` at the shell).
Write judge_write(const Task& task, AgentId writer, Epoch epoch, bool capability_matches);

std::string_view name(Move move);
std::string_view name(Write write);
std::string_view meaning(Write write);
std::string_view meaning(TaskState state);

}  // namespace bidboard
