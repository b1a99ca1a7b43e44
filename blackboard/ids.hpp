// Identities. Each kind of thing has its own id type, written as a letter and a number (t12, a3): short
// enough to say aloud, drawn from persisted counters, never reused.
#pragma once

#include <charconv>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace bidboard {

template <char Letter>
struct Id {
  static constexpr char letter = Letter;
  std::uint64_t value = 0;  ///< 0 is "none"
  auto operator<=>(const Id&) const = default;
  explicit operator bool() const { return value != 0; }
};

using TaskId = Id<'t'>;
using AgentId = Id<'a'>;
using AuctionId = Id<'u'>;
using DiscoveryId = Id<'d'>;
using MessageId = Id<'m'>;
using WorkflowId = Id<'w'>;
using CommentId = Id<'c'>;

template <char Letter>
std::string to_string(Id<Letter> id) {
  return Letter + std::to_string(id.value);
}

/// "t12" → TaskId{12}; nothing for any other text, a zero, a sign or a leading zero.
template <class IdType>
std::optional<IdType> parse_id(std::string_view text) {
  if (text.size() < 2 || text[0] != IdType::letter || text[1] < '1' || text[1] > '9') return {};
  IdType id;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), id.value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return id;
}

/// A number that only compares and counts. Tag makes each use its own type.
template <class Tag>
struct Counter {
  std::uint64_t value = 0;
  auto operator<=>(const Counter&) const = default;
  Counter next() const { return {value + 1}; }
};
using Seq = Counter<struct SeqTag>;          ///< position in the event log, from 1
using Epoch = Counter<struct EpochTag>;      ///< how often a task has been awarded; fences stale writers
using Term = Counter<struct TermTag>;        ///< the writer's incarnation, from 1
using ClientId = Counter<struct ClientTag>;  ///< a random number a requester draws; 0: none, no reply is kept

}  // namespace bidboard

template <char Letter>
struct std::hash<bidboard::Id<Letter>> {
  std::size_t operator()(bidboard::Id<Letter> id) const noexcept {
    return std::hash<std::uint64_t>{}(id.value);
  }
};
template <class Tag>
struct std::hash<bidboard::Counter<Tag>> {
  std::size_t operator()(bidboard::Counter<Tag> c) const noexcept {
    return std::hash<std::uint64_t>{}(c.value);
  }
};
