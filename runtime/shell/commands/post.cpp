// post, dep: what is to be done, and in which order.
#include <cstdio>
#include <cstdlib>

#include "runtime/drivers/call.hpp"
#include "runtime/shell/caller.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/print.hpp"

namespace bidboard {
namespace {

struct PostArgs {
  TaskSpec spec;
  std::string body;
  std::vector<std::string> needs;
  std::vector<std::string> skills;
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
  for (const std::string& text : args.needs) {
    const std::size_t colon = text.find(':');
    const Result<TaskId> id = read_task_id(text.substr(0, colon));
    if (!id) return fail(id.error());
    if (colon != std::string::npos && text.substr(colon) != ":any")
      return fail(Errc::invalid, "'" + text + "': write t12, or t12:any if it may end in any way");
    spec.needs.push_back({*id, colon != std::string::npos});
  }
  for (const std::string& text : args.skills) {
    // A shell takes an unquoted > for a redirection, so cpp=0.7 is understood as well.
    const Result<NamedLevel> skill = read_skill(text, text.find(">=") == std::string::npos ? "=" : ">=");
    if (!skill) return fail(skill.error());
    spec.skills.push_back({skill->name, skill->level.value_or(0)});
  }
  if (args.attempts < 1 || args.attempts > 1000)
    return fail(Errc::invalid, "--attempts is a number from 1 to 1000");
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
    std::puts(to_json(answer).c_str());
  } else {
    std::puts(id.c_str());
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
  std::printf("%s %s %s and is %s\n", to_string(*task).c_str(), args.remove ? "no longer needs" : "needs",
              to_string(*need).c_str(), std::string(name(changed->state)).c_str());
  return Exit::ok;
}

}  // namespace

Command post_command() {
  return {
      "post",
      "Tasks",
      "Post a task and print its id",
      "",
      {{"bidboard post \"Fix the login\" --body @notes.md --skill \"cpp>=0.7\"",
        "needs an agent that is good at C++"},
       {"bidboard post Test --run \"make test\" --need t1 --timeout 10m", "a command, after t1 is done"},
       {"bidboard post Clean --need t2:any --key clean-2024",
        "however t2 ends; posted once, however often this is run"}},
      [](Options& o) -> Action0 {
        auto args = std::make_shared<PostArgs>();
        TaskSpec& spec = args->spec;
        o.argument("TITLE", spec.title, "What is to be done, in a line");
        o.text("--body,-b", args->body, "TEXT|@FILE|-", "The whole story; @FILE reads a file, - reads stdin");
        o.text("--run", spec.run, "CMD",
               "A shell command; executed by agents with --allow-run, in the board's folder");
        o.texts("--need,-n", args->needs, "TASK[:any]",
                "A task that must be done first (:any: ended in any way)");
        o.texts("--skill,-s", args->skills, "NAME[=LEVEL]",
                "A skill the agent must have, at least so good; also \"NAME>=LEVEL\"");
        o.number("--size", spec.size, "SECONDS", "Expected work at speed 1 and skill level 1");
        o.integer("--priority,-p", spec.priority, "N", "Higher goes first");
        o.text("--kind", spec.kind, "WORD", "Groups tasks that take similarly long");
        o.text("--project", spec.project, "NAME", "Which project it belongs to [the board's]");
        o.duration("--timeout", spec.timeout, "TIME", "Limit of one attempt");
        o.integer("--attempts", args->attempts, "N", "How many attempts at most");
        o.duration("--stall-after", spec.stall_after, "TIME", "Report an attempt that is silent for so long");
        o.flag("--once", args->once,
               "May not be repeated: after a crash with unknown outcome a person decides");
        o.number("--budget", spec.budget, "PRICE", "The most it may cost; 0: no limit");
        o.text("--parent", args->parent, "TASK", "The task it is a part of");
        o.text("--key", spec.key, "TEXT", "Posting the same key again gives the task that stands already");
        o.text("--as", args->as, "NAME", "Post as this agent");
        o.flag("--json", args->json, "Print an object with id");
        return [args](const Globals& globals) { return post(globals, *args); };
      }};
}

Command dep_command() {
  return {
      "dep",
      "Tasks",
      "Let a task need another one, or no longer",
      "",
      {{"bidboard dep t3 t2", "t3 waits for t2"}, {"bidboard dep t3 t2 --remove", "it does not any more"}},
      [](Options& o) -> Action0 {
        auto args = std::make_shared<DepArgs>();
        o.task("TASK", args->task);
        o.argument("NEEDS", args->need, "The task it waits for");
        o.flag("--any", args->any, "However that task ends");
        o.flag("--remove", args->remove, "Take the dependency away");
        return [args](const Globals& globals) { return dep(globals, *args); };
      }};
}

}  // namespace bidboard
