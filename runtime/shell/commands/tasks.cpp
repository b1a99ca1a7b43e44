// tasks, ready, show: lists of tasks, and one task in detail.
#include <algorithm>

#include "blackboard/fmt.hpp"
#include "blackboard/format/keys.hpp"
#include "blackboard/format/to_value.hpp"
#include "runtime/shell/board_view.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/print.hpp"

namespace bidboard {
namespace {

struct ListArgs {
  std::string where;
  std::string state;
  std::string project;
  std::vector<std::string> labels;
  std::int64_t limit = 0;
  std::int64_t at = 0;
  bool json = false;
};

Result<Exit> print_tasks(const BoardView& board, std::vector<Task> tasks, bool json) {
  if (json) {
    Value list{Value::Array{}};
    for (const Task& task : tasks) {
      Result<Value> item = task_to_json(board, task);
      if (!item) return fail(item.error());
      list.push(std::move(*item));
    }
    print_json(std::move(list));
    return Exit::ok;
  }
  const WallTime now = board.now();
  Table table({"ID", "STATE", "HOLDER", "TRY", "SINCE", "TITLE"});
  for (const Task& task : tasks) {
    const WallTime since =
        std::max({task.created_at, task.ready_at, task.awarded_at, task.started_at, task.finished_at});
    Shown title = task.spec.title;
    if (!task.reason.empty() && task.state != TaskState::done) title += words("  ({})", task.reason);
    table.add({to_string(task.id), shown_state(task.state), board.agent_name(task.holder),
               fmt::format("{}/{}", task.attempts, task.spec.attempts), ago(since, now), title});
  }
  if (table.empty())
    say("No tasks. `bidboard post TITLE` posts one.");
  else
    table.print();
  return Exit::ok;
}

/// A misspelt state would list nothing, which looks like a valid answer.
Result<void> check_state(const std::string& state) {
  std::vector<std::string> states;
  for (auto at = static_cast<int>(TaskState::blocked); at <= static_cast<int>(TaskState::quarantined); ++at)
    states.emplace_back(name(static_cast<TaskState>(at)));
  if (state.empty() || std::find(states.begin(), states.end(), state) != states.end()) return {};
  std::string text = fmt::format("'{}' is not a task state; ", state);
  const std::string near = nearest(state, states);
  if (!near.empty()) return fail(Errc::invalid, fmt::format("{}did you mean '{}'?", text, near));
  for (std::size_t i = 0; i < states.size(); ++i) text += (i == 0 ? "the states are " : ", ") + states[i];
  return fail(Errc::invalid, text);
}

Result<Exit> list_tasks(const Globals& globals, const ListArgs& args) {
  if (const Result<void> known = check_state(args.state); !known) return fail(known.error());
  Result<BoardView> board = BoardView::open_at(globals, args.at);
  if (!board) return fail(board.error());
  Result<std::vector<Task>> tasks = board->tasks();
  if (!tasks) return fail(tasks.error());
  if (!args.where.empty()) {
    const Result<std::vector<std::string>> ids = board->ids_where("tasks", args.where);
    if (!ids) return fail(ids.error());
    std::erase_if(*tasks, [&](const Task& task) {
      return std::find(ids->begin(), ids->end(), to_string(task.id)) == ids->end();
    });
  }
  std::erase_if(*tasks, [&](const Task& task) {
    return (!args.state.empty() && name(task.state) != args.state) ||
           (!args.project.empty() && task.spec.project != args.project) ||
           !std::ranges::all_of(args.labels, [&](const std::string& label) {
             return std::ranges::binary_search(task.spec.labels, label);
           });
  });
  if (args.limit > 0 && tasks->size() > static_cast<std::size_t>(args.limit))
    tasks->erase(tasks->begin(), tasks->end() - args.limit);
  return print_tasks(*board, std::move(*tasks), args.json);
}

Result<Exit> list_ready(const Globals& globals, bool json) {
  Result<BoardView> board = BoardView::open(globals);
  if (!board) return fail(board.error());
  const Result<std::vector<TaskId>> ids = board->ids_under(std::string(1, keys::ready_letter));
  if (!ids) return fail(ids.error());
  std::vector<Task> tasks;
  for (const TaskId id : *ids) {
    Result<Task> task = board->task(id);
    if (!task) return fail(task.error());
    tasks.push_back(std::move(*task));
  }
  return print_tasks(*board, std::move(tasks), json);
}

std::string listed(const BoardView& board, const std::vector<Need>& needs) {
  std::string text;
  for (const Need& need : needs) {
    const Result<Task> task = board.task(need.task);
    text += fmt::format("{}{}{}", text.empty() ? "" : ", ", need.task, need.any ? ":any" : "");
    if (task) text += fmt::format(" ({})", task->state);
  }
  return text;
}

std::string listed(const std::vector<SkillNeed>& skills) {
  std::string text;
  for (const SkillNeed& skill : skills) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", skill.name);
    if (skill.level > 0) text += fmt::format(">={}", format_micros(skill.level));
  }
  return text;
}

std::string listed(const std::vector<EnvVariable>& env) {
  std::string text;
  for (const EnvVariable& variable : env)
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", variable.name, variable.value);
  return text;
}

std::string listed(const std::vector<std::string>& labels) {
  std::string text;
  for (const std::string& label : labels) text += (text.empty() ? "" : ", ") + label;
  return text;
}

/// Indented, so that no line of it can be taken for one of ours.
Result<void> print_comments(const BoardView& board, const Task& task, WallTime now) {
  if (task.comment_count == 0) return {};
  const Result<std::vector<Comment>> comments = board.comments_on(task.id);
  if (!comments) return fail(comments.error());
  say("\n{}", coloured(Colour::dim, "comments"));
  for (const Comment& comment : *comments) {
    say("{} {}, {}:", comment.id, board.author(comment.agent), ago(comment.at, now));
    std::string text = "  " + comment.text;
    for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 3)
      text.insert(at + 1, "  ");
    say("{}", Shown::lines(text));
  }
  return {};
}

void line(const char* label, const Shown& value) {
  if (!value.empty()) say("{} {}", coloured(Colour::dim, padded(label, 11)), value);
}

Result<void> print_task(const BoardView& board, const Task& task) {
  const WallTime now = board.now();
  say("{}  {}  {}", coloured(Colour::bold, to_string(task.id)), shown_state(task.state),
      coloured(Colour::bold, task.spec.title));
  line("because", task.state == TaskState::done ? "" : task.reason);
  if (task.holder)
    line(is_held(task.state)   ? "held by"
         : is_over(task.state) ? "ended by"
                               : "last by",
         fmt::format("{}, epoch {}, attempt {} of {}", board.agent_name(task.holder), task.epoch,
                     task.attempts, task.spec.attempts));
  if (is_held(task.state) && task.progress > 0)
    line("progress", fmt::format("{} % {}", task.progress / 10'000, task.progress_text));
  for (const std::string& hold : holds_in_words(task, now)) line("held back", hold);
  line("needs", listed(board, task.spec.needs));
  const Result<std::vector<TaskId>> waiting = board.ids_under(keys::dependents_of(task.id));
  if (!waiting) return fail(waiting.error());
  std::vector<Need> dependents;
  for (const TaskId id : *waiting) dependents.push_back({id, false});
  line("needed by", listed(board, dependents));
  line("skills", listed(task.spec.skills));
  line("labels", listed(task.spec.labels));
  line("run", task.spec.run);
  line("env", listed(task.spec.env));
  line("secrets", listed(task.spec.secrets));
  line("dir", task.spec.dir);
  line("project", task.spec.project);
  line("posted", ago(task.created_at, now));
  line("started", task.started_at.us ? ago(task.started_at, now) : "");
  if (task.finished_at.us && task.awarded_at.us && task.finished_at >= task.awarded_at)
    line("ended", fmt::format("{}, {} after its award", ago(task.finished_at, now),
                              task.finished_at - task.awarded_at));
  if (task.price != 0) line("price", format_micros(task.price));
  if (task.spent != task.price) line("spent", format_micros(task.spent) + " in all attempts");
  if (task.tokens != 0) line("tokens", fmt::format("{}", task.tokens));
  if (!task.commit.empty()) line("work", fmt::format("commit {} in branch {}", task.commit, task.branch));
  for (const AttemptFailure& failure : task.failures)
    line("earlier",
         fmt::format("epoch {} by {}: {}", failure.epoch, board.agent_name(failure.agent), failure.reason));
  for (const EditNote& edit : task.edits)
    line("edited", words("{} by {}: {}", ago(edit.at, now), board.author(edit.agent), edit.what));
  if (!task.spec.body.empty()) say("\n{}", Shown::lines(task.spec.body));
  if (task.state == TaskState::done) {
    const Result<std::string> result = board.result_of(task);
    if (!result) return fail(result.error());
    say("\n{}\n{}", coloured(Colour::dim, "result"), Shown::lines(result->empty() ? "(none)" : *result));
  }
  return print_comments(board, task, now);
}

Result<Value> comments_to_json(const BoardView& board, TaskId task) {
  const Result<std::vector<Comment>> comments = board.comments_on(task);
  if (!comments) return fail(comments.error());
  Value list{Value::Array{}};
  for (const Comment& comment : *comments) {
    Value item = to_value(comment);
    item.set("agent", comment.agent ? Value(board.agent_name(comment.agent)) : Value());
    list.push(std::move(item));
  }
  return list;
}

struct ShowArgs {
  std::string task;
  std::int64_t at = 0;
  bool json = false;
};

Result<Exit> show(const Globals& globals, const ShowArgs& args) {
  const Result<TaskId> id = read_task_id(args.task);
  if (!id) return fail(id.error());
  Result<BoardView> board = BoardView::open_at(globals, args.at);
  if (!board) return fail(board.error());
  const Result<Task> task = board->task(*id);
  if (!task) return fail(task.error());
  if (!args.json) {
    if (const Result<void> printed = print_task(*board, *task); !printed) return fail(printed.error());
    return Exit::ok;
  }
  Result<Value> data = task_to_json(*board, *task);
  if (!data) return fail(data.error());
  Result<Value> comments = comments_to_json(*board, task->id);
  if (!comments) return fail(comments.error());
  data->set("comments", std::move(*comments));
  print_json(std::move(*data));
  return Exit::ok;
}

}  // namespace

Command tasks_command() {
  return {"tasks",
          "Tasks",
          "List tasks",
          "",
          {{"bidboard tasks --where \"state = 'failed' and attempts > 1\"",
            "an SQL condition over the table `tasks`"},
           {"bidboard tasks --state running --json", "as JSON"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<ListArgs>();
            o.text("--where,-w", args->where, "SQL",
                   "Only tasks that match; `bidboard query .schema` lists columns");
            o.text("--state", args->state, "STATE", "Only tasks in this state");
            o.text("--project", args->project, "NAME", "Only tasks of this project");
            o.texts("--label,-l", args->labels, "LABEL", "Only tasks with this label");
            o.integer("--limit", args->limit, "N", "Only the last N; 0: all");
            o.integer("--at", args->at, "SEQ", "As it was after this event of the log; 0: now");
            o.flag("--json", args->json, "Print JSON");
            return [args](const Globals& globals) { return list_tasks(globals, *args); };
          }};
}

Command ready_command() {
  return {"ready",
          "Tasks",
          "List tasks that wait for an agent, in scheduling order",
          "",
          {{"bidboard ready", "the first line is awarded next"}},
          [](Options& o) -> Action0 {
            auto json = std::make_shared<bool>(false);
            o.flag("--json", *json, "Print JSON");
            return [json](const Globals& globals) { return list_ready(globals, *json); };
          }};
}

Command show_command() {
  return {"show",
          "Tasks",
          "Show a task in detail, with its result",
          "",
          {{"bidboard show t12", "as text"},
           {"bidboard show t12 --json", "as JSON"},
           {"bidboard show t12 --at 120", "as it was after event 120 of `bidboard log`"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<ShowArgs>();
            o.task("TASK", args->task);
            o.integer("--at", args->at, "SEQ", "As it was after this event of the log; 0: now");
            o.flag("--json", args->json, "Print JSON");
            return [args](const Globals& globals) { return show(globals, *args); };
          }};
}

}  // namespace bidboard
