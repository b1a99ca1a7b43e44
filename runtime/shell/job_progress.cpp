#include "runtime/shell/job_progress.hpp"

#include <algorithm>

#include "blackboard/fmt.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/format/keys.hpp"
#include "runtime/drivers/clock.hpp"
#include "runtime/shell/print.hpp"

namespace bidboard {
namespace {

constexpr std::size_t bar_columns = 40;
constexpr std::size_t most_agent_lines = 12;

std::string bar(std::size_t part, std::size_t whole) {
  const std::size_t filled = whole == 0 ? 0 : part * bar_columns / whole;
  std::string text;
  for (std::size_t i = 0; i < bar_columns; ++i) text += i < filled ? "█" : "░";
  return text;
}

Shown task_name(const Task& task) {
  return words("{} {}", task.id, task.spec.name.empty() ? task.spec.title : task.spec.name);
}

void tell(Colour colour, const Shown& sentence) { say("{}", coloured(colour, wrapped(sentence))); }

}  // namespace

JobProgress::JobProgress(std::size_t total, bool quiet)
    : total_(total), quiet_(quiet), live_(is_terminal() && !quiet), begun_(read_clocks().mono) {}

Result<void> JobProgress::update(const BoardView& board, const std::set<TaskId>& job) {
  if (live_) erase();
  Result<void> fine;
  const Result<void> read = board.snapshot().scan(std::string(1, keys::log_letter), keys::event(seen_.next()),
                                                  [&](std::string_view key, std::string_view bytes) {
                                                    const Result<Event> event = unseal<Event>(bytes);
                                                    if (!event)
                                                      fine = fail(event.error());
                                                    else
                                                      show_event(board, *event, job);
                                                    seen_ = {read_big_endian(key, 1)};
                                                    return fine.has_value();
                                                  });
  if (!fine) return fine;
  if (!read) return read;
  if (live_) see(board), draw();
  flush_out();
  return fine;
}

void JobProgress::redraw() {
  if (!live_) return;
  erase();
  draw();
  flush_out();
}

void JobProgress::show_event(const BoardView& board, const Event& event, const std::set<TaskId>& job) {
  if (const auto* left = std::get_if<AgentLeft>(&event.body)) {
    if (!quiet_) tell(Colour::yellow, words("{} is gone: {}", board.agent_name(left->agent), left->reason));
    return;
  }
  const TaskId id = bidboard::task_of(event);
  if (!job.contains(id)) return;
  const Result<Task> found = board.task(id);
  if (!found) return;
  const Task& task = *found;
  const std::string count = fmt::format(" ({}/{})", ended_ + 1, total_);
  if (const auto* finished = std::get_if<TaskFinished>(&event.body)) {
    if (!quiet_ && !live_)
      say("{} done by {} in {}{}", task_name(task), board.agent_name(finished->agent),
          event.at - (task.started_at.us ? task.started_at : task.awarded_at), count);
    ++ended_;
  } else if (const auto* ended = std::get_if<AttemptEnded>(&event.body)) {
    if (!quiet_)
      tell(Colour::yellow,
           words("{} (epoch {}) is {}: {}", task_name(task), ended->epoch, ended->to, ended->reason));
    if (is_over(ended->to)) ++ended_, ++failed_;
  } else if (const auto* moved = std::get_if<TaskMoved>(&event.body); moved && is_over(moved->to)) {
    if (!quiet_) tell(Colour::red, words("{} is {}: {}", task_name(task), moved->to, moved->reason));
    ++ended_, ++failed_;
  }
}

void JobProgress::see(const BoardView& board) {
  doing_.clear();
  Result<std::vector<Agent>> agents = board.agents();
  if (!agents) return;
  std::sort(agents->begin(), agents->end(),
            [](const Agent& a, const Agent& b) { return in_natural_order(a.profile.name, b.profile.name); });
  for (const Agent& agent : *agents) {
    if (agent.state != AgentState::live || doing_.size() == most_agent_lines) continue;
    Doing& doing = doing_.emplace_back(Doing{agent.profile.name, true, {}});
    const Result<std::vector<TaskId>> held = board.ids_under(keys::holdings_of(agent.id));
    doing.known = held.has_value();
    if (!held) continue;
    for (const TaskId id : *held)
      if (const Result<Task> task = board.task(id)) {
        const std::string progress = progress_in_words(*task);
        doing.tasks.push_back(
            {task_name(*task), task->awarded_at, progress.empty() ? Shown("") : words(", {}", progress)});
      }
  }
}

/// "t3 lint, 1m10s, 40 % reading"
Shown JobProgress::Doing::in_words(WallTime now) const {
  if (!known) return "?";
  Shown text = "";
  for (const One& held : tasks)
    text += words("{}{}, {}{}", text.empty() ? "" : "; ", held.task, whole_seconds(now - held.since),
                  held.progress);
  return text.empty() ? coloured(Colour::dim, "idle") : text;
}

void JobProgress::draw() {
  const Now now = read_clocks();
  for (const Doing& doing : doing_) {
    say("{}", cut_to(words("  {} {}", padded(doing.agent, 12), doing.in_words(now.wall)), terminal_width()));
    ++drawn_lines_;
  }
  say("  {} {}/{}, {}{}", coloured(Colour::cyan, bar(ended_, total_)), ended_, total_,
      whole_seconds(now.mono - begun_),
      failed_ == 0 ? Shown("") : coloured(Colour::red, words(", {} not done", failed_)));
  ++drawn_lines_;
}

void JobProgress::erase() {
  if (drawn_lines_ > 0) write_out(fmt::format("\x1b[{}A\x1b[J", drawn_lines_));
  drawn_lines_ = 0;
}

void JobProgress::finish() {
  if (live_) erase();
  flush_out();
}

void JobProgress::note(const std::string& text) {
  if (quiet_) return;
  if (live_) erase();
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    tell(Colour::yellow, text.substr(from, end - from));
    from = end + 1;
  }
  flush_out();
}

}  // namespace bidboard
