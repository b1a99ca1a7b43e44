// tasks, ready, show: lists of tasks, and one task in detail.
#include <algorithm>

#include "blackboard/fmt.hpp"
#include "blackboard/format/to_value.hpp"
#include "runtime/shell/board_view.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/print.hpp"
#include "runtime/shell/task_options.hpp"
#include "runtime/shell/task_text.hpp"

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
    const bool has_holder = is_held(task.state) || is_over(task.state);
    if (const std::string progress = progress_in_words(task); !progress.empty())
      title += words("  ({})", progress);
    table.add({to_string(task.id), shown_state(task.state),
               has_holder ? board.agent_name(task.holder) : std::string(),
               fmt::format("{}/{}", task.attempts, task.spec.attempts), ago(since, now), title});
  }
  if (!table.empty()) {
    table.print();
    return Exit::ok;
  }
  if (const Result<std::vector<Task>> all = board.tasks(); all && all->empty())
    say("No tasks. `bidboard post TITLE` posts one.");
  else
    say("No task matches. `bidboard tasks` lists all.");
  return Exit::ok;
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
  Result<std::vector<Task>> tasks = board->ready_tasks();
  if (!tasks) return fail(tasks.error());
  return print_tasks(*board, std::move(*tasks), json);
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
    const Result<Shown> text = task_in_words(*board, *task);
    if (!text) return fail(text.error());
    write_out(text->text());
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
