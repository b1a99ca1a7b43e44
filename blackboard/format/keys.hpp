// Under which key each record and index stands. One ordered map: the first byte says what it is, numbers
// follow big-endian, so that byte order is number order. The letters are stored: never change one
// (docs/storage.md lists them).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "blackboard/big_endian.hpp"
#include "blackboard/ids.hpp"
#include "blackboard/time.hpp"

namespace bidboard {

struct Task;

namespace keys {

// Records: letter + id.
constexpr char task_letter = 'T';
constexpr char agent_letter = 'A';
constexpr char calibration_letter = 'c';  ///< + agent id + kind
constexpr char discovery_letter = 'D';
constexpr char workflow_letter = 'W';
constexpr char client_letter = 'C';
constexpr char blob_letter = 'B';     ///< + 16 bytes of content hash; the value is the raw content
constexpr char auction_letter = 'U';  ///< + auction id → sequence number of the event that holds its record
constexpr char log_letter = 'L';      ///< + sequence number; written by the store itself

std::string task(TaskId id);
std::string agent(AgentId id);
std::string calibration(AgentId agent, std::string_view kind);
std::string discovery(DiscoveryId id);
std::string workflow(WorkflowId id);
std::string client(ClientId id);
std::string blob(std::string_view hash);
std::string auction(AuctionId id);
std::string event(Seq seq);
constexpr std::string_view config = "X";
constexpr std::string_view counters = "N";

// The base of a compacted board (compaction.hpp): where the log begins, and a copy of what stood then.
constexpr std::string_view base = "G";  ///< sequence number, term (8 bytes each), generation of the copy
constexpr char base_letter = 'b';       ///< + generation, '0' or '1' + the copied entry's key
std::string base_of(char generation, std::string_view key);

// Indexes: derived from the records, empty values unless said otherwise.
constexpr char ready_letter = 'r';      ///< + priority (high first) + bottom level (high first) + task
constexpr char due_letter = 'e';        ///< + wall time + what (Due) + id
constexpr char holding_letter = 'h';    ///< + agent + task: awarded or running
constexpr char dependent_letter = 'd';  ///< + needed task + waiting task
constexpr char name_letter = 'n';       ///< + agent name → agent id
constexpr char key_letter = 'k';        ///< + hash of project and `post --key` → task id
constexpr char member_letter = 'w';     ///< + workflow + task
constexpr char decision_letter = 'v';   ///< + task + auction: every decided award of a task

// What the log says of the board, by first letters.
constexpr std::string_view record_letters{"TADcWC"};
constexpr std::string_view index_letters{"rehdnkwvU"};
constexpr std::string_view folded_letters{"TADcWCrehdnkwvUXN"};  ///< and the configuration and counters

/// What falls due. Stored: never change a letter.
enum class Due : char { attempt = 'T', backoff = 'B', client = 'C', hold = 'H' };

std::string ready(const Task& task);
std::string due(WallTime at, Due what, std::uint64_t id);
std::string holding(AgentId agent, TaskId task);
std::string dependent(TaskId need, TaskId waiting);
std::string agent_name(std::string_view name);
std::string post_key(std::string_view project, std::string_view key);
std::string member(WorkflowId workflow, TaskId task);
std::string decision(TaskId task, AuctionId auction);

/// Prefixes for scans.
std::string holdings_of(AgentId agent);
std::string dependents_of(TaskId need);
std::string members_of(WorkflowId workflow);
std::string decisions_of(TaskId task);
std::string calibrations_of(AgentId agent);

/// "task t12", "ready t12", "counters", ...: what stands under the key, for people.
std::string described(std::string_view key);

/// The id in the last eight bytes of a key.
template <class IdType>
IdType last_id(std::string_view key) {
  return IdType{read_big_endian(key, key.size() - 8)};
}

}  // namespace keys
}  // namespace bidboard
