// Peers on a graph of links that delay, lose, duplicate and reorder messages, under virtual time.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "agents/peer.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/random.hpp"

namespace bidboard::test {

struct MeshOptions {
  std::size_t agents = 8;
  std::uint32_t slots = 1;
  PeerTimes times = {};
  std::uint64_t seed = 1;
  std::int64_t loss = 0;         ///< chances in millionths
  std::int64_t duplication = 0;  ///
  Duration latency_max = microseconds(500);
  /// The share of possible links, in millionths, besides a chain through all peers that keeps the graph
  /// connected.
  std::int64_t further_links = one;
};

class Mesh {
 public:
  explicit Mesh(MeshOptions options) : options_(options), random_(options.seed) {
    for (std::size_t i = 0; i < options.agents; ++i) {
      peers_.push_back(std::make_unique<PeerMachine>(id(i), options.slots, options.times));
      taken_.emplace_back();
    }
    for (std::size_t i = 0; i < options.agents; ++i)
      for (std::size_t k = i + 1; k < options.agents; ++k)
        if (k == i + 1 || random_.chance(options.further_links)) links_.insert({i, k});
    for (std::size_t i = 0; i < options.agents; ++i) tell_peers(i);
  }

  static AgentId id(std::size_t i) { return AgentId{i + 1}; }
  /// The wall clock, which all peers share, at that instant.
  static Micros clock(Instant at) { return at.us + 1'000'000'000; }
  PeerMachine& operator[](std::size_t i) { return *peers_[i]; }
  Instant now() const { return now_; }
  std::size_t size() const { return peers_.size(); }
  std::uint64_t messages() const { return messages_; }
  const std::vector<TaskId>& taken(std::size_t i) const { return taken_[i]; }
  const std::vector<std::string>& notes() const { return notes_; }

  /// A dead peer sends nothing more, and is removed as a neighbour once the others are told.
  void kill(std::size_t i) { dead_.insert(i); }
  void tell_all() {
    ++number_;
    for (std::size_t i = 0; i < peers_.size(); ++i) tell_peers(i);
  }
  void set_loss(std::int64_t loss) { options_.loss = loss; }

  void offer_to(std::size_t i, const PeerTask& task) {
    peers_[i]->offer(task);
    wake_.insert(i);
  }
  void offer_to_all(const PeerTask& task) {
    for (std::size_t i = 0; i < peers_.size(); ++i) offer_to(i, task);
  }

  /// Runs until no message is sent any more (true) or that much time has passed (false).
  bool run_for(Duration time) {
    const Instant end = now_ + time;
    while (true) {
      for (std::size_t i = 0; i < peers_.size(); ++i)
        if (wake_.contains(i) || peers_[i]->next_wakeup() <= now_) turn(i);
      wake_.clear();
      Instant next = on_the_way_.empty() ? never : on_the_way_.begin()->first;
      for (std::size_t i = 0; i < peers_.size(); ++i)
        if (!dead_.contains(i)) next = std::min(next, peers_[i]->next_wakeup());
      if (next > end) break;
      now_ = std::max(next, now_ + microseconds(1));
      while (!on_the_way_.empty() && on_the_way_.begin()->first <= now_) {
        const PeerBids words = on_the_way_.begin()->second;
        on_the_way_.erase(on_the_way_.begin());
        const std::size_t to = words.to.value - 1;
        if (dead_.contains(to)) continue;
        peers_[to]->hear(words, now_);
        wake_.insert(to);
      }
    }
    now_ = end;
    return on_the_way_.empty();
  }

  bool all_agree() const {
    for (std::size_t i = 0; i < peers_.size(); ++i)
      if (!dead_.contains(i) && !peers_[i]->agreed()) return false;
    return true;
  }

 private:
  void tell_peers(std::size_t i) {
    if (dead_.contains(i)) return;
    Peers told;
    told.number = number_;
    told.now = clock(now_);
    for (const auto& [a, b] : links_) {
      if (a != i && b != i) continue;
      const std::size_t other = a == i ? b : a;
      if (dead_.contains(other)) continue;
      told.peers.push_back({id(other), "", "", proof(i, other), proof(other, i)});
    }
    peers_[i]->meet(told, now_);
    wake_.insert(i);
  }
  static std::string proof(std::size_t from, std::size_t to) { return fmt::format("{}>{}", from, to); }

  void turn(std::size_t i) {
    if (dead_.contains(i)) return;
    PeerMachine::Turn turn = peers_[i]->turn(now_);
    for (const TaskId task : turn.take) taken_[i].push_back(task);
    if (!turn.note.empty()) notes_.push_back(turn.note);
    for (const PeerBids& words : turn.says) {
      ++messages_;
      const int copies = random_.chance(options_.loss) ? 0 : random_.chance(options_.duplication) ? 2 : 1;
      for (int n = 0; n < copies; ++n)
        on_the_way_.emplace(now_ + Duration{random_.between(1, options_.latency_max.us)}, words);
    }
  }

  MeshOptions options_;
  Random random_;
  Instant now_{};
  std::uint64_t number_ = 1;
  std::vector<std::unique_ptr<PeerMachine>> peers_;
  std::set<std::pair<std::size_t, std::size_t>> links_;
  std::multimap<Instant, PeerBids> on_the_way_;
  std::set<std::size_t> wake_;
  std::set<std::size_t> dead_;
  std::vector<std::vector<TaskId>> taken_;
  std::vector<std::string> notes_;
  std::uint64_t messages_ = 0;
};

}  // namespace bidboard::test
