#include "agents/executors/piped_process.hpp"
#include "blackboard/fmt.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>

namespace bidboard {
namespace {

/// At most this much is read per call from a process that writes without end, so that it cannot starve the
/// others; and at most this much at the end, when nothing can follow (a pipe holds less).
constexpr std::size_t read_at_once = std::size_t{256} << 10;
constexpr std::size_t read_at_end = std::size_t{8} << 20;

/// Appends what can be read now; closes the descriptor at its end.
void drain(Descriptor& from, std::string& into, std::size_t most) {
  char buffer[65'536];
  std::size_t taken = 0;
  while (from && taken < most) {
    const ssize_t size = read(from.get(), buffer, sizeof buffer);
    if (size > 0) {
      into.append(buffer, static_cast<std::size_t>(size));
      taken += static_cast<std::size_t>(size);
    } else if (size < 0 && errno == EINTR) {
      continue;
    } else if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      return;
    } else {
      from.reset();
    }
  }
}

}  // namespace

Result<PipedProcess> PipedProcess::start(const GuardSpec& spec) {
  auto guarded = start_guarded(spec);
  if (!guarded) return fail(guarded.error());
  return PipedProcess(std::move(*guarded));
}

void PipedProcess::send(std::string_view bytes) {
  if (!guarded_.input || input_ends_) return;
  pending_.append(bytes);
  feed();
}

void PipedProcess::end_input() {
  input_ends_ = true;
  feed();
}

void PipedProcess::feed() {
  while (guarded_.input && sent_ < pending_.size()) {
    const ssize_t size = write(guarded_.input.get(), pending_.data() + sent_, pending_.size() - sent_);
    if (size > 0) {
      sent_ += static_cast<std::size_t>(size);
    } else if (size < 0 && errno == EINTR) {
      continue;
    } else if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      break;
    } else {
      guarded_.input.reset();  // it no longer reads
    }
  }
  if (!guarded_.input || sent_ == pending_.size()) {
    pending_.clear();
    sent_ = 0;
  } else if (sent_ > (std::size_t{1} << 20)) {
    pending_.erase(0, sent_);
    sent_ = 0;
  }
  if (input_ends_ && pending_.empty()) guarded_.input.reset();
}

PipedProcess::Traffic PipedProcess::pump() {
  Traffic traffic;
  // The report first: once it is final, all output is already in the pipes.
  while (auto report = guarded_.next_report()) {
    heard_ = true;
    traffic.reports.push_back(*report);
  }
  feed();
  if (!heard_) return traffic;  // output may overtake the report that the command runs
  const std::size_t most = over() ? read_at_end : read_at_once;
  drain(guarded_.output, traffic.output, most);
  drain(guarded_.errors, traffic.errors, most);
  return traffic;
}

void PipedProcess::add_poll(std::vector<PollItem>& items) const {
  if (over()) return;
  items.push_back({guarded_.report_fd(), true, false});
  if (guarded_.output && heard_) items.push_back({guarded_.output.get(), true, false});
  if (guarded_.errors && heard_) items.push_back({guarded_.errors.get(), true, false});
  if (guarded_.input && unsent() > 0) items.push_back({guarded_.input.get(), false, true});
}

std::vector<std::string> shell_argv(const std::string& command) { return {"/bin/sh", "-c", command}; }

std::string describe(const GuardReport& report) {
  switch (report.word) {
    case GuardWord::started:
      return "started";
    case GuardWord::exited:
      return fmt::format("exit {}", report.code);
    case GuardWord::signalled:
      return fmt::format("killed by signal {} ({})", report.code, strsignal(report.code));
    case GuardWord::timed_out:
      return "timed out";
    case GuardWord::stopped:
      return "stopped";
    case GuardWord::agent_gone:
      return "its agent died";
    case GuardWord::lock_timeout:
      return "an earlier execution of this task is still running on this machine";
    case GuardWord::lost:
      return "its guard process died";
    case GuardWord::exec_failed:
      break;
  }
  constexpr const char* phases[] = {"", "take its lock file", "start a process", "enter its directory",
                                    "execute it"};
  return fmt::format("could not {}: {}", phases[static_cast<std::size_t>(report.phase)],
                     std::strerror(report.code));
}

}  // namespace bidboard
