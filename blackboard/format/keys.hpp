// The keys of records and indexes. One ordered map: the first byte says what it is, numbers
// follow big-endian, so that byte order is number order. Kinds of records are listed in record_kinds.hpp,
// those of index entries and of everything else here. The letters are stored: never change one
// (docs/storage.md lists them).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "blackboard/big_endian.hpp"
#include "blackboard/format/record_kinds.hpp"
#include "blackboard/ids.hpp"
#include "blackboard/time.hpp"

namespace bidboard::keys {

// Records: letter + id.

template <class Record>
constexpr char letter_of = KindOf<Record>::letter;
/// Prefix of all records of a kind, for scans.
template <class Record>
std::string all_of() {
  return {letter_of<Record>};
}

std::string with_number(char letter, std::uint64_t number);
/// The key of the record of this kind with this id.
template <class Kind>
std::string of_kind(const typename Kind::Id& id) {
  if constexpr (std::is_same_v<typename Kind::Id, std::string>)
    return id;
  else if constexpr (Kind::cached)
    return with_number(Kind::letter, id.value);
  else
    return {Kind::letter};
}
template <class Record>
std::string of(const typename KindOf<Record>::Id& id) {
  return of_kind<KindOf<Record>>(id);
}

std::string calibration(AgentId agent, std::string_view kind);
std::string breaker(std::string_view name);
std::string spending(std::string_view scope);
inline std::string task(TaskId id) { return of<Task>(id); }
inline std::string agent(AgentId id) { return of<Agent>(id); }
inline std::string discovery(DiscoveryId id) { return of<Discovery>(id); }
inline std::string workflow(WorkflowId id) { return of<Workflow>(id); }
inline std::string comment(CommentId id) { return of<Comment>(id); }
inline std::string client(ClientId id) { return of<Client>(id); }
constexpr std::string_view config{&KindOf<Config>::letter, 1};
constexpr std::string_view counters{&KindOf<Counters>::letter, 1};

/// The id of a record.
template <class Record>
auto id_of(const Record& record) {
  if constexpr (KindOf<Record>::cached)
    return record.id;
  else
    return TheOnlyOne{};
}
std::string id_of(const Calibration& record);
std::string id_of(const Breaker& record);
std::string id_of(const Spending& record);

// Index entries: derived from the records, empty values unless said otherwise.

/// What follows the letter in a key, piece by piece.
struct Piece {
  enum What : std::uint8_t {
    none,
    unshown,
    task_id,
    agent_id,
    workflow_id,
    comment_id,
    auction_id,
    number,
    letter,
    text,
    hex
  };
  std::string_view before;  ///< words that describe it to people
  What what = none;
};
struct EntryKind {
  char letter;
  std::string_view name;  ///< for people
  std::array<Piece, 3> tail;
};

constexpr char ready_letter = 'r';
constexpr char due_letter = 'e';
constexpr char holding_letter = 'h';
constexpr char dependent_letter = 'd';
constexpr char name_letter = 'n';
constexpr char key_letter = 'k';
constexpr char member_letter = 'w';
constexpr char decision_letter = 'v';
constexpr char auction_letter = 'U';
constexpr char late_letter = 'l';
constexpr char comment_letter = 's';

constexpr std::array<EntryKind, 11> index_kinds{{
    // priority and bottom level, both high first
    {ready_letter, "ready entry", {{{"", Piece::unshown}, {"", Piece::unshown}, {" of ", Piece::task_id}}}},
    // wall time, what falls due (Due)
    {due_letter,
     "deadline entry",
     {{{"", Piece::unshown}, {" ", Piece::letter}, {" of number ", Piece::number}}}},
    // awarded or running
    {holding_letter, "holding entry", {{{" of ", Piece::agent_id}, {" on ", Piece::task_id}}}},
    // the needed task, the waiting one
    {dependent_letter, "dependent entry", {{{" on ", Piece::task_id}, {" of ", Piece::task_id}}}},
    // → agent id
    {name_letter, "name entry", {{{" of ", Piece::text}}}},
    // hash of project and `post --key` → task id
    {key_letter, "post key entry", {{{" ", Piece::hex}}}},
    {member_letter, "member entry", {{{" in ", Piece::workflow_id}, {" of ", Piece::task_id}}}},
    // every decided award of a task
    {decision_letter, "decision entry", {{{" on ", Piece::task_id}, {" of ", Piece::auction_id}}}},
    // → sequence number of the event that holds its record
    {auction_letter, "auction", {{{" ", Piece::auction_id}}}},
    // the task's late results, in the order in which they came (Discovery::late) → discovery id
    {late_letter, "late result entry", {{{" on ", Piece::task_id}, {" of number ", Piece::number}}}},
    {comment_letter, "comment entry", {{{" on ", Piece::task_id}, {" of ", Piece::comment_id}}}},
}};

// Everything else.

constexpr char blob_letter = 'B';
constexpr char log_letter = 'L';
constexpr char base_letter = 'b';
constexpr std::string_view base = "G";  ///< sequence number, term (8 bytes each), generation of the copy
constexpr std::string_view meta = "M";  ///< written by the store itself: last sequence number and term

constexpr std::array<EntryKind, 5> other_kinds{{
    // 16 bytes of content hash → the raw content
    {blob_letter, "content", {{{" ", Piece::hex}}}},
    // written by the store itself
    {log_letter, "event", {{{" ", Piece::number}}}},
    // The base of a compacted board (compaction.hpp): where the log begins ...
    {base[0], "base of the log", {}},
    // ... and a copy of every record and index of that moment: + generation, '0' or '1', + the entry's key
    {base_letter, "base copy", {}},
    {meta[0], "last sequence number and term", {}},
}};

std::string blob(std::string_view hash);
std::string auction(AuctionId id);
std::string base_of(char generation, std::string_view key);
std::string event(Seq seq);

/// What the log says of the board, by first letters: all records, all index entries.
std::vector<char> folded_letters();

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
std::string late_result(TaskId task, std::uint32_t number);
std::string comment_on(TaskId task, CommentId comment);

/// Prefixes for scans.
std::string holdings_of(AgentId agent);
std::string dependents_of(TaskId need);
std::string members_of(WorkflowId workflow);
std::string decisions_of(TaskId task);
std::string late_results_of(TaskId task);
std::string comments_on(TaskId task);
std::string calibrations_of(AgentId agent);

/// "task t12", "ready entry of t12", "counters", ...: what the key is of, for people.
std::string described(std::string_view key);
/// What keys with this first letter are of: "ready entry", "task"; "unknown entry".
std::string_view name_of(char letter);

/// The id in the last eight bytes of a key.
template <class IdType>
IdType last_id(std::string_view key) {
  return IdType{read_big_endian(key, key.size() - 8)};
}

}  // namespace bidboard::keys
