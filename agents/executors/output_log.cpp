#include "agents/executors/output_log.hpp"
#include "blackboard/fmt.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace bidboard {

Result<OutputLog> OutputLog::open(const Folder& folder, const std::string& name, std::uint64_t limit_bytes) {
  OutputLog log;
  log.file_ =
      Descriptor(::openat(folder.fd(), name.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!log.file_)
    return fail(Errc::failed,
                fmt::format("cannot open {}/{}: {}", folder.path(), name, std::strerror(errno)));
  log.limit_ = limit_bytes;
  return log;
}

void OutputLog::append(std::string_view bytes) {
  const auto room = static_cast<std::size_t>(std::min<std::uint64_t>(limit_ - written_, bytes.size()));
  write_through(bytes.substr(0, room));
  written_ += room;
  dropped_ += bytes.size() - room;
}

void OutputLog::note(std::string_view text) {
  write_through(fmt::format("{}{}\n", (at_line_start_ ? "[bidboard] " : "\n[bidboard] "), text));
}

void OutputLog::finish() {
  if (dropped_ == 0) return;
  note(fmt::format("the output is longer than {} bytes: {} more bytes were dropped", limit_, dropped_));
  dropped_ = 0;
}

void OutputLog::write_through(std::string_view bytes) {
  if (bytes.empty()) return;
  at_line_start_ = bytes.back() == '\n';
  while (!bytes.empty()) {
    const ssize_t written = write(file_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    // A full disk must not end the task: the output is lost, but not the result.
    if (written <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace bidboard
