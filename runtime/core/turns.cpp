#include "runtime/core/turns.hpp"

#include <algorithm>

#include "blackboard/accounts.hpp"
#include "blackboard/fmt.hpp"
#include "runtime/core/award.hpp"
#include "runtime/core/core.hpp"

namespace bidboard {
namespace {

bool somebody_comes_later(const Core& core) {
  return std::ranges::any_of(core.board.config().accounts,
                             [](const AccountLimits& limits) { return limits.after.us > 0; });
}

void begin_to_wait(Core& core, TaskId id) {
  const Instant since = core.now.mono;
  if (!core.turns.waits_since.emplace(id, since).second) return;
  for (const AccountLimits& limits : core.board.config().accounts)
    if (limits.after.us > 0) core.turns.due.insert({since + limits.after, id});
}

}  // namespace

std::optional<Refusal> comes_later(const Core& core, const Task& task, const Agent& agent) {
  const Duration after = waits_for_others(core.board.config(), agent.profile);
  if (after.us == 0 || task.reserved_for == agent.id) return {};
  const auto waits = core.turns.waits_since.find(task.id);
  const Duration waited = waits == core.turns.waits_since.end() ? Duration{} : core.now.mono - waits->second;
  if (waited >= after) return {};
  return Refusal{RefusalReason::later, fmt::format("account {} takes what has waited for {}, so that others "
                                                   "come first",
                                                   agent.profile.account, after)};
}

void count_for_turns(Core& core, const Change& change) {
  if (std::holds_alternative<ConfigSet>(change.event->body)) return expect_turns(core);
  if (!change.task || !somebody_comes_later(core)) return;
  const Task* task = core.board.task(change.task);
  if (task && may_be_awarded(*task))
    begin_to_wait(core, task->id);
  else
    core.turns.waits_since.erase(change.task);
}

void act_on_turns(Core& core) {
  while (!core.turns.due.empty() && core.turns.due.begin()->first <= core.now.mono) {
    const TaskId id = core.turns.due.extract(core.turns.due.begin()).value().second;
    if (!core.turns.waits_since.contains(id)) continue;
    core.coordinator->task_opened(core, id);
    core.wake();
  }
}

Instant next_turn(const Core& core) { return core.turns.due.empty() ? never : core.turns.due.begin()->first; }

void expect_turns(Core& core) {
  core.turns = {};
  if (!somebody_comes_later(core)) return;
  for (const TaskId id : core.board.open_tasks())
    if (const Task* task = core.board.task(id); task && may_be_awarded(*task)) begin_to_wait(core, id);
}

}  // namespace bidboard
