#include "runtime/coordination/agreement.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace bidboard {
namespace {

/// Up to so many agents all talk to each other.
constexpr std::size_t mesh_max = 17;
constexpr std::size_t endpoint_bytes_max = 200;

/// The agents that can be reached by their peers and take tasks (managers do not), by id.
std::vector<AgentId> reachable(const Core& core) {
  std::vector<AgentId> all;
  for (const auto& [id, session] : core.sessions)
    if (!session.endpoint.empty() && session.peer.value != 0 &&
        may(core.board.agent(id)->profile.role, Action::take))
      all.push_back(id);
  return all;
}

Peers peers_of(const Core& core, const std::vector<AgentId>& all, AgentId agent) {
  Peers told{core.peers_number, core.now.mono.us, {}};
  const auto at = std::ranges::lower_bound(all, agent);
  if (at == all.end() || *at != agent) return told;
  const Agent& self = *core.board.agent(agent);
  for (const std::size_t place : neighbours(static_cast<std::size_t>(at - all.begin()), all.size())) {
    const Agent& other = *core.board.agent(all[place]);
    const auto proof = [&](const Agent& from, const Agent& to) {
      return core.secrets.between(from.id, from.incarnation, to.id, to.incarnation);
    };
    told.peers.push_back({other.id, other.profile.name, core.sessions.at(other.id).endpoint,
                          proof(self, other), proof(other, self)});
  }
  return told;
}

}  // namespace

std::vector<std::size_t> neighbours(std::size_t place, std::size_t count) {
  std::set<std::size_t> found;
  if (count <= mesh_max)
    for (std::size_t i = 0; i < count; ++i) found.insert(i);
  else
    for (std::size_t step = 1; step <= count / 2; step *= 2)
      found.insert({(place + step) % count, (place + count - step) % count});
  found.erase(place);
  return {found.begin(), found.end()};
}

void on_listening(Core& core, PeerId peer, const Listening& message) {
  const Agent* agent = authenticate(core, peer, message.agent, message.secret);
  if (!agent) return;
  Session& session = core.sessions.at(agent->id);
  const bool usable = message.endpoint.starts_with("ipc://") &&
                      message.endpoint.size() <= endpoint_bytes_max && agent->key.empty();
  if (!usable && session.peers_heard == 0)
    core.note(Note::Level::warning, "agent " + agent->profile.name +
                                        " gets no task under strategy `peer`: the others cannot reach it");
  session.peers_heard = message.number;
  if (!usable || session.endpoint == message.endpoint) return;
  session.endpoint = message.endpoint;
  core.peers_changed = core.dispatch_wanted = true;
}

void name_peers(Core& core) {
  if (std::exchange(core.peers_changed, false)) {
    // Later controllers number on above earlier ones.
    core.peers_number = std::max(core.peers_number, core.options.term.value << 32) + 1;
    core.peers = reachable(core);
  }
  for (auto& [id, session] : core.sessions) {
    if (session.peer.value == 0 || session.peers_told == core.peers_number) continue;
    session.peers_told = core.peers_number;
    core.send(session.peer, peers_of(core, core.peers, id));
  }
}

void offer_to_peers(Core& core, const Situation& situation) {
  for (const TaskView& view : situation.tasks)
    for (const std::size_t i : view.eligible) {
      const AgentId agent = situation.agents[i].agent->id;
      if (core.sessions.at(agent).endpoint.empty()) continue;
      const Task& task = *view.task;
      if (core.announced[agent].insert(task.id).second)
        core.peer_offers[agent].offers.push_back({offer_of(task), task.epoch.next(), task.bottom_level});
    }
}

void tell_offers(Core& core) {
  for (auto& [agent, offers] : std::exchange(core.peer_offers, {})) {
    const auto session = core.sessions.find(agent);
    if (session != core.sessions.end()) core.send(session->second.peer, std::move(offers));
  }
}

void take_back(Core& core, AgentId agent, TaskId task, bool awarded) {
  PeerOffers& offers = core.peer_offers[agent];
  if (awarded)
    offers.over.push_back({task, core.board.task(task)->epoch.next()});
  else
    offers.refused.push_back(task);
}

void take_agreed(Core& core, PeerId peer, const Agent& agent, const std::vector<TaskId>& tasks) {
  PeerOffers answer;
  for (const TaskId id : tasks) {
    const Task* task = core.board.task(id);
    if (!task || (is_held(task->state) && task->holder == agent.id)) continue;  // it has it already
    if (!may_be_awarded(*task)) {
      answer.over.push_back({id, task->epoch});
      if (!is_held(task->state)) answer.refused.push_back(id);  // it may come back in the same round
    } else if (!core.announced[agent.id].contains(id) || objection(core, *task, agent)) {
      answer.refused.push_back(id);  // what is for it after all it is told of anew
    } else if (core.board.holding_count(agent.id) < agent.profile.capacity) {
      award(core, *task, agent, plain_decision(core, id, "its peers agreed that it takes this task"), false);
    }
  }
  core.dispatch_wanted = true;
  if (!answer.over.empty() || !answer.refused.empty()) core.send(peer, std::move(answer));
}

}  // namespace bidboard
