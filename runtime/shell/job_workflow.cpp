#include "runtime/shell/job_workflow.hpp"

#include <algorithm>
#include <ranges>

#include "blackboard/fmt.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/format/keys.hpp"
#include "blackboard/task_states.hpp"

namespace bidboard {
namespace {

struct Earlier {
  std::optional<Workflow> last;  ///< from the plan's file
  WorkflowId unused;             ///< opened after it for a job that was then refused; 0: none
};

Result<Earlier> earlier_of(const BoardView& board, const Plan& plan) {
  Earlier earlier;
  if (plan.source.empty()) return earlier;
  const Result<std::vector<Workflow>> known = board.workflows();
  if (!known) return fail(known.error());
  for (const Workflow& workflow : *known) {
    if (workflow.source != plan.source || workflow.name != plan.name) continue;
    if (workflow.tasks == 0)
      earlier.unused = workflow.id;
    else
      earlier = {workflow, {}};
  }
  return earlier;
}

Result<std::vector<Task>> tasks_of(const BoardView& board, WorkflowId workflow) {
  const Result<std::vector<TaskId>> ids = board.ids_under(keys::members_of(workflow));
  if (!ids) return fail(ids.error());
  std::vector<Task> tasks;
  for (const TaskId id : *ids) {
    Result<Task> task = board.task(id);
    if (!task) return fail(task.error());
    tasks.push_back(std::move(*task));
  }
  return tasks;
}

/// Dependents first, so that each is cancelled and not skipped.
Result<void> cancel(std::vector<TaskId> ids, const std::string& reason, const Send& send) {
  std::ranges::sort(ids, std::greater<>());
  for (const TaskId id : ids) {
    const auto done = send(Direct{Direction::cancel, id, reason});
    if (!done && done.error().code != Errc::conflict)
      return fail(done.error());  // conflict: it ended meanwhile
  }
  return {};
}

std::string named(const char* what, const std::vector<std::string>& names) {
  constexpr std::size_t shown = 10;
  std::string text = listed(names | std::views::take(shown));
  if (names.size() > shown) text += fmt::format(" and {} more", names.size() - shown);
  return text.empty() ? text : fmt::format("; {}: {}", what, text);
}

}  // namespace

Result<JobWorkflow> open_workflow(const BoardView& board, const Plan& plan, bool fresh, const Send& send) {
  JobWorkflow workflow;
  const Result<Earlier> known = earlier_of(board, plan);
  if (!known) return fail(known.error());
  if (known->last) {
    const Result<std::vector<Task>> tasks = tasks_of(board, known->last->id);
    if (!tasks) return fail(tasks.error());
    if (fresh) {
      for (const Task& task : *tasks)
        if (!is_over(task.state)) workflow.cancel.push_back(task.id);
    } else if (workflow.earlier = continue_from(plan, known->last->planned, *tasks);
               !workflow.earlier.complete) {
      workflow.id = known->last->id;
      workflow.goes_on = true;
      workflow.cancel = workflow.earlier.cancel;
      return workflow;
    }
  }
  workflow.earlier = {};
  workflow.earlier.ids.resize(plan.tasks.size());
  workflow.id = known->unused;
  if (workflow.id) return workflow;
  Post post;
  post.workflow = plan.name;
  post.source = plan.source;
  const Result<ReplyBody> opened = send(std::move(post));
  if (!opened) return fail(opened.error());
  if (const auto* posted = std::get_if<Posted>(&*opened)) workflow.id = posted->workflow;
  return workflow;
}

Result<PostedPlan> post_rest(const Plan& plan, const JobWorkflow& workflow, const Send& send) {
  const std::string why = workflow.goes_on ? "its job file has changed" : "its job begins afresh";
  if (const auto done = cancel(workflow.cancel, why, send); !done) return fail(done.error());
  for (const TaskId id : workflow.earlier.retry) {
    const auto done = send(Direct{Direction::retry, id, "its job goes on"});
    if (!done && done.error().code != Errc::conflict) return fail(done.error());
  }
  return post_plan(plan,
                   [&](Post post) -> Result<Posted> {
                     const Result<ReplyBody> reply = send(std::move(post));
                     if (!reply) return fail(reply.error());
                     if (const auto* posted = std::get_if<Posted>(&*reply)) return *posted;
                     return fail(Errc::unsupported,
                                 "the board did not answer with the ids of the posted tasks");
                   },
                   {workflow.id, workflow.earlier.ids});
}

std::string in_words(const Plan& plan, const JobWorkflow& workflow) {
  if (!workflow.goes_on) return {};
  return fmt::format("going on with {}: {} of {} done already{}{}{}", workflow.id,
                     workflow.earlier.done.size(), counted(plan.tasks.size(), "task"),
                     named("changed", workflow.earlier.changed), named("new", workflow.earlier.added),
                     named("no longer in the file", workflow.earlier.removed));
}

}  // namespace bidboard
