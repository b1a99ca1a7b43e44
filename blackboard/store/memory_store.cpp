#include "blackboard/store/memory_store.hpp"

#include "blackboard/checks/check.hpp"
#include "blackboard/format/keys.hpp"

namespace bidboard {

Result<void> MemoryStore::commit(Seq expected_seq, Term term, std::span<const std::string> events,
                                 std::span<const Put> puts) {
  if (expected_seq != seq_) return fail(Errc::conflict, "another process wrote to the board meanwhile");
  if (term < term_) return fail(Errc::conflict, "a newer controller has taken over the board");
  for (const std::string& event : events) {
    seq_ = seq_.next();
    map_[keys::event(seq_)] = event;
  }
  for (const Put& put : puts) {
    BB_CHECK(!put.key.empty() && put.key.size() <= 500, "keys have 1 to 500 bytes");
    if (put.value)
      map_[put.key] = *put.value;
    else
      map_.erase(put.key);
  }
  term_ = term;
  return {};
}

Result<std::optional<std::string_view>> MemoryStore::get(std::string_view key) const {
  const auto found = map_.find(key);
  if (found == map_.end()) return std::nullopt;
  return found->second;
}

Result<void> MemoryStore::scan(std::string_view prefix, std::string_view from, const Visitor& visit) const {
  for (auto it = map_.lower_bound(std::max(prefix, from)); it != map_.end() && it->first.starts_with(prefix);
       ++it)
    if (!visit(it->first, it->second)) break;
  return {};
}

Result<std::unique_ptr<Snapshot>> MemoryStore::snapshot() const {
  return std::make_unique<MemoryStore>(seq_, term_, map_);
}

}  // namespace bidboard
