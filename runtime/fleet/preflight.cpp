#include "runtime/fleet/preflight.hpp"

#include <poll.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "agents/clients/client.hpp"
#include "agents/json_fields.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/text/shell.hpp"
#include "runtime/drivers/clock.hpp"
#include "runtime/fleet/agent_executor.hpp"

namespace bidboard {
namespace {

namespace fs = std::filesystem;

constexpr Duration version_time = seconds(20);
constexpr Duration call_time = minutes(2);
constexpr int not_found_exit = 127;  ///< of a shell

/// A folder in which executions leave their output; removed with all that is in it.
class Scratch {
 public:
  static Result<Scratch> make() {
    std::error_code error;
    std::string path = (fs::temp_directory_path(error) / "bidboard-check-XXXXXX").string();
    if (error || !::mkdtemp(path.data()))
      return fail(Errc::storage, fmt::format("cannot make a folder at {}; set TMPDIR to one that you may "
                                             "write",
                                             path));
    return Scratch(std::move(path));
  }
  ~Scratch() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  Scratch(Scratch&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Scratch& operator=(Scratch&&) = delete;
  BoardDirectory board() const { return {path_}; }

 private:
  explicit Scratch(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

/// The word with which a command begins, if it is one that a shell would take as it is.
std::string program_of(const std::string& command) {
  std::size_t begin = command.find_first_not_of(" \t\n");
  while (begin != command.npos) {
    const std::string word = command.substr(begin, command.find_first_of(" \t\n", begin) - begin);
    if (is_plain_word(word)) return word;
    if (word.find('=') == word.npos || word.find_first_of("'\"`$(") != word.npos) return {};
    begin = command.find_first_not_of(" \t\n", begin + word.size());  // NAME=value in front of it
  }
  return {};
}

Assignment task_of(TaskSpec spec, Duration timeout) {
  Assignment assignment;
  assignment.task = {1};
  assignment.epoch = {1};
  assignment.spec = std::move(spec);
  assignment.spec.timeout = timeout;
  return assignment;
}

std::string not_there(const std::string& program, const CodingClient* client) {
  const std::string how = !client                   ? ""
                          : client->install.empty() ? "; it is installed together with `bidboard`"
                                                    : fmt::format("; `{}` installs it", client->install);
  return fmt::format("{} is not installed, or not on the agent's PATH{}", program, how);
}

class AgentCheck {
 public:
  AgentCheck(BoardDirectory scratch, PreflightDepth depth, const StopSignal& stop)
      : scratch_(std::move(scratch)), depth_(depth), stop_(stop) {}

  Preflight of(PlannedAgent agent, const std::string& home) const {
    Preflight found;
    const Result<AgentVariables> variables = read_agent_variables(agent);
    if (!variables) {
      found.problem = variables.error().text;
      return found;
    }
    if (agent.dir.empty()) agent.dir = home;
    const bool in_worktree = agent.worktree != WorktreeMode::none;
    agent.worktree = WorktreeMode::none;  // what is looked at needs none
    if (agent.executor == ExecutorKind::simulated) return found;
    found.program = program_of(agent.exec);
    std::vector looks{&AgentCheck::look_at_command, &AgentCheck::look_for_program,
                      &AgentCheck::look_for_version};
    if (in_worktree) looks.push_back(&AgentCheck::look_for_repository);
    looks.push_back(&AgentCheck::call);
    for (const auto look : looks)
      if (found.problem.empty()) (this->*look)(agent, *variables, found);
    return found;
  }

 private:
  /// One task, from its start to its end.
  ExecutionEnded execute(const PlannedAgent& agent, const AgentVariables& variables,
                         const Assignment& assignment) const {
    const std::unique_ptr<Executor> executor = make_executor(scratch_, agent, variables);
    ExecutionEnded ended;
    if (const Result<void> started = executor->start(assignment, read_clocks()); !started) {
      ended.ending = Ending::failed;
      ended.reason = started.error().text;
      return ended;
    }
    for (bool told = false;;) {
      for (const ExecutionEvent& event : executor->pump(read_clocks()))
        if (const auto* end = std::get_if<ExecutionEnded>(&event)) return *end;
      if (stop_.requested() && !std::exchange(told, true))
        executor->stop(assignment.task, assignment.epoch, "interrupted", read_clocks());
      std::vector<PollItem> items;
      executor->add_poll(items);
      std::vector<pollfd> polled{{told ? -1 : stop_.descriptor(), POLLIN, 0}};
      for (const PollItem& item : items)
        polled.push_back(
            {item.fd, static_cast<short>((item.read ? POLLIN : 0) | (item.write ? POLLOUT : 0)), 0});
      ::poll(polled.data(), polled.size(), 1'000);
    }
  }

  ExecutionEnded run(PlannedAgent agent, const AgentVariables& variables, const std::string& command) const {
    agent.executor = ExecutorKind::command;
    agent.preset.clear();
    agent.profile.allow_run = true;
    TaskSpec spec;
    spec.run = command;
    return execute(agent, variables, task_of(std::move(spec), version_time));
  }

  void look_at_command(const PlannedAgent& agent, const AgentVariables& variables, Preflight& found) const {
    if (agent.exec.empty()) return;
    const ExecutionEnded read = run(agent, variables, "/bin/sh -n -c " + shell_quoted(agent.exec));
    if (read.ending != Ending::done)
      found.problem = fmt::format("its command cannot be executed: {}", read.reason);
  }

  void look_for_program(const PlannedAgent& agent, const AgentVariables& variables, Preflight& found) const {
    if (found.program.empty()) return;
    const ExecutionEnded there =
        run(agent, variables,
            fmt::format("command -v {} > /dev/null || exit {}", shell_quoted(found.program), not_found_exit));
    if (there.ending == Ending::done) return;
    found.problem = there.reason.starts_with(fmt::format("exit {}", not_found_exit))
                        ? not_there(found.program, find_coding_client(agent.preset))
                        : there.reason;
  }

  void look_for_version(const PlannedAgent& agent, const AgentVariables& variables, Preflight& found) const {
    if (depth_ == PreflightDepth::program || agent.preset.empty() || found.program.empty()) return;
    const ExecutionEnded version = run(agent, variables, shell_quoted(found.program) + " --version");
    if (version.ending == Ending::done)
      found.version = version.result.substr(0, version.result.find('\n'));
    else
      found.problem = fmt::format("`{} --version`: {}", found.program, version.reason);
  }

  void look_for_repository(const PlannedAgent& agent, const AgentVariables& variables,
                           Preflight& found) const {
    const ExecutionEnded there =
        run(agent, variables,
            fmt::format(
                "command -v git > /dev/null || exit {}; git rev-parse --verify --quiet HEAD:./ > /dev/null",
                not_found_exit));
    if (there.ending == Ending::done) return;
    found.problem =
        there.reason.starts_with(fmt::format("exit {}", not_found_exit))
            ? "git is not installed, and `worktree:` needs it"
            : fmt::format(
                  "`worktree:` needs a folder that is in a commit of a git repository, and {} is not; "
                  "`git init` there makes a repository, `git commit` a commit",
                  agent.dir);
  }

  void call(const PlannedAgent& agent, const AgentVariables& variables, Preflight& found) const {
    if (depth_ != PreflightDepth::call || agent.preset.empty()) return;
    TaskSpec spec;
    spec.title = "Answer with the single word: ready";
    spec.body = "This only checks that you can be reached. Use no tools and change nothing.";
    const ExecutionEnded ended = execute(agent, variables, task_of(std::move(spec), call_time));
    found.price = ended.price;
    if (ended.ending == Ending::done)
      found.answer = one_line(ended.result);
    else
      found.problem = ended.ending == Ending::unavailable
                          ? fmt::format("{}: {}", name(ended.outage), ended.reason)
                          : ended.reason;
  }

  BoardDirectory scratch_;
  PreflightDepth depth_;
  const StopSignal& stop_;
};

}  // namespace

Result<std::vector<Preflight>> check_agents(const std::vector<PlannedAgent>& agents, const std::string& home,
                                            PreflightDepth depth, const StopSignal& stop) {
  const Result<Scratch> scratch = Scratch::make();
  if (!scratch) return fail(scratch.error());
  const AgentCheck check(scratch->board(), depth, stop);
  std::vector<Preflight> all;
  std::vector<PlannedAgent> checked;
  for (const PlannedAgent& agent : agents) {
    PlannedAgent nameless = agent;
    nameless.profile.name.clear();
    const auto alike = std::ranges::find(checked, nameless);
    if (alike == checked.end()) {
      all.push_back(check.of(agent, home));
      if (stop.requested()) return fail(Errc::failed, "interrupted");
      checked.push_back(std::move(nameless));
      all.back().agents.push_back(agent.profile.name);
    } else {
      all[static_cast<std::size_t>(alike - checked.begin())].agents.push_back(agent.profile.name);
    }
  }
  return all;
}

}  // namespace bidboard
