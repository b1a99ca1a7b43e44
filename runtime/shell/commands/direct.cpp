// cancel, retry, pause, resume, reassign: interventions of an operator.

#include "blackboard/fmt.hpp"
#include "runtime/shell/caller.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/print.hpp"

namespace bidboard {
namespace {

struct DirectArgs {
  std::vector<std::string> tasks;
  std::string reason;
};

Result<Exit> direct(const Globals& globals, const DirectArgs& args, Direction what) {
  const Result<Target> board = find_target(globals);
  if (!board) return fail(board.error());
  for (const std::string& text : args.tasks) {
    const Result<TaskId> id = read_task_id(text);
    if (!id) return fail(id.error());
    const Result<Changed> changed = call_for<Changed>(*board, Direct{what, *id, args.reason}, caller());
    if (!changed) return fail(changed.error());
    say("{} is {}", *id, changed->state);
  }
  return Exit::ok;
}

Command directing(const std::string& verb, const std::string& summary, const std::string& example,
                  Direction what) {
  return {verb,
          "Steering",
          summary,
          "",
          {{fmt::format("bidboard {} t3", verb), example}},
          [what](Options& o) -> Action0 {
            auto args = std::make_shared<DirectArgs>();
            o.arguments("TASK", args->tasks, "The tasks, t12 or 12");
            o.text("--reason,-r", args->reason, "TEXT", "The reason, kept with the task");
            return [args, what](const Globals& globals) { return direct(globals, *args, what); };
          }};
}

struct ReassignArgs {
  std::string task;
  std::string agent;
};

Result<Exit> reassign(const Globals& globals, const ReassignArgs& args) {
  const Result<Target> board = find_target(globals);
  if (!board) return fail(board.error());
  const Result<TaskId> id = read_task_id(args.task);
  if (!id) return fail(id.error());
  const std::string agent = args.agent == "anyone" ? "" : args.agent;
  const Result<Changed> changed = call_for<Changed>(*board, Reassign{*id, agent}, caller());
  if (!changed) return fail(changed.error());
  say("{} is {}, reserved for {}", *id, changed->state, args.agent);
  return Exit::ok;
}

Result<Exit> probe(const Globals& globals, const std::string& name) {
  const Result<Target> board = find_target(globals);
  if (!board) return fail(board.error());
  const Result<Nothing> done = call_for<Nothing>(*board, Probe{name}, caller());
  if (!done) return fail(done.error());
  say("{} is tried again with the next task", name);
  return Exit::ok;
}

}  // namespace

Command cancel_command() {
  return directing("cancel", "Cancel tasks, even running ones; their dependents are skipped",
                   "and skip the tasks that need it", Direction::cancel);
}
Command retry_command() {
  return directing("retry", "Retry failed, cancelled, skipped, waiting or quarantined tasks",
                   "and the tasks that were skipped because of it", Direction::retry);
}
Command pause_command() {
  return directing("pause", "Pause tasks that have not been awarded", "it is not awarded until `resume`",
                   Direction::pause);
}
Command resume_command() {
  return directing("resume", "Resume paused tasks", "it can be awarded again", Direction::resume);
}

Command probe_command() {
  return {
      "probe",
      "Steering",
      "Try a resting agent or account again now: one task, before its time is over",
      "An agent or account rests after an outage of its provider, or after several failures in a row. When\n"
      "the time is over one task is tried by itself. A result ends the rest.",
      {{"bidboard probe team", "the account `team` has been paid for"}},
      [](Options& o) -> Action0 {
        auto name = std::make_shared<std::string>();
        o.argument("NAME", *name, "The name of the account or the agent");
        return [name](const Globals& globals) { return probe(globals, *name); };
      }};
}

Command reassign_command() {
  return {"reassign",
          "Steering",
          "Reserve a task for one agent; if another agent holds it, take it away",
          "",
          {{"bidboard reassign t3 scout1", "only scout1 can be awarded t3 next"},
           {"bidboard reassign t3 anyone", "remove the reservation"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<ReassignArgs>();
            o.task("TASK", args->task);
            o.argument("AGENT", args->agent, "The agent's name, or anyone");
            return [args](const Globals& globals) { return reassign(globals, *args); };
          }};
}

}  // namespace bidboard
