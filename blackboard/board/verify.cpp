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
    return fmt::format("it changes {}, which does not exist at that point", id);
  };
  if (std::holds_alternative<TaskPosted>(event.body) || std::holds_alternative<DiscoveryPosted>(event.body) ||
      std::holds_alternative<RequestRefused>(event.body))
    return {};
  if (const auto* raised = std::get_if<LevelsRaised>(&event.body)) {
    for (const Level& level : raised->levels)
      if (auto why = unknown_task(level.task)) return why;
    return {};
  }
  if (const auto* posted = std::get_if<CommentPosted>(&event.body)) return unknown_task(posted->comment.task);
  if (const auto* left = std::get_if<AgentLeft>(&event.body))
    if (!board.agent(left->agent))
      return fmt::format("agent {} leaves, which does not exist at that point", left->agent);
  // An event about a task must name one: t0 does not exist either.
  if (!std::visit(
          [](const auto& body) {
            return requires { body.task; };
          },
          event.body))
    return {};
  const TaskId id = task_of(event);
  if (auto why = unknown_task(id)) return why;
  const TaskState state = board.task(id)->state;
  if (state_after(state, event.body)) return {};
  return fmt::format("the state table allows no {} for {}, which is {} at that point", kind(event), id,
                     state);
}

std::string blob_of(const Event& event) {
  const auto* finished = std::get_if<TaskFinished>(&event.body);
  return finished ? finished->result_blob : std::string();
}

/// What the base copy holds, and all content by hash, which is not copied: it never changes.
Result<MemoryStore::Map> base_content(const Snapshot& snapshot, const Base& base) {
  MemoryStore::Map content;
  if (base.seq.value == 0) return content;
  const std::string prefix = keys::base_of(base.generation, {});
  Result<void> read = snapshot.scan(prefix, {}, [&](std::string_view key, std::string_view value) {
    content.emplace(key.substr(prefix.size()), value);
    return true;
  });
  if (read)
    read = snapshot.scan({&keys::blob_letter, 1}, {}, [&](std::string_view key, std::string_view value) {
      content.emplace(key, value);
      return true;
    });
  if (!read) return fail(read.error());
  return content;
}

template <class T>
std::optional<std::string> difference(std::string_view stored, std::string_view folded) {
  const Result<T> a = unseal<T>(stored);
  const Result<T> b = unseal<T>(folded);
  if (!a) return fmt::format("cannot be read: {}", a.error().text);
  if (!b) return fmt::format("cannot be derived: {}", b.error().text);
  if (*a == *b) return {};
  return "differs from what the log says";
}

std::optional<std::string> difference(char letter, std::string_view stored, std::string_view folded) {
  bool is_record = false;
  std::optional<std::string> how;
  for_each_kind([&](auto kind) {
    if (kind.letter != letter) return;
    is_record = true;
    how = difference<typename decltype(kind)::Record>(stored, folded);
  });
  if (is_record || stored == folded) return how;
  return "points elsewhere than the log says";
}

/// Folds a log, event by event, into a memory store.
class Replay {
 public:
  Replay(const Snapshot& from, Seq until, MemoryStore& into, const Base& base)
      : from_(from), until_(until), board_(into), term_(base.term), next_(base.seq.next()) {}

  Result<void> run() {
    if (board_.damage()) return fail(*board_.damage());
    Result<void> fine;
    const Result<void> read = from_.scan({&keys::log_letter, 1}, keys::event(next_),
                                         [&](std::string_view key, std::string_view bytes) {
                                           if (next_ > until_) return false;
                                           fine = fold(key, bytes);
                                           return fine.has_value();
                                         });
    if (!fine) return fine;
    if (!read) return read;
    if (const Result<Saved> saved = board_.commit(term_); !saved) return fail(saved.error());
    if (next_ <= std::min(until_, from_.last_seq())) return missing();
    return {};
  }

 private:
  tl::unexpected<Error> missing() const {
    return fail(Errc::corrupt, fmt::format("event {} is missing", next_));
  }

  Result<void> fold(std::string_view key, std::string_view bytes) {
    if (key != keys::event(next_)) return missing();
    const std::string name = keys::described(key);
    const Result<Event> event = unseal<Event>(bytes);
    if (!event) return fail_in(name + " cannot be read", event.error());
    if (const auto why = impossible(board_, *event))
      return fail(Errc::corrupt, fmt::format("{} is impossible: {}", name, *why));
    if (const auto* started = std::get_if<TermStarted>(&event->body)) term_ = std::max(term_, started->term);
    board_.apply(*event);
    if (const std::string hash = blob_of(*event); !hash.empty()) {
      const auto content = from_.get(keys::blob(hash));
      if (!content) return fail(content.error());
      if (*content) board_.stage_blob(hash, **content);
    }
    if (next_.value % events_per_commit == 0)
      if (const Result<Saved> saved = board_.commit(term_); !saved) return fail(saved.error());
    next_ = next_.next();
    return {};
  }

  const Snapshot& from_;
  Seq until_;
  Board board_;
  Term term_;
  Seq next_;
};

/// Compares what a store holds with what its log says, and collects what differs.
class Comparison {
 public:
  Comparison(const Snapshot& stored, const Snapshot& folded) : stored_(stored), folded_(folded) {}

  std::vector<std::string> run() {
    for (const char letter : keys::folded_letters()) compare(letter);
    each(folded_, {&keys::log_letter, 1}, [&](std::string_view key, std::string_view bytes) {
      const Result<Event> event = unseal<Event>(bytes);
      const std::string hash = event ? blob_of(*event) : std::string();
      if (!hash.empty() && !is_in(stored_, keys::blob(hash)))
        found("content {}, which {} names, is missing", to_hex(hash), keys::described(key));
    });
    return std::move(findings_);
  }

 private:
  template <class... Values>
  void found(fmt::format_string<Values...> sentence, Values&&... values) {
    findings_.push_back(fmt::format(sentence, std::forward<Values>(values)...));
  }

  template <class Visit>
  void each(const Snapshot& snapshot, std::string_view prefix, Visit&& visit) {
    const Result<void> read = snapshot.scan(prefix, {}, [&](std::string_view key, std::string_view value) {
      visit(key, value);
      return true;
    });
    if (!read) findings_.push_back(read.error().text);
  }

  /// A failed read says nothing about what is there: it is a finding of its own.
  bool is_in(const Snapshot& snapshot, std::string_view key) {
    const auto value = snapshot.get(key);
    if (!value) findings_.push_back(value.error().text);
    return !value || value->has_value();
  }

  void compare(char letter) {
    each(stored_, {&letter, 1}, [&](std::string_view key, std::string_view value) {
      const auto other = folded_.get(key);
      if (!other)
        findings_.push_back(other.error().text);
      else if (!*other)
        found("{} is there, but the log does not mention it", keys::described(key));
      else if (const auto how = difference(letter, value, **other))
        found("{} {}", keys::described(key), *how);
    });
    each(folded_, {&letter, 1}, [&](std::string_view key, std::string_view) {
      if (!is_in(stored_, key))
        found("{} is missing, although the log says what it holds", keys::described(key));
    });
  }

  const Snapshot& stored_;
  const Snapshot& folded_;
  std::vector<std::string> findings_;
};

}  // namespace

Result<std::unique_ptr<MemoryStore>> replay(const Snapshot& snapshot, Seq until) {
  const Result<std::optional<Base>> known = base_of(snapshot);
  if (!known) return fail(known.error());
  const Base base = known->value_or(Base{});
  if (until < base.seq)
    return fail(
        Errc::not_found,
        fmt::format("the board was compacted at event {}; earlier states cannot be restored", base.seq));
  Result<MemoryStore::Map> content = base_content(snapshot, base);
  if (!content) return fail(content.error());
  auto store = std::make_unique<MemoryStore>(base.seq, base.term, std::move(*content));
  if (const Result<void> done = Replay(snapshot, until, *store, base).run(); !done) return fail(done.error());
  return store;
}

Result<void> check_entry(std::string_view key, std::string_view value) {
  const char letter = key.empty() ? '\0' : key[0];
  const auto decodes = [&](auto record) -> Result<void> {
    if (!record) return fail(record.error());
    return {};
  };
  Result<void> fine;
  for_each_kind([&](auto kind) {
    if (kind.letter == letter) fine = decodes(unseal<typename decltype(kind)::Record>(value));
  });
  if (letter == keys::log_letter) fine = decodes(unseal<Event>(value));
  if (letter == keys::base_letter)
    return check_entry(key.substr(std::min<std::size_t>(key.size(), 2)), value);
  if (letter == keys::blob_letter && content_hash(value) != key.substr(1))
    return fail(Errc::corrupt, "the content does not match its hash");
  return fine;
}

std::vector<std::string> verify(const Snapshot& snapshot) {
  std::vector<std::string> findings;
  const auto folded = replay(snapshot, snapshot.last_seq());
  if (folded)
    findings = Comparison(snapshot, **folded).run();
  else
    findings.push_back(fmt::format("the log cannot be replayed: {}", folded.error().text));
  const Result<void> read =
      snapshot.scan({&keys::blob_letter, 1}, {}, [&](std::string_view key, std::string_view content) {
        if (const Result<void> fine = check_entry(key, content); !fine)
          findings.push_back(fmt::format("{}: {}", keys::described(key), fine.error().text));
        return true;
      });
  if (!read) findings.push_back(read.error().text);
  return findings;
}

}  // namespace bidboard
