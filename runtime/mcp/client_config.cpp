#include "runtime/mcp/client_config.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "blackboard/fmt.hpp"
#include "blackboard/text/document.hpp"
#include "runtime/mcp/toml_table.hpp"

namespace bidboard::mcp {
namespace {

constexpr std::array<Client, 4> all_clients{
    {{"claude", Client::Place::project, ".mcp.json", Client::Format::json},
     {"codex", Client::Place::codex_home, "config.toml", Client::Format::toml},
     {"gemini", Client::Place::project, ".gemini/settings.json", Client::Format::json},
     {"opencode", Client::Place::project, "opencode.json", Client::Format::json}}};

constexpr std::string_view own_name = "bidboard";
/// What tells a session its board, its task and its rights. Codex passes on only variables that are named.
constexpr std::array<std::string_view, 7> variables{
    "BIDBOARD_DIR",   "BIDBOARD_CONNECT", "BIDBOARD_KEY",     "BIDBOARD_TASK",
    "BIDBOARD_TOKEN", "BIDBOARD_SECRETS", "BIDBOARD_WORKTREE"};
/// Gemini removes variables with such names. `bidboard mcp` takes them under the names on the left, which are
/// empty where the variable is not set: an empty BIDBOARD_TOKEN would be an error.
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> passed_on_by_gemini{
    {{"BIDBOARD_MCP_TOKEN", "$BIDBOARD_TOKEN"}, {"BIDBOARD_MCP_KEY", "$BIDBOARD_KEY"}}};

Value list_of(std::initializer_list<std::string_view> words) {
  Value list{Value::Array{}};
  for (const std::string_view word : words) list.push(word);
  return list;
}

std::string_view key_of_servers(const Client& client) {
  return client.name == "opencode" ? "mcp" : "mcpServers";
}

Value entry_of(const Client& client, std::string_view program) {
  Value entry{Value::Object{}};
  if (client.name == "opencode") {
    entry.set("type", "local");
    entry.set("command", list_of({program, "mcp"}));
    entry.set("enabled", true);
    return entry;
  }
  if (client.name == "claude") entry.set("type", "stdio");
  entry.set("command", program);
  entry.set("args", list_of({"mcp"}));
  if (client.name == "gemini") {
    Value env{Value::Object{}};
    for (const auto& [name, reference] : passed_on_by_gemini) env.set(name, reference);
    entry.set("env", std::move(env));
  }
  return entry;
}

TomlTable table_of(std::string_view program) {
  std::string names;
  for (const std::string_view name : variables)
    names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", name);
  return {"mcp_servers",
          std::string(own_name),
          {fmt::format("command = {}", to_json(Value(program))), "args = [\"mcp\"]",
           fmt::format("env_vars = [{}]", names), "default_tools_approval_mode = \"approve\""}};
}

/// Spaces before the first indented line; 2 if there is none.
int indent_of(std::string_view text) {
  const std::size_t line = text.find("\n ");
  if (line == text.npos) return 2;
  const std::size_t first = text.find_first_not_of(' ', line + 1);
  return static_cast<int>(std::clamp<std::size_t>(first == text.npos ? 2 : first - line - 1, 1, 8));
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == text.npos; }

Result<Value> read_settings_object(const Client& client, std::string_view text, const std::string& remedy) {
  if (is_blank(text)) return Value(Value::Object{});
  Result<Value> value = parse_json(text);
  if (!value)
    return fail(Errc::invalid, fmt::format("it is not plain JSON ({}); {}", value.error().text, remedy));
  if (!value->is_object())
    return fail(Errc::invalid,
                fmt::format("it must hold a JSON object, but is {}; {}", value->type_name(), remedy));
  const Value* servers = value->find(key_of_servers(client));
  if (servers && !servers->is_object())
    return fail(Errc::invalid, fmt::format("its \"{}\" is {}, not an object; {}", key_of_servers(client),
                                           servers->type_name(), remedy));
  return value;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace

std::span<const Client> clients() { return all_clients; }

const Client* find_client(std::string_view name) {
  const auto found = std::ranges::find(all_clients, name, &Client::name);
  return found == all_clients.end() ? nullptr : &*found;
}

Result<std::string> with_server(const Client& client, std::string_view text, std::string_view program) {
  if (client.format == Client::Format::toml) return with_table(text, table_of(program));
  const Value entry = entry_of(client, program);
  const std::string key(key_of_servers(client));
  const std::string remedy =
      fmt::format("correct it, or add by hand: \"{}\": {{\"{}\": {}}}", key, own_name, to_json(entry));
  Result<Value> settings = read_settings_object(client, text, remedy);
  if (!settings) return fail(settings.error());
  const Value* known = settings->find(key);
  Value servers = known ? *known : Value(Value::Object{});
  // As it stands: formatting the file anew would be a change.
  if (const Value* own = servers.find(own_name); own && *own == entry) return std::string(text);
  servers.set(own_name, entry);
  settings->set(key, std::move(servers));
  return to_json(*settings, indent_of(text)) + "\n";
}

Result<std::string> without_server(const Client& client, std::string_view text) {
  if (client.format == Client::Format::toml) return without_table(text, table_of({}));
  const std::string key(key_of_servers(client));
  Result<Value> settings =
      read_settings_object(client, text, fmt::format("remove \"{}\" from \"{}\" by hand", own_name, key));
  if (!settings) return fail(settings.error());
  const Value* known = settings->find(key);
  if (!known || !known->find(own_name)) return std::string(text);
  Value servers = *known;
  std::erase_if(servers.object(), [](const Value::Member& member) { return member.key == own_name; });
  if (servers.object().empty())
    std::erase_if(settings->object(), [&](const Value::Member& member) { return member.key == key; });
  else
    settings->set(key, std::move(servers));
  if (settings->object().empty()) return std::string();
  return to_json(*settings, indent_of(text)) + "\n";
}

std::string changed_lines(std::string_view before, std::string_view after) {
  constexpr std::size_t around = 2;
  if (before == after) return {};
  const std::vector<std::string_view> old = lines_of(before), fresh = lines_of(after);
  const std::size_t shorter = std::min(old.size(), fresh.size());
  std::size_t begin = 0, end = 0;
  while (begin < shorter && old[begin] == fresh[begin]) ++begin;
  while (end < shorter - begin && old[old.size() - 1 - end] == fresh[fresh.size() - 1 - end]) ++end;
  std::string text;
  for (std::size_t i = begin - std::min(begin, around); i < begin; ++i) text += fmt::format("  {}\n", old[i]);
  for (std::size_t i = begin; i < old.size() - end; ++i) text += fmt::format("- {}\n", old[i]);
  for (std::size_t i = begin; i < fresh.size() - end; ++i) text += fmt::format("+ {}\n", fresh[i]);
  for (std::size_t i = old.size() - end; i < old.size() - end + std::min(end, around); ++i)
    text += fmt::format("  {}\n", old[i]);
  return text;
}

}  // namespace bidboard::mcp
