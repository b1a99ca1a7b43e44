#include "runtime/shell/mcp_loop.hpp"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "blackboard/fmt.hpp"
#include "runtime/drivers/clock.hpp"
#include "runtime/drivers/stop_signal.hpp"

namespace bidboard {
namespace {

/// How often a call that waits looks at the board.
constexpr Duration look_interval = milliseconds(200);
/// A pipe that can be written to takes this much without blocking (PIPE_BUF), so that a signal is noticed
/// while a client reads nothing.
constexpr std::size_t piece_bytes = 4096;

/// A client that is gone ends the loop by EPIPE, not the process by a signal.
class NoBrokenPipeSignal {
 public:
  NoBrokenPipeSignal() {
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &ignore, &earlier_);
  }
  ~NoBrokenPipeSignal() { ::sigaction(SIGPIPE, &earlier_, nullptr); }
  NoBrokenPipeSignal(const NoBrokenPipeSignal&) = delete;
  NoBrokenPipeSignal& operator=(const NoBrokenPipeSignal&) = delete;

 private:
  struct sigaction earlier_ {};
};

class Loop {
 public:
  explicit Loop(mcp::Server& server) : server_(server) {}

  Result<Exit> run() {
    while (!ended_) {
      if (Result<void> read = read_some(); !read) return fail(read.error());
      while (!ended_) {
        const std::optional<mcp::Line> line = lines_.next();
        if (!line) break;
        if (const auto answer = server_.take(*line, read_clocks().mono)) write(*answer);
      }
      if (server_.waits() && !ended_)
        for (const std::string& answer : server_.look_again(read_clocks().mono)) write(answer);
    }
    return Exit::ok;
  }

 private:
  /// Waits for input, a signal, or the time to look at the board again.
  Result<void> read_some() {
    pollfd items[] = {{STDIN_FILENO, POLLIN, 0}, {stop_.descriptor(), POLLIN, 0}};
    const int patience = server_.waits() ? static_cast<int>(look_interval.us / 1000) : -1;
    if (::poll(items, 2, patience) < 0 && errno != EINTR)
      return fail(Errc::failed, fmt::format("cannot wait for input: {}", std::strerror(errno)));
    if (stop_.requested()) ended_ = true;
    if (ended_ || items[0].revents == 0) return {};
    const ssize_t got = ::read(STDIN_FILENO, buffer_.data(), buffer_.size());
    if (got > 0) {
      lines_.feed({buffer_.data(), static_cast<std::size_t>(got)});
    } else if (got == 0) {
      lines_.end();
      answer_rest();
      ended_ = true;
    } else if (errno != EINTR && errno != EAGAIN) {
      return fail(Errc::failed, fmt::format("cannot read standard input: {}", std::strerror(errno)));
    }
    return {};
  }

  /// The input has ended: what it said last is answered; nobody waits for a task any more.
  void answer_rest() {
    while (const std::optional<mcp::Line> line = lines_.next())
      if (const auto answer = server_.take(*line, read_clocks().mono)) write(*answer);
  }

  void write(const std::string& answer) {
    const std::string text = answer + "\n";
    for (std::size_t at = 0; at < text.size() && !ended_;) {
      pollfd items[] = {{STDOUT_FILENO, POLLOUT, 0}, {stop_.descriptor(), POLLIN, 0}};
      static_cast<void>(::poll(items, 2, -1));
      if (stop_.requested()) {
        ended_ = true;
        return;
      }
      if (items[0].revents == 0) continue;
      const ssize_t written =
          ::write(STDOUT_FILENO, text.data() + at, std::min(piece_bytes, text.size() - at));
      if (written >= 0)
        at += static_cast<std::size_t>(written);
      else if (errno != EINTR && errno != EAGAIN)
        ended_ = true;  // nobody reads any more
    }
  }

  const StopSignal stop_;
  const NoBrokenPipeSignal no_signal_;
  mcp::Server& server_;
  mcp::Lines lines_;
  std::string buffer_ = std::string(64 * 1024, '\0');
  bool ended_ = false;
};

}  // namespace

Result<Exit> serve_mcp(mcp::Server& server) { return Loop(server).run(); }

}  // namespace bidboard
