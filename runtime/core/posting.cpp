#include "runtime/core/posting.hpp"

#include <algorithm>

#include "auction/bid.hpp"
#include "blackboard/checks/check.hpp"
#include "blackboard/checks/sabotage.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/numbers.hpp"
#include "blackboard/task_graph.hpp"
#include "blackboard/task_limits.hpp"
#include "blackboard/text/labels.hpp"
#include "blackboard/text/readable.hpp"

namespace bidboard {
namespace {

/// Bottom levels only order the queue. One request raises at most this many of them, and no event lists more.
constexpr std::size_t max_raised_levels = 20'000;
/// The longest chain that is counted; twice this is still far from overflow.
constexpr Micros max_level = 4'000'000'000'000'000'000;

std::string name_of(const TaskSpec& spec) { return spec.name.empty() ? spec.title : spec.name; }

/// State of a task about to be posted, derived from its needs. `board` already knows all of them.
void set_first_state(const Board& board, Task& task, WallTime now) {
  task.state = TaskState::ready;
  for (const Need& need : task.spec.needs) {
    const Task& needed = *board.task(need.task);
    if (!is_over(needed.state)) {
      task.open_needs += 1;
      if (task.state != TaskState::skipped) task.state = TaskState::blocked;
    } else if (needed.state != TaskState::done && !need.any) {
      task.state = TaskState::skipped;
      task.reason = fmt::format("{} is {}", needed.id, needed.state);
    }
  }
  if (task.state == TaskState::ready) task.ready_at = now;
  if (task.state == TaskState::skipped) task.finished_at = now;
}

/// The request's tasks with ids, in the order of the request.
Result<std::vector<Task>> numbered(const Core& core, const Actor& actor, const Post& post) {
  std::vector<Task> tasks;
  for (const TaskSpec& spec : post.tasks) {
    if (const Result<void> ok = check_spec(spec); !ok) return fail(ok.error());
    Task task;
    task.id = TaskId{core.board.counters().task.value + tasks.size() + 1};
    task.spec = spec;
    task.spec.workflow = {};  // not the caller's choice: a workflow counts its tasks
    if (task.spec.project.empty()) task.spec.project = core.board.config().project;
    if (actor.only_task)
      task.spec.parent = actor.only_task;
    else if (spec.parent && !core.board.task(spec.parent))
      return fail(Errc::not_found,
                  fmt::format("the parent of task '{}', {}, does not exist", spec.title, spec.parent));
    task.created_at = core.now.wall;
    put_in_order(task.spec.labels);
    if (const Result<void> ok = check_needs_exist(core.board, spec); !ok) return fail(ok.error());
    tasks.push_back(std::move(task));
  }
  for (const BatchNeed& need : post.batch_needs) {
    if (need.task >= tasks.size() || need.needs >= tasks.size())
      return fail(Errc::invalid, "a need names a task that is not in the request");
    tasks[need.task].spec.needs.push_back({tasks[need.needs].id, need.any});
  }
  for (Task& task : tasks) {
    put_in_order(task.spec.needs);
    if (const Result<void> ok = check_spec(task.spec); !ok) return fail(ok.error());
  }
  return tasks;
}

TaskGraph graph_of(const std::vector<Task>& tasks) {
  std::vector<TaskGraph::Node> nodes;
  std::vector<TaskGraph::Edge> edges;
  for (const Task& task : tasks) {
    nodes.push_back({task.id, std::max<Micros>(task.spec.size, 1), {}, {}});
    for (const Need& need : task.spec.needs) edges.push_back({task.id, need.task});
  }
  return {nodes, edges};
}

/// An order in which the tasks can be posted, each after its needs, with their bottom levels set.
Result<std::vector<const Task*>> ordered(const Core& core, std::vector<Task>& tasks, bool has_inner_needs) {
  std::vector<const Task*> order;
  if (!has_inner_needs) {
    for (Task& task : tasks) {
      if (core.coordinator->orders_by_bottom_level()) task.bottom_level = std::max<Micros>(task.spec.size, 1);
      order.push_back(&task);
    }
    return order;
  }
  const TaskGraph graph = graph_of(tasks);
  if (const auto cycle = graph.cycle())
    return fail(Errc::invalid, "dependency cycle: " + spelled_out(*cycle));
  const std::uint64_t first = tasks.front().id.value;
  if (core.coordinator->orders_by_bottom_level())
    for (const auto& [id, level] : graph.bottom_levels()) tasks[id.value - first].bottom_level = level;
  for (const TaskId id : graph.topological_order()) order.push_back(&tasks[id.value - first]);
  return order;
}

/// For a post with one key: the task that is already stored under it.
std::optional<Posted> already_posted(const Core& core, const Post& post) {
  Posted posted;
  for (const TaskSpec& spec : post.tasks) {
    const std::string& project = spec.project.empty() ? core.board.config().project : spec.project;
    const auto known = spec.key.empty() ? std::nullopt : core.board.task_with_key(project, spec.key);
    if (!known) return {};
    posted.ids.push_back(*known);
    posted.existed.push_back(true);
  }
  return posted;
}

/// The workflow that the tasks are added to; 0: none. What a process posts under a token belongs to the
/// workflow of its task, whose own agents may be the only ones. Those agents execute what is added, so that
/// adding to any other workflow is for operators.
Result<WorkflowId> joined(const Core& core, const Actor& actor, const Post& post) {
  if (actor.only_task)
    return post.workflow.empty() ? core.board.task(actor.only_task)->spec.workflow : WorkflowId{};
  if (post.joins && !core.origin.operates)
    return fail(Errc::refused, "adding tasks to a workflow takes a key that was added with --operator");
  return post.joins;
}

/// The workflow that the tasks form, or join if the request extends one.
Result<WorkflowId> open_workflow(Core& core, const Post& post, WorkflowId joins,
                                 const std::vector<Task>& tasks) {
  Workflow workflow;
  if (joins) {
    const Workflow* known = core.board.workflow(joins);
    if (!known) return fail(Errc::not_found, fmt::format("no workflow {}", joins));
    workflow = *known;
    workflow.finished_at = {};
  } else {
    workflow.id = WorkflowId{core.board.counters().workflow.value + 1};
    workflow.name = post.workflow;
    workflow.source = post.source;
    workflow.project = tasks.empty() ? core.board.config().project : tasks.front().spec.project;
    workflow.posted_at = core.now.wall;
  }
  if (post.planned != 0) workflow.planned = post.planned;
  workflow.tasks += static_cast<std::uint32_t>(tasks.size());
  workflow.open += static_cast<std::uint32_t>(tasks.size());
  if (workflow.open == 0) workflow.finished_at = core.now.wall;
  core.emit(WorkflowPosted{workflow});
  return workflow.id;
}

}  // namespace

/// Records the levels that differ from the stored ones, in events of bounded size.
void emit_levels(Core& core, const std::vector<Level>& levels) {
  LevelsRaised raised;
  for (const Level& level : levels) {
    if (core.board.task(level.task)->bottom_level == level.bottom_level) continue;
    raised.levels.push_back(level);
    if (raised.levels.size() == max_raised_levels) core.emit(std::exchange(raised, {}));
  }
  if (!raised.levels.empty()) core.emit(std::move(raised));
}

void raise_levels_above(Core& core, TaskId from) {
  if (!core.coordinator->orders_by_bottom_level()) return;
  // Highest ids first: a task is usually younger than its needs, so each is visited once, after all of its
  // dependents.
  std::map<TaskId, Micros, std::greater<>> work{{from, core.board.task(from)->bottom_level}};
  std::map<TaskId, Micros> level_of;
  for (std::size_t steps = 0; !work.empty() && steps < max_raised_levels; ++steps) {
    const auto [at, below] = *work.begin();
    work.erase(work.begin());
    for (const Need& need : core.board.task(at)->spec.needs) {
      const Task& needed = *core.board.task(need.task);
      if (is_over(needed.state)) continue;
      const Micros level = std::min(std::max<Micros>(needed.spec.size, 1) + below, max_level);
      Micros& best = level_of.try_emplace(need.task, needed.bottom_level).first->second;
      if (level > best) work[need.task] = best = level;
    }
  }
  std::vector<Level> levels;
  for (const auto& [task, level] : level_of) levels.push_back({task, level});
  emit_levels(core, levels);
}

void lower_levels(Core& core, const std::vector<TaskId>& from) {
  if (!core.coordinator->orders_by_bottom_level()) return;
  // Highest ids first, for the same reason.
  std::set<TaskId, std::greater<>> work(from.begin(), from.end());
  std::map<TaskId, Micros> level_of;
  for (std::size_t steps = 0; !work.empty() && steps < max_raised_levels; ++steps) {
    const Task& task = *core.board.task(*work.begin());
    work.erase(work.begin());
    if (is_over(task.state)) continue;
    Micros below = 0;
    for (const TaskId id : core.board.tasks_under(keys::dependents_of(task.id))) {
      const Task& dependent = *core.board.task(id);
      ++steps;
      if (is_over(dependent.state)) continue;
      const auto known = level_of.find(id);
      below = std::max(below, known == level_of.end() ? dependent.bottom_level : known->second);
    }
    const Micros level = std::min(std::max<Micros>(task.spec.size, 1) + below, max_level);
    Micros& best = level_of.try_emplace(task.id, task.bottom_level).first->second;
    if (level >= best) continue;
    best = level;
    for (const Need& need : task.spec.needs) work.insert(need.task);
  }
  std::vector<Level> levels;
  for (const auto& [task, level] : level_of) levels.push_back({task, level});
  emit_levels(core, levels);
}

std::string spelled_out(const std::vector<TaskId>& cycle) {
  std::string text;
  for (const TaskId id : cycle) text += (text.empty() ? "" : " needs ") + to_string(id);
  return text;
}

Result<void> check_spec(const TaskSpec& spec) {
  if (spec.title.empty()) return fail(Errc::invalid, "a task needs a title");
  std::string flaw = flaw_of(spec, spec.needs.size());
  for (const std::string& label : spec.labels)
    if (flaw.empty() && !is_label(label))
      flaw = fmt::format("'{}' is not a label; {}", readable(label), label_rule);
  if (!flaw.empty()) return fail(Errc::invalid, fmt::format("task '{}': {}", name_of(spec), flaw));
  return {};
}

Result<void> check_needs_exist(const Board& board, const TaskSpec& spec) {
  for (const Need& need : spec.needs)
    if (!board.task(need.task))
      return fail(Errc::not_found,
                  fmt::format("task '{}' needs {}, which does not exist", spec.title, need.task));
  return {};
}

Result<void> check_room(const Board& board, std::string_view what) {
  if (board.store().fullness() < nearly_full) return {};
  return fail(Errc::storage,
              fmt::format("the board is 90 % full: {} are refused so that running ones can finish", what));
}

Result<Posted> post_tasks(Core& core, const Actor& actor, const Post& post) {
  if (post.tasks.empty() && post.workflow.empty()) return fail(Errc::invalid, "nothing to post");
  if (!post.tasks.empty())
    if (const auto existing = already_posted(core, post)) return *existing;
  for (const TaskSpec& spec : post.tasks)
    if (!spec.key.empty() && post.tasks.size() > 1)
      return fail(Errc::conflict,
                  fmt::format("task '{}' has a key, and keys identify single tasks; post tasks "
                              "with keys one by one",
                              name_of(spec)));
  if (const Result<void> room = check_room(core.board, "new tasks"); !room) return fail(room.error());
  Result<std::vector<Task>> tasks = numbered(core, actor, post);
  if (!tasks) return fail(tasks.error());
  const auto order = ordered(core, *tasks, !post.batch_needs.empty());
  if (!order) return fail(order.error());

  Posted posted;
  const Result<WorkflowId> joins = joined(core, actor, post);
  if (!joins) return fail(joins.error());
  if (!post.workflow.empty() || *joins) {
    const Result<WorkflowId> workflow = open_workflow(core, post, *joins, *tasks);
    if (!workflow) return fail(workflow.error());
    posted.workflow = *workflow;
  }
  for (const Task* task : *order) {
    Task record = *task;
    if (posted.workflow) record.spec.workflow = posted.workflow;
    set_first_state(core.board, record, core.now.wall);
    const bool raises = !post.tasks[record.id.value - tasks->front().id.value].needs.empty();
    const TaskId id = record.id;
    core.emit(TaskPosted{std::move(record)});
    if (raises) raise_levels_above(core, id);
  }
  for (const Task& task : *tasks) posted.ids.push_back(task.id), posted.existed.push_back(false);
  if (sabotaged("core") && !post.tasks.empty())
    BB_CHECK(post.tasks[0].title != "crash the core", "sabotaged: this task crashes");
  return posted;
}

void relevel_all(Core& core, bool by_bottom_level) {
  std::vector<Task> tasks;
  for (const TaskId id : core.board.open_tasks()) tasks.push_back(*core.board.task(id));
  std::vector<Level> levels;
  if (by_bottom_level) {
    for (const auto& [id, level] : graph_of(tasks).bottom_levels()) levels.push_back({id, level});
  } else {
    for (const Task& task : tasks) levels.push_back({task.id, 0});
  }
  emit_levels(core, levels);
}

}  // namespace bidboard
