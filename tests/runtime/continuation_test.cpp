// How a job goes on that was run before, and how its tasks are split into requests.
#include "runtime/jobs/continuation.hpp"
#include "blackboard/fmt.hpp"
#include "runtime/jobs/posting.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

PlannedTask planned(const std::string& name, std::vector<std::uint32_t> needs = {}) {
  PlannedTask task;
  task.spec.name = task.spec.title = name;
  task.spec.run = "make " + name;
  for (const std::uint32_t need : needs) task.needs.push_back({need, false});
  return task;
}

/// fetch, then build and lint, then ship.
Plan plan() {
  Plan plan;
  plan.name = "release";
  plan.tasks = {planned("fetch"), planned("build", {0}), planned("lint", {0}), planned("ship", {1, 2})};
  return plan;
}

/// The plan's tasks as they stand on a board: t1 to t4, in these states.
std::vector<Task> on_board(const Plan& plan, const std::vector<TaskState>& states) {
  std::vector<Task> tasks;
  for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
    Task task;
    task.id = TaskId{i + 1};
    task.spec = plan.tasks[i].spec;
    task.spec.project = "p";
    task.spec.workflow = WorkflowId{1};
    for (const PlannedNeed& need : plan.tasks[i].needs)
      task.spec.needs.push_back({TaskId{need.task + 1}, need.any});
    task.state = states[i];
    tasks.push_back(std::move(task));
  }
  return tasks;
}

using S = TaskState;
using Ids = std::vector<TaskId>;
using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a job that was interrupted goes on with the tasks that it has") {
  const Continuation next =
      continue_from(plan(), 4, on_board(plan(), {S::done, S::ready, S::done, S::blocked}));
  CHECK(next.ids == Ids{{1}, {2}, {3}, {4}});
  CHECK(next.cancel.empty());
  CHECK(next.retry.empty());
  CHECK(next.done == std::set<TaskId>{{1}, {3}});
  CHECK_FALSE(next.complete);
}

TEST_CASE("a job all of whose tasks are done begins anew") {
  CHECK(continue_from(plan(), 4, on_board(plan(), {S::done, S::done, S::done, S::done})).complete);
  Plan longer = plan();
  longer.tasks.push_back(planned("announce"));
  CHECK(continue_from(longer, 4, on_board(plan(), {S::done, S::done, S::done, S::done})).complete);
  const Continuation next =
      continue_from(longer, 4, on_board(plan(), {S::done, S::done, S::failed, S::skipped}));
  CHECK_FALSE(next.complete);
  CHECK(next.added == Names{"announce"});
  CHECK(next.ids == Ids{{1}, {2}, {3}, {4}, {}});
}

TEST_CASE("a job that was interrupted while it was posted is not complete when all that was posted is done") {
  std::vector<Task> posted = on_board(plan(), {S::done, S::done, S::done, S::done});
  posted.pop_back();
  const Continuation next = continue_from(plan(), 4, posted);
  CHECK_FALSE(next.complete);
  CHECK(next.ids == Ids{{1}, {2}, {3}, {}});
  CHECK(continue_from(plan(), 3, posted).complete);  // the file has grown since
}

TEST_CASE("what failed is tried again, what was skipped because of it is left to that") {
  const Continuation next =
      continue_from(plan(), 4, on_board(plan(), {S::done, S::failed, S::cancelled, S::skipped}));
  CHECK(next.ids == Ids{{1}, {2}, {3}, {4}});
  CHECK(next.retry == Ids{{2}, {3}});
}

TEST_CASE("a changed task is replaced, with everything that needs it") {
  Plan changed = plan();
  changed.tasks[1].spec.run = "make -j2 build";
  const Continuation next =
      continue_from(changed, 4, on_board(plan(), {S::done, S::failed, S::done, S::blocked}));
  CHECK(next.ids == Ids{{1}, {}, {3}, {}});
  CHECK(next.cancel == Ids{{4}});
  CHECK(next.retry.empty());
  CHECK(next.changed == Names{"build"});
}

TEST_CASE("a task with other needs is a changed one; a task that the file has lost is cancelled") {
  Plan changed = plan();
  changed.tasks[3].needs.pop_back();
  changed.tasks.erase(changed.tasks.begin() + 2);
  const Continuation next =
      continue_from(changed, 4, on_board(plan(), {S::done, S::ready, S::running, S::blocked}));
  CHECK(next.ids == Ids{{1}, {2}, {}});
  CHECK(next.changed == Names{"ship"});
  CHECK(next.removed == Names{"lint"});
  CHECK(next.cancel == Ids{{4}, {3}});
  CHECK_FALSE(next.complete);
  Plan shorter = plan();
  shorter.tasks.pop_back();
  CHECK(continue_from(shorter, 4, on_board(plan(), {S::done, S::done, S::done, S::cancelled})).complete);
}

TEST_CASE(
    "of a task that was replaced before, the younger one counts; tasks that tasks posted are left alone") {
  std::vector<Task> tasks = on_board(plan(), {S::done, S::cancelled, S::done, S::cancelled});
  std::vector<Task> again = on_board(plan(), {S::done, S::done, S::done, S::ready});
  for (const std::size_t i : {1u, 3u}) {
    again[i].id = TaskId{i + 10};
    if (i == 3) again[i].spec.needs[0].task = TaskId{11};
    tasks.push_back(again[i]);
  }
  Task child = again[0];
  child.id = TaskId{20};
  child.spec.name = "build";
  child.spec.parent = TaskId{1};
  tasks.push_back(child);
  const Continuation next = continue_from(plan(), 4, tasks);
  CHECK(next.ids == Ids{{1}, {11}, {3}, {13}});
  CHECK(next.retry.empty());
}

namespace {

/// Posts the plan to nobody; the requests.
std::vector<Post> requests_for(const Plan& plan, const RequestRoom& room = {}) {
  std::vector<Post> requests;
  std::uint64_t last = 0;
  const auto posted = post_plan(
      plan,
      [&](Post post) -> Result<Posted> {
        Posted answer;
        for (std::size_t i = 0; i < post.tasks.size(); ++i) answer.ids.push_back(TaskId{++last});
        answer.workflow = WorkflowId{1};
        requests.push_back(std::move(post));
        return answer;
      },
      {}, room);
  REQUIRE(posted.has_value());
  return requests;
}

}  // namespace

TEST_CASE("257 tasks of which each needs 256 others do not overflow a request") {
  Plan dense;
  for (std::uint32_t i = 0; i < 256; ++i) dense.tasks.push_back(planned(fmt::format("first{}", i)));
  for (std::uint32_t i = 0; i < 257; ++i) {
    PlannedTask task = planned(fmt::format("second{}", i));
    for (std::uint32_t need = 0; need < 256; ++need) task.needs.push_back({need, false});
    dense.tasks.push_back(std::move(task));
  }
  std::size_t needs = 0;
  for (const Post& request : requests_for(dense)) {
    std::size_t here = request.batch_needs.size();
    for (const TaskSpec& task : request.tasks) here += task.needs.size();
    CHECK(here <= RequestRoom{}.needs);
    needs += here;
  }
  CHECK(needs == 257 * 256);
}

TEST_CASE("requests are bounded in bytes; a task that alone exceeds a bound has one of its own") {
  Plan plan;
  for (int i = 0; i < 4; ++i) plan.tasks.push_back(planned(fmt::format("t{}", i)));
  SECTION("of its body") { plan.tasks[1].spec.body = std::string(2'000, 'x'); }
  SECTION("of its environment") { plan.tasks[1].spec.env = {{"WORDS", std::string(2'000, 'x')}}; }
  SECTION("of its labels") { plan.tasks[1].spec.labels.assign(32, std::string(64, 'x')); }
  std::vector<std::size_t> sizes;
  for (const Post& request : requests_for(plan, {100, 100, 1'000})) sizes.push_back(request.tasks.size());
  CHECK(sizes == std::vector<std::size_t>{1, 1, 2});
}
