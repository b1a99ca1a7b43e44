// Posting tasks and their life until they are over. Who gets them is decided in dispatch.cpp.
#include <algorithm>

#include "auction/bid.hpp"
#include "auction/eligibility.hpp"
#include "blackboard/check.hpp"
#include "blackboard/task_graph.hpp"
#include "runtime/core.hpp"

namespace bidboard {
namespace {

constexpr std::size_t max_title_bytes = 1'000;
constexpr std::size_t max_body_bytes = 1 << 20;
constexpr std::size_t max_needs = 10'000;
/// Posts stop here, so that what runs can still finish.
constexpr std::int64_t full = 900'000;
/// Bottom levels only order the queue: one request raises at most this many of them, and no event tells of
/// more.
constexpr std::size_t max_raised_levels = 20'000;
/// Where a chain's length stops to count; twice of it is still far from overflow.
constexpr Micros max_level = 4'000'000'000'000'000'000;

std::string spelled_out(const std::vector<TaskId>& cycle) {
  std::string text;
  for (const TaskId id : cycle) text += (text.empty() ? "" : " needs ") + to_string(id);
  return text;
}

Result<void> check_spec(const TaskSpec& spec) {
  const auto bad = [&](const std::string& what) {
    return fail(Errc::invalid, "task '" + spec.title + "': " + what);
  };
  if (spec.title.empty()) return fail(Errc::invalid, "a task needs a title");
  if (spec.title.size() > max_title_bytes)
    return bad("its title has more than 1000 bytes; put text into the body");
  if (spec.body.size() + spec.run.size() > max_body_bytes)
    return bad("its body has more than 1 MB; put it into a file");
  if (spec.needs.size() > max_needs) return bad("it needs more than 10000 tasks");
  if (spec.size < 0) return bad("its size is negative");
  if (spec.size > max_bid_seconds) return bad("its size is more than a year of work; split it");
  if (spec.timeout.us <= 0) return bad("its timeout must be above zero");
  if (spec.timeout.us > max_bid_seconds) return bad("its timeout is more than a year");
  if (spec.attempts == 0) return bad("it must have at least one attempt");
  for (const SkillNeed& skill : spec.skills)
    if (skill.name.empty()) return bad("a skill has no name");
  return {};
}

/// State of a task about to be posted, from what it needs. `board` knows all its needs already.
void set_first_state(const Board& board, Task& task, WallTime now) {
  task.state = TaskState::ready;
  for (const Need& need : task.spec.needs) {
    const Task& needed = *board.task(need.task);
    if (!is_over(needed.state)) {
      task.open_needs += 1;
      if (task.state != TaskState::skipped) task.state = TaskState::blocked;
    } else if (needed.state != TaskState::done && !need.any) {
      task.state = TaskState::skipped;
      task.reason = to_string(needed.id) + " is " + std::string(name(needed.state));
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
    task.spec
        .workflow = {};  // a workflow counts its tasks: only the post that makes it decides who belongs to it
    if (task.spec.project.empty()) task.spec.project = core.board.config().project;
    if (actor.only_task)
      task.spec.parent = actor.only_task;
    else if (spec.parent && !core.board.task(spec.parent))
      return fail(Errc::not_found, "task '" + spec.title + "' is to stand under " + to_string(spec.parent) +
                                       ", which does not exist");
    task.created_at = core.now.wall;
    for (const Need& need : spec.needs)
      if (!core.board.task(need.task))
        return fail(Errc::not_found,
                    "task '" + spec.title + "' needs " + to_string(need.task) + ", which does not exist");
    tasks.push_back(std::move(task));
  }
  for (const BatchNeed& need : post.batch_needs) {
    if (need.task >= tasks.size() || need.needs >= tasks.size())
      return fail(Errc::invalid, "a need names a task that is not in the request");
    tasks[need.task].spec.needs.push_back({tasks[need.needs].id, need.any});
  }
  for (Task& task : tasks) {
    std::vector<Need>& needs = task.spec.needs;
    std::stable_sort(needs.begin(), needs.end(),
                     [](const Need& a, const Need& b) { return a.task < b.task; });
    needs.erase(std::unique(needs.begin(), needs.end(),
                            [](const Need& a, const Need& b) { return a.task == b.task; }),
                needs.end());
    if (needs.size() > max_needs)
      return fail(Errc::invalid, "task '" + task.spec.title + "': it needs more than 10000 tasks");
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

/// The order in which the tasks can be posted (every one after its needs), their bottom levels set.
Result<std::vector<const Task*>> ordered(const Core& core, std::vector<Task>& tasks, bool has_inner_needs) {
  std::vector<const Task*> order;
  if (!has_inner_needs) {
    for (Task& task : tasks) {
      if (core.strategy->orders_by_bottom_level()) task.bottom_level = std::max<Micros>(task.spec.size, 1);
      order.push_back(&task);
    }
    return order;
  }
  const TaskGraph graph = graph_of(tasks);
  if (const auto cycle = graph.cycle())
    return fail(Errc::invalid, "the tasks need each other in a circle: " + spelled_out(*cycle));
  const std::uint64_t first = tasks.front().id.value;
  if (core.strategy->orders_by_bottom_level())
    for (const auto& [id, level] : graph.bottom_levels()) tasks[id.value - first].bottom_level = level;
  for (const TaskId id : graph.topological_order()) order.push_back(&tasks[id.value - first]);
  return order;
}

/// With one key: the task that stands under it already.
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

/// The workflow that the tasks form, or, in a further request, join.
Result<WorkflowId> open_workflow(Core& core, const Post& post, const std::vector<Task>& tasks) {
  Workflow workflow;
  if (post.joins) {
    const Workflow* known = core.board.workflow(post.joins);
    if (!known) return fail(Errc::not_found, "no workflow " + to_string(post.joins));
    workflow = *known;
    workflow.finished_at = {};
  } else {
    workflow.id = WorkflowId{core.board.counters().workflow.value + 1};
    workflow.name = post.workflow;
    workflow.source = post.source;
    workflow.project = tasks.front().spec.project;
    workflow.posted_at = core.now.wall;
  }
  workflow.tasks += static_cast<std::uint32_t>(tasks.size());
  workflow.open += static_cast<std::uint32_t>(tasks.size());
  core.emit(WorkflowPosted{workflow});
  return workflow.id;
}

/// Records the levels that differ from what stands, in events of bounded size.
void emit_levels(Core& core, const std::vector<Level>& levels) {
  LevelsRaised raised;
  for (const Level& level : levels) {
    if (core.board.task(level.task)->bottom_level == level.bottom_level) continue;
    raised.levels.push_back(level);
    if (raised.levels.size() == max_raised_levels) core.emit(std::exchange(raised, {}));
  }
  if (!raised.levels.empty()) core.emit(std::move(raised));
}

void skip(Core& core, TaskId id, const Task& because) {
  core.emit(
      TaskMoved{id, TaskState::skipped, to_string(because.id) + " is " + std::string(name(because.state))});
}

}  // namespace

Result<Posted> post_tasks(Core& core, const Actor& actor, const Post& post) {
  if (post.tasks.empty()) return fail(Errc::invalid, "nothing to post");
  if (const auto existing = already_posted(core, post)) return *existing;
  for (const TaskSpec& spec : post.tasks)
    if (!spec.key.empty() && post.tasks.size() > 1)
      return fail(Errc::conflict, "keys identify single tasks; post tasks with keys one by one");
  if (core.board.store().fullness() >= full)
    return fail(Errc::storage,
                "the board is 90 % full: new tasks are refused so that running ones can finish");
  Result<std::vector<Task>> tasks = numbered(core, actor, post);
  if (!tasks) return fail(tasks.error());
  const auto order = ordered(core, *tasks, !post.batch_needs.empty());
  if (!order) return fail(order.error());

  Posted posted;
  if (!post.workflow.empty() || post.joins) {
    const Result<WorkflowId> workflow = open_workflow(core, post, *tasks);
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
  return posted;
}

void raise_levels_above(Core& core, TaskId from) {
  if (!core.strategy->orders_by_bottom_level()) return;
  // Highest ids first: a task is mostly younger than what it needs, so each is passed once, after all that
  // wait for it.
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

void relevel_all(Core& core, bool by_bottom_level) {
  std::vector<Task> tasks;  // by number, not by scan: those posted in this batch are not yet stored
  for (TaskId id{1}; id <= core.board.counters().task; id.value += 1)
    if (const Task* task = core.board.task(id); task && !is_over(task->state)) tasks.push_back(*task);
  std::vector<Level> levels;
  if (by_bottom_level) {
    for (const auto& [id, level] : graph_of(tasks).bottom_levels()) levels.push_back({id, level});
  } else {
    for (const Task& task : tasks) levels.push_back({task.id, 0});
  }
  emit_levels(core, levels);
}

namespace {

/// Until when the task waits after an attempt that ended so; 0: not at all.
WallTime back_off(const Core& core, const Task& task, const AttemptEnd& end) {
  const Duration base = core.board.config().backoff;
  std::ptrdiff_t earlier = 0;  // attempts of the same sort: the wait doubles with each
  if (end.declined)
    earlier = std::count_if(task.failures.begin(), task.failures.end(),
                            [&](const AttemptFailure& failure) { return failure.agent == task.holder; });
  else if (end.counts && (!end.died || task.deaths > 0))  // the first death says little about the task
    earlier = task.attempts - std::min(task.attempts, 1u);
  else
    return {};
  if (base.us == 0) return {};
  return core.now.wall + base * (std::int64_t{1} << std::min<std::ptrdiff_t>(earlier, 10));
}

}  // namespace

void end_attempt(Core& core, TaskId id, const AttemptEnd& end) {
  const Task task = *core.board.task(id);
  BB_CHECK(is_held(task.state), "only a held task has a live attempt");
  const bool last = end.counts && task.attempts >= task.spec.attempts;
  AttemptEnded event{id, task.epoch, task.holder, TaskState::ready, end.reason, end.died, end.counts, {}};
  const bool begun = task.state == TaskState::running;
  if (!task.spec.repeatable && (end.outcome_unknown || end.died) && begun) {
    event.to = *after(task.state, Move::ask_person);
    event.reason += "; it may not be repeated, so a person must say how it ended (done, fail or retry)";
  } else if (last) {
    event.to = *after(task.state, end.died ? Move::quarantine : Move::give_up);
    event.reason +=
        " (attempt " + std::to_string(task.attempts) + " of " + std::to_string(task.spec.attempts) + ")";
  } else {
    event.not_before = back_off(core, task, end);
  }
  core.promises.erase(id);
  core.emit(std::move(event));
  if (core.board.task(id)->state == TaskState::ready && task.reserved_for && end.died)
    core.emit(TaskReserved{id, {}});  // the agent it was kept for is gone
  release_dependents(core, id);
}

void finish_task(Core& core, const Task& task, AgentId agent, const std::string& result, Micros price,
                 std::int64_t tokens) {
  TaskFinished event{task.id, task.epoch, agent, {}, {}, price, tokens};
  if (result.size() <= inline_result_bytes) {
    event.result = result;
  } else {
    event.result_blob = content_hash(result);
    core.board.stage_blob(event.result_blob, result);
  }
  const TaskId id = task.id;
  core.promises.erase(id);
  core.emit(std::move(event));
  release_dependents(core, id);
}

void release_dependents(Core& core, TaskId first) {
  std::vector<TaskId> ended{first};
  while (!ended.empty()) {
    const Task by = *core.board.task(ended.back());
    ended.pop_back();
    if (!is_over(by.state)) continue;
    close_auction(core, by.id);
    for (const TaskId id : core.board.tasks_under(keys::dependents_of(by.id))) {
      const Task& task = *core.board.task(id);
      const auto need = std::find_if(task.spec.needs.begin(), task.spec.needs.end(),
                                     [&](const Need& n) { return n.task == by.id; });
      const bool failed = by.state != TaskState::done && need != task.spec.needs.end() && !need->any;
      if (failed && after(task.state, Move::need_failed)) {
        skip(core, id, by);
        ended.push_back(id);
      } else if (task.state == TaskState::blocked && task.open_needs == 0) {
        core.emit(TaskMoved{id, TaskState::ready, {}});
      }
    }
  }
}

namespace {

/// Needs that keep the task from being reopened: over, not done, and not `any`.
const Task* failed_need(const Board& board, const Task& task) {
  for (const Need& need : task.spec.needs) {
    const Task* needed = board.task(need.task);
    if (needed && is_over(needed->state) && needed->state != TaskState::done && !need.any) return needed;
  }
  return nullptr;
}

bool has_open_needs(const Board& board, const Task& task) {
  return std::any_of(task.spec.needs.begin(), task.spec.needs.end(), [&](const Need& need) {
    const Task* needed = board.task(need.task);
    return needed && !is_over(needed->state);
  });
}

/// Reopens the task and, transitively, what was skipped because of it.
void reopen(Core& core, TaskId first, const std::string& reason) {
  std::vector<TaskId> work{first};
  while (!work.empty()) {
    const Task task = *core.board.task(work.back());
    work.pop_back();
    if (task.id != first && (task.state != TaskState::skipped || failed_need(core.board, task))) continue;
    const Move move = has_open_needs(core.board, task) ? Move::reopen_blocked : Move::reopen;
    core.emit(TaskReopened{task.id, *after(task.state, move), reason});
    for (const TaskId id : core.board.tasks_under(keys::dependents_of(task.id))) work.push_back(id);
  }
}

Result<Move> move_of(const Core& core, const Task& task, Direction what) {
  switch (what) {
    case Direction::cancel:
      return Move::cancel;
    case Direction::pause:
      return Move::pause;
    case Direction::resume:
      return has_open_needs(core.board, task) ? Move::resume_blocked : Move::resume;
    case Direction::retry:
      break;
  }
  if (const Task* failed = failed_need(core.board, task))
    return fail(Errc::conflict, to_string(task.id) + " needs " + to_string(failed->id) + ", which is " +
                                    std::string(name(failed->state)) + "; retry that one first");
  return has_open_needs(core.board, task) ? Move::reopen_blocked : Move::reopen;
}

}  // namespace

Result<Changed> direct_task(Core& core, const Direct& request) {
  const Task* found = core.board.task(request.task);
  if (!found) return fail(Errc::not_found, "no task " + to_string(request.task));
  const Task task = *found;
  constexpr std::array<std::string_view, 4> words{"cancelled", "retried", "paused", "resumed"};
  const Result<Move> move = move_of(core, task, request.what);
  if (!move) return fail(move.error());
  const std::optional<TaskState> to = after(task.state, *move);
  if (!to)
    return fail(Errc::conflict, to_string(task.id) + " is " + std::string(name(task.state)) +
                                    " and cannot be " +
                                    std::string(words[static_cast<std::size_t>(request.what)]));
  if (request.what == Direction::retry) {
    reopen(core, task.id, request.reason);
  } else {
    if (is_held(task.state))
      revoke(core, task, request.reason.empty() ? "cancelled" : "cancelled: " + request.reason);
    close_auction(core, task.id);
    core.promises.erase(task.id);
    core.emit(TaskMoved{task.id, *to, request.reason});
    release_dependents(core, task.id);
  }
  return Changed{task.id, core.board.task(task.id)->state, task.epoch};
}

Result<Changed> reassign_task(Core& core, const Reassign& request) {
  const Task* found = core.board.task(request.task);
  if (!found) return fail(Errc::not_found, "no task " + to_string(request.task));
  const Task task = *found;
  if (is_over(task.state))
    return fail(Errc::conflict,
                to_string(task.id) + " is " + std::string(name(task.state)) + "; retry it first");
  AgentId agent;
  if (!request.agent.empty()) {
    const auto known = core.board.agent_named(request.agent);
    if (!known) return fail(Errc::not_found, "no agent called '" + request.agent + "'");
    agent = *known;
    const Agent& wanted = *core.board.agent(agent);
    Task unreserved = task;
    unreserved.reserved_for = {};
    if (wanted.state == AgentState::gone)
      return fail(Errc::conflict, "agent '" + request.agent + "' is gone (" + wanted.reason + ")");
    if (const auto against = ineligible(unreserved, wanted))
      return fail(Errc::refused, "agent '" + request.agent + "' may not take " + to_string(task.id) + ": " +
                                     against->detail);
  }
  if (is_held(task.state) && agent && task.holder == agent)
    return Changed{task.id, task.state, task.epoch};  // it has what it is to have
  if (is_held(task.state)) {
    revoke(core, task, "reassigned");
    end_attempt(core, task.id,
                {.reason = "reassigned by an operator", .outcome_unknown = true, .counts = false});
  }
  close_auction(core, task.id);
  core.emit(TaskReserved{task.id, agent});
  return Changed{task.id, core.board.task(task.id)->state, task.epoch};
}

Result<Changed> change_need(Core& core, const Depend& request) {
  const Task* found = core.board.task(request.task);
  if (!found) return fail(Errc::not_found, "no task " + to_string(request.task));
  const Task* needed = core.board.task(request.need.task);
  if (!needed) return fail(Errc::not_found, "no task " + to_string(request.need.task));
  const Task task = *found;
  const std::string both = to_string(task.id) + " and " + to_string(needed->id);
  const auto standing = std::find_if(task.spec.needs.begin(), task.spec.needs.end(),
                                     [&](const Need& need) { return need.task == request.need.task; });
  const bool stands = standing != task.spec.needs.end();
  if (is_held(task.state) || is_over(task.state) || task.state == TaskState::waiting)
    return fail(Errc::conflict, to_string(task.id) + " is " + std::string(name(task.state)) +
                                    "; needs can change only before it is awarded");
  if (request.remove) {
    if (!stands) return fail(Errc::not_found, "there is no dependency between " + both);
    core.emit(NeedRemoved{task.id, request.need.task});
    const Task& now = *core.board.task(task.id);
    if (now.state == TaskState::blocked && now.open_needs == 0)
      core.emit(TaskMoved{task.id, TaskState::ready, {}});
    return Changed{task.id, core.board.task(task.id)->state, task.epoch};
  }
  if (stands && standing->any == request.need.any) return Changed{task.id, task.state, task.epoch};
  if (!stands && task.spec.needs.size() >= max_needs)
    return fail(Errc::conflict, to_string(task.id) + " needs 10000 tasks already");
  // A cycle would close if the new need already waits, however indirectly, for this task.
  std::map<TaskId, TaskId> waits_because{{request.need.task, {}}};
  std::vector<TaskId> work{request.need.task};
  while (!work.empty()) {
    const TaskId at = work.back();
    work.pop_back();
    if (at == task.id) {
      std::vector<TaskId> cycle{task.id};
      for (TaskId step = waits_because.at(at); step; step = waits_because.at(step))
        cycle.insert(cycle.begin(), step);
      cycle.insert(cycle.begin(), task.id);
      return fail(Errc::invalid, "that would be a circle: " + spelled_out(cycle));
    }
    for (const Need& need : core.board.task(at)->spec.needs)
      if (waits_because.try_emplace(need.task, at).second) work.push_back(need.task);
  }
  if (stands) core.emit(NeedRemoved{task.id, request.need.task});
  core.emit(NeedAdded{task.id, request.need});
  if (!is_over(needed->state)) {
    if (const auto to = after(task.state, Move::need_added)) {
      close_auction(core, task.id);
      core.emit(TaskMoved{task.id, *to, {}});
    }
  } else if (needed->state != TaskState::done && !request.need.any && after(task.state, Move::need_failed)) {
    close_auction(core, task.id);
    skip(core, task.id, *needed);
    release_dependents(core, task.id);
  }
  raise_levels_above(core, task.id);
  return Changed{task.id, core.board.task(task.id)->state, task.epoch};
}

}  // namespace bidboard
