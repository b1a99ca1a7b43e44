// Compares what the board says was spent with what the providers of a simulated world billed, attempt by
// attempt and summed up, and that no outage uses up an attempt. The board's side is read from its log and its
// records, the other side is provider.hpp's own count. For one thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/sim/world.hpp"

namespace bidboard::sim {

class BillChecker final : public Observer {
 public:
  /// `all_told`: no process dies and no award is revoked, so that whatever ends is told; else what agents
  /// could not tell may lack on the board. `outages_told`: outages are told as such.
  BillChecker(World& world, bool all_told, bool outages_told = true)
      : world_(world), all_told_(all_told), outages_told_(outages_told) {}

  void on_saved(const Saved& saved, const Store& store, Instant at) override;
  void check_at_end(Instant at);

  /// At most twenty; empty if every rule held.
  const std::vector<std::string>& violations() const { return violations_; }
  /// Attempts that count although a refused call ended them.
  std::uint64_t used_up() const { return used_up_; }
  /// What the board was told that its attempts cost.
  Amount charged() const;

 private:
  using Key = std::pair<TaskId, Epoch>;

  void follow(const AgentRegistered& event);
  void follow(const BreakerMoved& event);
  void follow(const TaskAwarded& event);
  void follow(const AttemptEnded& event);
  void follow(const TaskFinished& event);
  void follow(const AttemptSettled& event);
  template <class Other>
  void follow(const Other&) {}
  void check_attempts();
  void check_sums();
  void charge(const Key& attempt, AgentId agent, const Amount& amount);
  void must(bool holds, const std::string& what);

  World& world_;
  bool all_told_;
  bool outages_told_;
  std::vector<std::string> violations_;
  Instant at_{};
  std::map<Key, Amount> charged_;  ///< attempts that are over, with what they were said to cost
  std::set<Key> told_;             ///< of those, by their agents, with what became of them
  std::map<AgentId, AgentProfile> agents_;
  std::map<std::string, Amount> by_account_;  ///< said to have been spent
  std::set<std::string> open_;                ///< breakers
  std::uint64_t used_up_ = 0;
};

}  // namespace bidboard::sim
