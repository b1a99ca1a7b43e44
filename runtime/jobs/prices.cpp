#include "runtime/jobs/prices.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "agents/clients/client.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/spending.hpp"

namespace bidboard {
namespace {

struct PriceEntry {
  std::optional<Micros> input;
  std::optional<Micros> cached;
  std::optional<Micros> output;
};

constexpr std::array<Key<PriceEntry>, 3> price_table{{
    {{"input", "number", "required", "of a million tokens that are read"},
     [](KeyReader& r, const Value& v, PriceEntry& e) { e.input = r.number(v, ranges::price); }},
    {{"cached", "number", "that of input", "of a million tokens that are read from the provider's cache"},
     [](KeyReader& r, const Value& v, PriceEntry& e) { e.cached = r.number(v, ranges::price); }},
    {{"output", "number", "required",
      "of a million tokens that are written, those of its reasoning among them"},
     [](KeyReader& r, const Value& v, PriceEntry& e) { e.output = r.number(v, ranges::price); }},
}};

std::optional<TokenPrice> read_price(Diagnostics& diagnostics, std::string subject, const Value& value) {
  KeyReader reader(diagnostics, std::move(subject));
  if (!require_map(reader, value, "{input: 1.25, cached: 0.125, output: 10}")) return {};
  PriceEntry entry;
  read_keys(reader, value, std::span<const Key<PriceEntry>>(price_table), entry);
  for (const std::string_view key : {"input", "output"})
    if (const Value* given = value.find(key); !given || given->is_null())
      reader.refuse(value.place, fmt::format("has no {}", key),
                    fmt::format("add {}: what a million such tokens cost", key));
  if (!entry.input || !entry.output) return {};
  return TokenPrice{*entry.input, entry.cached.value_or(*entry.input), *entry.output};
}

/// The map that a list of "input=1.25" stands for.
Value as_map(KeyReader& reader, const Value& value) {
  Value map{Value::Object{}};
  map.place = value.place;
  for (const auto& [word, place] : reader.words(value)) {
    const std::size_t equals = word.find('=');
    const std::string kind = word.substr(0, equals);
    // What is no number stays text, which the table refuses. YAML, unlike JSON, accepts .5.
    Value number(equals == word.npos ? std::string() : word.substr(equals + 1));
    if (const auto parsed = parse_yaml(number.string()); parsed && parsed->is_number()) number = *parsed;
    number.place = place;
    if (map.find(kind))
      reader.refuse(place, fmt::format("names {} twice", quoted(kind)), "leave one out");
    else
      map.object().push_back({kind, std::move(number), place});
  }
  return map;
}

/// Whether attempts of the agent can be charged to the budget.
bool bounds(const std::string& scope, const AgentProfile& agent) {
  if (scope.starts_with("project:")) return agent.project.empty() || scope == "project:" + agent.project;
  if (scope.starts_with("workflow:"))
    return !agent.workflow || scope == fmt::format("workflow:{}", agent.workflow);
  if (!scope.starts_with("agent:") && !scope.starts_with("account:")) return true;
  return std::ranges::count(scopes_of(agent), scope) > 0;
}

std::string budgets_of(const AgentProfile& agent, const Config& config, bool tasks_have_budgets) {
  std::vector<std::string> names;
  for (const Budget& budget : config.budgets)
    if (budget.bound.money > 0 && bounds(budget.scope, agent)) names.push_back(budget.scope);
  if (tasks_have_budgets) names.emplace_back("tasks (`budget:`)");
  return names.empty() ? std::string() : list_in_words(names);
}

/// What the agent's attempts tell, and what to type; empty: they tell a price, or nothing of costs is
/// expected of them.
std::string flaw_of(const PlannedAgent& agent, const std::string& budgets) {
  if (agent.token_price || agent.executor != ExecutorKind::command || !agent.price_field.empty()) return {};
  const CodingClient* client = find_coding_client(agent.preset);
  const TellsOfCosts tells = client                       ? client->tells
                             : agent.tokens_field.empty() ? TellsOfCosts::price
                                                          : TellsOfCosts::tokens;
  if (tells == TellsOfCosts::price) return {};
  const std::string_view name = client ? client->name : "its command";
  if (tells == TellsOfCosts::nothing)
    return fmt::format(
        "{} tells neither price nor tokens, so its tasks cost nothing in the budget of {}; bound them with "
        "`timeout:` and `max_running:`",
        name, budgets);
  const std::string price = "{input: PRICE, output: PRICE}";
  const std::string add = agent.model.empty()
                              ? fmt::format("`token_price: {}` to the agent", price)
                              : fmt::format("`prices: {{{}: {}}}` to bidboard.yaml", agent.model, price);
  return fmt::format(
      "{} tells tokens and no price, so its tasks cost nothing in the budget of {}; add {}, in money for a "
      "million tokens",
      name, budgets, add);
}

}  // namespace

std::vector<ModelPrice> read_prices(KeyReader& reader, const Value& value) {
  std::vector<ModelPrice> prices;
  KeyReader outer(reader.diagnostics(), "prices");
  if (!require_map(outer, value, "{gpt-5-codex: {input: 1.25, cached: 0.125, output: 10}}")) return prices;
  for (const Value::Member& member : value.object())
    if (const auto price =
            read_price(reader.diagnostics(), fmt::format("price of '{}'", member.key), member.value))
      prices.push_back({member.key, *price});
  return prices;
}

std::optional<TokenPrice> read_token_price(KeyReader& reader, const Value& value) {
  const std::string subject = fmt::format("{}: '{}'", reader.subject(), reader.key());
  if (value.is_string() || value.is_array())
    return read_price(reader.diagnostics(), subject, as_map(reader, value));
  return read_price(reader.diagnostics(), subject, value);
}

Value to_value(const TokenPrice& price) {
  Value map;
  map.set("input", Value(from_micros(price.input)));
  map.set("cached", Value(from_micros(price.cached)));
  map.set("output", Value(from_micros(price.output)));
  return map;
}

std::vector<KeyInfo> token_price_keys() { return infos(std::span<const Key<PriceEntry>>(price_table)); }

void apply_prices(std::vector<PlannedAgent>& agents, const std::vector<ModelPrice>& prices) {
  for (PlannedAgent& agent : agents) {
    if (agent.token_price || agent.model.empty()) continue;
    const auto found = std::ranges::find(prices, agent.model, &ModelPrice::model);
    if (found != prices.end()) agent.token_price = found->price;
  }
}

std::vector<std::string> unpriced(const std::vector<PlannedAgent>& agents, const Config& config,
                                  bool tasks_have_budgets) {
  std::vector<std::pair<std::string, std::vector<std::string>>> found;  // what to say, of whom
  for (const PlannedAgent& agent : agents) {
    const std::string budgets = budgets_of(agent.profile, config, tasks_have_budgets);
    const std::string flaw = budgets.empty() ? std::string() : flaw_of(agent, budgets);
    if (flaw.empty()) continue;
    auto same = std::ranges::find(found, flaw, [](const auto& entry) { return entry.first; });
    if (same == found.end()) same = found.insert(found.end(), {flaw, {}});
    same->second.push_back(agent.profile.name);
  }
  std::vector<std::string> out;
  for (const auto& [flaw, names] : found) out.push_back(fmt::format("{}: {}", list_in_words(names), flaw));
  return out;
}

}  // namespace bidboard
