#include "experiments/bench/peers/line_socket.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "experiments/bench/support.hpp"

namespace bidboard::bench {
namespace {

constexpr double patience_s = 10;

Error gone() { return {Errc::unavailable, "the server closed the connection"}; }

}  // namespace

Result<LineSocket> LineSocket::connect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return fail(Errc::invalid, "the path is too long: " + path);
  path.copy(address.sun_path, path.size());
  const auto begun = Clock::now();
  while (seconds_since(begun) < patience_s) {
    Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (socket && ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
      return LineSocket(std::move(socket));
    ::usleep(10'000);
  }
  return fail(Errc::unavailable, "nobody listens at " + path);
}

Result<void> LineSocket::flush() {
  for (std::size_t sent = 0; sent < unsent_.size();) {
    const ssize_t n = ::send(socket_.get(), unsent_.data() + sent, unsent_.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return fail(gone());
    sent += static_cast<std::size_t>(n);
  }
  unsent_.clear();
  return {};
}

Result<void> LineSocket::receive() {
  if (const Result<void> sent = flush(); !sent) return sent;
  received_.erase(0, std::exchange(at_, 0));
  char buffer[64 * 1024];
  const ssize_t n = ::recv(socket_.get(), buffer, sizeof buffer, 0);
  if (n <= 0) return fail(gone());
  received_.append(buffer, static_cast<std::size_t>(n));
  return {};
}

Result<std::string> LineSocket::line() {
  while (!has_line())
    if (const Result<void> more = receive(); !more) return fail(more.error());
  const std::size_t end = received_.find("\r\n", at_);
  const std::string text = received_.substr(at_, end - at_);
  at_ = end + 2;
  return text;
}

Result<std::string> LineSocket::block(std::size_t bytes) {
  while (received_.size() - at_ < bytes + 2)
    if (const Result<void> more = receive(); !more) return fail(more.error());
  const std::string text = received_.substr(at_, bytes);
  at_ += bytes + 2;
  return text;
}

}  // namespace bidboard::bench
