#include "blackboard/board/compaction.hpp"

#include <deque>
#include <functional>
#include <set>
#include <utility>

#include "blackboard/board/board.hpp"
#include "blackboard/board/verify.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/format/keys.hpp"

namespace bidboard {
namespace {

constexpr std::size_t entries_per_piece = 10'000;
constexpr std::size_t puts_per_commit = 2'000;
constexpr std::size_t bytes_per_commit = 2 << 20;

/// Something to be done to every entry under a prefix, in pieces.
struct Sweep {
  const Snapshot* over = nullptr;
  std::string prefix;
  std::function<std::optional<Put>(std::string_view key, std::string_view value)> change;
  std::string from = {};  ///< where the next piece begins
};

Sweep removal(const Snapshot& over, std::string prefix) {
  return {&over, std::move(prefix), [](std::string_view key, std::string_view) {
            return std::optional(Put{std::string(key), std::nullopt});
          }};
}

/// The changes of the sweep's next piece. True: there is more.
Result<bool> next_piece(Sweep& sweep, std::vector<Put>& puts) {
  std::size_t entries = 0, bytes = 0;
  bool more = false;
  const Result<void> read =
      sweep.over->scan(sweep.prefix, sweep.from, [&](std::string_view key, std::string_view value) {
        if (++entries > entries_per_piece || puts.size() >= puts_per_commit || bytes >= bytes_per_commit) {
          sweep.from = std::string(key);
          return !(more = true);
        }
        if (std::optional<Put> put = sweep.change(key, value)) {
          bytes += put->key.size() + (put->value ? put->value->size() : 0);
          puts.push_back(std::move(*put));
        }
        return true;
      });
  if (!read) return fail(read.error());
  return more;
}

Result<void> commit(Store& store, const std::vector<Put>& puts) {
  if (puts.empty()) return {};
  return store.commit(store.last_seq(), store.last_term(), {}, puts);
}

}  // namespace

struct Compaction::Impl {
  Store& store;
  const Snapshot& source;
  std::deque<Sweep> to_do;
  Compacted compacted;
  std::set<std::uint64_t> auctions;  ///< events that hold one
  bool begun = false;
  bool copied = false;  ///< the base is set

  Impl(Store& into, const Snapshot& from) : store(into), source(from) {}

  /// Which generation is free decides where everything goes: without knowing it nothing must be touched.
  Result<void> begin() {
    const Result<std::optional<Base>> before = base_of(source);
    if (!before) return fail(before.error());
    const char generation = *before && (*before)->generation == '0' ? '1' : '0';
    compacted.base = {source.last_seq(), store.last_term(), generation};
    to_do.push_back(removal(store, keys::base_of(generation, {})));
    for (const char letter : keys::folded_letters())
      to_do.push_back(
          {&source, std::string(1, letter), [generation](std::string_view key, std::string_view value) {
             return std::optional(Put{keys::base_of(generation, key), std::string(value)});
           }});
    begun = true;
    return {};
  }

  /// From here on the log is replayed from the copy; what it replaces goes.
  Result<void> set_base() {
    const Base& base = compacted.base;
    std::string bytes;
    append_big_endian(bytes, base.seq.value);
    append_big_endian(bytes, base.term.value);
    bytes += base.generation;
    if (const Result<void> done = commit(store, {Put{std::string(keys::base), bytes}}); !done) return done;
    copied = true;
    to_do.push_back(
        {&store, std::string(1, keys::auction_letter), [this](std::string_view, std::string_view value) {
           auctions.insert(read_big_endian(value, 0));
           return std::optional<Put>();
         }});
    to_do.push_back({&store, std::string(1, keys::log_letter),
                     [this](std::string_view key, std::string_view) { return drop_event(key); }});
    to_do.push_back(removal(store, keys::base_of(base.generation == '0' ? '1' : '0', {})));
    return {};
  }

  std::optional<Put> drop_event(std::string_view key) {
    const std::uint64_t seq = read_big_endian(key, 1);
    if (seq > compacted.base.seq.value) return {};
    const bool keep = auctions.contains(seq);
    ++(keep ? compacted.kept : compacted.removed);
    if (keep) return {};
    return Put{std::string(key), std::nullopt};
  }

  Result<bool> step() {
    if (!begun)
      if (const Result<void> done = begin(); !done) return fail(done.error());
    if (to_do.empty()) {
      if (const Result<void> done = set_base(); !done) return fail(done.error());
      return false;
    }
    std::vector<Put> puts;
    const Result<bool> more = next_piece(to_do.front(), puts);
    if (!more) return fail(more.error());
    if (!*more) to_do.pop_front();
    if (const Result<void> done = commit(store, puts); !done) return fail(done.error());
    return to_do.empty() && copied;
  }

  /// A board that is nearly full needs the room that half a copy takes.
  void take_back() {
    Sweep copy = removal(store, keys::base_of(compacted.base.generation, {}));
    Result<bool> more = begun && !copied;
    while (more && *more) {
      std::vector<Put> puts;
      more = next_piece(copy, puts);
      if (more && !commit(store, puts)) return;
    }
  }
};

Compaction::Compaction(Store& store, const Snapshot& source) : impl_(std::make_unique<Impl>(store, source)) {}
Compaction::~Compaction() = default;

Result<bool> Compaction::step() {
  Result<bool> done = impl_->step();
  if (!done) impl_->take_back();
  return done;
}

const Compacted& Compaction::result() const { return impl_->compacted; }

Result<std::optional<Base>> base_of(const Snapshot& snapshot) {
  const Result<std::optional<std::string_view>> bytes = snapshot.get(keys::base);
  if (!bytes) return fail(bytes.error());
  if (!*bytes) return std::nullopt;
  if ((*bytes)->size() != 17)
    return fail(Errc::corrupt, "the base of the log is damaged; run bidboard doctor");
  return Base{{read_big_endian(**bytes, 0)}, {read_big_endian(**bytes, 8)}, (**bytes)[16]};
}

std::vector<std::string> reasons_against_compaction(const Snapshot& snapshot) {
  std::vector<std::string> findings = check_invariants(snapshot);
  return findings.empty() ? verify(snapshot) : findings;
}

Error refuse_compaction(const std::vector<std::string>& findings) {
  const std::string others =
      findings.size() > 1 ? fmt::format(", and {}", counted(findings.size() - 1, "more finding")) : "";
  return {Errc::corrupt,
          fmt::format("the board is not compacted, because its log is still needed: {}{}; `bidboard "
                      "doctor --deep` lists all findings",
                      findings.front(), others)};
}

Result<Compacted> compact(Store& store) {
  if (const auto findings = reasons_against_compaction(store); !findings.empty())
    return fail(refuse_compaction(findings));
  Compaction compaction(store, store);
  while (true) {
    const Result<bool> done = compaction.step();
    if (!done) return fail(done.error());
    if (*done) return compaction.result();
  }
}

}  // namespace bidboard
