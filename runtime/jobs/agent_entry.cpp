#include "runtime/jobs/agent_entry.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "blackboard/text/expression.hpp"

namespace bidboard {
namespace {

constexpr std::int64_t max_count = 1'000;
constexpr std::int64_t max_capacity = 1'000;
constexpr double max_speed = 1'000'000;
constexpr double max_price = 1'000'000;

struct Entry {
  PlannedAgent agent;
  std::int64_t count = 1;
};

void read_role(KeyReader& reader, const Value& value, Entry& entry) {
  std::vector<std::string> names;
  for (const Role role : {Role::executive, Role::manager, Role::specialist, Role::operator_, Role::observer})
    names.emplace_back(name(role));
  if (const auto word = reader.choice(value, names)) entry.agent.profile.role = *parse_role(*word);
}

void read_executor(KeyReader& reader, const Value& value, Entry& entry) {
  const auto word = reader.choice(value, {"command", "coprocess", "simulated"});
  if (!word) return;
  for (const ExecutorKind kind : {ExecutorKind::command, ExecutorKind::coprocess, ExecutorKind::simulated})
    if (*word == name(kind)) entry.agent.executor = kind;
  entry.agent.profile.simulated = entry.agent.executor == ExecutorKind::simulated;
}

void read_cost(KeyReader& reader, const Value& value, Entry& entry) {
  const auto formula = reader.text(value);
  if (!formula) return;
  if (const auto compiled = Expression::compile(*formula); !compiled) {
    reader.refuse(value.place, "is no formula: " + compiled.error().text, "write for example size / speed");
    return;
  }
  entry.agent.profile.cost_formula = *formula;
  entry.agent.profile.bids = BidStyle::formula;
}

constexpr std::array<Key<Entry>, 22> table{{
    {{"name", "text", "required", "how people and other entries call it; unique"},
     [](KeyReader& r, const Value& v, Entry& e) { e.agent.profile.name = r.name(v).value_or(""); }},
    {{"count", "whole number", "1", "how many of its kind; above 1 they are called name1, name2, ..."},
     [](KeyReader& r, const Value& v, Entry& e) { e.count = r.whole(v, 1, max_count).value_or(1); }},
    {{"role", "executive, manager, specialist, operator or observer", "specialist",
      "a specialist takes tasks; managers and executives lead (strategy hierarchy)"},
     read_role},
    {{"parent", "text", "none", "name of the manager or executive above it"},
     [](KeyReader& r, const Value& v, Entry& e) { e.agent.profile.parent = r.name(v).value_or(""); }},
    {{"project", "text", "all", "works for this project only"},
     [](KeyReader& r, const Value& v, Entry& e) { e.agent.profile.project = r.name(v).value_or(""); }},
    {{"skills", "map of name to level, or list of names", "none",
      "what it can do; a level divides the time it takes"},
     [](KeyReader& r, const Value& v, Entry& e) { e.agent.profile.skills = r.skills(v); }},
    {{"speed", "number", "1", "work done per second"},
     [](KeyReader& r, const Value& v, Entry& e) {
       e.agent.profile.speed = r.number(v, 0, max_speed, true).value_or(one);
     }},
    {{"capacity", "whole number", "1", "tasks at once"},
     [](KeyReader& r, const Value& v, Entry& e) {
       e.agent.profile.capacity = static_cast<std::uint32_t>(r.whole(v, 1, max_capacity).value_or(1));
     }},
    {{"executor", "command, coprocess or simulated", "command",
      "one process per task, one child that speaks JSON lines, or waiting for size / speed"},
     read_executor},
    {{"exec", "text", "none", "command that does a task, or the coprocess; needless for `run` tasks"},
     [](KeyReader& r, const Value& v, Entry& e) { e.agent.exec = r.text(v).value_or(""); }},
    {{"input", "text or json", "text",
      "how the task reaches the command: title and body, or all of it as JSON"},
     [](KeyReader& r, const Value& v, Entry& e) {
       e.agent.json_input = r.choice(v, {"text", "json"}) == "json";
     }},
    {{"allow_run", "true or false", "false", "executes a task's own `run` command"},
     [](KeyReader& r, const Value& v, Entry& e) { e.agent.profile.allow_run = r.flag(v).value_or(false); }},
    {{"bid", "text", "none", "command that reads a task as JSON and answers with a bid or a refusal"},
     [](KeyReader& r, const Value& v, Entry& e) {
       e.agent.bid = r.text(v).value_or("");
       if (!e.agent.bid.empty()) e.agent.profile.bids = BidStyle::live;
     }},
    {{"cost", "formula", "size / speed / skill level",
      "expected seconds as a Lua expression over the task's fields"},
     read_cost},
    {{"live", "true or false", "false", "is asked for each of its bids; else the controller works them out"},
     [](KeyReader& r, const Value& v, Entry& e) {
       if (r.flag(v).value_or(false)) e.agent.profile.bids = BidStyle::live;
     }},
    {{"price_per_second", "number", "0", "price of a second of its work"},
     [](KeyReader& r, const Value& v, Entry& e) {
       e.agent.profile.price_per_second = r.number(v, 0, max_price).value_or(0);
     }},
    {{"set_up", "duration", "0",
      "saved on each further task of a kind that it takes in one go: it bids for several together too"},
     [](KeyReader& r, const Value& v, Entry& e) {
       if (const auto saved = r.duration(v, Duration{})) e.agent.profile.set_up = saved->us;
     }},
    {{"answers_bids", "true or false", "true",
      "a coprocess answers bid lines; false: standard bids, or `cost`"},
     [](KeyReader& r, const Value& v, Entry& e) { e.agent.answers_bids = r.flag(v).value_or(true); }},
    {{"price_field", "text", "none", "path in a JSON result to its price, as in total_cost_usd"},
     [](KeyReader& r, const Value& v, Entry& e) { e.agent.price_field = r.text(v).value_or(""); }},
    {{"tokens_field", "text", "none", "path in a JSON result to its tokens, as in usage.output_tokens"},
     [](KeyReader& r, const Value& v, Entry& e) { e.agent.tokens_field = r.text(v).value_or(""); }},
    {{"result_field", "text", "none", "path in a JSON result to what counts as the result"},
     [](KeyReader& r, const Value& v, Entry& e) { e.agent.result_field = r.text(v).value_or(""); }},
    {{"restart", "true or false", "true", "started again when it dies"},
     [](KeyReader& r, const Value& v, Entry& e) { e.agent.restart = r.flag(v).value_or(true); }},
}};

std::span<const Key<Entry>> rows(bool supervised) {
  return std::span(table).first(supervised ? table.size() : table.size() - 1);
}

/// What keys say together.
void check_entry(const Entry& entry, const Value& value, KeyReader& reader) {
  const PlannedAgent& agent = entry.agent;
  const auto given = [&](std::string_view key) {
    const Value* member = value.find(key);
    return member && !member->is_null();
  };
  const auto place_of = [&](std::string_view key) { return value.find(key)->place; };
  if (!given("name")) reader.refuse(value.place, "has no name", "add name: ...");
  if (given("bid") && given("cost"))
    reader.refuse(place_of("cost"), "has both bid and cost", "keep the command or the formula");
  if (given("live") && given("cost"))
    reader.refuse(place_of("cost"), "has both live and cost",
                  "a formula is worked out without asking: keep one");
  if (agent.executor == ExecutorKind::simulated && given("exec"))
    reader.refuse(place_of("exec"), "is simulated and executes nothing", "remove exec or the executor");
  if (agent.executor == ExecutorKind::coprocess && agent.exec.empty())
    reader.refuse(place_of("executor"), "has no command for its coprocess", "add exec: ...");
  const bool idle = agent.executor == ExecutorKind::command && agent.exec.empty() && !given("exec") &&
                    !given("executor") && !agent.profile.allow_run;
  if (idle && may(agent.profile.role, Action::take))
    reader.refuse(value.place, "has no way to do a task",
                  "add exec: ..., allow_run: true or executor: simulated");
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
      diagnostics.add(agent.place, subject + ": is above itself through its parents", "change one parent");
    else if (above == &agent && !agent.profile.parent.empty())
      diagnostics.add(agent.place, subject + ": unknown parent " + quoted(agent.profile.parent),
                      diagnostics.suggest(agent.profile.parent, names, "add an agent of that name"));
  }
}

}  // namespace

std::vector<PlannedAgent> read_agents(const Value& list, bool supervised, Diagnostics& diagnostics) {
  std::vector<PlannedAgent> agents;
  KeyReader outer(diagnostics, "");
  if (!list.is_array()) {
    outer.refuse(list.place, "'agents' must be a list, not " + std::string(list.type_name()),
                 "write - {name: ..., exec: ...} for each agent");
    return agents;
  }
  std::map<std::string, Place> places;
  for (const Value& value : list.array()) {
    const Value* given_name = value.find("name");
    const bool named = given_name && given_name->is_string();
    KeyReader reader(diagnostics, named ? "agent " + quoted(given_name->string()) : "an agent");
    if (!require_map(reader, value, "{name: ..., exec: ...}")) continue;
    Entry entry;
    entry.agent.place = value.place;
    read_keys(reader, value, rows(supervised), entry);
    check_entry(entry, value, reader);
    for (std::int64_t i = 1; i <= entry.count && !entry.agent.profile.name.empty(); ++i) {
      PlannedAgent agent = entry.agent;
      if (entry.count > 1) agent.profile.name += std::to_string(i);
      const auto [earlier, fresh] = places.emplace(agent.profile.name, value.place);
      if (fresh) {
        agents.push_back(std::move(agent));
        continue;
      }
      diagnostics.add(value.place,
                      "the agent " + quoted(agent.profile.name) + " stands twice; it is already at " +
                          std::to_string(earlier->second.line) + ":" + std::to_string(earlier->second.column),
                      "give it another name");
    }
  }
  check_parents(agents, diagnostics);
  return agents;
}

std::vector<KeyInfo> agent_keys(bool supervised) { return infos(rows(supervised)); }

}  // namespace bidboard
