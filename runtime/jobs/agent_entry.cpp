#include "runtime/jobs/agent_entry.hpp"

#include <algorithm>
#include <cctype>
#include <map>

#include "agents/clients/client.hpp"
#include "blackboard/fmt.hpp"
#include "runtime/jobs/agent_keys.hpp"

namespace bidboard {
namespace {

/// Where an agent is described, which determines the names of its keys.
enum class Form : std::uint8_t {
  job_file,
  supervised,  ///< bidboard.yaml, or a description for one process: the key `restart` too
  options,     ///< of `bidboard agent`: "--speed" for `speed`
};

std::vector<Key<AgentEntry>> rows(Form form) {
  std::vector<Key<AgentEntry>> keys;
  for (const AgentKey& row : agent_key_table()) {
    keys.push_back(row.key);
    if (form == Form::options && !row.typed.names.empty()) keys.back().info.name = row.option();
  }
  if (form == Form::job_file) keys.pop_back();
  return keys;
}

/// The key's name in that form. REQUIRES: it is a key.
std::string_view spelled(std::string_view key, Form form) {
  if (form == Form::options)
    for (const AgentKey& row : agent_key_table())
      if (row.key.info.name == key && !row.typed.names.empty()) return row.option();
  return key;
}

/// Rules about combinations of keys.
void check_entry(const AgentEntry& entry, const Value& value, Form form, KeyReader& reader) {
  const PlannedAgent& agent = entry.agent;
  const auto given = [&](std::string_view key) {
    const Value* member = value.find(spelled(key, form));
    return member && !member->is_null();
  };
  const auto refuse_both = [&](std::string_view one, std::string_view other, std::string fix) {
    if (!given(one) || !given(other)) return;
    const std::string_view later = spelled(other, form);
    reader.refuse(value.find(later)->place, fmt::format("has both {} and {}", spelled(one, form), later),
                  std::move(fix));
  };
  const auto place_of = [&](std::string_view key) { return value.find(spelled(key, form))->place; };
  if (!given("name")) reader.refuse(value.place, "has no name", "add name: ...");
  for (const std::string_view key : {"model", "permission"})
    if (given(key) && agent.preset.empty())
      reader.refuse(place_of(key),
                    fmt::format("has {} but no {}", spelled(key, form), spelled("preset", form)),
                    "add preset: claude, or write it into exec");
  if (!agent.preset.empty() && agent.executor != ExecutorKind::command)
    reader.refuse(place_of("preset"), "has a preset but its executor is not command", "remove the executor");
  if (agent.token_price && agent.preset.empty() && agent.tokens_field.empty())
    reader.refuse(
        place_of("token_price"), fmt::format("has {} but tells no tokens", spelled("token_price", form)),
        fmt::format("add {} or {}, or remove it", spelled("preset", form), spelled("tokens_field", form)));
  if (agent.worktree != WorktreeMode::none && agent.executor != ExecutorKind::command)
    reader.refuse(place_of("worktree"), "has a worktree but its executor is not command",
                  "remove it: only commands work in worktrees");
  if (agent.worktree == WorktreeMode::agent && agent.profile.capacity > 1)
    reader.refuse(place_of("worktree"), "does several tasks at once in one worktree",
                  "write worktree: task, or capacity: 1");
  refuse_both("bid", "cost", "keep the command or the formula");
  refuse_both("live", "cost", "an agent with a formula is not asked: keep one");
  if (given("bid") && agent.executor != ExecutorKind::command)
    reader.refuse(place_of("bid"),
                  fmt::format("has {} but its executor is not command", spelled("bid", form)),
                  "remove it; a coprocess bids over its JSON lines");
  if (agent.executor == ExecutorKind::simulated && given("exec"))
    reader.refuse(place_of("exec"), "is simulated and executes nothing", "remove exec or the executor");
  if (agent.executor == ExecutorKind::coprocess && agent.exec.empty())
    reader.refuse(place_of("executor"), "has no command for its coprocess", "add exec: ...");
  const bool idle = agent.executor == ExecutorKind::command && agent.exec.empty() && !given("exec") &&
                    !given("executor") && !agent.profile.allow_run;
  if (idle && may(agent.profile.role, Action::take))
    reader.refuse(value.place, "has no way to do a task",
                  form == Form::options
                      ? "add --exec CMD, --coprocess CMD, --simulate, or --allow-run for tasks with a command"
                      : "add exec: ..., allow_run: true or executor: simulated");
}

/// No entry if the value is not a map; an empty name if it has none.
std::optional<AgentEntry> read_entry(const Value& value, Form form, Diagnostics& diagnostics) {
  const Value* given_name = value.find(spelled("name", form));
  const bool named = given_name && given_name->is_string();
  KeyReader reader(diagnostics, named ? "agent " + quoted(given_name->string()) : "an agent");
  if (!require_map(reader, value, "{name: ..., exec: ...}")) return {};
  AgentEntry entry;
  entry.agent.place = value.place;
  read_keys(reader, value, std::span<const Key<AgentEntry>>(rows(form)), entry);
  if (const CodingClient* client = find_coding_client(entry.agent.preset);
      client && entry.agent.exec.empty()) {
    if (!client->has_tools && (!entry.agent.permission.empty() || entry.agent.worktree != WorktreeMode::none))
      reader.refuse(
          value.place,
          fmt::format("has the preset {}, which changes no files: it needs no permission and no worktree",
                      client->name),
          "leave them out");
    if (client->needs_model && entry.agent.model.empty())
      reader.refuse(value.place,
                    fmt::format("has the preset {}, which has no model of its own", client->name),
                    form == Form::options ? "add --model NAME" : "add model: NAME");
    entry.agent.exec = client->command({entry.agent.model, entry.agent.permission});
  }
  check_entry(entry, value, form, reader);
  entry.agent.profile.only_commands =
      entry.agent.executor == ExecutorKind::command && entry.agent.exec.empty();
  // To a coprocess the variables of a task are a part of its description, not variables.
  if (entry.agent.executor == ExecutorKind::coprocess) entry.agent.profile.allow_env = true;
  return entry;
}

void check_parents(const std::vector<PlannedAgent>& agents, Diagnostics& diagnostics) {
  std::map<std::string, const PlannedAgent*> by_name;
  std::vector<std::string> names;
  for (const PlannedAgent& agent : agents) {
    by_name.emplace(agent.profile.name, &agent);
    names.push_back(agent.profile.name);
  }
  for (const PlannedAgent& agent : agents) {
    std::size_t steps = 0;
    const PlannedAgent* above = &agent;
    while (!above->profile.parent.empty() && steps <= agents.size()) {
      const auto found = by_name.find(above->profile.parent);
      if (found == by_name.end()) break;
      above = found->second;
      ++steps;
    }
    const std::string subject = "agent " + quoted(agent.profile.name);
    if (steps > agents.size())
      diagnostics.add(agent.place, subject + ": is its own ancestor through its parents",
                      "change one parent");
    else if (above == &agent && !agent.profile.parent.empty())
      diagnostics.add(agent.place,
                      fmt::format("{}: unknown parent {}", subject, quoted(agent.profile.parent)),
                      diagnostics.suggest(agent.profile.parent, names, "add an agent of that name"));
  }
}

}  // namespace

std::vector<PlannedAgent> read_agents(const Value& list, bool supervised, Diagnostics& diagnostics) {
  std::vector<PlannedAgent> agents;
  KeyReader outer(diagnostics, "");
  if (!list.is_array()) {
    outer.refuse(list.place, fmt::format("'agents' must be a list, not {}", list.type_name()),
                 "write - {name: ..., exec: ...} for each agent");
    return agents;
  }
  std::map<std::string, Place> places;
  const Form form = supervised ? Form::supervised : Form::job_file;
  for (const Value& value : list.array()) {
    const std::optional<AgentEntry> read = read_entry(value, form, diagnostics);
    if (!read) continue;
    const AgentEntry& entry = *read;
    for (std::int64_t i = 1; i <= entry.count && !entry.agent.profile.name.empty(); ++i) {
      PlannedAgent agent = entry.agent;
      if (entry.count > 1) agent.profile.name += std::to_string(i);
      const auto [earlier, fresh] = places.emplace(agent.profile.name, value.place);
      if (fresh) {
        agents.push_back(std::move(agent));
        continue;
      }
      diagnostics.add(value.place,
                      fmt::format("agent {} is defined twice, first at {}:{}", quoted(agent.profile.name),
                                  earlier->second.line, earlier->second.column),
                      "give it another name");
    }
  }
  check_parents(agents, diagnostics);
  return agents;
}

std::vector<KeyInfo> agent_keys(bool supervised) {
  return infos(std::span<const Key<AgentEntry>>(rows(supervised ? Form::supervised : Form::job_file)));
}

Value describe_agent(const PlannedAgent& agent) {
  Value description;
  for (const AgentKey& row : agent_key_table()) {
    if (!row.print) continue;
    if (Value value = row.print(agent); !value.is_null())
      description.set(row.key.info.name, std::move(value));
  }
  return description;
}

Result<PlannedAgent> read_agent(std::string_view text, std::string source) {
  const Result<Value> value = text.starts_with('{') ? parse_json(text) : parse_yaml(text);
  if (!value) return fail(Errc::invalid, fmt::format("{}:{}", source, value.error().text));
  Diagnostics diagnostics(std::move(source));
  std::optional<AgentEntry> entry = read_entry(*value, Form::supervised, diagnostics);
  if (entry && entry->count != 1)
    diagnostics.add(value->place, "this describes one agent, not several", "remove 'count'");
  if (!diagnostics.empty()) return fail(diagnostics.error());
  return std::move(entry->agent);
}

std::vector<AgentOption> agent_options() {
  const auto is_list = [](std::string_view key) {
    return key == "skills" || key == "env" || key == "secrets" || key == "token_price";
  };
  std::vector<AgentOption> options;
  for (const auto& [key, print, typed] : agent_key_table()) {
    if (typed.names.empty()) continue;
    const KeyInfo& info = key.info;
    std::string help(typed.help.empty() ? info.doc : typed.help);
    help.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(help.front())));
    const bool worth_saying = !typed.shown.empty() && info.fallback != "none" && info.fallback != "required";
    if (worth_saying) help += fmt::format(" [{}]", info.fallback);
    options.push_back({info.name, typed.names, typed.shown, is_list(info.name), std::move(help)});
  }
  return options;
}

Result<PlannedAgent> read_agent_options(const Value& typed) {
  Value value;
  for (const AgentKey& row : agent_key_table()) {
    const Value* given = typed.find(row.key.info.name);
    if (!given) continue;
    Value meant = *given;
    const bool numeric = row.key.info.type == "number" || row.key.info.type == "whole number";
    if (numeric && given->is_string()) {
      // Anything else stays text, which the row refuses. YAML, unlike JSON, accepts .5.
      if (Result<Value> number = parse_yaml(given->string()); number && number->is_number()) {
        meant = std::move(*number);
        meant.place = given->place;
      }
    } else if (given->is_bool() && row.typed.shown.empty()) {
      meant = Value(row.key.info.fallback != "true");
    }
    value.set(spelled(row.key.info.name, Form::options), std::move(meant));
  }
  Diagnostics diagnostics("");
  std::optional<AgentEntry> entry = read_entry(value, Form::options, diagnostics);
  if (!diagnostics.empty()) return fail(diagnostics.error());
  return std::move(entry->agent);
}

}  // namespace bidboard
