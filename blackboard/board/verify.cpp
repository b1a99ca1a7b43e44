#include "blackboard/board/verify.hpp"

#include <algorithm>
#include <optional>

#include "blackboard/board/board.hpp"
#include "blackboard/board/compaction.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/secrets.hpp"
#include "blackboard/task_moves.hpp"

namespace bidboard {
namespace {

/// So many events are folded before the memory store takes them: keeps the overlay small.
constexpr std::size_t events_per_commit = 1'000;

/// Why the event cannot follow those already folded; nothing when it can. A fold takes this for granted.
std::optional<std::string> impossible(const Board& board, const Event& event) {
  const auto unknown_task = [&](TaskId id) -> std::optional<std::string> {
    if (board.task(id)) return {};
    return "it changes " + to_string(id) + ", which does not exist by then";
  };
  if (std::holds_alternative<TaskPosted>(event.body) || std::holds_alternative<DiscoveryPosted>(event.body) ||
      std::holds_alternative<RequestRefused>(event.body))
    return {};
  if (const auto* raised = std::get_if<LevelsRaised>(&event.body)) {
    for (const Level& level : raised->levels)
      if (auto why = unknown_task(level.task)) return why;
    return {};
  }
  if (const auto* left = std::get_if<AgentLeft>(&event.body))
    if (!board.agent(left->agent))
      return "agent " + to_string(left->agent) + " leaves, which does not exist by then";
  const TaskId id = task_of(event);
  if (!id) return {};
  if (auto why = unknown_task(id)) return why;
  const TaskState state = board.task(id)->state;
  if (state_after(state, event.body)) return {};
  return fmt::format("the state table allows no {} for {}, which is {} by then", kind(event), id, state);
}

std::string blob_of(const Event& event) {
  const auto* finished = std::get_if<TaskFinished>(&event.body);
  return finished ? finished->result_blob : std::string();
}

/// What the base copy holds, and all content by hash, which is not copied: it never changes.
MemoryStore::Map base_content(const Snapshot& snapshot, const Base& base) {
  MemoryStore::Map content;
  if (base.seq.value == 0) return content;
  const std::string prefix = keys::base_of(base.generation, {});
  snapshot.scan(prefix, {}, [&](std::string_view key, std::string_view value) {
    content.emplace(key.substr(prefix.size()), value);
    return true;
  });
  snapshot.scan(std::string(1, keys::blob_letter), {}, [&](std::string_view key, std::string_view value) {
    content.emplace(key, value);
    return true;
  });
  return content;
}

template <class T>
std::optional<std::string> difference(std::string_view stored, std::string_view folded) {
  const Result<T> a = unseal<T>(stored);
  const Result<T> b = unseal<T>(folded);
  if (!a) return "cannot be read: " + a.error().text;
  if (!b) return "cannot be derived: " + b.error().text;
  if (*a == *b) return {};
  return "differs from what the log says";
}

std::optional<std::string> difference(char letter, std::string_view stored, std::string_view folded) {
  switch (letter) {
    case keys::task_letter:
      return difference<Task>(stored, folded);
    case keys::agent_letter:
      return difference<Agent>(stored, folded);
    case keys::calibration_letter:
      return difference<Calibration>(stored, folded);
    case keys::discovery_letter:
      return difference<Discovery>(stored, folded);
    case keys::workflow_letter:
      return difference<Workflow>(stored, folded);
    case keys::client_letter:
      return difference<Client>(stored, folded);
    default:
      break;
  }
  if (letter == keys::config[0]) return difference<Config>(stored, folded);
  if (letter == keys::counters[0]) return difference<Counters>(stored, folded);
  if (stored == folded) return {};
  return "points elsewhere than the log says";
}

void compare(const Snapshot& stored, const Snapshot& folded, char letter,
             std::vector<std::string>& findings) {
  const std::string prefix(1, letter);
  stored.scan(prefix, {}, [&](std::string_view key, std::string_view value) {
    const std::optional<std::string_view> other = folded.get(key);
    if (!other)
      findings.push_back(keys::described(key) + " is there, but the log knows nothing of it");
    else if (const auto how = difference(letter, value, *other))
      findings.push_back(keys::described(key) + " " + *how);
    return true;
  });
  folded.scan(prefix, {}, [&](std::string_view key, std::string_view) {
    if (!stored.get(key))
      findings.push_back(keys::described(key) + " is missing, although the log says what it holds");
    return true;
  });
}

}  // namespace

Result<std::unique_ptr<MemoryStore>> replay(const Snapshot& snapshot, Seq until) {
  const Base base = base_of(snapshot).value_or(Base{});
  if (until < base.seq)
    return fail(Errc::not_found, "the board was compacted at event " + std::to_string(base.seq.value) +
                                     "; what it was before is gone");
  auto store = std::make_unique<MemoryStore>(base.seq, base.term, base_content(snapshot, base));
  Board board(*store);
  if (board.damage()) return fail(*board.damage());
  Term term = base.term;
  Seq next = base.seq.next();
  std::optional<Error> error;
  const auto commit = [&] {
    if (const Result<Saved> saved = board.commit(term); !saved) error = saved.error();
  };
  snapshot.scan(std::string(1, keys::log_letter), keys::event(next),
                [&](std::string_view key, std::string_view bytes) {
                  if (next > until) return false;
                  const std::string name = keys::described(key);
                  if (key != keys::event(next)) {
                    error = Error{Errc::corrupt, "event " + std::to_string(next.value) + " is missing"};
                    return false;
                  }
                  const Result<Event> event = unseal<Event>(bytes);
                  if (!event)
                    error = Error{event.error().code, name + " cannot be read: " + event.error().text};
                  else if (const auto why = impossible(board, *event))
                    error = Error{Errc::corrupt, name + " cannot be: " + *why};
                  if (error) return false;
                  if (const auto* started = std::get_if<TermStarted>(&event->body))
                    term = std::max(term, started->term);
                  board.apply(*event);
                  if (const std::string hash = blob_of(*event); !hash.empty())
                    if (const auto content = snapshot.get(keys::blob(hash))) board.stage_blob(hash, *content);
                  if (next.value % events_per_commit == 0) commit();
                  next = next.next();
                  return !error;
                });
  if (!error) commit();
  if (!error && next <= std::min(until, snapshot.last_seq()))
    error = Error{Errc::corrupt, "event " + std::to_string(next.value) + " is missing"};
  if (error) return fail(*error);
  return store;
}

std::vector<std::string> verify(const Snapshot& snapshot) {
  std::vector<std::string> findings;
  const auto folded = replay(snapshot, snapshot.last_seq());
  if (!folded)
    findings.push_back("the log cannot be replayed: " + folded.error().text);
  else
    for (const char letter : keys::folded_letters) compare(snapshot, **folded, letter, findings);
  snapshot.scan(std::string(1, keys::blob_letter), {}, [&](std::string_view key, std::string_view content) {
    if (content_hash(content) != key.substr(1))
      findings.push_back(keys::described(key) + " is not what its hash says");
    return true;
  });
  if (!folded) return findings;
  (*folded)->scan(std::string(1, keys::log_letter), {}, [&](std::string_view key, std::string_view bytes) {
    const Result<Event> event = unseal<Event>(bytes);
    const std::string hash = event ? blob_of(*event) : std::string();
    if (!hash.empty() && !snapshot.get(keys::blob(hash)))
      findings.push_back("content " + to_hex(hash) + ", which " + keys::described(key) +
                         " names, is missing");
    return true;
  });
  return findings;
}

}  // namespace bidboard
