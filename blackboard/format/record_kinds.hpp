// The one list of what a board keeps as records. Keys, caches, the codec, what a commit writes and a failed
// one takes back, verify, the invariants, compaction and `doctor` are all derived from it. A further kind of
// record is a struct with BB_FIELDS (records.hpp), a line here, its events (events.hpp) and their fold
// (board/apply.cpp); if it can be queried, a table in query/.
//
// Letters are stored: never change one (docs/storage.md lists them; keys.hpp has those of the indexes).
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

#include "blackboard/ids.hpp"

namespace bidboard {

struct Config;
struct Counters;
struct Task;
struct Agent;
struct Calibration;
struct Discovery;
struct Workflow;
struct Client;
struct Comment;
struct Breaker;
struct Spending;

/// A text as a template argument.
template <std::size_t size>
struct FixedText {
  char text[size];
  consteval FixedText(const char (&literal)[size]) { std::copy_n(literal, size, text); }
  constexpr std::string_view view() const { return {text, size - 1}; }
};

/// The id of a kind of which a board has one record: its key is the letter alone.
struct TheOnlyOne {};

/// A line of the list. The key of a record is the letter and its id: a number, big-endian; or, when the id is
/// a std::string, that string, which is then the whole key. `id` of the record is its id, unless keys.hpp
/// overloads id_of for it. What has an id is cached by the board; the only one of a kind is always in memory.
template <class RecordType, class IdType, char stored_letter, FixedText name_for_people>
struct RecordKind {
  using Record = RecordType;
  using Id = IdType;
  static constexpr char letter = stored_letter;
  static constexpr std::string_view name = name_for_people.view();
  static constexpr bool cached = !std::is_same_v<Id, TheOnlyOne>;
};

template <class... Kinds>
struct RecordList {};

using RecordKinds = RecordList<                                //
    RecordKind<Config, TheOnlyOne, 'X', "configuration">,      //
    RecordKind<Counters, TheOnlyOne, 'N', "counters">,         //
    RecordKind<Task, TaskId, 'T', "task">,                     //
    RecordKind<Agent, AgentId, 'A', "agent">,                  //
    RecordKind<Calibration, std::string, 'c', "calibration">,  // + agent id + kind of task: keys::calibration
    RecordKind<Discovery, DiscoveryId, 'D', "discovery">,      //
    RecordKind<Workflow, WorkflowId, 'W', "workflow">,         //
    RecordKind<Client, ClientId, 'C', "client">,               //
    RecordKind<Comment, CommentId, 'R', "comment">,            //
    RecordKind<Breaker, std::string, 'K', "circuit breaker">,  // + name: keys::breaker
    RecordKind<Spending, std::string, 'S', "spending">>;       // + scope: keys::spending

namespace detail {

template <class Record, class List>
struct KindIn;
template <class Record, class First, class... Rest>
struct KindIn<Record, RecordList<First, Rest...>>
    : std::conditional_t<std::is_same_v<Record, typename First::Record>, std::type_identity<First>,
                         KindIn<Record, RecordList<Rest...>>> {};

template <class Visit, class... Kinds>
constexpr void visit_kinds(Visit& visit, RecordList<Kinds...>) {
  (visit(Kinds{}), ...);
}

}  // namespace detail

/// The line of a type of record.
template <class Record, class List = RecordKinds>
using KindOf = typename detail::KindIn<Record, List>::type;

/// Calls visit(kind) for every kind of record, in the order of the list:
/// `for_each_kind([](auto kind) { using Record = typename decltype(kind)::Record; ... });`
template <class List = RecordKinds, class Visit>
constexpr void for_each_kind(Visit&& visit) {
  detail::visit_kinds(visit, List{});
}

}  // namespace bidboard
