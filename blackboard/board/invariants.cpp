// check_invariants: state that is stored twice for speed, derived again.
#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "blackboard/board/board.hpp"
#include "blackboard/board/compaction.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/format/codec.hpp"

namespace bidboard {
namespace {

std::string number_value(std::uint64_t number) {
  std::string bytes;
  append_big_endian(bytes, number);
  return bytes;
}

class Inspector {
 public:
  explicit Inspector(const Snapshot& snapshot) : snapshot_(snapshot) {}

  std::vector<std::string> inspect() {
    for_each_kind([&](auto kind) { each_record<decltype(kind)>(); });
    for (const auto& [id, task] : tasks_) on_task(task);
    for (const auto& [id, workflow] : workflows_) check_workflow(workflow);
    for (const auto& [task, count] : comments_)
      if (!tasks_.contains(task)) found(fmt::format("{} has comments, but does not exist", task));
    read_log();
    compare_indexes();
    return std::move(findings_);
  }

 private:
  void found(std::string sentence) { findings_.push_back(std::move(sentence)); }

  void scan(std::string_view prefix, const std::function<void(std::string_view, std::string_view)>& visit) {
    const Result<void> read = snapshot_.scan(prefix, {}, [&](std::string_view key, std::string_view value) {
      visit(key, value);
      return true;
    });
    if (!read) found(read.error().text);
  }

  template <class T>
  std::optional<T> decoded(std::string_view key, std::string_view bytes) {
    Result<T> record = unseal<T>(bytes);
    if (record) return std::move(*record);
    found(fmt::format("{} cannot be read: {}", keys::described(key), record.error().text));
    return {};
  }

  /// Every record of the kind: under its own key, its id assigned by the counter, and what on() checks.
  template <class Kind>
  void each_record() {
    scan({&Kind::letter, 1}, [&](std::string_view key, std::string_view bytes) {
      const auto record = decoded<typename Kind::Record>(key, bytes);
      if (!record) return;
      const auto id = keys::id_of(*record);
      if (const std::string own = keys::of_kind<Kind>(id); own != key)
        found(fmt::format("a {} that belongs under the key of {} is under that of {}", Kind::name,
                          keys::described(own), keys::described(key)));
      for_each_field(counters_, [&](const char*, const auto& last) {
        if constexpr (std::is_same_v<decltype(last), decltype(id)&>) given_out(id, last);
      });
      on(*record);
    });
  }

  template <class IdType>
  void given_out(IdType id, IdType last) {
    if (id > last) found(fmt::format("{} exists, but the last id assigned is {}", id, last.value));
  }

  // What a record of each kind implies; most imply nothing.
  template <class Record>
  void on(const Record&) {}
  void on(const Counters& counters) { counters_ = counters; }
  void on(const Task& task) { tasks_.emplace(task.id, task); }
  void on(const Workflow& workflow) { workflows_.emplace(workflow.id, workflow); }
  void on(const Discovery& made) {
    if (made.late > 0) expected_[keys::late_result(made.task, made.late)] = number_value(made.id.value);
  }
  void on(const Client& client) { expected_[client_due_key(client)]; }
  void on(const Comment& comment) {
    expected_[keys::comment_on(comment.task, comment.id)];
    comments_[comment.task] += 1;
  }
  void on(const Agent& agent) {
    const std::string key = keys::agent_name(agent.profile.name);
    if (expected_.contains(key)) found(fmt::format("two agents are called '{}'", agent.profile.name));
    expected_[key] = number_value(agent.id.value);
    agents_.insert(agent.id);
  }

  void on_task(const Task& task) {
    const std::string name = to_string(task.id);
    for (std::string& key : live_index_keys(task)) expected_[std::move(key)];
    for (const Need& need : task.spec.needs) expected_[keys::dependent(need.task, task.id)];
    if (!task.spec.key.empty())
      expected_[keys::post_key(task.spec.project, task.spec.key)] = number_value(task.id.value);
    if (task.spec.workflow) {
      expected_[keys::member(task.spec.workflow, task.id)];
      if (!workflows_.contains(task.spec.workflow))
        found(name + " belongs to a workflow that does not exist");
    }
    if (is_held(task.state)) {
      if (!agents_.contains(task.holder))
        found(fmt::format("{} is held by {}, who does not exist", name, task.holder));
      if (task.epoch.value == 0 || task.capability_hash.empty())
        found(name + " is held without an epoch or a capability");
      if (task.deadline.us == 0) found(name + " is held without a deadline");
    }
    if (is_over(task.state) && task.finished_at.us == 0) found(name + " is over, but has no end time");
    if (task.comment_count != comments_[task.id])
      found(fmt::format("{} counts {} comments, but has {}", name, task.comment_count, comments_[task.id]));
    check_needs(task, name);
  }

  void check_needs(const Task& task, const std::string& name) {
    std::uint32_t open = 0;
    const bool went_on = task.state == TaskState::ready || task.state == TaskState::offered ||
                         is_held(task.state) || task.state == TaskState::waiting ||
                         task.state == TaskState::done;
    for (const Need& need : task.spec.needs) {
      const auto needed = tasks_.find(need.task);
      if (needed == tasks_.end()) {
        found(fmt::format("{} needs {}, which does not exist", name, need.task));
        continue;
      }
      const TaskState state = needed->second.state;
      if (!is_over(state)) ++open;
      const std::string both =
          fmt::format("{} is {} although {}, which it needs, is {}", name, task.state, need.task, state);
      if (went_on && !need.any && state != TaskState::done) found(both);
      if (task.state == TaskState::blocked && !need.any && is_over(state) && state != TaskState::done)
        found(both);
    }
    if (task.state != TaskState::blocked) return;
    if (open != task.open_needs)
      found(fmt::format("{} counts {} open needs, but has {}", name, task.open_needs, open));
    if (open == 0) found(name + " is blocked, but everything it needs has ended");
  }

  void check_workflow(const Workflow& workflow) {
    std::uint32_t all = 0;
    std::uint32_t open = 0;
    for (const auto& [id, task] : tasks_) {
      if (task.spec.workflow != workflow.id) continue;
      ++all;
      if (!is_over(task.state)) ++open;
    }
    const auto differs = [&](const char* what, std::uint32_t counted_as, std::uint32_t really) {
      if (counted_as != really)
        found(fmt::format("{} counts {}{}, but has {}", workflow.id, counted_as, what, really));
    };
    differs(" tasks", workflow.tasks, all);
    differs(" open tasks", workflow.open, open);
    if ((open == 0) != (workflow.finished_at.us != 0))
      found(fmt::format("{} has an end that does not match its tasks", workflow.id));
  }

  /// Auctions live in the log: their index entries are derived from there. Of what was compacted only they
  /// are left.
  void read_log() {
    const Result<std::optional<Base>> base = base_of(snapshot_);
    if (!base) return found(base.error().text);
    const Seq first = base->value_or(Base{}).seq.next();
    Seq next = first;
    scan({&keys::log_letter, 1}, [&](std::string_view key, std::string_view bytes) {
      const Seq seq{read_big_endian(key, 1)};
      if (seq >= first && seq != next) found(fmt::format("events {} to {} are missing", next, seq.value - 1));
      if (seq >= first) next = seq.next();
      const std::optional<Event> event = decoded<Event>(key, bytes);
      const Auction* auction = event ? auction_in(*event) : nullptr;
      if (!auction) return;
      given_out(auction->id, counters_.auction);
      expected_[keys::auction(auction->id)] = number_value(seq.value);
      expected_[keys::decision(task_of(*event), auction->id)];
    });
    if (next != snapshot_.last_seq().next())
      found(
          fmt::format("the log ends at {}, but the last number is {}", next.value - 1, snapshot_.last_seq()));
  }

  void compare_indexes() {
    for (const keys::EntryKind& kind : keys::index_kinds)
      scan({&kind.letter, 1}, [&](std::string_view key, std::string_view value) {
        const auto entry = expected_.find(key);
        if (entry == expected_.end())
          found(fmt::format("{} is there, but no record implies it", keys::described(key)));
        else if (entry->second != value)
          found(fmt::format("{} does not point where its record says", keys::described(key)));
        if (entry != expected_.end()) expected_.erase(entry);
      });
    for (const auto& [key, value] : expected_) found(fmt::format("{} is missing", keys::described(key)));
  }

  const Snapshot& snapshot_;
  Counters counters_;
  std::map<TaskId, Task> tasks_;
  std::map<WorkflowId, Workflow> workflows_;
  std::set<AgentId> agents_;
  std::map<TaskId, std::uint32_t> comments_;
  std::map<std::string, std::string, std::less<>> expected_;
  std::vector<std::string> findings_;
};

}  // namespace

std::vector<std::string> check_invariants(const Snapshot& snapshot) { return Inspector(snapshot).inspect(); }

}  // namespace bidboard
