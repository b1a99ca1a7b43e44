#include "blackboard/task_moves.hpp"

#include <algorithm>
#include <initializer_list>

namespace bidboard {
namespace {

/// `to`, if one of the moves leads there.
std::optional<TaskState> by(TaskState from, TaskState to, std::initializer_list<Move> moves) {
  const bool leads = std::ranges::any_of(moves, [&](Move move) { return after(from, move) == to; });
  return leads ? std::optional(to) : std::nullopt;
}

std::optional<TaskState> while_held(TaskState from) {
  return is_held(from) ? std::optional(from) : std::nullopt;
}

}  // namespace

std::optional<TaskState> state_after(TaskState from, const EventBody& event) {
  return std::visit(
      [&]<class Body>(const Body& body) -> std::optional<TaskState> {
        if constexpr (std::is_same_v<Body, TaskMoved>)
          return by(from, body.to,
                    {Move::needs_met, Move::need_failed, Move::need_added, Move::offer, Move::withdraw,
                     Move::cancel, Move::pause, Move::resume, Move::resume_blocked, Move::give_up});
        else if constexpr (std::is_same_v<Body, TaskAwarded>)
          return after(from, Move::award);
        else if constexpr (std::is_same_v<Body, TaskStarted>)
          return after(from, Move::start);
        else if constexpr (std::is_same_v<Body, TaskProgressed> || std::is_same_v<Body, TaskStalled> ||
                           std::is_same_v<Body, TaskRenewed>)
          return while_held(from);
        else if constexpr (std::is_same_v<Body, AttemptEnded>)
          return is_held(from) ? by(from, body.to,
                                    {Move::retry_later, Move::give_up, Move::quarantine, Move::ask_person})
                               : std::nullopt;
        else if constexpr (std::is_same_v<Body, TaskFinished>)
          return after(from, Move::finish);
        else if constexpr (std::is_same_v<Body, TaskReopened>)
          return by(from, body.to, {Move::reopen, Move::reopen_blocked});
        else
          return from;
      },
      event);
}

}  // namespace bidboard
