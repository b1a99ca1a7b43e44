// An agent among peers: the messages that it relays between its controller, its peers and its executor.
#include <utility>

#include "agents/agent.hpp"
#include "agents/worker.hpp"

namespace bidboard {

void AgentMachine::on_peers(const Peers& peers, Instant now, Actions& out) {
  if (!registered() || peers.number < peers_number_) return;
  peers_number_ = peers.number;
  if (!peers_ || peers_->self() != id_) {
    peers_.emplace(id_, options_.profile.capacity);
    for (const auto& [task, work] : held_) peers_->begun(task, work.epoch, one, now);
  }
  peers_->meet(peers, now);
  peers_wait_ = true;
  out.push_back(MeetPeers{peers.peers});
}

AgentMachine::Actions AgentMachine::on_listening(const std::string& endpoint) {
  Actions out;
  if (registered()) out.push_back(Say{Listening{id_, secret_, peers_number_, endpoint}});
  return out;
}

void AgentMachine::on_peer(const PeerBids& words, Instant now) {
  if (!peers_) return;
  peers_->hear(words, now);
  peers_wait_ = true;
}

void AgentMachine::on_peer_offers(const PeerOffers& offers, Actions& out) {
  if (!peers_) return;
  for (const Held& over : offers.over) peers_->withdraw(over.task, over.epoch);
  for (const TaskId task : offers.refused) peers_->refuse(task);
  for (const PeerOffer& item : offers.offers) {
    PeerTask task{item.offer.task, item.round, item.offer.spec.priority, item.level, 0};
    std::erase_if(peer_questions_, [&](const auto& asked) { return asked.second.task == task.task; });
    // An executor that leaves too many questions unanswered is not waited for.
    if (!options_.asks_executor || peer_questions_.size() >= options_.bids_at_once) {
      task.seconds = own_seconds(item.offer, options_.profile);
      peers_->offer(task);
    } else {
      BidQuestion question = question_of(item.offer);
      peer_questions_[question.request] = task;
      out.push_back(AskBid{std::move(question)});
    }
  }
  peers_wait_ = true;
}

void AgentMachine::no_longer_held(TaskId task) {
  if (!peers_) return;
  peers_->ended(task);
  peers_wait_ = true;
}

void AgentMachine::talk_to_peers(Instant now, Actions& out) {
  if (!peers_ || (!peers_wait_ && peers_->next_wakeup() > now)) return;
  peers_wait_ = false;
  PeerMachine::Turn turn = peers_->turn(now);
  for (PeerBids& words : turn.says) out.push_back(TellPeer{std::move(words)});
  if (!turn.take.empty()) out.push_back(Say{Take{id_, secret_, std::move(turn.take)}});
  if (!turn.note.empty()) out.push_back(AgentNote{std::move(turn.note)});
}

}  // namespace bidboard
