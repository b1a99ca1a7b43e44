#include "runtime/fleet/agent_variables.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "agents/guard/descriptor.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/text/redaction.hpp"
#include "blackboard/text/shell.hpp"
#include "runtime/jobs/variables.hpp"

namespace bidboard {
namespace {

/// What a variable can hold: Linux executes nothing with a longer one.
constexpr std::size_t value_bytes_max = std::size_t{120} << 10;
constexpr std::size_t file_bytes_max = std::size_t{1} << 20;

/// The content of a file that only its owner can read: this user or root.
Result<std::string> read_private_file(const std::string& path, const std::string& what) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file)
    return fail(errno == EACCES ? Errc::refused : Errc::not_found,
                fmt::format("cannot read {} {}: {}", what, path, std::strerror(errno)));
  struct stat about {};
  if (::fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode))
    return fail(Errc::invalid, fmt::format("{} {} is not a file", what, path));
  if (about.st_uid != ::geteuid() && about.st_uid != 0)
    return fail(Errc::refused, fmt::format("{} {} belongs to another user; copy it", what, path));
  if ((about.st_mode & 077) != 0)
    return fail(Errc::refused, fmt::format("other users may access {} {}; type `chmod 600 {}`", what, path,
                                           shell_quoted(path)));
  std::string text;
  char buffer[4096];
  ssize_t n = 0;
  while ((n = ::read(file.get(), buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR)) {
    if (n > 0) text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > file_bytes_max)
      return fail(Errc::invalid, fmt::format("{} {} is longer than 1 MB", what, path));
  }
  if (n < 0)
    return fail(Errc::storage, fmt::format("cannot read {} {}: {}", what, path, std::strerror(errno)));
  return text;
}

Result<std::string> value_of(const SecretSource& secret, const std::vector<EnvVariable>& env_file) {
  const std::string what = fmt::format("the secret {}", secret.name);
  std::string value;
  if (secret.file.empty()) {
    const auto in_file =
        std::ranges::find_if(env_file, [&](const EnvVariable& v) { return v.name == secret.env; });
    const char* own = std::getenv(secret.env.c_str());
    if (in_file == env_file.end() && !own)
      return fail(
          Errc::not_found,
          fmt::format("{} is missing: there is no variable {} in its env_file or environment; export it "
                      "where the agent (or `bidboard up`) is started, or name a file",
                      what, secret.env));
    value = in_file != env_file.end() ? in_file->value : own;
  } else {
    Result<std::string> text = read_private_file(secret.file, "the file of " + what + ",");
    if (!text) return fail(text.error());
    value = std::move(*text);
    while (value.ends_with('\n') || value.ends_with('\r')) value.pop_back();
  }
  if (value.empty()) return fail(Errc::invalid, what + " is empty");
  if (value.find('\0') != std::string::npos)
    return fail(Errc::invalid, what + " has zero bytes, which no variable can hold");
  if (value.size() > value_bytes_max)
    return fail(Errc::invalid, fmt::format("{} is longer than {} KB", what, value_bytes_max >> 10));
  return value;
}

}  // namespace

Result<AgentVariables> read_agent_variables(const PlannedAgent& agent) {
  AgentVariables out;
  std::vector<EnvVariable> env_file;
  if (!agent.env_file.empty()) {
    const Result<std::string> text = read_private_file(agent.env_file, "env_file");
    if (!text) return fail(text.error());
    Result<std::vector<EnvVariable>> read = parse_dotenv(*text);
    if (!read) return fail(read.error().code, fmt::format("{}:{}", agent.env_file, read.error().text));
    env_file = std::move(*read);
  }
  for (const SecretSource& secret : agent.secrets) {
    Result<std::string> value = value_of(secret, env_file);
    if (!value) return fail(value.error());
    if (value->size() < hidden_bytes_min)
      out.notes.push_back(fmt::format("the secret {} has fewer than {} bytes and is not hidden in outputs",
                                      secret.name, hidden_bytes_min));
    out.secrets.push_back({secret.name, std::move(*value)});
  }
  out.env = std::move(env_file);
  out.env.insert(out.env.end(), agent.env.begin(), agent.env.end());
  struct stat about {};
  if (!agent.dir.empty() && (::stat(agent.dir.c_str(), &about) != 0 || !S_ISDIR(about.st_mode)))
    return fail(Errc::not_found, fmt::format("its dir {} is no folder; make it, or name another", agent.dir));
  return out;
}

Result<void> check_agent_variables(const std::vector<PlannedAgent>& agents) {
  for (const PlannedAgent& agent : agents)
    if (const Result<AgentVariables> found = read_agent_variables(agent); !found)
      return fail(found.error().code, fmt::format("agent '{}': {}", agent.profile.name, found.error().text));
  return {};
}

}  // namespace bidboard
