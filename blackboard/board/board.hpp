// The blackboard as the controller sees it: the committed store plus the changes of the batch under way.
// State changes in one place only, apply(); events carry decided facts and apply never decides again. For one
// thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "blackboard/board/record_cache.hpp"
#include "blackboard/events.hpp"
#include "blackboard/format/keys.hpp"
#include "blackboard/store/store.hpp"

namespace bidboard {

/// Results up to this many bytes stand in the task's record; larger ones are blobs.
constexpr std::size_t inline_result_bytes = 1024;
/// A requester's replies that are kept: those with the highest numbers.
constexpr std::size_t kept_replies = 16;

/// A record that stands on the board and cannot be read. Thrown out of whatever needed it, because nothing
/// sensible can be decided without it; caught in one place, runtime/core/node.cpp, which discards the batch.
struct DamagedRecord {
  Error error;
};

/// What a commit made durable.
struct Saved {
  Seq first;  ///< number of the first event
  std::vector<Event> events;
  std::vector<std::string> sealed;  ///< the same, as they stand in the log
};

class Board {
 public:
  /// REQUIRES: `store` outlives the board, and nobody else writes to it.
  explicit Board(Store& store);

  // Reading: what the batch has changed, else what is committed. nullptr: there is none. Pointers stay valid
  // until the next commit or discard. Throws DamagedRecord.
  const Task* task(TaskId id) const;
  const Agent* agent(AgentId id) const;
  const Workflow* workflow(WorkflowId id) const;
  const Client* client(ClientId id) const;
  /// What is known of the agent's promises for this kind of task; a blank record when nothing is.
  Calibration calibration(AgentId agent, const std::string& kind) const;
  const Config& config() const { return config_; }
  const Counters& counters() const { return counters_; }
  std::optional<AgentId> agent_named(std::string_view name) const;
  std::optional<TaskId> task_with_key(std::string_view project, std::string_view key) const;
  std::optional<std::string> blob(std::string_view hash) const;
  /// The result wherever it stands.
  std::string result_of(const Task& task) const;

  /// Visits index keys (keys.hpp) with the prefix that are ≥ `from`, in order, until the visitor answers
  /// false. The visitor must not change the board.
  void scan(std::string_view prefix, std::string_view from, const Snapshot::Visitor& visit) const;
  /// The ids at the end of the keys with this prefix: dependents, members.
  std::vector<TaskId> tasks_under(std::string_view prefix) const;
  /// What the agent holds, by id. Valid until the next change.
  const std::vector<TaskId>& holdings(AgentId agent) const;
  std::uint32_t holding_count(AgentId agent) const {
    return static_cast<std::uint32_t>(holdings(agent).size());
  }

  // Changing.
  void apply(Event event);
  /// Keeps content that an event of this batch names by its hash (secrets.hpp: content_hash).
  void stage_blob(const std::string& hash, std::string_view bytes);

  /// Makes the batch durable. On failure nothing happened, and the batch is discarded.
  Result<Saved> commit(Term term);
  void discard();
  bool has_changes() const { return !events_.empty(); }
  /// Number that the next applied event gets.
  Seq next_seq() const;

  /// What is wrong with the board's own records (configuration, counters), if anything: nothing must be
  /// decided then.
  const std::optional<Error>& damage() const { return damage_; }

  const Store& store() const { return store_; }

 private:
  template <class Change>
  void change_task(TaskId id, Change&& change);
  void index_auction(TaskId task, AuctionId auction);
  void end_or_reopen(const Task& task, bool over);
  std::uint32_t count_open_needs(const Task& task) const;
  void add_key(std::string key, std::string value = {});
  void remove_key(std::string key);
  /// Keeps holdings_ when a key comes or goes.
  void note_holding(std::string_view key, bool comes);
  /// What stands under a key that no record cache holds.
  std::optional<std::string_view> index_value(std::string_view key) const;
  template <class T>
  std::optional<T> load(std::string_view key) const;

  const Task* about_task(const Event& event) const;
  void fold(const Event& event);
  void on(const TermStarted&, WallTime) {}
  void on(const ConfigSet&, WallTime);
  void on(const TaskPosted&, WallTime);
  void on(const TaskMoved&, WallTime);
  void on(const BackoffOver&, WallTime);
  void on(const TaskAwarded&, WallTime);
  void on(const TaskStarted&, WallTime);
  void on(const TaskProgressed&, WallTime);
  void on(const TaskRenewed&, WallTime);
  void on(const TaskStalled&, WallTime) {}
  void on(const AttemptEnded&, WallTime);
  void on(const TaskFinished&, WallTime);
  void on(const TaskReopened&, WallTime);
  void on(const NeedAdded&, WallTime);
  void on(const NeedRemoved&, WallTime);
  void on(const LevelsRaised&, WallTime);
  void on(const TaskReserved&, WallTime);
  void on(const AgentRegistered&, WallTime);
  void on(const AgentSeen&, WallTime);
  void on(const AgentLeft&, WallTime);
  void on(const Calibrated&, WallTime);
  void on(const DiscoveryPosted&, WallTime);
  void on(const WorkflowPosted&, WallTime);
  void on(const Replied&, WallTime);
  void on(const ClientForgotten&, WallTime);
  void on(const RequestRefused&, WallTime) {}
  void on(const AuctionFailed&, WallTime);
  void on(const TaskHeld&, WallTime);
  void on(const HoldLifted&, WallTime);

  Store& store_;
  mutable RecordCache<TaskId, Task> tasks_;
  mutable RecordCache<AgentId, Agent> agents_;
  mutable RecordCache<WorkflowId, Workflow> workflows_;
  mutable RecordCache<ClientId, Client> clients_;
  mutable RecordCache<std::string, Calibration> calibrations_;  ///< by their keys
  Config config_;
  Counters counters_;
  /// Uncommitted index entries and rarely changed records; no value: deleted.
  std::map<std::string, std::optional<std::string>, std::less<>> overlay_;
  /// Of the agents that were asked for, the uncommitted ones included.
  mutable RecordCache<AgentId, std::vector<TaskId>> holdings_;
  std::vector<Event> events_;
  std::optional<Error> damage_;
};

/// Index keys that a task record implies, apart from those that never change (dependents, key, member).
std::vector<std::string> live_index_keys(const Task& task);
/// The deadline entry after which a client is forgotten.
std::string client_due_key(const Client& client);

/// Re-derives every index from the records, and the auctions' from the log, and compares; a sentence per
/// difference. Also what must hold between records: counts, counters, and that no task is ahead of what it
/// needs. REQUIRES: nothing uncommitted.
std::vector<std::string> check_invariants(const Snapshot& snapshot);

}  // namespace bidboard
