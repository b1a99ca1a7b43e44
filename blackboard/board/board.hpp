// The blackboard as the controller sees it: the committed store plus the changes of the batch under way.
// State changes in one place only, apply(); events carry decided facts and apply never decides again. For one
// thread.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "blackboard/board/record_cache.hpp"
#include "blackboard/events.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/format/keys.hpp"
#include "blackboard/store/store.hpp"

namespace bidboard {

/// Results up to this many bytes are kept in the task's record; larger ones are blobs.
constexpr std::size_t inline_result_bytes = 1024;
/// A requester's replies that are kept: those with the highest numbers.
constexpr std::size_t kept_replies = 16;

/// A record that is on the board and cannot be read: its bytes are damaged (corrupt, unsupported), or the
/// store cannot read them at present (storage). Thrown by everything that needs it, because nothing sensible
/// can be decided without it; caught in one place, runtime/core/node.cpp, which discards the batch.
struct DamagedRecord {
  Error error;
};

/// What a commit made durable.
struct Saved {
  Seq first;  ///< number of the first event
  std::deque<Event> events;
  std::vector<std::string> sealed;  ///< the same, as stored in the log
};

class Board {
 public:
  /// REQUIRES: `store` outlives the board and has no other writer.
  explicit Board(Store& store);
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;

  // Reading: what the batch has changed, else what is committed. nullptr: there is none. Pointers stay valid
  // until the next commit or discard. Throws DamagedRecord.
  template <class Record>
  const Record* get(const typename KindOf<Record>::Id& id) const {
    return caches_.of<Record>().find(id,
                                     [&](const auto& key) { return load<Record>(keys::of<Record>(key)); });
  }
  const Task* task(TaskId id) const { return get<Task>(id); }
  const Agent* agent(AgentId id) const { return get<Agent>(id); }
  const Workflow* workflow(WorkflowId id) const { return get<Workflow>(id); }
  const Client* client(ClientId id) const { return get<Client>(id); }
  /// What is known of the agent's promises for this kind of task; a blank record when nothing is.
  Calibration calibration(AgentId agent, const std::string& kind) const;
  /// nullptr: closed, and never counted anything.
  const Breaker* breaker(std::string_view name) const { return get<Breaker>(keys::breaker(name)); }
  /// Nothing spent, if nothing was.
  Spending spending(std::string_view scope) const;
  const Config& config() const { return config_; }
  const Counters& counters() const { return counters_; }
  std::optional<AgentId> agent_named(std::string_view name) const;
  std::optional<TaskId> task_with_key(std::string_view project, std::string_view key) const;
  std::optional<std::string> blob(std::string_view hash) const;
  /// The result, from the record or from its blob.
  std::string result_of(const Task& task) const;
  /// The task's comments, oldest first.
  std::vector<CommentId> comments_on(TaskId task) const;

  /// Visits all records of a kind in the order of their keys, until the visitor answers false. It gets
  /// nullptr for one whose bytes are damaged. The visitor must not change the board. Throws DamagedRecord
  /// when the store cannot be read.
  template <class Record>
  void each(const std::function<bool(const Record*)>& visit) const;

  /// Visits index keys (keys.hpp) with the prefix that are ≥ `from`, in order, until the visitor answers
  /// false. The visitor must not change the board. Of records it visits the committed keys only (see each).
  /// Throws DamagedRecord.
  void scan(std::string_view prefix, std::string_view from, const Snapshot::Visitor& visit) const;
  /// The ids at the end of the keys with this prefix: dependents, members.
  std::vector<TaskId> tasks_under(std::string_view prefix) const;
  /// The tasks that are not over, by id. There is no index of them, which would cost each task two more
  /// writes: this looks at the state of every task there ever was, and decodes none. Throws DamagedRecord.
  std::vector<TaskId> open_tasks() const;
  /// What the agent holds, by id. Valid until the next change.
  const std::vector<TaskId>& holdings(AgentId agent) const;
  std::uint32_t holding_count(AgentId agent) const {
    return static_cast<std::uint32_t>(holdings(agent).size());
  }

  // Changing.
  /// Returns the event as kept until the next commit or discard.
  const Event& apply(Event event);
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
  void charge_scopes(TaskId task, AgentId by, Amount cost, std::uint32_t attempts, WallTime at);
  void end_or_reopen(const Task& task, bool over);
  std::uint32_t count_open_needs(const Task& task) const;
  void add_key(std::string key, std::string value = {});
  void remove_key(std::string key);
  /// Keeps holdings_ when a key comes or goes.
  void note_holding(std::string_view key, bool comes);
  /// The value of a key that is in no record cache.
  std::optional<std::string_view> index_value(std::string_view key) const;
  template <class Record>
  std::optional<Record> load(std::string_view key) const {
    const std::optional<std::string_view> bytes = index_value(key);
    if (!bytes) return {};
    Result<Record> record = unseal<Record>(*bytes);
    if (!record) damaged(key, record.error());
    return std::move(*record);
  }
  [[noreturn]] static void damaged(std::string_view key, const Error& error);
  void scan_store(std::string_view prefix, std::string_view from, const Snapshot::Visitor& visit) const;

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
  void on(const TaskEdited&, WallTime);
  void on(const CommentPosted&, WallTime);
  void on(const BreakerMoved&, WallTime);
  void on(const BudgetRaised&, WallTime);
  void on(const AttemptSettled&, WallTime);
  void on(const WorkSaved&, WallTime);

  Store& store_;
  mutable RecordCaches<RecordKinds> caches_;
  // Short names for the fold.
  RecordCache<TaskId, Task>& tasks_ = caches_.of<Task>();
  RecordCache<AgentId, Agent>& agents_ = caches_.of<Agent>();
  RecordCache<WorkflowId, Workflow>& workflows_ = caches_.of<Workflow>();
  RecordCache<ClientId, Client>& clients_ = caches_.of<Client>();
  RecordCache<std::string, Calibration>& calibrations_ = caches_.of<Calibration>();  ///< by their keys
  Config config_;
  Counters counters_;
  /// Uncommitted index entries, content and the configuration; no value: deleted.
  std::map<std::string, std::optional<std::string>, std::less<>> overlay_;
  /// Of the agents that were asked for, the uncommitted ones included.
  mutable RecordCache<AgentId, std::vector<TaskId>> holdings_;
  std::deque<Event> events_;  ///< a deque, because apply() hands out references into it
  std::optional<Error> damage_;
};

template <class Record>
void Board::each(const std::function<bool(const Record*)>& visit) const {
  std::map<std::string, const Record*, std::less<>> changed;
  caches_.of<Record>().for_each_change(
      [&](const auto& id, const Record* record) { changed.emplace(keys::of<Record>(id), record); });
  auto change = changed.begin();
  bool go_on = true;
  const auto visit_change = [&] {
    if (change->second) go_on = visit(change->second);
    ++change;
  };
  scan_store(keys::all_of<Record>(), {}, [&](std::string_view key, std::string_view bytes) {
    while (go_on && change != changed.end() && change->first < key) visit_change();
    if (!go_on) return false;
    if (change != changed.end() && change->first == key) {
      visit_change();
    } else {
      const Result<Record> record = unseal<Record>(bytes);
      go_on = visit(record ? &*record : nullptr);
    }
    return go_on;
  });
  while (go_on && change != changed.end()) visit_change();
}

/// Index keys that a task record implies, apart from those that never change (dependents, key, member).
std::vector<std::string> live_index_keys(const Task& task);
/// The deadline entry after which a client is forgotten.
std::string client_due_key(const Client& client);

/// Re-derives every index from the records, and the auctions' from the log, and compares; a sentence per
/// difference. Also what must hold between records: counts, counters, and that no task is ahead of what it
/// needs. REQUIRES: nothing uncommitted.
std::vector<std::string> check_invariants(const Snapshot& snapshot);

}  // namespace bidboard
