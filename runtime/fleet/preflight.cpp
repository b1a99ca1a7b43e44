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
    const bool is_plain = std::ranges::all_of(word, [](unsigned char c) {
      return std::isalnum(c) ||
             std::string_view("_-./+@:,").find(static_cast<char>(c)) != std::string_view::npos;
    });
    if (is_plain) return word;
    if (word.find('=') == word.npos || word.find_first_of("'\"`$(") != word.npos) return {};
    begin = command.find_first_not_of(" \t\n", begin + word.size());  // NAME=value in front of it
  }
  return {};
}

/// One task, from its start to its end.
ExecutionEnded execute(Executor& executor, const Assignment& assignment) {
  ExecutionEnded ended;
  if (const Result<void> started = executor.start(assignment, read_clocks()); !started) {
    ended.ending = Ending::failed;
    ended.reason = started.error().text;
    return ended;
  }
  while (true) {
    for (const ExecutionEvent& event : executor.pump(read_clocks()))
      if (const auto* end = std::get_if<ExecutionEnded>(&event)) return *end;
    std::vector<PollItem> items;
    executor.add_poll(items);
    std::vector<pollfd> polled;
    for (const PollItem& item : items)
      polled.push_back(
          {item.fd, static_cast<short>((item.read ? POLLIN : 0) | (item.write ? POLLOUT : 0)), 0});
    ::poll(polled.data(), polled.size(), 1'000);
  }
}

Assignment task_of(TaskSpec spec, Duration timeout) {
  Assignment assignment;
  assignment.task = {1};
  assignment.epoch = {1};
  assignment.spec = std::move(spec);
  assignment.spec.timeout = timeout;
  return assignment;
}

ExecutionEnded run(const BoardDirectory& scratch, PlannedAgent agent, const AgentVariables& variables,
                   const std::string& command) {
  agent.executor = ExecutorKind::command;
  agent.preset.clear();
  agent.profile.allow_run = true;
  TaskSpec spec;
  spec.run = command;
  return execute(*make_executor(scratch, agent, variables), task_of(std::move(spec), version_time));
}

std::string not_there(const std::string& program, const CodingClient* client) {
  return fmt::format("{} is not installed, or not on the agent's PATH{}", program,
                     client ? fmt::format("; `{}` installs it", client->install) : "");
}

void look_for_program(const BoardDirectory& scratch, const PlannedAgent& agent,
                      const AgentVariables& variables, PreflightDepth depth, Preflight& found) {
  const CodingClient* client = find_coding_client(agent.preset);
  const std::string word = shell_quoted(found.program);
  const ExecutionEnded there = run(scratch, agent, variables,
                                   fmt::format("command -v {} > /dev/null || exit {}", word, not_found_exit));
  if (there.ending != Ending::done) {
    found.problem = there.reason.starts_with(fmt::format("exit {}", not_found_exit))
                        ? not_there(found.program, client)
                        : there.reason;
    return;
  }
  if (!client || depth == PreflightDepth::program) return;
  const ExecutionEnded version = run(scratch, agent, variables, word + " --version");
  if (version.ending == Ending::done)
    found.version = version.result.substr(0, version.result.find('\n'));
  else
    found.problem = fmt::format("`{} --version`: {}", found.program, version.reason);
}

void call(const BoardDirectory& scratch, PlannedAgent agent, const AgentVariables& variables,
          Preflight& found) {
  agent.worktree = WorktreeMode::none;
  TaskSpec spec;
  spec.title = "Answer with the single word: ready";
  spec.body = "This only checks that you can be reached. Use no tools and change nothing.";
  const ExecutionEnded ended =
      execute(*make_executor(scratch, agent, variables), task_of(std::move(spec), call_time));
  found.price = ended.price;
  if (ended.ending == Ending::done) {
    found.answer = one_line(ended.result);
    return;
  }
  found.problem = ended.ending == Ending::unavailable
                      ? fmt::format("{}: {}", name(ended.outage), ended.reason)
                      : ended.reason;
}

Preflight check_agent(const BoardDirectory& scratch, PlannedAgent agent, const std::string& home,
                      PreflightDepth depth) {
  Preflight found;
  const Result<AgentVariables> variables = read_agent_variables(agent);
  if (!variables) {
    found.problem = variables.error().text;
    return found;
  }
  if (agent.dir.empty()) agent.dir = home;
  found.program = agent.executor == ExecutorKind::simulated ? std::string() : program_of(agent.exec);
  if (!found.program.empty()) look_for_program(scratch, agent, *variables, depth, found);
  if (found.problem.empty() && depth == PreflightDepth::call && !agent.preset.empty())
    call(scratch, agent, *variables, found);
  return found;
}

}  // namespace

Result<std::vector<Preflight>> check_agents(const std::vector<PlannedAgent>& agents, const std::string& home,
                                            PreflightDepth depth) {
  const Result<Scratch> scratch = Scratch::make();
  if (!scratch) return fail(scratch.error());
  std::vector<Preflight> all;
  std::vector<PlannedAgent> checked;
  for (const PlannedAgent& agent : agents) {
    PlannedAgent nameless = agent;
    nameless.profile.name.clear();
    const auto alike = std::ranges::find(checked, nameless);
    if (alike == checked.end()) {
      all.push_back(check_agent(scratch->board(), agent, home, depth));
      checked.push_back(std::move(nameless));
      all.back().agents.push_back(agent.profile.name);
    } else {
      all[static_cast<std::size_t>(alike - checked.begin())].agents.push_back(agent.profile.name);
    }
  }
  return all;
}

}  // namespace bidboard
