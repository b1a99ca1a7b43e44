// Live records by id: what was read or changed since the last commit, and what was cheap to keep. No
// iteration, so the order of a hash table can decide nothing.
#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "blackboard/format/record_kinds.hpp"

namespace bidboard {

template <class Key, class Record>
class RecordCache {
 public:
  /// The record, loaded by `load(key) → std::optional<Record>` when it is not here yet; nullptr when there is
  /// none. What is absent is not remembered, and what `load` throws passes through. The pointer stays valid
  /// until forget_changes or trim.
  template <class Load>
  Record* find(const Key& key, Load&& load) {
    auto it = entries_.find(key);
    if (it == entries_.end()) {
      std::optional<Record> loaded = load(key);
      if (!loaded) return nullptr;
      it = entries_.emplace(key, Entry{std::move(loaded), false}).first;
    }
    return it->second.record ? &*it->second.record : nullptr;
  }
  /// The record if it is cached; else nullptr.
  Record* known(const Key& key) {
    const auto it = entries_.find(key);
    return it != entries_.end() && it->second.record ? &*it->second.record : nullptr;
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
    for (const Key& key : changed_) {
      Entry& entry = entries_.at(key);
      entry.changed = false;
      if (!entry.record) entries_.erase(key);
    }
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

/// A cache per kind of record that has ids.
template <class List>
class RecordCaches;
template <class... Kinds>
class RecordCaches<RecordList<Kinds...>> {
 public:
  template <class Record>
  auto& of() {
    return static_cast<CacheOf<KindOf<Record, RecordList<Kinds...>>>&>(caches_).records;
  }
  /// Calls visit(kind, cache) for each, in the order of the list.
  template <class Visit>
  void for_each(Visit&& visit) {
    for_each_kind<RecordList<Kinds...>>([&](auto kind) {
      if constexpr (kind.cached) visit(kind, of<typename decltype(kind)::Record>());
    });
  }

 private:
  template <class Kind, bool cached = Kind::cached>
  struct CacheOf {
    RecordCache<typename Kind::Id, typename Kind::Record> records;
  };
  template <class Kind>
  struct CacheOf<Kind, false> {};
  struct All : CacheOf<Kinds>... {};

  All caches_;
};

}  // namespace bidboard
