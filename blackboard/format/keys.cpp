#include "blackboard/format/keys.hpp"

#include <algorithm>

#include "blackboard/fmt.hpp"
#include "blackboard/records.hpp"
#include "blackboard/secrets.hpp"

namespace bidboard::keys {
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

std::string with_number(char letter, std::uint64_t number) { return with_numbers(letter, number); }
std::string calibration(AgentId agent, std::string_view kind) {
  return calibrations_of(agent) + (kind.size() <= 100 ? std::string(kind) : content_hash(kind));
}
std::string breaker(std::string_view name) { return letter_of<Breaker> + std::string(name); }
std::string id_of(const Calibration& record) { return calibration(record.agent, record.kind); }
std::string id_of(const Breaker& record) { return breaker(record.name); }
std::string spending(std::string_view scope) { return letter_of<Spending> + std::string(scope); }
std::string id_of(const Spending& record) { return spending(record.scope); }
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
std::string late_result(TaskId task, std::uint32_t number) {
  return with_numbers(late_letter, task.value, number);
}
std::string comment_on(TaskId task, CommentId comment) {
  return with_numbers(comment_letter, task.value, comment.value);
}

namespace {

std::uint64_t number_at(std::string_view key, std::size_t at) {
  return key.size() >= at + 8 ? read_big_endian(key, at) : 0;
}

/// The piece of the key that begins at `at`, in words; moves `at` behind it.
std::string in_words(Piece::What what, std::string_view key, std::size_t& at) {
  const std::size_t begin = std::min(at, key.size());
  at += what == Piece::letter ? 1 : 8;
  switch (what) {
    case Piece::none:
    case Piece::unshown:
      return {};
    case Piece::task_id:
      return to_string(TaskId{number_at(key, begin)});
    case Piece::agent_id:
      return to_string(AgentId{number_at(key, begin)});
    case Piece::workflow_id:
      return to_string(WorkflowId{number_at(key, begin)});
    case Piece::auction_id:
      return to_string(AuctionId{number_at(key, begin)});
    case Piece::comment_id:
      return to_string(CommentId{number_at(key, begin)});
    case Piece::number:
      return std::to_string(number_at(key, begin));
    case Piece::letter:
      return std::string(key.substr(begin, 1));
    case Piece::text:
      return fmt::format("'{}'", key.substr(begin));
    case Piece::hex:
      return to_hex(key.substr(begin));
  }
  return {};
}

std::string described(const EntryKind& kind, std::string_view key) {
  std::string words(kind.name);
  std::size_t at = 1;
  for (const Piece& piece : kind.tail) words.append(piece.before).append(in_words(piece.what, key, at));
  return words;
}

template <class Kind>
std::string described_record(std::string_view key) {
  using Id = typename Kind::Id;
  if constexpr (std::is_same_v<Id, std::string>)
    return fmt::format("{} of {} for '{}'", Kind::name, AgentId{number_at(key, 1)},
                       key.substr(std::min<std::size_t>(9, key.size())));
  else if constexpr (Kind::cached)
    return fmt::format("{} {}", Kind::name, Id{number_at(key, 1)});
  else
    return std::string(Kind::name);
}

const EntryKind* entry_kind(char letter) {
  for (const EntryKind& kind : index_kinds)
    if (kind.letter == letter) return &kind;
  for (const EntryKind& kind : other_kinds)
    if (kind.letter == letter) return &kind;
  return nullptr;
}

}  // namespace

std::string described(std::string_view key) {
  const char letter = key.empty() ? '\0' : key[0];
  std::string words;
  for_each_kind([&](auto kind) {
    if (kind.letter == letter) words = described_record<decltype(kind)>(key);
  });
  if (!words.empty()) return words;
  if (letter == base_letter)
    return fmt::format("base copy of {}", described(key.substr(std::min<std::size_t>(key.size(), 2))));
  if (const EntryKind* kind = entry_kind(letter)) return described(*kind, key);
  return fmt::format("key {}", to_hex(key));
}

std::string_view name_of(char letter) {
  std::string_view name = "unknown entry";
  if (const EntryKind* kind = entry_kind(letter)) name = kind->name;
  for_each_kind([&](auto kind) {
    if (kind.letter == letter) name = kind.name;
  });
  return name;
}

std::vector<char> folded_letters() {
  std::vector<char> letters;
  for_each_kind([&](auto kind) { letters.push_back(kind.letter); });
  for (const EntryKind& kind : index_kinds) letters.push_back(kind.letter);
  return letters;
}

std::string holdings_of(AgentId agent) { return with_numbers(holding_letter, agent.value); }
std::string dependents_of(TaskId need) { return with_numbers(dependent_letter, need.value); }
std::string late_results_of(TaskId task) { return with_numbers(late_letter, task.value); }
std::string members_of(WorkflowId workflow) { return with_numbers(member_letter, workflow.value); }
std::string decisions_of(TaskId task) { return with_numbers(decision_letter, task.value); }
std::string comments_on(TaskId task) { return with_numbers(comment_letter, task.value); }
std::string calibrations_of(AgentId agent) { return with_numbers(letter_of<Calibration>, agent.value); }

}  // namespace bidboard::keys
