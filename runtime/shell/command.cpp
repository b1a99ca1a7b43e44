#include "runtime/shell/command.hpp"
#include "blackboard/fmt.hpp"

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>

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
  std::fflush(stdout);
  std::fprintf(stderr, "bidboard: %s\n", error.text.c_str());
  return exit_for(error.code);
}

Result<TaskId> read_task_id(const std::string& text) {
  if (const auto id = parse_id<TaskId>(text)) return *id;
  if (const auto id = parse_id<TaskId>("t" + text)) return *id;
  return fail(Errc::invalid, fmt::format("'{}' is not a task id; write t12 or 12", text));
}

Result<std::string> read_text(const std::string& value) {
  if (value == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  if (!value.starts_with("@")) return value;
  std::ifstream file(value.substr(1), std::ios::binary);
  if (!file) return fail(Errc::not_found, fmt::format("cannot read {}", value.substr(1)));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Result<NamedLevel> read_skill(const std::string& text, const std::string& separator) {
  const std::size_t at = text.find(separator);
  NamedLevel skill{text.substr(0, at), {}};
  const auto bad = [&] {
    return fail(Errc::invalid,
                fmt::format("'{}' is not a skill; write for example cpp or cpp{}0.7", text, separator));
  };
  if (skill.name.empty() || skill.name.find_first_of("<>=, \t") != std::string::npos) return bad();
  if (at == std::string::npos) return skill;
  const std::string number = text.substr(at + separator.size());
  char* end = nullptr;
  const double level = std::strtod(number.c_str(), &end);
  if (number.empty() || *end != '\0' || !(level > 0) || level > 1000) return bad();
  skill.level = to_micros(level);
  return skill;
}

}  // namespace bidboard
