#include "runtime/shell/command.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "agents/guard/descriptor.hpp"

#include "runtime/jobs/diagnostics.hpp"
#include "runtime/shell/print.hpp"

namespace bidboard {

Exit exit_for(Errc code) {
  switch (code) {
    case Errc::ok:
      return Exit::ok;
    case Errc::invalid:
      return Exit::usage;
    case Errc::not_found:
      return Exit::not_found;
    case Errc::refused:
      return Exit::refused;
    case Errc::conflict:
    case Errc::stale:
    case Errc::too_old:
      return Exit::conflict;
    case Errc::unavailable:
      return Exit::unavailable;
    case Errc::timed_out:
      return Exit::timed_out;
    case Errc::storage:
    case Errc::corrupt:
    case Errc::unsupported:
    case Errc::failed:
      return Exit::failed;
  }
  return Exit::failed;
}

Exit report(const Error& error) {
  hint("bidboard: {}", Shown::lines(error.text));
  return exit_for(error.code);
}

Result<TaskId> read_task_id(const std::string& text) {
  if (const auto id = parse_id<TaskId>(text)) return *id;
  if (const auto id = parse_id<TaskId>("t" + text)) return *id;
  return fail(Errc::invalid, fmt::format("{} is not a task id; write t12 or 12", bidboard::quoted(text)));
}

namespace {

Error unreadable(const std::string& what, int error) {
  const Errc code = error == ENOENT || error == ENOTDIR ? Errc::not_found
                    : error == EACCES || error == EPERM ? Errc::refused
                    : error == EISDIR                   ? Errc::invalid
                                                        : Errc::storage;
  return {code, fmt::format("cannot read {}: {}", what,
                            error == EISDIR   ? "it is a folder, not a file"
                            : error == EACCES ? "it is not readable by you"
                                              : std::strerror(error))};
}

Result<std::string> read_descriptor(int descriptor, const std::string& what) {
  std::string text;
  char part[64 * 1024];
  while (true) {
    const ssize_t got = ::read(descriptor, part, sizeof part);
    if (got == 0) return text;
    if (got > 0)
      text.append(part, static_cast<std::size_t>(got));
    else if (errno != EINTR)
      return fail(unreadable(what, errno));
  }
}

}  // namespace

Result<std::string> read_text(const std::string& value) {
  if (value == "-") return read_descriptor(STDIN_FILENO, "stdin");
  if (!value.starts_with("@")) return value;
  const std::string path = value.substr(1);
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail(unreadable(path, errno));
  return read_descriptor(file.get(), path);
}

Result<NamedLevel> read_skill(const std::string& text, const std::string& separator) {
  const std::size_t at = text.find(separator);
  NamedLevel skill{text.substr(0, at), {}};
  const auto bad = [&] {
    return fail(Errc::invalid, fmt::format("{} is not a skill; write for example cpp or cpp{}0.7",
                                           bidboard::quoted(text), separator));
  };
  if (skill.name.empty() || skill.name.find_first_of("<>=, \t") != std::string::npos) return bad();
  if (at == std::string::npos) return skill;
  const Result<Micros> level = read_number(text.substr(at + separator.size()), ranges::level);
  if (!level) return bad();
  skill.level = *level;
  return skill;
}

}  // namespace bidboard
