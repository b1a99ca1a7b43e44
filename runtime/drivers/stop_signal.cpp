#include "runtime/drivers/stop_signal.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>

#include "blackboard/checks/check.hpp"

namespace bidboard {
namespace {

std::atomic<bool> stop_requested{false};
int wake_pipe[2] = {-1, -1};
/// A hang-up: the terminal was closed.
constexpr std::array stop_signals{SIGTERM, SIGINT, SIGHUP};
std::array<struct sigaction, stop_signals.size()> earlier;

void on_signal(int) {
  const int error = errno;
  stop_requested = true;
  static_cast<void>(!::write(wake_pipe[1], "x", 1));
  errno = error;
}

}  // namespace

StopSignal::StopSignal() {
  BB_CHECK(wake_pipe[0] < 0, "one StopSignal at a time");
  BB_CHECK(::pipe(wake_pipe) == 0, "a pipe can be made");
  for (const int fd : wake_pipe) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
  }
  stop_requested = false;
  struct sigaction action {};
  action.sa_handler = on_signal;
  for (std::size_t i = 0; i < stop_signals.size(); ++i) {
    ::sigaction(stop_signals[i], nullptr, &earlier[i]);
    // Ignored by who started us (nohup, a shell's background job): stays ignored.
    if (earlier[i].sa_handler != SIG_IGN) ::sigaction(stop_signals[i], &action, nullptr);
  }
}

StopSignal::~StopSignal() {
  for (std::size_t i = 0; i < stop_signals.size(); ++i) ::sigaction(stop_signals[i], &earlier[i], nullptr);
  for (int& fd : wake_pipe) {
    ::close(fd);
    fd = -1;
  }
}

bool StopSignal::requested() const { return stop_requested; }
int StopSignal::descriptor() const { return wake_pipe[0]; }

void wait_readable(const std::vector<int>& descriptors, Duration timeout) {
  std::vector<pollfd> items;
  for (const int fd : descriptors) items.push_back({fd, POLLIN, 0});
  ::poll(items.data(), items.size(), timeout.us < 0 ? -1 : static_cast<int>(timeout.us / 1000));
}

}  // namespace bidboard
