#include "blackboard/compaction.hpp"

#include <set>
#include <utility>

#include "blackboard/board.hpp"
#include "blackboard/keys.hpp"
#include "blackboard/verify.hpp"

namespace bidboard {
namespace {

constexpr std::size_t puts_per_commit = 2'000;
constexpr std::size_t bytes_per_commit = 8 << 20;

/// Changes to the store, committed in bounded pieces.
class Changes {
 public:
  explicit Changes(Store& store) : store_(store) {}
  void add(Put put) {
    bytes_ += put.key.size() + (put.value ? put.value->size() : 0);
    puts_.push_back(std::move(put));
  }
  bool full() const { return puts_.size() >= puts_per_commit || bytes_ >= bytes_per_commit; }
  Result<void> commit() {
    if (puts_.empty()) return {};
    bytes_ = 0;
    return store_.commit(store_.last_seq(), store_.last_term(), {}, std::exchange(puts_, {}));
  }

 private:
  Store& store_;
  std::vector<Put> puts_;
  std::size_t bytes_ = 0;
};

/// Gives every entry under the prefix to `change`, which answers what to do, and commits. A scan must not
/// last over a commit, so it begins again behind the last key.
template <class Change>
Result<void> for_each(Store& store, const std::string& prefix, Change&& change) {
  std::string from;
  Changes changes(store);
  for (bool more = true; more;) {
    more = false;
    store.scan(prefix, from, [&](std::string_view key, std::string_view value) {
      if (changes.full()) {
        from = std::string(key);
        return !(more = true);
      }
      if (std::optional<Put> put = change(key, value)) changes.add(std::move(*put));
      return true;
    });
    if (const Result<void> done = changes.commit(); !done) return done;
  }
  return {};
}

Result<void> remove_all(Store& store, const std::string& prefix) {
  return for_each(store, prefix, [](std::string_view key, std::string_view) {
    return std::optional(Put{std::string(key), std::nullopt});
  });
}

Result<void> check_whole(const Store& store) {
  std::vector<std::string> findings = check_invariants(store);
  if (findings.empty()) findings = verify(store);
  if (findings.empty()) return {};
  return fail(
      Errc::corrupt,
      "the board is not compacted, because its log is still needed: " + findings.front() +
          (findings.size() > 1 ? ", and " + std::to_string(findings.size() - 1) + " findings more" : "") +
          "; `bidboard doctor --deep` lists them");
}

Result<void> write_copy(Store& store, char generation) {
  if (const Result<void> done = remove_all(store, keys::base_of(generation, {})); !done) return done;
  for (const char letter : keys::folded_letters) {
    const Result<void> done =
        for_each(store, std::string(1, letter), [&](std::string_view key, std::string_view value) {
          return std::optional(Put{keys::base_of(generation, key), std::string(value)});
        });
    if (!done) return done;
  }
  return {};
}

/// Takes the log up to the base away, but for the events that hold an auction's record.
Result<void> truncate(Store& store, Compacted& compacted) {
  std::set<std::uint64_t> auctions;
  store.scan(std::string(1, keys::auction_letter), {}, [&](std::string_view, std::string_view value) {
    auctions.insert(read_big_endian(value, 0));
    return true;
  });
  return for_each(store, std::string(1, keys::log_letter),
                  [&](std::string_view key, std::string_view) -> std::optional<Put> {
                    const std::uint64_t seq = read_big_endian(key, 1);
                    if (seq > compacted.base.seq.value) return {};
                    if (auctions.contains(seq)) {
                      ++compacted.kept;
                      return {};
                    }
                    ++compacted.removed;
                    return Put{std::string(key), std::nullopt};
                  });
}

}  // namespace

std::optional<Base> base_of(const Snapshot& snapshot) {
  const auto bytes = snapshot.get(keys::base);
  if (!bytes || bytes->size() != 17) return {};
  return Base{{read_big_endian(*bytes, 0)}, {read_big_endian(*bytes, 8)}, (*bytes)[16]};
}

Result<Compacted> compact(Store& store) {
  if (const Result<void> whole = check_whole(store); !whole) return fail(whole.error());
  const std::optional<Base> before = base_of(store);
  const char generation = before && before->generation == '0' ? '1' : '0';
  Compacted compacted{{store.last_seq(), store.last_term(), generation}, 0, 0};
  if (const Result<void> done = write_copy(store, generation); !done) {
    static_cast<void>(remove_all(store, keys::base_of(generation, {})));  // else the room it takes is missed
    return fail(done.error());
  }

  std::string bytes;
  append_big_endian(bytes, compacted.base.seq.value);
  append_big_endian(bytes, compacted.base.term.value);
  bytes += generation;
  const Put point{std::string(keys::base), bytes};
  if (const Result<void> done = store.commit(store.last_seq(), store.last_term(), {}, std::span(&point, 1));
      !done)
    return fail(done.error());

  if (const Result<void> done = truncate(store, compacted); !done) return fail(done.error());
  const char other = generation == '0' ? '1' : '0';
  if (const Result<void> done = remove_all(store, keys::base_of(other, {})); !done) return fail(done.error());
  return compacted;
}

}  // namespace bidboard
