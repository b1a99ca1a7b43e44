#include "blackboard/format/keys.hpp"

#include "blackboard/checks/check.hpp"
#include "blackboard/records.hpp"
#include "blackboard/secrets.hpp"

namespace bidboard {

namespace keys {
namespace {

std::string with_numbers(char letter, auto... numbers) {
  std::string key;
  key.reserve(1 + 8 * sizeof...(numbers));
  key += letter;
  (append_big_endian(key, static_cast<std::uint64_t>(numbers)), ...);
  return key;
}

/// Higher values first.
std::uint64_t descending(std::int64_t value) { return ~(static_cast<std::uint64_t>(value) ^ (1ULL << 63)); }
/// Lower values first, negative ones included.
std::uint64_t ascending(std::int64_t value) { return static_cast<std::uint64_t>(value) ^ (1ULL << 63); }

}  // namespace

std::string task(TaskId id) { return with_numbers(task_letter, id.value); }
std::string agent(AgentId id) { return with_numbers(agent_letter, id.value); }
std::string calibration(AgentId agent, std::string_view kind) {
  return calibrations_of(agent) + (kind.size() <= 100 ? std::string(kind) : content_hash(kind));
}
std::string discovery(DiscoveryId id) { return with_numbers(discovery_letter, id.value); }
std::string workflow(WorkflowId id) { return with_numbers(workflow_letter, id.value); }
std::string client(ClientId id) { return with_numbers(client_letter, id.value); }
std::string blob(std::string_view hash) { return blob_letter + std::string(hash); }
std::string auction(AuctionId id) { return with_numbers(auction_letter, id.value); }
std::string base_of(char generation, std::string_view key) {
  return std::string{base_letter, generation}.append(key);
}
std::string event(Seq seq) { return with_numbers(log_letter, seq.value); }

std::string ready(const Task& task) {
  return with_numbers(ready_letter, descending(task.spec.priority), descending(task.bottom_level),
                      task.id.value);
}
std::string due(WallTime at, Due what, std::uint64_t id) {
  std::string key = with_numbers(due_letter, ascending(at.us));
  key += static_cast<char>(what);
  append_big_endian(key, id);
  return key;
}
std::string holding(AgentId agent, TaskId task) {
  return with_numbers(holding_letter, agent.value, task.value);
}
std::string dependent(TaskId need, TaskId waiting) {
  return with_numbers(dependent_letter, need.value, waiting.value);
}
std::string agent_name(std::string_view name) { return name_letter + std::string(name); }
std::string post_key(std::string_view project, std::string_view key) {
  return key_letter + content_hash(std::string(project) + '\0' + std::string(key));
}
std::string member(WorkflowId workflow, TaskId task) {
  return with_numbers(member_letter, workflow.value, task.value);
}
std::string decision(TaskId task, AuctionId auction) {
  return with_numbers(decision_letter, task.value, auction.value);
}

std::string described(std::string_view key) {
  const auto number = [&](std::size_t at) { return key.size() >= at + 8 ? read_big_endian(key, at) : 0; };
  const auto text = [&](std::size_t at) { return std::string(key.substr(std::min(at, key.size()))); };
  if (key == config) return "configuration";
  if (key == counters) return "counters";
  switch (key.empty() ? '\0' : key[0]) {
    case task_letter:
      return "task " + to_string(TaskId{number(1)});
    case agent_letter:
      return "agent " + to_string(AgentId{number(1)});
    case calibration_letter:
      return "calibration of " + to_string(AgentId{number(1)}) + " for " + text(9);
    case discovery_letter:
      return "discovery " + to_string(DiscoveryId{number(1)});
    case workflow_letter:
      return "workflow " + to_string(WorkflowId{number(1)});
    case client_letter:
      return "client " + std::to_string(number(1));
    case blob_letter:
      return "content " + to_hex(text(1));
    case auction_letter:
      return "auction " + to_string(AuctionId{number(1)});
    case base_letter:
      return "base copy of " + described(key.substr(std::min<std::size_t>(key.size(), 2)));
    case log_letter:
      return "event " + std::to_string(number(1));
    case ready_letter:
      return "ready entry of " + to_string(TaskId{number(17)});
    case due_letter:
      return "deadline entry (" + text(9).substr(0, 1) + ") of number " + std::to_string(number(10));
    case holding_letter:
      return "holding entry of " + to_string(AgentId{number(1)}) + " on " + to_string(TaskId{number(9)});
    case dependent_letter:
      return "dependent entry of " + to_string(TaskId{number(9)}) + " on " + to_string(TaskId{number(1)});
    case name_letter:
      return "name entry '" + text(1) + "'";
    case key_letter:
      return "post key entry " + to_hex(text(1));
    case member_letter:
      return "member entry of " + to_string(TaskId{number(9)}) + " in " + to_string(WorkflowId{number(1)});
    case decision_letter:
      return "decision entry of " + to_string(AuctionId{number(9)}) + " on " + to_string(TaskId{number(1)});
    default:
      return "key " + to_hex(key);
  }
}

std::string holdings_of(AgentId agent) { return with_numbers(holding_letter, agent.value); }
std::string dependents_of(TaskId need) { return with_numbers(dependent_letter, need.value); }
std::string members_of(WorkflowId workflow) { return with_numbers(member_letter, workflow.value); }
std::string decisions_of(TaskId task) { return with_numbers(decision_letter, task.value); }
std::string calibrations_of(AgentId agent) { return with_numbers(calibration_letter, agent.value); }

}  // namespace keys
}  // namespace bidboard
