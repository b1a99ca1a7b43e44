#include "runtime/drivers/watched_processes.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

/// Processes that wait until they are killed.
class Waiting {
 public:
  explicit Waiting(int count) {
    for (int i = 0; i < count; ++i) {
      const pid_t pid = ::fork();
      if (pid == 0)
        while (true) ::pause();
      pids.push_back(pid);
    }
    std::ranges::sort(pids);
  }
  ~Waiting() {
    for (const std::int64_t pid : pids) ::kill(static_cast<pid_t>(pid), SIGKILL);
    for (const std::int64_t pid : pids) ::waitpid(static_cast<pid_t>(pid), nullptr, 0);
  }
  std::vector<std::int64_t> pids;
};

bool becomes_readable(int descriptor, int patience_ms) {
  pollfd polled{descriptor, POLLIN, 0};
  return ::poll(&polled, 1, patience_ms) == 1;
}

}  // namespace

TEST_CASE("any number of processes is watched through one descriptor, and each end is reported once") {
  Waiting children(70);  // more than are reported in one go
  WatchedProcesses watched;
  CHECK(watched.descriptor() == -1);
  for (const std::int64_t pid : children.pids) watched.add(pid);
  watched.add(children.pids.front());  // again: the same
  if (watched.must_ask()) return;      // a system on which no descriptor reports the end of a process
  CHECK_FALSE(becomes_readable(watched.descriptor(), 0));
  CHECK(watched.take_ended().empty());

  ::kill(static_cast<pid_t>(children.pids[3]), SIGKILL);
  REQUIRE(becomes_readable(watched.descriptor(), 10'000));
  CHECK(watched.take_ended() == std::vector<std::int64_t>{children.pids[3]});
  CHECK_FALSE(becomes_readable(watched.descriptor(), 0));
  CHECK(watched.take_ended().empty());

  for (const std::int64_t pid : children.pids) ::kill(static_cast<pid_t>(pid), SIGKILL);
  std::vector<std::int64_t> ended{children.pids[3]};
  while (watched.descriptor() >= 0 && becomes_readable(watched.descriptor(), 10'000))
    for (const std::int64_t pid : watched.take_ended()) ended.push_back(pid);
  std::ranges::sort(ended);
  CHECK(ended == children.pids);
}

TEST_CASE("a process that has ended before it is watched is reported") {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(0);
  REQUIRE(::waitpid(pid, nullptr, 0) == pid);
  WatchedProcesses watched;
  watched.add(pid);
  if (watched.must_ask()) return;
  CHECK(watched.has_ended());
  CHECK(watched.take_ended() == std::vector<std::int64_t>{pid});
}
