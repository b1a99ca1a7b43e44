#include "runtime/jobs/key_table.hpp"
#include "blackboard/fmt.hpp"

namespace bidboard {
namespace {

/// How the value would be written, for "not 'x'".
std::string shown(const Value& value) {
  if (value.is_string()) return quoted(value.string());
  if (value.is_array() || value.is_object() || value.is_null()) return std::string(value.type_name());
  return to_json(value);
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

bool is_skill_name(std::string_view name) {
  return !name.empty() && name.size() <= 200 && name.find_first_of(" \t\n\r<>=,") == name.npos;
}

}  // namespace

void KeyReader::refuse(Place place, std::string what, std::string fix) {
  std::string prefix = subject_.empty() ? "" : subject_ + ": ";
  if (!key_.empty()) prefix += quoted(key_) + " ";
  diagnostics_.add(place, prefix + what, std::move(fix));
}

void KeyReader::wrong_type(const Value& value, std::string_view wanted, std::string fix) {
  refuse(value.place, fmt::format("must be {}, not {}", wanted, shown(value)), std::move(fix));
}

std::optional<std::string> KeyReader::text(const Value& value) {
  if (value.is_string()) return value.string();
  const bool scalar = value.is_bool() || value.is_number();
  wrong_type(value, "text", scalar ? "put it in quotes" : "write one text");
  return {};
}

std::optional<std::string> KeyReader::name(const Value& value) {
  const auto name = text(value);
  if (!name) return {};
  if (name->empty() || name->size() > 200 || trimmed(*name) != *name ||
      name->find_first_of("\n\r\t") != name->npos) {
    wrong_type(value, "a name", "write one line of 1 to 200 characters without spaces at its ends");
    return {};
  }
  return name;
}

std::optional<bool> KeyReader::flag(const Value& value) {
  if (value.is_bool()) return value.boolean();
  const bool quoted = value.is_string() && (value.string() == "true" || value.string() == "false");
  wrong_type(value, "true or false", quoted ? "remove the quotes" : "write true or false");
  return {};
}

std::optional<std::int64_t> KeyReader::whole(const Value& value, std::int64_t low, std::int64_t high) {
  if (value.is_integer() && value.integer() >= low && value.integer() <= high) return value.integer();
  wrong_type(value, fmt::format("a whole number from {} to {}", low, high), "");
  return {};
}

std::optional<std::int64_t> KeyReader::whole(const Value& value, const NumberRange& range) {
  return whole(value, static_cast<std::int64_t>(range.low), static_cast<std::int64_t>(range.high));
}

std::optional<Micros> KeyReader::number(const Value& value, const NumberRange& range) {
  if (value.is_number())
    if (const auto number = read_number(to_json(value), range)) return *number;
  wrong_type(value, in_words(range), "");
  return {};
}

std::optional<Duration> KeyReader::duration(const Value& value, Duration low) {
  if (value.is_string() || value.is_number()) {
    const auto parsed = parse_duration(value.is_string() ? value.string() : to_json(value));
    if (parsed && *parsed >= low) return *parsed;
  }
  const std::string least = low.us > 0 ? fmt::format(" of at least {}", low) : "";
  wrong_type(value, "a duration" + least, "write for example 250ms, 60s, 5m or 2h");
  return {};
}

std::optional<std::string> KeyReader::choice(const Value& value, const std::vector<std::string>& words) {
  const auto word = text(value);
  if (!word) return {};
  for (const std::string& candidate : words)
    if (candidate == *word) return word;
  refuse(value.place, quoted(*word) + " is not known",
         diagnostics_.suggest(*word, words, "choose from " + list_in_words(words)));
  return {};
}

std::vector<std::pair<std::string, Place>> KeyReader::words(const Value& value) {
  std::vector<std::pair<std::string, Place>> out;
  if (value.is_string()) {
    out.emplace_back(value.string(), value.place);
  } else if (value.is_array()) {
    for (const Value& element : value.array())
      if (auto word = text(element)) out.emplace_back(std::move(*word), element.place);
  } else {
    wrong_type(value, "a list", "write [first, second]");
  }
  return out;
}

std::optional<Micros> KeyReader::level_of(const Value::Member& member, bool above) {
  const std::string path = fmt::format("{}.{}", key_, member.key);
  const std::string_view outer = std::exchange(key_, path);
  const auto level = number(member.value, above ? ranges::level : ranges::needed_level);
  key_ = outer;
  return level;
}

std::vector<Skill> KeyReader::skills(const Value& value) {
  std::vector<Skill> out;
  const auto add = [&](Skill skill, Place place) {
    for (const Skill& earlier : out)
      if (earlier.name == skill.name)
        return refuse(place, fmt::format("names {} twice", quoted(skill.name)), "leave one out");
    out.push_back(std::move(skill));
  };
  if (value.is_object()) {
    for (const Value::Member& member : value.object()) {
      if (!is_skill_name(member.key))
        refuse(member.place, "holds " + quoted(member.key),
               "a skill's name has no spaces, commas, '<', '>' or '='");
      else if (const auto level = level_of(member, true))
        add({member.key, *level}, member.place);
    }
    return out;
  }
  for (const auto& [word, place] : words(value)) {
    auto skill = parse_skill(word);
    if (skill)
      add(std::move(*skill), place);
    else
      refuse(place, "holds " + quoted(word), skill.error().text);
  }
  return out;
}

std::vector<SkillNeed> KeyReader::skill_needs(const Value& value) {
  std::vector<SkillNeed> out;
  const auto add = [&](SkillNeed need, Place place) {
    for (const SkillNeed& earlier : out)
      if (earlier.name == need.name)
        return refuse(place, fmt::format("names {} twice", quoted(need.name)), "leave one out");
    out.push_back(std::move(need));
  };
  if (value.is_object()) {
    for (const Value::Member& member : value.object()) {
      if (!is_skill_name(member.key))
        refuse(member.place, "holds " + quoted(member.key),
               "a skill's name has no spaces, commas, '<', '>' or '='");
      else if (const auto level = level_of(member, false))
        add({member.key, *level}, member.place);
    }
    return out;
  }
  for (const auto& [word, place] : words(value)) {
    auto need = parse_skill_need(word);
    if (need)
      add(std::move(*need), place);
    else
      refuse(place, "holds " + quoted(word), need.error().text);
  }
  return out;
}

void refuse_unknown_key(KeyReader& reader, const Value::Member& member,
                        const std::vector<std::string>& known) {
  reader.set_key({});
  reader.refuse(member.place, "unknown key " + quoted(member.key),
                reader.diagnostics().suggest(member.key, known, "the keys are " + list_in_words(known)));
}

bool require_map(KeyReader& reader, const Value& value, std::string_view example) {
  if (value.is_object()) return true;
  reader.refuse(value.place, "must be a map, not " + shown(value), fmt::format("write {}", example));
  return false;
}

std::string markdown_table(const std::vector<KeyInfo>& rows) {
  const auto escaped = [](std::string_view text) {
    std::string out;
    for (const char c : text) {
      if (c == '|') out += '\\';
      out += c;
    }
    return out;
  };
  std::string out = "| key | type | default | meaning |\n| --- | --- | --- | --- |\n";
  for (const KeyInfo& row : rows)
    out += fmt::format("| `{}` | {} | {} | {} |\n", escaped(row.name), escaped(row.type),
                       escaped(row.fallback), escaped(row.doc));
  return out;
}

Result<Skill> parse_skill(std::string_view text) {
  const auto equals = text.find('=');
  Skill skill{std::string(trimmed(text.substr(0, equals))), one};
  const Result<Micros> level =
      equals == text.npos ? one : read_number(trimmed(text.substr(equals + 1)), ranges::level);
  if (!is_skill_name(skill.name) || !level)
    return fail(Errc::invalid, "write a skill as cpp or cpp=0.9, the level above 0");
  skill.level = *level;
  return skill;
}

Result<SkillNeed> parse_skill_need(std::string_view text) {
  const auto sign = text.find(">=");
  SkillNeed need{std::string(trimmed(text.substr(0, sign))), 0};
  const Result<Micros> level =
      sign == text.npos ? 0 : read_number(trimmed(text.substr(sign + 2)), ranges::needed_level);
  if (!is_skill_name(need.name) || !level)
    return fail(Errc::invalid, "write a needed skill as cpp or cpp>=0.7, the level from 0");
  need.level = *level;
  return need;
}

}  // namespace bidboard
