// Live records by id: what was read or changed since the last commit, and what was cheap to keep. No iteration, so the order
// of a hash table can decide nothing.
#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

namespace bidboard {

template <class Key, class Record>
class RecordCache {
 public:
  /// The record, loaded by `load(key) → std::optional<Record>` when it is not here yet; nullptr when there is none. The pointer
  /// stays valid until clear, forget_changes or trim.
  template <class Load>
  Record* find(const Key& key, Load&& load) {
    auto [it, fresh] = entries_.try_emplace(key);
    if (fresh) it->second.record = load(key);
    return it->second.record ? &*it->second.record : nullptr;
  }
  Record& put(const Key& key, Record record) {
    Entry& entry = entries_[key];
    entry.record = std::move(record);
    mark(key, entry);
    return *entry.record;
  }
  void erase(const Key& key) {
    Entry& entry = entries_[key];
    entry.record.reset();
    mark(key, entry);
  }
  void mark_changed(const Key& key) { mark(key, entries_.at(key)); }

  /// Visits (key, record or nullptr) in the order of the first change.
  template <class Visit>
  void for_each_change(Visit&& visit) const {
    for (const Key& key : changed_) {
      const Entry& entry = entries_.at(key);
      visit(key, entry.record ? &*entry.record : nullptr);
    }
  }
  void changes_are_saved() {
    for (const Key& key : changed_) entries_.at(key).changed = false;
    changed_.clear();
  }
  void forget_changes() {
    for (const Key& key : changed_) entries_.erase(key);
    changed_.clear();
  }
  /// Empties the cache when it holds more than `most` records. REQUIRES: no unsaved changes.
  void trim(std::size_t most) {
    if (entries_.size() > most) entries_.clear();
  }

 private:
  struct Entry {
    std::optional<Record> record;
    bool changed = false;
  };
  void mark(const Key& key, Entry& entry) {
    if (!entry.changed) changed_.push_back(key);
    entry.changed = true;
  }

  std::unordered_map<Key, Entry> entries_;
  std::vector<Key> changed_;
};

}  // namespace bidboard
