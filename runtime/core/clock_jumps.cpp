#include "runtime/core/clock_jumps.hpp"

#include <vector>

#include "blackboard/fmt.hpp"
#include "runtime/core/core.hpp"

namespace bidboard {
namespace {

/// A smaller jump counts as clock adjustment; small ones add up until they reach this.
constexpr Duration jump_min = seconds(10);

void move_deadlines(Core& core, Duration jump) {
  std::vector<TaskId> held;
  std::vector<TaskId> backing_off;
  core.board.scan(std::string(1, keys::due_letter), {}, [&](std::string_view key, std::string_view) {
    const auto what = static_cast<keys::Due>(key[9]);
    if (what == keys::Due::attempt) held.push_back(keys::last_id<TaskId>(key));
    if (what == keys::Due::backoff) backing_off.push_back(keys::last_id<TaskId>(key));
    return true;
  });
  for (const TaskId id : held)
    if (const Task* task = core.board.task(id))
      core.emit(TaskRenewed{id, task->epoch, task->deadline + jump});
  move_rests(core, jump);
  // Ending a wait early does no harm; a wait that is an hour too long does.
  if (jump < Duration{})
    for (const TaskId id : backing_off) core.emit(BackoffOver{id});
}

}  // namespace

void ClockJumps::notice(Core& core) {
  const Duration offset{core.now.wall.us - core.now.mono.us};
  if (!core.board.has_changes()) offset_before_.reset();
  if (!offset_) offset_ = offset;
  const Duration jump = offset - *offset_;
  const Duration size = jump < Duration{} ? Duration{} - jump : jump;
  if (size < jump_min) return;
  offset_before_ = offset_;
  offset_ = offset;
  core.note(Note::Level::warning, fmt::format("the wall clock jumped by {}{}; deadlines move along",
                                              jump < Duration{} ? "-" : "", size));
  move_deadlines(core, jump);
}

void ClockJumps::forget_batch() {
  if (offset_before_) offset_ = *offset_before_;
  offset_before_.reset();
}

}  // namespace bidboard
