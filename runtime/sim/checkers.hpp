// The rules that must hold in every world, whatever faults occur: checked after every event against a
// separate record, kept from the log and from the messages, with rules that are written again here instead of
// calling the core. For one thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/sim/world.hpp"

namespace bidboard::sim {

class Checkers final : public Observer {
 public:
  /// The log is replayed from the start and compared with all records after this many events, and by
  /// check_at_end().
  explicit Checkers(std::uint64_t fold_every = 10'000) : fold_every_(fold_every) {}

  void on_saved(const Saved& saved, const Store& store, Instant at) override;
  void on_said(const Said& said, const Store& store, Instant at) override;
  void on_answered(const Request& request, const Reply& reply, const Store& store, Instant at) override;

  /// The full replay, all invariants, and that everything acknowledged is still there.
  void check_at_end(const Store& store, Instant at);

  /// The violations, at most twenty, with their times; empty if every rule held.
  const std::vector<std::string>& violations() const { return violations_; }
  std::uint64_t events() const { return events_; }

 private:
  struct KnownTask {
    TaskSpec spec;  ///< with its current needs
    TaskState state = TaskState::ready;
    Epoch epoch;
    AgentId holder;      ///< of the live award; 0: there is none
    bool shell = false;  ///< it is a claim at a shell
    bool done = false;
    bool was_over = false;  ///< it was over at some time
    Epoch accepted;         ///< whose result counts
  };
  struct KnownAgent {
    AgentProfile profile;
    std::uint32_t capacity_max = 0;  ///< the maximum over all its registrations
    std::uint32_t holding = 0;       ///< not counting claims at a shell
  };

  void check_state(const Event& event);
  void follow(const TermStarted&);
  void follow(const TaskPosted&);
  void follow(const TaskMoved&);
  void follow(const TaskAwarded&);
  void follow(const TaskStarted&);
  void follow(const TaskProgressed&);
  void follow(const AttemptEnded&);
  void follow(const TaskFinished&);
  void follow(const TaskReopened&);
  void follow(const NeedAdded&);
  void follow(const NeedRemoved&);
  void follow(const TaskEdited&);
  void follow(const AgentRegistered&);
  void follow(const DiscoveryPosted&);
  void follow(const Replied&);
  template <class Other>
  void follow(const Other&) {}

  void check_live(TaskId task, Epoch epoch, const char* what);
  void check_needs(TaskId id, const KnownTask& task);
  void check_kept(const Reports& reports);
  void check_reply(EndpointId client, const Reply& reply, const Store& store);
  void check_awards(const Awards& awards, EndpointId agent);
  void release(KnownTask& task);
  void fold(const Store& store);
  void must(bool holds, const std::string& what);

  std::uint64_t fold_every_;
  std::uint64_t events_ = 0;
  std::uint64_t events_at_fold_ = 0;
  std::vector<std::string> violations_;
  Instant at_{};

  Seq last_;  ///< 0: no event yet
  Term term_;
  std::map<TaskId, KnownTask> tasks_;
  std::map<AgentId, KnownAgent> agents_;
  std::set<std::string> titles_;             ///< of tasks: every request posts its own, once
  std::set<std::pair<TaskId, Epoch>> late_;  ///< results kept as discoveries
  std::set<std::pair<ClientId, std::uint64_t>> replied_;
  std::map<std::pair<PeerId, std::uint64_t>, Reports> reported_;           ///< not yet confirmed
  std::map<std::pair<EndpointId, std::uint64_t>, std::uint64_t> answers_;  ///< digests of replies, by number
  std::map<EndpointId, std::uint64_t> answered_;                           ///< the last number
  std::map<TaskId, std::string> acknowledged_;                             ///< posts, by title
  std::set<TaskId> acknowledged_done_;
};

}  // namespace bidboard::sim
