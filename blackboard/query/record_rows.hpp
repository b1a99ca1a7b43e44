// Passes over stored records, decoded only when a column is asked for, and then once.
#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "blackboard/format/codec.hpp"
#include "blackboard/format/keys.hpp"
#include "blackboard/query/key_scan.hpp"
#include "blackboard/query/table.hpp"

namespace bidboard::query {

/// Keys with their values: those of a scan, or a list of them (absent ones are passed over).
class RecordSource {
 public:
  RecordSource(const Snapshot&, KeyScan scan) : scan_(std::move(scan)) {}
  RecordSource(const Snapshot& snapshot, std::vector<std::string> keys)
      : snapshot_(&snapshot), keys_(std::move(keys)) {}

  /// Errors: as Snapshot::get.
  Result<bool> next() {
    if (scan_) return scan_->next();
    while (next_key_ < keys_.size()) {
      const auto value = snapshot_->get(keys_[next_key_++]);
      if (!value) return fail(value.error());
      if (!*value) continue;
      value_ = **value;
      return true;
    }
    return false;
  }
  std::string_view key() const { return scan_ ? scan_->key() : std::string_view(keys_[next_key_ - 1]); }
  std::string_view value() const { return scan_ ? scan_->value() : value_; }

 private:
  std::optional<KeyScan> scan_;
  const Snapshot* snapshot_ = nullptr;
  std::vector<std::string> keys_;
  std::size_t next_key_ = 0;
  std::string_view value_;
};

/// The id that a filter names, as a list of one key or none.
template <class IdType>
std::vector<std::string> key_of(const Filter& filter, std::string (*key)(IdType)) {
  const auto id = filter.key ? parse_id<IdType>(*filter.key) : std::nullopt;
  return id ? std::vector{key(*id)} : std::vector<std::string>{};
}

/// All records of a kind, or the one with the id that the filter names.
template <class Record>
RecordSource records(const Snapshot& snapshot, const Filter& filter) {
  using Id = typename KindOf<Record>::Id;
  if (filter.lookup < 0) return {snapshot, KeyScan(snapshot, keys::all_of<Record>())};
  return {snapshot, key_of<Id>(filter, [](Id id) { return keys::of<Record>(id); })};
}

/// The ids at the end of the keys with this prefix, made into keys. Errors: as Snapshot::scan.
template <class IdType>
Result<std::vector<std::string>> keys_under(const Snapshot& snapshot, std::string_view prefix,
                                            std::string (*key)(IdType)) {
  std::vector<std::string> found;
  const Result<void> read = snapshot.scan(prefix, {}, [&](std::string_view entry, std::string_view) {
    found.push_back(key(keys::last_id<IdType>(entry)));
    return true;
  });
  if (!read) return fail(read.error());
  return found;
}

/// What reading a cell may use besides its record.
struct CellContext {
  const Snapshot& snapshot;
  Scratch scratch = {};
  std::optional<Error> error = {};  ///< set by a cell that could not be read
  AgentNames names = AgentNames(snapshot);
};

/// A cell's value, or the error that reading it set.
inline Result<SqlValue> checked(SqlValue value, CellContext& context) {
  if (context.error) return fail(*std::exchange(context.error, std::nullopt));
  return value;
}

template <class Record>
struct RecordColumn {
  Column column;
  SqlValue (*read)(const Record&, CellContext&);
};

/// Rows of one record each; column 0 is the id and is read from the key when `IdType` is not void.
template <class Record, class IdType>
class RecordRows final : public Rows {
 public:
  RecordRows(const Snapshot& snapshot, RecordSource source, std::span<const RecordColumn<Record>> columns)
      : context_{snapshot}, source_(std::move(source)), columns_(columns) {}

  Result<bool> next() override {
    record_.reset();
    ++count_;
    return source_.next();
  }
  Result<SqlValue> column(int index) override {
    if constexpr (!std::is_void_v<IdType>)
      if (index == 0) return context_.scratch.id(keys::last_id<IdType>(source_.key()));
    if (!record_) {
      auto record = unseal<Record>(source_.value());
      if (!record) return fail(record.error());
      record_ = std::move(*record);
    }
    return checked(columns_[static_cast<std::size_t>(index)].read(*record_, context_), context_);
  }
  std::int64_t row_id() const override {
    if constexpr (!std::is_void_v<IdType>)
      return static_cast<std::int64_t>(keys::last_id<IdType>(source_.key()).value);
    return count_;
  }

 private:
  CellContext context_;
  RecordSource source_;
  std::span<const RecordColumn<Record>> columns_;
  std::optional<Record> record_;
  std::int64_t count_ = 0;
};

template <class Row>
std::vector<Column> columns_of(std::span<const Row> rows) {
  std::vector<Column> out;
  for (const Row& row : rows) out.push_back(row.column);
  return out;
}

}  // namespace bidboard::query
