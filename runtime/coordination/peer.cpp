// The controller's part where agents agree among themselves on who takes a task (agents/peer.hpp) and then
// request it: it tells each agent its neighbours, tells all agents which tasks are available and which no
// longer, and awards what was agreed on. It takes no part in the agreement itself. Pure.
//
// Agents that peers cannot reach (those on other machines) are not sent any tasks.
#include <algorithm>
#include <map>
#include <utility>

#include "blackboard/fmt.hpp"
#include "runtime/coordination/announced.hpp"
#include "runtime/coordination/neighbours.hpp"
#include "runtime/coordination/strategy.hpp"
#include "runtime/coordination/walking.hpp"
#include "runtime/core/award.hpp"

namespace bidboard {
namespace {

constexpr std::size_t endpoint_bytes_max = 200;

class PeerCoordinator final : public WalkingCoordinator {
 public:
  std::string_view name() const override { return "peer"; }
  Outlook outlook() const override { return {.plans_ahead = true}; }

  void on_message(Core& core, AgentId agent, const Message& message) override {
    if (std::holds_alternative<Heartbeat>(message)) {
      announced_.repeat(core, agent);
      name_peers_again(core, agent);
    }
    if (const auto* listening = std::get_if<Listening>(&message)) on_listening(core, agent, *listening);
    if (const auto* take = std::get_if<Take>(&message)) on_take(core, agent, take->tasks);
  }

  void agent_heard(Core& core, AgentId agent, bool reconnected) override {
    WalkingCoordinator::agent_heard(core, agent, reconnected);
    if (!reconnected) return;
    announced_.forget(agent);
    links_[agent].told = 0;
    changed_ = true;
  }

  void agent_gone(Core&, AgentId agent) override {
    announced_.forget(agent);
    links_.erase(agent);
    changed_ = true;
  }

  /// If the task returns, it is offered again. Agents that plan ahead must learn that it is gone.
  void task_closed(Core& core, TaskId task, Closed how) override {
    announced_.remove(task, [&](AgentId agent) {
      if (how == Closed::awarded)
        offers_[agent].over.push_back({task, core.board.task(task)->epoch});
      else
        offers_[agent].refused.push_back(task);
    });
  }

  /// The agents' endpoints stay valid, unless their registration was lost.
  void forget(Core& core) override {
    WalkingCoordinator::forget(core);
    std::erase_if(links_, [&](const auto& link) { return !core.sessions.contains(link.first); });
    announced_.clear();
    offers_.clear();
    changed_ = true;
  }

 private:
  /// What is known of an agent as a peer of others.
  struct Link {
    std::string endpoint;     ///< where other agents reach it; empty: not reachable, or not reported yet
    std::uint64_t told = 0;   ///< number of the last Peers that was sent to it
    std::uint64_t heard = 0;  ///< number of the last one that it confirmed
  };

  void begin_settle(Core& core) override { name_peers(core); }

  bool settle_piece(Core&, const Situation& situation) override {
    for (const TaskView& view : situation.tasks)
      for (const std::size_t i : view.eligible) {
        const AgentId agent = situation.agents[i].agent->id;
        if (links_[agent].endpoint.empty()) continue;
        const Task& task = *view.task;
        if (announced_.add(agent, task.id))
          offers_[agent].offers.push_back({offer_of(task), task.epoch.next(), task.bottom_level});
      }
    return false;
  }

  void end_settle(Core& core) override {
    for (auto& [agent, offers] : std::exchange(offers_, {})) core.send(agent, std::move(offers));
  }

  /// The agents that their peers can reach and that take tasks (managers do not), by id.
  std::vector<AgentId> reachable(const Core& core) const {
    std::vector<AgentId> all;
    for (const auto& [id, link] : links_) {
      const auto session = core.sessions.find(id);
      if (!link.endpoint.empty() && session != core.sessions.end() && session->second.connected() &&
          may(core.board.agent(id)->profile.role, Action::take))
        all.push_back(id);
    }
    return all;
  }

  Peers peers_of(const Core& core, AgentId agent) const {
    Peers told{number_, core.now.mono.us, {}};
    const auto at = std::ranges::lower_bound(peers_, agent);
    if (at == peers_.end() || *at != agent) return told;
    const Agent& self = *core.board.agent(agent);
    for (const std::size_t place : neighbours(static_cast<std::size_t>(at - peers_.begin()), peers_.size())) {
      const Agent& other = *core.board.agent(peers_[place]);
      const auto proof = [&](const Agent& from, const Agent& to) {
        return core.secrets.between(from.id, from.incarnation, to.id, to.incarnation);
      };
      told.peers.push_back({other.id, other.profile.name, links_.at(other.id).endpoint, proof(self, other),
                            proof(other, self)});
    }
    return told;
  }

  void name_peers(Core& core) {
    if (std::exchange(changed_, false)) {
      number_ = core.next_number();
      peers_ = reachable(core);
    }
    for (auto& [id, session] : core.sessions) {
      Link& link = links_[id];
      if (!session.connected() || link.told == number_) continue;
      link.told = number_;
      core.send(session.peer, peers_of(core, id));
    }
  }

  /// An agent that has not confirmed the last message about its peers may not have received it.
  void name_peers_again(Core& core, AgentId agent) {
    Link& link = links_[agent];
    if (link.heard == number_) return;
    link.told = 0;
    core.wake();
  }

  void on_listening(Core& core, AgentId id, const Listening& message) {
    const Agent& agent = *core.board.agent(id);
    Link& link = links_[id];
    const bool usable = message.endpoint.starts_with("ipc://") &&
                        message.endpoint.size() <= endpoint_bytes_max && agent.key.empty();
    if (!usable && link.heard == 0)
      core.note(Note::Level::warning,
                fmt::format("agent {} gets no task under strategy `peer`: the others cannot reach it",
                            agent.profile.name));
    link.heard = message.number;
    if (!usable || link.endpoint == message.endpoint) return;
    link.endpoint = message.endpoint;
    changed_ = true;
    core.wake();
  }

  /// The agent has agreed with its peers that it takes these tasks.
  void on_take(Core& core, AgentId id, const std::vector<TaskId>& tasks) {
    PeerOffers answer;
    for (const TaskId task_id : tasks) {
      const Task* task = core.board.task(task_id);
      const Agent& agent = *core.board.agent(id);
      if (!task || (is_held(task->state) && task->holder == id)) continue;  // it has it already
      if (!may_be_awarded(*task)) {
        answer.over.push_back({task_id, task->epoch});
        if (!is_held(task->state))
          answer.refused.push_back(task_id);  // it may be offered again in the same round
      } else if (!announced_.contains(id, task_id) || objection(core, *task, agent)) {
        answer.refused.push_back(task_id);  // if the agent may have it later, it is offered again
      } else if (has_free_slot(core, agent)) {
        award(core, *task, agent, plain_decision(core, task_id, "its peers agreed that it takes this task"));
      }
    }
    core.wake();
    if (!answer.over.empty() || !answer.refused.empty()) core.send(id, std::move(answer));
  }

  Announced announced_;
  std::map<AgentId, PeerOffers> offers_;  ///< sent at the end of settle()
  std::map<AgentId, Link> links_;
  std::vector<AgentId> peers_;  ///< reachable agents, as of the last Peers
  std::uint64_t number_ = 0;    ///< of the last Peers
  bool changed_ = true;         ///< an agent came, left or changed its endpoint
};

}  // namespace

std::unique_ptr<Coordinator> make_peer() { return std::make_unique<PeerCoordinator>(); }

}  // namespace bidboard
