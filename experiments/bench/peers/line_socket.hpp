// A connection to a server that speaks lines, over a unix socket; what is said is gathered and sent in one
// write. Edge code; for one thread.
#pragma once

#include <string>
#include <string_view>

#include "agents/guard/descriptor.hpp"
#include "blackboard/result.hpp"

namespace bidboard::bench {

class LineSocket {
 public:
  /// Waits for the server to come up. Errors: unavailable.
  static Result<LineSocket> connect(const std::string& path);

  void say(std::string_view words) { unsent_ += words; }
  /// Errors of both: unavailable (the server is gone).
  Result<void> flush();
  /// The next line, without its end. Flushes first when it has to wait.
  Result<std::string> line();
  /// So many bytes and the end of line behind them.
  Result<std::string> block(std::size_t bytes);
  /// Whether a whole line has arrived already.
  bool has_line() const { return received_.find("\r\n", at_) != std::string::npos; }

 private:
  explicit LineSocket(Descriptor socket) : socket_(std::move(socket)) {}
  Result<void> receive();

  Descriptor socket_;
  std::string unsent_;
  std::string received_;
  std::size_t at_ = 0;
};

}  // namespace bidboard::bench
