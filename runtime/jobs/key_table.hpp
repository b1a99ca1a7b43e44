// Files that people write are read through tables: one row per key with its name, type, default, meaning and
// reader. The documentation, the suggestions for misspelt keys and the accepted values come from the same
// row.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "blackboard/numbers.hpp"
#include "blackboard/records.hpp"
#include "blackboard/text/document.hpp"
#include "runtime/jobs/diagnostics.hpp"

namespace bidboard {

/// Reads the value of one key. Each function returns nothing after it has added a finding.
class KeyReader {
 public:
  /// `subject` names the key's owner in findings ("task 'lint'"), or is empty for the file's own keys.
  KeyReader(Diagnostics& diagnostics, std::string subject)
      : diagnostics_(diagnostics), subject_(std::move(subject)) {}

  std::optional<std::string> text(const Value& value);
  /// A text of one line that is not empty, has no spaces at its ends and at most 200 bytes.
  std::optional<std::string> name(const Value& value);
  std::optional<bool> flag(const Value& value);
  std::optional<std::int64_t> whole(const Value& value, std::int64_t low, std::int64_t high);
  std::optional<std::int64_t> whole(const Value& value, const NumberRange& range);
  /// Micro-units.
  std::optional<Micros> number(const Value& value, const NumberRange& range);
  std::optional<Micros> number(const Value& value, double low, double high, bool above = false) {
    return number(value, NumberRange{low, high, above});
  }
  /// "60s" or a bare number of seconds.
  std::optional<Duration> duration(const Value& value, Duration low);
  std::optional<std::string> choice(const Value& value, const std::vector<std::string>& words);
  /// A list of texts, or one text.
  std::vector<std::pair<std::string, Place>> words(const Value& value);
  /// A list of names, or a map from name to level.
  std::vector<Skill> skills(const Value& value);
  /// A list of "name" or "name>=level", or a map from name to least level.
  std::vector<SkillNeed> skill_needs(const Value& value);

  /// Adds a finding about the key that is being read.
  void refuse(Place place, std::string what, std::string fix = "");
  void set_key(std::string_view key) { key_ = key; }
  Diagnostics& diagnostics() { return diagnostics_; }
  const std::string& subject() const { return subject_; }
  std::string_view key() const { return key_; }

 private:
  std::optional<Micros> level_of(const Value::Member& member, bool above);
  void wrong_type(const Value& value, std::string_view wanted, std::string fix);

  Diagnostics& diagnostics_;
  std::string subject_;
  std::string_view key_;
};

struct KeyInfo {
  std::string_view name;
  std::string_view type;
  std::string_view fallback;  ///< the default as it would be written, or in words
  std::string_view doc;
};

template <class T>
struct Key {
  KeyInfo info;
  void (*read)(KeyReader&, const Value&, T&);
};

void refuse_unknown_key(KeyReader& reader, const Value::Member& member,
                        const std::vector<std::string>& known);
/// False after a finding when the value is not a map.
bool require_map(KeyReader& reader, const Value& value, std::string_view example);

/// Reads every member of a map by its row. Null members keep their default. Keys that begin with x- are the
/// writer's own, for what `<<` merges elsewhere.
template <class T>
void read_keys(KeyReader& reader, const Value& map, std::type_identity_t<std::span<const Key<T>>> table,
               T& out) {
  for (const Value::Member& member : map.object()) {
    const Key<T>* row = nullptr;
    for (const Key<T>& candidate : table)
      if (candidate.info.name == member.key) row = &candidate;
    if (!row && member.key.starts_with("x-")) continue;
    if (!row) {
      std::vector<std::string> known;
      for (const Key<T>& candidate : table) known.emplace_back(candidate.info.name);
      refuse_unknown_key(reader, member, known);
      continue;
    }
    if (member.value.is_null()) continue;
    reader.set_key(row->info.name);
    row->read(reader, member.value, out);
  }
  reader.set_key({});
}

template <class T>
std::vector<KeyInfo> infos(std::span<const Key<T>> table) {
  std::vector<KeyInfo> out;
  for (const Key<T>& row : table) out.push_back(row.info);
  return out;
}

/// A Markdown table: key, type, default, meaning.
std::string markdown_table(const std::vector<KeyInfo>& rows);

/// "cpp" or "cpp=0.9". Errors: invalid.
Result<Skill> parse_skill(std::string_view text);
/// "cpp" or "cpp>=0.7". Errors: invalid.
Result<SkillNeed> parse_skill_need(std::string_view text);

}  // namespace bidboard
