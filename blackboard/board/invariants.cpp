// check_invariants: state that is stored twice for speed, derived again.
#include <algorithm>
#include <map>
#include <set>

#include "blackboard/board/board.hpp"
#include "blackboard/board/compaction.hpp"
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
    if (const auto bytes = snapshot_.get(keys::counters)) take(keys::counters, *bytes, counters_);
    each<Task>(keys::task_letter, [&](const Task& task) { tasks_.emplace(task.id, task); });
    each<Workflow>(keys::workflow_letter, [&](const Workflow& workflow) { on_workflow(workflow); });
    each<Agent>(keys::agent_letter, [&](const Agent& agent) { on_agent(agent); });
    each<Client>(keys::client_letter, [&](const Client& client) {
      belongs(keys::client(client.id), "client");
      expected_[client_due_key(client)];
    });
    each<Calibration>(keys::calibration_letter, [&](const Calibration& record) {
      belongs(keys::calibration(record.agent, record.kind), "calibration");
    });
    each<Discovery>(keys::discovery_letter, [&](const Discovery& record) {
      belongs(keys::discovery(record.id), "discovery");
      counted(record.id, counters_.discovery);
    });
    for (const auto& [id, task] : tasks_) on_task(task);
    for (const auto& [id, workflow] : workflows_) check_workflow(workflow);
    read_log();
    compare_indexes();
    return std::move(findings_);
  }

 private:
  void found(std::string sentence) { findings_.push_back(std::move(sentence)); }

  template <class T>
  bool take(std::string_view key, std::string_view bytes, T& into) {
    Result<T> record = unseal<T>(bytes);
    if (record)
      into = std::move(*record);
    else
      found(keys::described(key) + " cannot be read: " + record.error().text);
    return record.has_value();
  }

  template <class T, class Visit>
  void each(char letter, Visit&& visit) {
    snapshot_.scan(std::string(1, letter), {}, [&](std::string_view key, std::string_view bytes) {
      T record;
      at_ = key;
      if (take(key, bytes, record)) visit(record);
      return true;
    });
  }

  /// The record under the present key says that it stands under `own`.
  void belongs(const std::string& own, std::string_view what) {
    if (own != at_)
      found("a " + std::string(what) + " that belongs under " + keys::described(own) + " stands under " +
            keys::described(at_));
  }
  template <class IdType>
  void counted(IdType id, IdType last) {
    if (id > last)
      found(to_string(id) + " exists, but the counter has only given out " + std::to_string(last.value));
  }

  void on_workflow(const Workflow& workflow) {
    belongs(keys::workflow(workflow.id), "workflow");
    counted(workflow.id, counters_.workflow);
    workflows_.emplace(workflow.id, workflow);
  }
  void on_agent(const Agent& agent) {
    belongs(keys::agent(agent.id), "agent");
    counted(agent.id, counters_.agent);
    const std::string key = keys::agent_name(agent.profile.name);
    if (expected_.contains(key)) found("two agents are called '" + agent.profile.name + "'");
    expected_[key] = number_value(agent.id.value);
    agents_.insert(agent.id);
  }

  void on_task(const Task& task) {
    const std::string name = to_string(task.id);
    counted(task.id, counters_.task);
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
        found(name + " is held by " + to_string(task.holder) + ", who does not exist");
      if (task.epoch.value == 0 || task.capability_hash.empty())
        found(name + " is held without an epoch or a capability");
      if (task.deadline.us == 0) found(name + " is held without a deadline");
    }
    if (is_over(task.state) && task.finished_at.us == 0) found(name + " is over, but not since when");
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
        found(name + " needs " + to_string(need.task) + ", which does not exist");
        continue;
      }
      const TaskState state = needed->second.state;
      if (!is_over(state)) ++open;
      const std::string both = name + " is " + std::string(bidboard::name(task.state)) + " although " +
                               to_string(need.task) + ", which it needs, is " +
                               std::string(bidboard::name(state));
      if (went_on && !need.any && state != TaskState::done) found(both);
      if (task.state == TaskState::blocked && !need.any && is_over(state) && state != TaskState::done)
        found(both);
    }
    if (task.state != TaskState::blocked) return;
    if (open != task.open_needs)
      found(name + " counts " + std::to_string(task.open_needs) + " open needs, but has " +
            std::to_string(open));
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
        found(to_string(workflow.id) + " counts " + std::to_string(counted_as) + what + ", but has " +
              std::to_string(really));
    };
    differs(" tasks", workflow.tasks, all);
    differs(" open tasks", workflow.open, open);
    if ((open == 0) != (workflow.finished_at.us != 0))
      found(to_string(workflow.id) + " has an end that does not fit its tasks");
  }

  /// Auctions live in the log: their index entries are derived from there. Of what was compacted only they
  /// are left.
  void read_log() {
    const std::optional<Base> base = base_of(snapshot_);
    std::uint64_t next = base ? base->seq.next().value : 1;
    const std::uint64_t first = next;
    snapshot_.scan(std::string(1, keys::log_letter), {}, [&](std::string_view key, std::string_view bytes) {
      const Seq seq{read_big_endian(key, 1)};
      if (seq.value >= first && seq.value != next)
        found("events " + std::to_string(next) + " to " + std::to_string(seq.value - 1) + " are missing");
      if (seq.value >= first) next = seq.value + 1;
      Event event;
      if (!take(key, bytes, event)) return true;
      const Auction* auction = auction_in(event);
      if (!auction) return true;
      counted(auction->id, counters_.auction);
      expected_[keys::auction(auction->id)] = number_value(seq.value);
      expected_[keys::decision(task_of(event), auction->id)];
      return true;
    });
    if (next != snapshot_.last_seq().next().value)
      found("the log ends at " + std::to_string(next - 1) + ", but the last number is " +
            std::to_string(snapshot_.last_seq().value));
  }

  void compare_indexes() {
    for (const char letter : keys::index_letters)
      snapshot_.scan(std::string(1, letter), {}, [&](std::string_view key, std::string_view value) {
        const auto entry = expected_.find(key);
        if (entry == expected_.end())
          found(keys::described(key) + " is there, but no record calls for it");
        else if (entry->second != value)
          found(keys::described(key) + " points elsewhere than its record says");
        if (entry != expected_.end()) expected_.erase(entry);
        return true;
      });
    for (const auto& [key, value] : expected_) found(keys::described(key) + " is missing");
  }

  const Snapshot& snapshot_;
  std::string_view at_;
  Counters counters_;
  std::map<TaskId, Task> tasks_;
  std::map<WorkflowId, Workflow> workflows_;
  std::set<AgentId> agents_;
  std::map<std::string, std::string, std::less<>> expected_;
  std::vector<std::string> findings_;
};

}  // namespace

std::vector<std::string> check_invariants(const Snapshot& snapshot) { return Inspector(snapshot).inspect(); }

}  // namespace bidboard
