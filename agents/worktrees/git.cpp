#include "agents/worktrees/git.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <iterator>
#include <sstream>

#include "agents/guard/descriptor.hpp"
#include "agents/guard/platform.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/text/utf8.hpp"

extern char** environ;

namespace bidboard {
namespace {

constexpr int no_git = 127;

/// What was set for another git command (a hook's GIT_DIR, a caller's GIT_INDEX_FILE) would lead ours astray.
std::vector<std::string> clean_environment() {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const bool leads_astray = text.starts_with("GIT_") && !text.starts_with("GIT_SSH");
    if (!leads_astray && !text.starts_with("LC_ALL=") && !text.starts_with("LANGUAGE="))
      result.emplace_back(text);
  }
  for (const char* ours :
       {"GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=true", "GIT_EDITOR=true", "GIT_PAGER=cat",
        "GIT_OPTIONAL_LOCKS=0", "SSH_ASKPASS=true", "SSH_ASKPASS_REQUIRE=force", "LC_ALL=C"})
    result.emplace_back(ours);
  return result;
}

std::vector<std::string> command_line(const std::string& folder, const std::vector<std::string>& arguments) {
  std::vector<std::string> line{"git", "-C", folder};
  for (const char* setting :
       {"core.hooksPath=/dev/null", "core.fsmonitor=false", "core.quotePath=false", "commit.gpgSign=false",
        "gc.auto=0", "maintenance.auto=false", "merge.verifySignatures=false", "rerere.enabled=false"})
    line.insert(line.end(), {"-c", setting});
  line.insert(line.end(), arguments.begin(), arguments.end());
  return line;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

struct Child {
  pid_t pid = 0;
  Descriptor input;
  Descriptor output;
  Descriptor errors;
};

Result<Child> start(std::vector<std::string> line) {
  Result<Pipe> in = make_pipe(), out = make_pipe(), err = make_pipe();
  if (!in || !out || !err) return fail(Errc::unavailable, "no file descriptors are left for git");
  std::vector<std::string> variables = clean_environment();
  const std::vector<char*> argv = pointers(line), envp = pointers(variables);
  const pid_t pid = ::fork();
  if (pid < 0) return fail(Errc::unavailable, fmt::format("cannot start git: {}", std::strerror(errno)));
  if (pid == 0) {
    die_with_parent();
    ::signal(SIGPIPE, SIG_DFL);
    ::signal(SIGTERM, SIG_IGN);  // a commit that is being written is not cut off: see in_worktree.hpp
    ::dup2(in->read.get(), 0);
    ::dup2(out->write.get(), 1);
    ::dup2(err->write.get(), 2);
    environ = const_cast<char**>(envp.data());
    ::execvp("git", argv.data());
    ::_exit(no_git);
  }
  return Child{pid, std::move(in->write), std::move(out->read), std::move(err->read)};
}

/// Reads what is there. False: the end.
bool drain(Descriptor& from, std::string& into) {
  char buffer[65536];
  const ssize_t got = ::read(from.get(), buffer, sizeof buffer);
  if (got > 0) into.append(buffer, static_cast<std::size_t>(got));
  return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

/// True: git closed its ends in time and within bounds.
bool serve(Child& child, std::string_view input, GitRun& run, Duration longest) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(longest.us);
  static_cast<void>(set_nonblocking(child.input));
  if (input.empty()) child.input = {};
  while (child.output || child.errors) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0 || run.output.size() > git_bytes_max) return false;
    pollfd fds[3] = {{child.output ? child.output.get() : -1, POLLIN, 0},
                     {child.errors ? child.errors.get() : -1, POLLIN, 0},
                     {child.input ? child.input.get() : -1, POLLOUT, 0}};
    ::poll(fds, 3, static_cast<int>(left.count()));
    if (fds[0].revents != 0 && !drain(child.output, run.output)) child.output = {};
    if (fds[1].revents != 0 && !drain(child.errors, run.errors)) child.errors = {};
    if (fds[2].revents == 0) continue;
    const ssize_t sent = ::write(child.input.get(), input.data(), input.size());
    if (sent > 0) input.remove_prefix(static_cast<std::size_t>(sent));
    if (input.empty() || (sent < 0 && errno != EINTR && errno != EAGAIN)) child.input = {};
  }
  return true;
}

}  // namespace

Result<GitRun> Git::run(const std::vector<std::string>& arguments, std::string_view input,
                        Duration longest) const {
  // A folder that is gone must not be said to be a missing git.
  if (::access(folder_.c_str(), X_OK) != 0)
    return fail(Errc::failed, fmt::format("cannot enter {}: {}", folder_, std::strerror(errno)));
  Result<Child> child = start(command_line(folder_, arguments));
  if (!child) return fail(child.error());
  GitRun run;
  const bool in_bounds = serve(*child, input, run, longest);
  if (!in_bounds) ::kill(child->pid, SIGKILL);
  int status = 0;
  while (::waitpid(child->pid, &status, 0) < 0 && errno == EINTR) continue;
  if (!in_bounds)
    return fail(Errc::failed, fmt::format("git {} took longer than {} or printed more than {} bytes",
                                          arguments.front(), longest, git_bytes_max));
  run.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (run.status == no_git && run.errors.empty())
    return fail(Errc::unavailable,
                "git is not installed here, or not on the PATH; install it, or remove "
                "`worktree:` from the agent");
  return run;
}

Result<std::string> Git::ask(const std::vector<std::string>& arguments, std::string_view input) const {
  Result<GitRun> done = run(arguments, input);
  if (!done) return fail(done.error());
  if (done->status != 0)
    return fail(Errc::failed, fmt::format("git {} failed: {}", arguments.front(), said(*done)));
  if (done->output.ends_with('\n')) done->output.pop_back();
  return std::move(done->output);
}

Result<bool> Git::holds(const std::vector<std::string>& arguments) const {
  const Result<GitRun> done = run(arguments);
  if (!done) return fail(done.error());
  if (done->status > 1)
    return fail(Errc::failed, fmt::format("git {} failed: {}", arguments.front(), said(*done)));
  return done->status == 0;
}

Result<std::string> Git::commit_of(const std::string& name) const {
  Result<GitRun> done = run({"rev-parse", "--verify", "--quiet", "--end-of-options", name + "^{commit}"});
  if (!done) return fail(done.error());
  if (done->status != 0) return std::string();
  while (done->output.ends_with('\n')) done->output.pop_back();
  return std::move(done->output);
}

Result<GitRun> Git::run_as_someone(std::vector<std::string> arguments, std::string_view input) const {
  for (const auto& [key, ours] :
       {std::pair{"user.name", "Bidboard"}, std::pair{"user.email", "bidboard@localhost"}}) {
    const Result<GitRun> configured = run({"config", "--get", key});
    if (!configured) return fail(configured.error());
    if (configured->status != 0 || configured->output == "\n")
      arguments.insert(arguments.begin(), {"-c", fmt::format("{}={}", key, ours)});
  }
  return run(arguments, input);
}

Result<std::set<std::string>> Git::lacking(const std::vector<std::string>& commits,
                                           const std::vector<std::string>& references) const {
  std::string names;
  for (const std::string& commit : commits) names += commit + "\n";
  if (names.empty()) return std::set<std::string>();
  const Result<std::string> kinds = ask({"cat-file", "--batch-check=%(objecttype)"}, names);
  if (!kinds) return fail(kinds.error());
  std::set<std::string> result;
  std::string known;
  std::istringstream lines(*kinds);
  std::string kind;
  for (const std::string& commit : commits)
    if (std::getline(lines, kind) && kind == "commit")
      known += commit + "\n";
    else
      result.insert(commit);
  if (known.empty()) return result;
  std::vector<std::string> words{"rev-list", "--stdin", "--not"};
  words.insert(words.end(), references.begin(), references.end());
  const Result<std::string> others = ask(words, known);
  if (!others) return fail(others.error());
  std::istringstream newer(*others);
  const std::set<std::string> out{std::istream_iterator<std::string>(newer), {}};
  std::ranges::set_intersection(std::set<std::string>(commits.begin(), commits.end()), out,
                                std::inserter(result, result.end()));
  return result;
}

Result<std::string> Git::commit(std::vector<std::string> arguments, std::string_view input) const {
  const std::string what = arguments.front();
  Result<GitRun> done = run_as_someone(std::move(arguments), input);
  if (!done) return fail(done.error());
  if (done->status != 0) return fail(Errc::failed, fmt::format("git {} failed: {}", what, said(*done)));
  if (done->output.ends_with('\n')) done->output.pop_back();
  return std::move(done->output);
}

std::string said(const GitRun& run) {
  constexpr std::size_t most = 400;
  std::string text = run.errors.empty() ? run.output : run.errors;
  while (text.ends_with('\n')) text.pop_back();
  if (text.empty()) return fmt::format("exit {}", run.status);
  std::ranges::replace(text, '\n', ' ');
  const auto both_blank = [](char a, char b) { return a == ' ' && b == ' '; };  // git pads what a remote says
  text.erase(std::unique(text.begin(), text.end(), both_blank), text.end());
  return std::string(utf8_prefix(text, most));
}

std::vector<std::string> split_zeros(std::string_view text) {
  std::vector<std::string> parts;
  for (std::size_t end = text.find('\0'); end != std::string_view::npos; end = text.find('\0')) {
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return parts;
}

}  // namespace bidboard
