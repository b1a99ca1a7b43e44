#include "runtime/shell/job_workers.hpp"

#include <signal.h>

#include <algorithm>
#include <map>

#include "blackboard/fmt.hpp"
#include "runtime/shell/board_view.hpp"

namespace bidboard {
namespace {

constexpr std::int64_t default_agents = 4;

/// The names under which agents work now, and their processes.
Result<std::map<std::string, pid_t>> names_at_work(const BoardDirectory& board) {
  const Result<BoardView> view = BoardView::open(board);
  if (!view) return fail(view.error());
  const Result<std::vector<Agent>> known = view->agents();
  if (!known) return fail(known.error());
  std::map<std::string, pid_t> names;
  for (const Agent& agent : *known) {
    const auto pid = static_cast<pid_t>(agent.profile.pid);
    if (agent.state == AgentState::live && pid > 0 && ::kill(pid, 0) == 0)
      names.emplace(agent.profile.name, pid);
  }
  return names;
}

}  // namespace

Result<std::vector<PlannedAgent>> job_workers(const BoardDirectory& board, const Plan& plan,
                                              const JobOptions& options, bool has_others) {
  if (!plan.agents.empty()) return plan.agents;
  std::vector<PlannedAgent> made;
  if (has_others && options.agents == 0 && !plan.traced) return made;  // those do the work
  const Result<std::map<std::string, pid_t>> taken = names_at_work(board);
  if (!taken) return fail(taken.error());
  const auto count = static_cast<std::size_t>(options.agents > 0 ? options.agents : default_agents);
  for (std::size_t number = 1; made.size() < count; ++number) {
    PlannedAgent agent;
    agent.profile.name = fmt::format("worker{}", number);
    if (taken->contains(agent.profile.name)) continue;
    agent.profile.allow_run = !plan.traced;
    agent.executor = plan.traced ? ExecutorKind::simulated : ExecutorKind::command;
    made.push_back(std::move(agent));
  }
  return made;
}

Result<void> check_names(const BoardDirectory& board, const std::vector<PlannedAgent>& agents,
                         const JobOptions& options) {
  const Result<std::map<std::string, pid_t>> taken = names_at_work(board);
  if (!taken) return fail(taken.error());
  for (const PlannedAgent& agent : agents)
    if (const auto other = taken->find(agent.profile.name); other != taken->end())
      return fail(
          Errc::conflict,
          fmt::format("an agent called '{}' works on this board already (process {}); rename it in {}, or "
                      "wait until it is gone",
                      other->first, other->second, options.file));
  return {};
}

}  // namespace bidboard
