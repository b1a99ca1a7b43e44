// edit, comment: what can be said of a task after it was posted.
#include "blackboard/fmt.hpp"
#include "blackboard/format/to_value.hpp"
#include "runtime/shell/caller.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/print.hpp"
#include "runtime/shell/task_options.hpp"

namespace bidboard {
namespace {

struct EditArgs {
  std::string task;
  std::optional<std::string> title;
  std::optional<std::string> body;
  std::optional<std::string> priority;
  std::optional<std::string> timeout;
  std::vector<std::string> skills;
  std::vector<std::string> needs;
  std::vector<std::string> labels;
  bool no_skills = false;
  bool no_needs = false;
  std::string as;
  bool json = false;
};

Error either(const std::string& option) {
  return {Errc::invalid, fmt::format("--{0} and --no-{0}s contradict each other", option)};
}

/// The option's own message, behind its name.
Error about(const char* option, const Error& error) {
  return {error.code, error.text.starts_with("must ") ? fmt::format("{} {}", option, error.text)
                                                      : fmt::format("{}: {}", option, error.text)};
}

/// +x and x add, -x removes.
Result<void> read_labels(const std::vector<std::string>& texts, Edit& edit) {
  for (const std::string& text : texts) {
    const bool removes = text.starts_with('-');
    const std::string label = removes || text.starts_with('+') ? text.substr(1) : text;
    if (label.empty())
      return fail(Errc::invalid, "--label: write +WORD to add a label, or -WORD to remove it");
    (removes ? edit.remove_labels : edit.add_labels).push_back(label);
  }
  return {};
}

Result<void> read_lists(const EditArgs& args, Edit& edit) {
  if (args.no_skills && !args.skills.empty()) return fail(either("skill"));
  if (args.no_needs && !args.needs.empty()) return fail(either("need"));
  if (args.no_skills || !args.skills.empty()) {
    Result<std::vector<SkillNeed>> skills = read_skill_needs(args.skills);
    if (!skills) return fail(skills.error());
    edit.change.skills = std::move(*skills);
  }
  if (args.no_needs || !args.needs.empty()) {
    Result<std::vector<Need>> needs = read_needs(args.needs);
    if (!needs) return fail(needs.error());
    edit.change.needs = std::move(*needs);
  }
  return read_labels(args.labels, edit);
}

Result<Edit> edit_of(const EditArgs& args) {
  Edit edit;
  const Result<TaskId> id = read_task_id(args.task);
  if (!id) return fail(id.error());
  edit.task = *id;
  edit.change.title = args.title;
  if (args.body) {
    Result<std::string> body = read_text(*args.body);
    if (!body) return fail(body.error());
    edit.change.body = std::move(*body);
  }
  if (args.priority) {
    const Result<std::int64_t> priority = read_whole(*args.priority, ranges::priority);
    if (!priority) return fail(about("--priority", priority.error()));
    edit.change.priority = *priority;
  }
  if (args.timeout) {
    const Result<Duration> timeout = parse_duration(*args.timeout);
    if (!timeout) return fail(about("--timeout", timeout.error()));
    edit.change.timeout = *timeout;
  }
  if (const Result<void> read = read_lists(args, edit); !read) return fail(read.error());
  if (edit.change == TaskEdit{} && edit.add_labels.empty() && edit.remove_labels.empty())
    return fail(Errc::invalid,
                "say what to change: --title, --body, --priority, --timeout, --skill, --need or --label");
  return edit;
}

Value changes_to_json(const Edited& edited) {
  Value answer{Value::Object{}};
  answer.set("schema", "bidboard/1");
  answer.set("id", to_string(edited.task));
  answer.set("state", name(edited.state));
  Value changes{Value::Array{}};
  for (const FieldChange& change : edited.changes) {
    Value item{Value::Object{}};
    item.set("field", change.field);
    item.set("before", change.before);
    item.set("after", change.after);
    changes.push(std::move(item));
  }
  answer.set("changes", std::move(changes));
  return answer;
}

Result<Exit> edit(const Globals& globals, const EditArgs& args) {
  const Result<Target> board = find_target(globals);
  if (!board) return fail(board.error());
  Result<Edit> request = edit_of(args);
  if (!request) return fail(request.error());
  const Result<Edited> edited = call_for<Edited>(*board, std::move(*request), caller(args.as));
  if (!edited) return fail(edited.error());
  if (args.json) {
    print_json_line(changes_to_json(*edited));
    return Exit::ok;
  }
  say("{} is {}{}", edited->task, edited->state, edited->changes.empty() ? "; nothing to change" : "");
  for (const FieldChange& change : edited->changes)
    say("  {}: {} -> {}", change.field, change.before, change.after);
  return Exit::ok;
}

struct CommentArgs {
  std::string task;
  std::string text;
  std::string as;
  bool json = false;
};

Result<Exit> comment(const Globals& globals, const CommentArgs& args) {
  const Result<Target> board = find_target(globals);
  if (!board) return fail(board.error());
  const Result<TaskId> id = read_task_id(args.task);
  if (!id) return fail(id.error());
  Result<std::string> text = read_text(args.text);
  if (!text) return fail(text.error());
  while (text->ends_with('\n')) text->pop_back();
  const Result<Commented> commented =
      call_for<Commented>(*board, AddComment{*id, std::move(*text)}, caller(args.as));
  if (!commented) return fail(commented.error());
  if (args.json) {
    Value answer{Value::Object{}};
    answer.set("schema", "bidboard/1");
    answer.set("id", to_string(commented->comment));
    answer.set("task", to_string(*id));
    print_json_line(answer);
  } else {
    say("{}", commented->comment);
  }
  return Exit::ok;
}

}  // namespace

Command edit_command() {
  return {"edit",
          "Tasks",
          "Change a posted task: all of what is given, or nothing",
          "While an agent holds the task, only its title, priority and labels can change; once it has ended, "
          "only\n"
          "its labels. --skill and --need replace the lists that the task has.",
          {{"bidboard edit t12 --priority 5 --label +urgent", "it goes first, and carries a label"},
           {"bidboard edit t12 --body @notes.md --no-skills", "another description, for any agent"},
           {"bidboard edit t12 --need t3 --need t4:any", "it waits for these two, and for no other"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<EditArgs>();
            o.task("TASK", args->task);
            o.maybe_text("--title,-t", args->title, "TEXT", "What to do, in one line");
            o.maybe_text("--body,-b", args->body, "TEXT|@FILE|-",
                         "Full description; @FILE reads a file, - reads stdin");
            o.maybe_text("--priority,-p", args->priority, "N", "Higher numbers go first");
            o.maybe_text("--timeout", args->timeout, "TIME", "Time limit of one attempt");
            o.texts("--skill,-s", args->skills, "NAME[=LEVEL]",
                    "A required skill, optionally at a minimum level; also \"NAME>=LEVEL\"");
            o.flag("--no-skills", args->no_skills, "It requires no skill");
            o.texts("--need,-n", args->needs, "TASK[:any]",
                    "A task that must be done first; with :any, ended in any state");
            o.flag("--no-needs", args->no_needs, "It needs no other task");
            o.texts("--label,-l", args->labels, "+LABEL|-LABEL", "Add a label, or remove it");
            o.text("--as", args->as, "NAME", "Edit as this agent");
            o.flag("--json", args->json, "Print an object with id, state and changes");
            return [args](const Globals& globals) { return edit(globals, *args); };
          }};
}

Command comment_command() {
  return {
      "comment",
      "Tasks",
      "Comment on a task, for people and for the agent that gets it next",
      "`show` prints the comments of a task, and its next agent is given the latest. A task has at most 100.",
      {{"bidboard comment t12 \"the test needs the network\" --as ann", "signed by ann"},
       {"git log -3 | bidboard comment t12 -", "from stdin"}},
      [](Options& o) -> Action0 {
        auto args = std::make_shared<CommentArgs>();
        o.task("TASK", args->task);
        o.argument("TEXT", args->text, "The comment; @FILE reads a file, - reads stdin");
        o.text("--as", args->as, "NAME", "Comment as this agent, or under a name of your own");
        o.flag("--json", args->json, "Print an object with id and task");
        return [args](const Globals& globals) { return comment(globals, *args); };
      }};
}

}  // namespace bidboard
