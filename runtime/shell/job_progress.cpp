#include "runtime/shell/job_progress.hpp"

#include <algorithm>
#include <cstdio>

#include "blackboard/fmt.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/format/keys.hpp"
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

std::string task_name(const Task& task) {
  return fmt::format("{} {}", task.id, task.spec.name.empty() ? task.spec.title : task.spec.name);
}

}  // namespace

JobProgress::JobProgress(std::size_t total, bool quiet)
    : total_(total), quiet_(quiet), live_(is_terminal() && !quiet) {}

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
  if (live_) draw(board);
  std::fflush(stdout);
  return fine;
}

void JobProgress::show_event(const BoardView& board, const Event& event, const std::set<TaskId>& job) {
  if (const auto* left = std::get_if<AgentLeft>(&event.body)) {
    if (!quiet_)
      std::printf("%s\n", coloured(Colour::yellow,
                                   fmt::format("{} is gone: {}", board.agent_name(left->agent), left->reason))
                              .c_str());
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
      std::printf(
          "%s done by %s in %s%s\n", task_name(task).c_str(), board.agent_name(finished->agent).c_str(),
          format_duration(event.at - (task.started_at.us ? task.started_at : task.awarded_at)).c_str(),
          count.c_str());
    ++ended_;
  } else if (const auto* ended = std::get_if<AttemptEnded>(&event.body)) {
    if (!quiet_)
      std::printf("%s\n", coloured(Colour::yellow, fmt::format("{} (epoch {}) is {}: {}", task_name(task),
                                                               ended->epoch, ended->to, ended->reason))
                              .c_str());
    if (is_over(ended->to)) ++ended_, ++failed_;
  } else if (const auto* moved = std::get_if<TaskMoved>(&event.body); moved && is_over(moved->to)) {
    if (!quiet_)
      std::printf("%s\n", coloured(Colour::red,
                                   fmt::format("{} is {}: {}", task_name(task), moved->to, moved->reason))
                              .c_str());
    ++ended_, ++failed_;
  }
}

void JobProgress::draw(const BoardView& board) {
  const Result<std::vector<Agent>> agents = board.agents();
  if (agents) {
    for (const Agent& agent : *agents) {
      if (agent.state != AgentState::live || drawn_lines_ == most_agent_lines) continue;
      std::string doing;
      const Result<std::vector<TaskId>> held = board.ids_under(keys::holdings_of(agent.id));
      for (const TaskId id : held.value_or(std::vector<TaskId>()))
        if (const Result<Task> task = board.task(id)) doing += (doing.empty() ? "" : ", ") + task_name(*task);
      std::printf("  %-12s %s\n", agent.profile.name.c_str(),
                  !held           ? "?"
                  : doing.empty() ? coloured(Colour::dim, "idle").c_str()
                                  : cut_to(doing, 60).c_str());
      ++drawn_lines_;
    }
  }
  std::printf("  %s %zu/%zu%s\n", coloured(Colour::cyan, bar(ended_, total_)).c_str(), ended_, total_,
              failed_ == 0 ? "" : coloured(Colour::red, fmt::format(", {} not done", failed_)).c_str());
  ++drawn_lines_;
}

void JobProgress::erase() {
  if (drawn_lines_ > 0) std::printf("\x1b[%zuA\x1b[J", drawn_lines_);
  drawn_lines_ = 0;
}

void JobProgress::finish() {
  if (live_) erase();
  std::fflush(stdout);
}

void JobProgress::note(const std::string& text) {
  if (quiet_) return;
  if (live_) erase();
  std::printf("%s\n", coloured(Colour::yellow, text).c_str());
}

}  // namespace bidboard
