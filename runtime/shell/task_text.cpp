#include "runtime/shell/task_text.hpp"

#include "blackboard/fmt.hpp"
#include "blackboard/format/keys.hpp"

namespace bidboard {
namespace {

/// Lines for people, added one by one.
struct Text {
  Shown shown = Shown::own({});

  template <class... Args>
  void say(fmt::format_string<const for_people_t<Args>&...> format, const Args&... args) {
    shown += words<Args...>(format, args...);
    shown += Shown::own("\n");
  }
  void line(const char* label, const Shown& value) {
    if (!value.empty()) say("{} {}", coloured(Colour::dim, padded(label, 11)), value);
  }
};

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
Result<void> add_comments(Text& text, const BoardView& board, const Task& task, WallTime now) {
  if (task.comment_count == 0) return {};
  const Result<std::vector<Comment>> comments = board.comments_on(task.id);
  if (!comments) return fail(comments.error());
  text.say("\n{}", coloured(Colour::dim, "comments"));
  for (const Comment& comment : *comments) {
    text.say("{} {}, {}:", comment.id, board.author(comment.agent), ago(comment.at, now));
    std::string lines = "  " + comment.text;
    for (std::size_t at = 0; (at = lines.find('\n', at)) != std::string::npos; at += 3)
      lines.insert(at + 1, "  ");
    text.say("{}", Shown::lines(lines));
  }
  return {};
}

}  // namespace

Result<Shown> task_in_words(const BoardView& board, const Task& task) {
  const WallTime now = board.now();
  Text text;
  text.say("{}  {}  {}", coloured(Colour::bold, to_string(task.id)), shown_state(task.state),
           coloured(Colour::bold, task.spec.title));
  text.line("because", task.state == TaskState::done ? "" : task.reason);
  if (task.holder)
    text.line(is_held(task.state)   ? "held by"
              : is_over(task.state) ? "ended by"
                                    : "last by",
              fmt::format("{}, epoch {}, attempt {} of {}", board.agent_name(task.holder), task.epoch,
                          task.attempts, task.spec.attempts));
  text.line("progress", progress_in_words(task));
  for (const std::string& hold : holds_in_words(task, now)) text.line("held back", hold);
  text.line("needs", listed(board, task.spec.needs));
  const Result<std::vector<TaskId>> waiting = board.ids_under(keys::dependents_of(task.id));
  if (!waiting) return fail(waiting.error());
  std::vector<Need> dependents;
  for (const TaskId id : *waiting) dependents.push_back({id, false});
  text.line("needed by", listed(board, dependents));
  text.line("skills", listed(task.spec.skills));
  text.line("labels", listed(task.spec.labels));
  if (task.spec.priority != TaskSpec{}.priority) text.line("priority", fmt::format("{}", task.spec.priority));
  text.line("run", task.spec.run);
  if (task.spec.timeout != TaskSpec{}.timeout)
    text.line("timeout", fmt::format("{} for each attempt", task.spec.timeout));
  text.line("env", listed(task.spec.env));
  text.line("secrets", listed(task.spec.secrets));
  text.line("dir", task.spec.dir);
  text.line("project", task.spec.project);
  text.line("posted", ago(task.created_at, now));
  text.line("started", task.started_at.us ? ago(task.started_at, now) : "");
  if (task.finished_at.us && task.awarded_at.us && task.finished_at >= task.awarded_at)
    text.line("ended", fmt::format("{}, {} after its award", ago(task.finished_at, now),
                                   task.finished_at - task.awarded_at));
  if (task.price != 0) text.line("price", format_micros(task.price));
  if (task.spent != task.price) text.line("spent", format_micros(task.spent) + " in all attempts");
  if (task.tokens != 0) text.line("tokens", fmt::format("{}", task.tokens));
  if (!task.commit.empty())
    text.line("work", fmt::format("commit {} in branch {}", task.commit, task.branch));
  for (const AttemptFailure& failure : task.failures)
    text.line("earlier", fmt::format("epoch {} by {}: {}", failure.epoch, board.agent_name(failure.agent),
                                     failure.reason));
  for (const EditNote& edit : task.edits)
    text.line("edited", words("{} by {}: {}", ago(edit.at, now), board.author(edit.agent), edit.what));
  if (!task.spec.body.empty()) text.say("\n{}", Shown::lines(task.spec.body));
  if (task.state == TaskState::done) {
    const Result<std::string> result = board.result_of(task);
    if (!result) return fail(result.error());
    text.say("\n{}\n{}", coloured(Colour::dim, "result"), Shown::lines(result->empty() ? "(none)" : *result));
  }
  if (const Result<void> added = add_comments(text, board, task, now); !added) return fail(added.error());
  return text.shown;
}

}  // namespace bidboard
