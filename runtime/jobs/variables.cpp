#include "runtime/jobs/variables.hpp"

#include <algorithm>

#include "blackboard/environment.hpp"
#include "blackboard/fmt.hpp"

namespace bidboard {
namespace {

/// False after a finding.
bool check_name(KeyReader& reader, std::string_view name, Place place, const auto& earlier) {
  const auto same = [&](const auto& other) { return other.name == name; };
  if (const std::string flaw = flaw_of_variable(name); !flaw.empty())
    reader.refuse(place, "holds " + quoted(name), flaw);
  else if (std::ranges::any_of(earlier, same))
    reader.refuse(place, fmt::format("names {} twice", quoted(name)), "leave one out");
  else
    return true;
  return false;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

/// What a member of the map `secrets` says.
std::optional<SecretSource> source_of(KeyReader& reader, const Value::Member& member) {
  SecretSource source{member.key, {}, {}};
  const Value& value = member.value;
  if (value.is_null()) {
    source.env = member.key;
    return source;
  }
  const bool one_word =
      value.is_object() && value.object().size() == 1 && value.object()[0].value.is_string();
  const std::string key = one_word ? value.object()[0].key : "";
  const std::string text = one_word ? value.object()[0].value.string() : "";
  if (key == "env" && flaw_of_variable(text).empty())
    source.env = text;
  else if (key == "file" && !text.empty())
    source.file = text;
  else {
    // Not the value itself in any message: it may be a secret that somebody wrote here.
    reader.refuse(value.place, fmt::format("does not say where {} is", quoted(member.key)),
                  "write one of {env: VARIABLE} and {file: PATH}; values do not belong here");
    return {};
  }
  return source;
}

class Dotenv {
 public:
  explicit Dotenv(std::string_view text) : text_(text) {}

  Result<std::vector<EnvVariable>> read() {
    std::vector<EnvVariable> out;
    while (at_ < text_.size()) {
      const std::size_t began = line_;
      Result<std::optional<EnvVariable>> variable = next();
      if (!variable) return fail(Errc::invalid, fmt::format("{}: {}", began, variable.error().text));
      if (!*variable) continue;
      for (const EnvVariable& earlier : out)
        if (earlier.name == (*variable)->name)
          return fail(Errc::invalid, fmt::format("{}: {} is set twice", began, earlier.name));
      out.push_back(std::move(**variable));
    }
    return out;
  }

 private:
  std::string_view take_line() {
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    const std::string_view line = text_.substr(at_, end - at_);
    at_ = std::min(end + 1, text_.size());
    ++line_;
    return line;
  }

  /// Nothing for a line without a variable. No text of the line is in an error: it may be a secret.
  Result<std::optional<EnvVariable>> next() {
    const std::size_t begin = at_;
    std::string_view line = trimmed(take_line());
    if (line.empty() || line.front() == '#') return std::nullopt;
    if (line.starts_with("export ")) line = trimmed(line.substr(7));
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return fail(Errc::invalid, "is not NAME=VALUE");
    EnvVariable variable{std::string(trimmed(line.substr(0, equals))), {}};
    if (!flaw_of_variable(variable.name).empty())
      return fail(Errc::invalid,
                  "the name before the = is not made of letters, digits and _, or begins with BIDBOARD_");
    const std::string_view value = trimmed(line.substr(equals + 1));
    if (value.starts_with('"') || value.starts_with('\'')) {
      at_ = text_.find(value.front(), text_.find('=', begin));
      line_ -= 1;
      Result<std::string> inside = quoted_value();
      if (!inside) return fail(inside.error());
      variable.value = std::move(*inside);
      return variable;
    }
    variable.value = trimmed(value.substr(0, std::min(value.find(" #"), value.find("\t#"))));
    return variable;
  }

  /// From its opening quote on.
  Result<std::string> quoted_value() {
    const char quote = text_[at_++];
    std::string value;
    for (; at_ < text_.size(); ++at_) {
      char c = text_[at_];
      if (c == '\n') ++line_;
      if (c == quote) {
        at_ += 1;
        const std::string_view rest = trimmed(take_line());
        if (!rest.empty() && rest.front() != '#')
          return fail(Errc::invalid, "has text behind its closing quote");
        return value;
      }
      if (c == '\\' && quote == '"' && at_ + 1 < text_.size()) {
        c = text_[++at_];
        if (c == 'n')
          c = '\n';
        else if (c == 't')
          c = '\t';
        else if (c == 'r')
          c = '\r';
        else if (c != '"' && c != '\\' && c != '$')
          value += '\\';
      }
      value += c;
    }
    return fail(Errc::invalid, "its quote is not closed");
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

}  // namespace

Result<EnvVariable> parse_variable(std::string_view text) {
  const std::size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  if (const std::string flaw = flaw_of_variable(name); !flaw.empty()) return fail(Errc::invalid, flaw);
  if (equals == std::string_view::npos)
    return fail(Errc::invalid, fmt::format("{} has no value; write {}=VALUE", name, name));
  if (text.find('\0') != std::string_view::npos)
    return fail(Errc::invalid, fmt::format("the value of {} has a zero byte", name));
  return EnvVariable{std::string(name), std::string(text.substr(equals + 1))};
}

Result<std::vector<EnvVariable>> parse_dotenv(std::string_view text) {
  if (text.find('\0') != std::string_view::npos)
    return fail(Errc::invalid, "1: has zero bytes; it is not text");
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return Dotenv(text).read();
}

std::vector<EnvVariable> read_variables(KeyReader& reader, const Value& value) {
  std::vector<EnvVariable> out;
  if (value.is_object()) {
    for (const Value::Member& member : value.object()) {
      if (!check_name(reader, member.key, member.place, out)) continue;
      const auto text = reader.text(member.value);
      if (!text) continue;
      if (text->find('\0') != std::string::npos)
        reader.refuse(member.value.place, fmt::format("the value of {} has a zero byte", member.key));
      else
        out.push_back({member.key, *text});
    }
    return out;
  }
  for (const auto& [word, place] : reader.words(value)) {
    const std::size_t equals = word.find('=');
    if (!check_name(reader, word.substr(0, equals), place, out)) continue;
    Result<EnvVariable> variable = parse_variable(word);
    if (variable)
      out.push_back(std::move(*variable));
    else
      reader.refuse(place, "is not NAME=VALUE", variable.error().text);
  }
  return out;
}

std::vector<SecretSource> read_secret_sources(KeyReader& reader, const Value& value) {
  std::vector<SecretSource> out;
  if (value.is_object()) {
    for (const Value::Member& member : value.object())
      if (check_name(reader, member.key, member.place, out))
        if (auto source = source_of(reader, member)) out.push_back(std::move(*source));
    return out;
  }
  for (const auto& [word, place] : reader.words(value)) {
    const std::size_t equals = word.find('=');
    SecretSource source{word.substr(0, equals), {}, {}};
    if (!check_name(reader, source.name, place, out)) continue;
    const std::string from = equals == word.npos ? source.name : word.substr(equals + 1);
    if (from.size() > 1 && from.front() == '@')
      source.file = from.substr(1);
    else if (flaw_of_variable(from).empty())
      source.env = from;
    else {
      // The word is not repeated: it may be a secret that somebody typed.
      reader.refuse(place, fmt::format("does not say where {} is", quoted(source.name)),
                    fmt::format("write {}, {}=VARIABLE or {}=@FILE; values do not belong here", source.name,
                                source.name, source.name));
      continue;
    }
    out.push_back(std::move(source));
  }
  return out;
}

std::vector<std::string> read_secret_names(KeyReader& reader, const Value& value) {
  std::vector<SecretSource> named;
  for (const auto& [word, place] : reader.words(value))
    if (check_name(reader, word, place, named)) named.push_back({word, {}, {}});
  std::vector<std::string> out;
  for (SecretSource& secret : named) out.push_back(std::move(secret.name));
  return out;
}

Value to_value(const std::vector<EnvVariable>& variables) {
  Value map;
  for (const EnvVariable& variable : variables) map.set(variable.name, Value(variable.value));
  return map;
}

Value to_value(const std::vector<SecretSource>& secrets) {
  Value map;
  for (const SecretSource& secret : secrets) {
    Value from;
    from.set(secret.file.empty() ? "env" : "file", Value(secret.file.empty() ? secret.env : secret.file));
    map.set(secret.name, std::move(from));
  }
  return map;
}

void resolve_paths(PlannedAgent& agent, const std::string& folder) {
  const auto resolve = [&](std::string& path) {
    if (!path.empty() && path.front() != '/') path = folder + "/" + path;
  };
  resolve(agent.dir);
  resolve(agent.env_file);
  for (SecretSource& secret : agent.secrets) resolve(secret.file);
}

}  // namespace bidboard
