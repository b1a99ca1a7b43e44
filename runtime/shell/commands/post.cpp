// post, dep: tasks and their dependencies.
#include <cstdio>
#include <cstdlib>

#include "blackboard/fmt.hpp"
#include "runtime/drivers/call.hpp"
#include "runtime/jobs/variables.hpp"
#include "runtime/shell/caller.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/print.hpp"
#include "runtime/shell/task_options.hpp"

namespace bidboard {
namespace {

struct PostArgs {
  TaskSpec spec;
  std::string body;
  std::vector<std::string> needs;
  std::vector<std::string> skills;
  std::vector<std::string> env;
  std::int64_t attempts = 3;
  bool once = false;
  std::string parent;
  bool json = false;
  std::string as;
};

Result<Exit> post(const Globals& globals, PostArgs args) {
  const Result<Target> board = find_target(globals);
  if (!board) return fail(board.error());
  TaskSpec& spec = args.spec;
  Result<std::string> body = read_text(args.body);
  if (!body) return fail(body.error());
  spec.body = std::move(*body);
  Result<std::vector<Need>> needs = read_needs(args.needs);
  if (!needs) return fail(needs.error());
  spec.needs = std::move(*needs);
  Result<std::vector<SkillNeed>> skills = read_skill_needs(args.skills);
  if (!skills) return fail(skills.error());
  spec.skills = std::move(*skills);
  for (const std::string& text : args.env) {
    Result<EnvVariable> variable = parse_variable(text);
    if (!variable) return fail(Errc::invalid, "--env: " + variable.error().text);
    spec.env.push_back(std::move(*variable));
  }
  spec.attempts = static_cast<std::uint32_t>(args.attempts);
  spec.repeatable = !args.once;
  if (!args.parent.empty()) {
    const Result<TaskId> parent = read_task_id(args.parent);
    if (!parent) return fail(parent.error());
    spec.parent = *parent;
  }
  Post request;
  request.tasks.push_back(std::move(spec));
  const Result<Posted> posted = call_for<Posted>(*board, std::move(request), caller(args.as));
  if (!posted) return fail(posted.error());
  const std::string id = to_string(posted->ids.front());
  if (args.json) {
    Value answer{Value::Object{}};
    answer.set("schema", "bidboard/1");
    answer.set("id", id);
    answer.set("existed", bool(posted->existed.front()));
    print_json_line(answer);
  } else {
    say("{}", id);
  }
  return Exit::ok;
}

struct DepArgs {
  std::string task;
  std::string need;
  bool any = false;
  bool remove = false;
};

Result<Exit> dep(const Globals& globals, const DepArgs& args) {
  const Result<Target> board = find_target(globals);
  if (!board) return fail(board.error());
  const Result<TaskId> task = read_task_id(args.task);
  if (!task) return fail(task.error());
  const Result<TaskId> need = read_task_id(args.need);
  if (!need) return fail(need.error());
  const Result<Changed> changed =
      call_for<Changed>(*board, Depend{*task, {*need, args.any}, args.remove}, caller());
  if (!changed) return fail(changed.error());
  say("{} {} {} and is {}", *task, args.remove ? "no longer needs" : "needs", *need, changed->state);
  return Exit::ok;
}

}  // namespace

Command post_command() {
  return {
      "post",
      "Tasks",
      "Post a task and print its id",
      "TIME is a number with a unit (250ms, 60s, 5m, 2h); without a unit it is seconds.",
      {{"bidboard post \"Fix the login\" --body @notes.md --skill \"cpp>=0.7\"",
        "only for agents whose level in cpp is at least 0.7"},
       {"bidboard post Test --run \"make test\" --need t1 --timeout 10m",
        "a command that runs after t1 is done"},
       {"bidboard post Clean --need t2:any --key clean-2024",
        "runs in whatever state t2 ends; repeating the command posts nothing new"}},
      [](Options& o) -> Action0 {
        auto args = std::make_shared<PostArgs>();
        TaskSpec& spec = args->spec;
        o.argument("TITLE", spec.title, "What to do, in one line");
        o.text("--body,-b", args->body, "TEXT|@FILE|-",
               "Full description; @FILE reads a file, - reads stdin");
        o.text("--run", spec.run, "CMD",
               "A shell command for agents with --allow-run; runs in the board's folder");
        o.texts("--need,-n", args->needs, "TASK[:any]",
                "A task that must be done first; with :any, ended in any state");
        o.texts("--skill,-s", args->skills, "NAME[=LEVEL]",
                "A required skill, optionally at a minimum level; also \"NAME>=LEVEL\"");
        o.texts("--label,-l", spec.labels, "LABEL", "A word to find it by: `bidboard tasks --label LABEL`");
        o.number("--size", spec.size, "SECONDS", "Expected work at speed 1 and skill level 1",
                 ranges::work_seconds);
        o.integer("--priority,-p", spec.priority, "N", "Higher numbers go first", ranges::priority);
        o.text("--kind", spec.kind, "WORD", "Groups similar tasks; calibration learns per kind");
        o.text("--project", spec.project, "NAME", "Its project [the board's]");
        o.duration("--timeout", spec.timeout, "TIME", "Time limit of one attempt");
        o.integer("--attempts", args->attempts, "N", "Maximum number of attempts", ranges::attempts);
        o.duration("--stall-after", spec.stall_after, "TIME",
                   "Report an attempt without output or progress for this long");
        o.flag("--once", args->once, "Never retry automatically after an unknown outcome; ask a person");
        o.number("--budget", spec.budget, "PRICE", "Maximum price; 0: no limit", ranges::price);
        o.text("--parent", args->parent, "TASK", "The task that it is part of");
        o.text("--key", spec.key, "TEXT",
               "Makes posting idempotent: the same key again returns the existing task");
        o.text("--as", args->as, "NAME", "Post as this agent");
        o.texts("--env", args->env, "NAME=VALUE",
                "A variable of its command; anyone who reads the board can read it");
        o.texts("--secret", spec.secrets, "NAME", "A secret that its agent must offer (`agent --secret`)");
        o.text("--dir", spec.dir, "DIR", "Where it is executed, below the working directory of its agent");
        o.flag("--json", args->json, "Print an object with id");
        return [args](const Globals& globals) { return post(globals, *args); };
      }};
}

Command dep_command() {
  return {"dep",
          "Tasks",
          "Add or remove a dependency between two tasks",
          "",
          {{"bidboard dep t3 t2", "t3 waits for t2"},
           {"bidboard dep t3 t2 --remove", "t3 no longer waits for t2"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<DepArgs>();
            o.task("TASK", args->task);
            o.argument("NEEDS", args->need, "The task that it waits for");
            o.flag("--any", args->any, "It may end in any state, not only done");
            o.flag("--remove", args->remove, "Remove the dependency");
            return [args](const Globals& globals) { return dep(globals, *args); };
          }};
}

}  // namespace bidboard
