#include "blackboard/task_states.hpp"

#include <set>

#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

constexpr TaskState first_state = TaskState::blocked;
constexpr TaskState last_state = TaskState::quarantined;

std::vector<TaskState> all_states() {
  std::vector<TaskState> out;
  for (auto raw = static_cast<std::uint8_t>(first_state); raw <= static_cast<std::uint8_t>(last_state); ++raw)
    out.push_back(static_cast<TaskState>(raw));
  return out;
}

Task held_by(AgentId agent, Epoch epoch, TaskState state) {
  Task task;
  task.id = {1};
  task.holder = agent;
  task.epoch = epoch;
  task.state = state;
  return task;
}

}  // namespace

TEST_CASE("every state is reached from ready or blocked, where tasks begin") {
  std::set<TaskState> reached{TaskState::ready, TaskState::blocked};
  for (bool grows = true; grows;) {
    grows = false;
    for (const Transition& row : transitions())
      if (reached.contains(row.from) && reached.insert(row.to).second) grows = true;
  }
  for (const TaskState state : all_states()) {
    INFO(name(state));
    CHECK(reached.contains(state));
    CHECK(name(state) != "unknown");
    CHECK_FALSE(meaning(state).empty());
  }
}

TEST_CASE("what is over leaves only by being reopened, and what is done never") {
  for (const Transition& row : transitions()) {
    INFO(name(row.from) << ", " << name(row.move));
    CHECK(row.from != TaskState::done);
    if (is_over(row.from)) CHECK((row.move == Move::reopen || row.move == Move::reopen_blocked));
  }
}

TEST_CASE("what is not over can always be cancelled, so nothing waits for ever") {
  for (const TaskState state : all_states())
    if (!is_over(state)) CHECK(after(state, Move::cancel) == TaskState::cancelled);
}

TEST_CASE("a move leads to one place, and the table is sorted by state") {
  std::set<std::pair<TaskState, Move>> seen;
  std::set<TaskState> begun;
  TaskState before = transitions().front().from;
  for (const Transition& row : transitions()) {
    CHECK(seen.insert({row.from, row.move}).second);
    if (row.from != before) CHECK(begun.insert(row.from).second);
    before = row.from;
    CHECK(after(row.from, row.move) == row.to);
    CHECK_FALSE(name(row.move).empty());
  }
}

TEST_CASE("only what is awarded or running is held, and only from there a result is accepted by its holder") {
  for (const TaskState state : all_states()) {
    INFO(name(state));
    CHECK(is_held(state) == (state == TaskState::awarded || state == TaskState::running));
    CHECK(after(state, Move::give_up).has_value() == (is_held(state) || state == TaskState::waiting));
    CHECK(after(state, Move::retry_later).has_value() == is_held(state));
    if (is_held(state)) CHECK_FALSE(after(state, Move::award).has_value());
  }
  CHECK(after(TaskState::ready, Move::award) == TaskState::awarded);
  CHECK_FALSE(after(TaskState::blocked, Move::award).has_value());
  CHECK_FALSE(after(TaskState::paused, Move::award).has_value());
}

TEST_CASE("a need that fails skips whatever has not been awarded") {
  for (const TaskState state : all_states()) {
    INFO(name(state));
    const bool waits = state == TaskState::blocked || state == TaskState::ready ||
                       state == TaskState::offered || state == TaskState::paused;
    CHECK(after(state, Move::need_failed).has_value() == waits);
  }
}

TEST_CASE("writes are judged by epoch, capability, holder and state") {
  const AgentId me{1};
  const AgentId other{2};
  const Epoch live{5};
  const Task running = held_by(me, live, TaskState::running);
  CHECK(judge_write(running, me, live, true) == Write::accepted);
  CHECK(judge_write(running, me, {4}, true) == Write::stale);
  CHECK(judge_write(running, me, {6}, true) == Write::forged);
  CHECK(judge_write(running, me, live, false) == Write::forged);
  CHECK(judge_write(running, other, live, true) == Write::forged);
  CHECK(judge_write(held_by(me, live, TaskState::done), me, live, true) == Write::duplicate);
  CHECK(judge_write(held_by(me, live, TaskState::done), other, live, true) == Write::late);
  for (const TaskState state :
       {TaskState::ready, TaskState::cancelled, TaskState::waiting, TaskState::quarantined})
    CHECK(judge_write(held_by(me, live, state), me, live, true) == Write::late);
}
