// Deadlines of attempts and claims are wall time, so that they survive a restart. When the wall clock jumps
// against the monotonic one (somebody sets it, or a suspended machine wakes up), they move along: nobody's
// time is over an hour early, and nobody holds a task for an hour longer.
#include "runtime/core/core.hpp"

namespace bidboard {
namespace {

/// Less is a clock being adjusted; it adds up until it is as much.
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
  // A wait that is cut short does no harm, one that lasts an hour longer does.
  if (jump < Duration{})
    for (const TaskId id : backing_off) core.emit(BackoffOver{id});
}

}  // namespace

void notice_clocks(Core& core) {
  const Duration offset{core.now.wall.us - core.now.mono.us};
  if (!core.board.has_changes()) core.offset_before.reset();
  if (!core.clock_offset) core.clock_offset = offset;
  const Duration jump = offset - *core.clock_offset;
  if (jump < jump_min && Duration{} - jump < jump_min) return;
  core.offset_before = core.clock_offset;
  core.clock_offset = offset;
  core.note(Note::Level::warning, "the wall clock jumped by " + std::string(jump < Duration{} ? "-" : "") +
                                      format_duration(jump < Duration{} ? Duration{} - jump : jump) +
                                      "; deadlines move along");
  move_deadlines(core, jump);
}

void forget_clock_jump(Core& core) {
  if (core.offset_before) core.clock_offset = *core.offset_before;
  core.offset_before.reset();
}

}  // namespace bidboard
