#include "runtime/shell/output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

namespace bidboard {
namespace {

constexpr std::size_t kept_bytes_max = 64 * 1024;

std::string& kept() {
  static std::string bytes;
  return bytes;
}

/// 0, or errno.
int write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written >= 0)
      bytes.remove_prefix(static_cast<std::size_t>(written));
    else if (errno != EINTR)
      return errno;
  }
  return 0;
}

}  // namespace

void write_out(std::string_view bytes) {
  static const bool terminal = ::isatty(STDOUT_FILENO) != 0;
  kept() += bytes;
  if (kept().size() >= kept_bytes_max || (terminal && bytes.find('\n') != bytes.npos)) flush_out();
}

void flush_out() {
  const std::string bytes = std::exchange(kept(), {});
  if (const int error = write_all(STDOUT_FILENO, bytes); error != 0) throw OutputFailed{error};
}

void write_error(std::string_view text) {
  flush_out();
  static_cast<void>(write_all(STDERR_FILENO, text));
}

void occupy_standard_descriptors() {
  for (int descriptor = 0; descriptor <= 2; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free descriptor is this one: those below it are open by now.
    const int taken = ::open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY);
    if (taken < 0) return;
  }
}

}  // namespace bidboard
