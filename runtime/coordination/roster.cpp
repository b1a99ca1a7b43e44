#include "runtime/coordination/roster.hpp"

#include <algorithm>

#include "runtime/core/award.hpp"

namespace bidboard {
namespace {

void put(std::vector<AgentId>& list, AgentId agent, bool belongs) {
  const auto at = std::ranges::lower_bound(list, agent);
  const bool is_there = at != list.end() && *at == agent;
  if (belongs && !is_there) list.insert(at, agent);
  if (!belongs && is_there) list.erase(at);
}

}  // namespace

void Roster::refresh(const Core& core) {
  const auto look_at = [&](AgentId agent) {
    const auto session = core.sessions.find(agent);
    const bool is_connected = session != core.sessions.end() && session->second.connected() &&
                              may(core.board.agent(agent)->profile.role, Action::take);
    put(connected_, agent, is_connected);
    put(free_, agent, is_connected && is_below_capacity(core, *core.board.agent(agent)));
  };
  if (all_touched_) {
    connected_.clear();
    free_.clear();
    for (const auto& [agent, session] : core.sessions) look_at(agent);
  }
  for (const AgentId agent : touched_) look_at(agent);
  touched_.clear();
  all_touched_ = false;
}

}  // namespace bidboard
