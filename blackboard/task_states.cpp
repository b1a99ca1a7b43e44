#include "blackboard/task_states.hpp"

#include <array>

#include "blackboard/checks/sabotage.hpp"

namespace bidboard {
namespace {

using S = TaskState;
using M = Move;

constexpr std::array table{
    Transition{S::blocked, M::needs_met, S::ready},
    Transition{S::blocked, M::need_failed, S::skipped},
    Transition{S::blocked, M::pause, S::paused},
    Transition{S::blocked, M::cancel, S::cancelled},

    Transition{S::ready, M::offer, S::offered},
    Transition{S::ready, M::award, S::awarded},
    Transition{S::ready, M::need_added, S::blocked},
    Transition{S::ready, M::need_failed, S::skipped},
    Transition{S::ready, M::pause, S::paused},
    Transition{S::ready, M::cancel, S::cancelled},

    Transition{S::offered, M::withdraw, S::ready},
    Transition{S::offered, M::award, S::awarded},
    Transition{S::offered, M::need_added, S::blocked},
    Transition{S::offered, M::need_failed, S::skipped},
    Transition{S::offered, M::pause, S::paused},
    Transition{S::offered, M::cancel, S::cancelled},

    Transition{S::awarded, M::start, S::running},
    Transition{S::awarded, M::finish, S::done},
    Transition{S::awarded, M::retry_later, S::ready},
    Transition{S::awarded, M::give_up, S::failed},
    Transition{S::awarded, M::quarantine, S::quarantined},
    Transition{S::awarded, M::ask_person, S::waiting},
    Transition{S::awarded, M::cancel, S::cancelled},

    Transition{S::running, M::finish, S::done},
    Transition{S::running, M::retry_later, S::ready},
    Transition{S::running, M::give_up, S::failed},
    Transition{S::running, M::quarantine, S::quarantined},
    Transition{S::running, M::ask_person, S::waiting},
    Transition{S::running, M::cancel, S::cancelled},

    Transition{S::waiting, M::reopen, S::ready},
    Transition{S::waiting, M::reopen_blocked, S::blocked},
    Transition{S::waiting, M::finish, S::done},
    Transition{S::waiting, M::give_up, S::failed},
    Transition{S::waiting, M::cancel, S::cancelled},

    Transition{S::paused, M::resume, S::ready},
    Transition{S::paused, M::resume_blocked, S::blocked},
    Transition{S::paused, M::need_failed, S::skipped},
    Transition{S::paused, M::cancel, S::cancelled},

    Transition{S::failed, M::reopen, S::ready},
    Transition{S::failed, M::reopen_blocked, S::blocked},
    Transition{S::cancelled, M::reopen, S::ready},
    Transition{S::cancelled, M::reopen_blocked, S::blocked},
    Transition{S::skipped, M::reopen, S::ready},
    Transition{S::skipped, M::reopen_blocked, S::blocked},
    Transition{S::quarantined, M::reopen, S::ready},
    Transition{S::quarantined, M::reopen_blocked, S::blocked},
};

/// The same rows, to be looked up: several times for each event and each task that a walk visits.
constexpr auto by_state = [] {
  constexpr std::size_t states = static_cast<std::size_t>(S::quarantined) + 1;
  constexpr std::size_t moves = static_cast<std::size_t>(M::need_added) + 1;
  std::array<std::array<std::optional<TaskState>, moves>, states> to{};
  for (const Transition& row : table)
    to[static_cast<std::size_t>(row.from)][static_cast<std::size_t>(row.move)] = row.to;
  return to;
}();

}  // namespace

std::span<const Transition> transitions() { return table; }

std::optional<TaskState> after(TaskState from, Move move) {
  return by_state[static_cast<std::size_t>(from)][static_cast<std::size_t>(move)];
}

Write judge_write(const Task& task, AgentId writer, Epoch epoch, bool capability_matches) {
  if (sabotaged("fencing") && is_held(task.state)) return Write::accepted;
  if (epoch < task.epoch) return Write::stale;
  if (epoch > task.epoch || !capability_matches) return Write::forged;
  if (is_held(task.state)) return task.holder == writer ? Write::accepted : Write::forged;
  if ((task.state == S::done || task.state == S::failed) && task.holder == writer) return Write::duplicate;
  return Write::late;
}

std::string_view name(Move move) {
  constexpr std::array<std::string_view, 18> names{
      "needs met", "need failed", "offer",          "withdraw",   "award",          "start",
      "finish",    "retry later", "give up",        "quarantine", "ask a person",   "cancel",
      "pause",     "resume",      "resume blocked", "reopen",     "reopen blocked", "need added"};
  return names[static_cast<std::size_t>(move)];
}

std::string_view name(Write write) {
  constexpr std::array<std::string_view, 5> names{"accepted", "duplicate", "stale", "late", "forged"};
  return names[static_cast<std::size_t>(write)];
}

std::string_view meaning(Write write) {
  switch (write) {
    case Write::accepted:
      return "from the live award: it counts";
    case Write::duplicate:
      return "the same holder already ended this epoch: answered again, nothing changes";
    case Write::stale:
      return "from an earlier award: refused; a result is kept as a late discovery";
    case Write::late:
      return "from this award after it ended: refused; a result is kept as a late discovery";
    case Write::forged:
      return "the capability, epoch or agent is not that of any award: refused";
  }
  return "";
}

std::string_view meaning(TaskState state) {
  switch (state) {
    case S::blocked:
      return "waits for the tasks that it needs to end";
    case S::ready:
      return "may be awarded, once its back-off is over";
    case S::offered:
      return "announced; bids are awaited";
    case S::awarded:
      return "an agent holds it and has not begun";
    case S::running:
      return "its agent reported the start";
    case S::done:
      return "its one result was accepted";
    case S::failed:
      return "its attempts are used up";
    case S::cancelled:
      return "a person or an agent cancelled it";
    case S::skipped:
      return "a task that it needs ended without success";
    case S::waiting:
      return "a person must decide: it may not be repeated and its outcome is unknown";
    case S::paused:
      return "held back by an operator";
    case S::quarantined:
      return "its attempts killed their agents too often";
  }
  return "";
}

}  // namespace bidboard
