#include "runtime/jobs/settings.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "blackboard/fmt.hpp"
#include "blackboard/spending.hpp"
#include "blackboard/text/endpoint.hpp"
#include "runtime/jobs/agent_entry.hpp"
#include "runtime/jobs/key_table.hpp"
#include "runtime/jobs/prices.hpp"

namespace bidboard {
namespace {

constexpr NumberRange weight{0, 1'000'000};

template <class T>
void read_group(KeyReader& reader, std::string_view name, const Value& value, std::span<const Key<T>> table,
                T& out) {
  KeyReader inner(reader.diagnostics(), std::string(name));
  if (require_map(inner, value, fmt::format("{{{}: {}}}", table[0].info.name, table[0].info.fallback)))
    read_keys(inner, value, table, out);
}

constexpr std::array<Key<Config>, 2> weight_table{{
    {{"seconds", "number", "1", "what a second counts in the score of a bid"},
     [](KeyReader& r, const Value& v, Config& c) { c.seconds_weight = r.number(v, weight).value_or(one); }},
    {{"price", "number", "1", "what a unit of price counts in the score of a bid"},
     [](KeyReader& r, const Value& v, Config& c) { c.price_weight = r.number(v, weight).value_or(one); }},
}};

constexpr std::array<Key<RestartLimit>, 2> restart_table{{
    {{"intensity", "whole number", "5", "restarts within the period; one more and `up` gives up"},
     [](KeyReader& r, const Value& v, RestartLimit& l) {
       l.intensity = static_cast<std::uint32_t>(r.whole(v, 0, 1'000).value_or(l.intensity));
     }},
    {{"period", "duration", "30s", "the period that is looked at"},
     [](KeyReader& r, const Value& v, RestartLimit& l) {
       l.period = r.duration(v, seconds(1)).value_or(l.period);
     }},
}};

constexpr std::array<Key<AccountLimits>, 3> account_table{{
    {{"max_running", "whole number", "0", "tasks that its agents do at once; 0: no limit"},
     [](KeyReader& r, const Value& v, AccountLimits& a) {
       a.running_max = static_cast<std::uint32_t>(r.whole(v, 0, 10'000).value_or(0));
     }},
    {{"stagger", "duration", "0s", "the least time between the starts of two tasks"},
     [](KeyReader& r, const Value& v, AccountLimits& a) {
       a.stagger = r.duration(v, Duration{}).value_or(Duration{});
     }},
    {{"after", "duration", "0s", "its agents take only what has waited for so long, left to others first"},
     [](KeyReader& r, const Value& v, AccountLimits& a) {
       a.after = r.duration(v, Duration{}).value_or(Duration{});
     }},
}};

constexpr std::array<Key<Amount>, 2> budget_table{{
    {{"money", "number", "0", "in the currency of the agents' prices; 0: no bound"},
     [](KeyReader& r, const Value& v, Amount& a) { a.money = r.number(v, ranges::price).value_or(0); }},
    {{"tokens", "whole number", "0", "as clients count them; 0: no bound"},
     [](KeyReader& r, const Value& v, Amount& a) {
       a.tokens = r.whole(v, 0, std::int64_t{1'000'000'000'000'000}).value_or(0);
     }},
}};

constexpr std::array<Key<MergeSettings>, 5> merge_table{{
    {{"into", "text", "the branch that is checked out", "the branch that gets the work"},
     [](KeyReader& r, const Value& v, MergeSettings& m) { m.into = r.text(v).value_or(""); }},
    {{"check", "text", "none", "command that must succeed on the merged files, before the branch moves"},
     [](KeyReader& r, const Value& v, MergeSettings& m) { m.check = r.text(v).value_or(""); }},
    {{"batch", "whole number", "1", "this many are checked together; if the check fails, their halves"},
     [](KeyReader& r, const Value& v, MergeSettings& m) { m.batch = r.whole(v, 1, 1'000).value_or(1); }},
    {{"push", "text", "none",
      "a remote that gets each task's branch, for a pull request; nothing is merged here"},
     [](KeyReader& r, const Value& v, MergeSettings& m) {
       m.push = r.text(v).value_or("");
       if (m.push.empty())
         r.refuse(v.place, "is empty, which would merge", "name a remote, or leave push out");
     }},
    {{"auto", "true or false", "false", "`up` merges, or pushes, the work of each task when it is done"},
     [](KeyReader& r, const Value& v, MergeSettings& m) { m.automatic = r.flag(v).value_or(false); }},
}};

struct Target {
  const KnownNames& known;
  Settings settings;
  const Value* agents = nullptr;
};

void read_seed(KeyReader& reader, const Value& value, Target& target) {
  if (const auto seed = reader.whole(value, 0, INT64_MAX))
    target.settings.config.seed = static_cast<std::uint64_t>(*seed);
}

void read_invite(KeyReader& reader, const Value& value, Target& target) {
  if (const auto most = reader.whole(value, 0, 10'000))
    target.settings.config.invite_max = static_cast<std::uint32_t>(*most);
}

void read_accounts(KeyReader& reader, const Value& value, Target& target) {
  KeyReader outer(reader.diagnostics(), "accounts");
  if (!require_map(outer, value, "{team: {max_running: 3}}")) return;
  for (const Value::Member& member : value.object()) {
    AccountLimits limits;
    limits.name = member.key;
    read_group<AccountLimits>(reader, fmt::format("account '{}'", member.key), member.value, account_table,
                              limits);
    target.settings.config.accounts.push_back(std::move(limits));
  }
  std::ranges::sort(target.settings.config.accounts, {}, &AccountLimits::name);
}

/// An amount of money, or a map.
Amount read_amount(KeyReader& reader, std::string subject, const Value& value) {
  Amount amount;
  if (value.is_object())
    read_group<Amount>(reader, std::move(subject), value, budget_table, amount);
  else
    amount.money = reader.number(value, ranges::price).value_or(0);
  return amount;
}

void read_budgets(KeyReader& reader, const Value& value, Target& target) {
  KeyReader outer(reader.diagnostics(), "budgets");
  if (!require_map(outer, value, "{day: 20, \"account:team\": {money: 5, tokens: 1000000}}")) return;
  for (const Value::Member& member : value.object()) {
    if (const std::string flaw = flaw_of_scope(member.key); !flaw.empty())
      reader.diagnostics().add(member.value.place, "'budgets': " + flaw);
    else
      target.settings.config.budgets.push_back(
          {member.key, read_amount(reader, fmt::format("budget '{}'", member.key), member.value)});
  }
  std::ranges::sort(target.settings.config.budgets, {}, &Budget::scope);
}

void read_durability(KeyReader& reader, const Value& value, Target& target) {
  if (const auto word = reader.choice(value, {"commit", "none"})) target.settings.durable = *word == "commit";
}

void read_listen(KeyReader& reader, const Value& value, Target& target) {
  const auto text = reader.text(value);
  if (!text || *text == "none") return;
  if (const auto endpoints = tcp_endpoints(*text); !endpoints)
    reader.diagnostics().add(value.place, "'listen': " + endpoints.error().text);
  else
    target.settings.listen = *text;
}

template <Duration Config::*member>
void read_duration(KeyReader& reader, const Value& value, Target& target) {
  const Duration least = member == &Config::backoff ? Duration{} : milliseconds(1);
  if (const auto duration = reader.duration(value, least)) target.settings.config.*member = *duration;
}

constexpr std::array<Key<Target>, 20> table{{
    {{"project", "text", "the directory's name", "the project of tasks that name none"},
     [](KeyReader& r, const Value& v, Target& t) { t.settings.config.project = r.name(v).value_or(""); }},
    {{"strategy", "text", "auction", "who decides which agent gets a ready task"},
     [](KeyReader& r, const Value& v, Target& t) {
       if (auto word = r.choice(v, t.known.strategies)) t.settings.config.strategy = *word;
     }},
    {{"mechanism", "text", "sequential", "how an auction is cleared"},
     [](KeyReader& r, const Value& v, Target& t) {
       if (auto word = r.choice(v, t.known.mechanisms)) t.settings.config.mechanism = *word;
     }},
    {{"calibrate", "true or false", "true", "correct what an agent promises by what it delivered before"},
     [](KeyReader& r, const Value& v, Target& t) { t.settings.config.calibrate = r.flag(v).value_or(true); }},
    {{"weights", "map", "{seconds: 1, price: 1}", "how a bid becomes one score"},
     [](KeyReader& r, const Value& v, Target& t) {
       read_group<Config>(r, "weights", v, weight_table, t.settings.config);
     }},
    {{"bid_timeout", "duration", "2s",
      "how long an auction waits for bids, and a hierarchy for a manager's choices"},
     read_duration<&Config::bid_timeout>},
    {{"heartbeat", "duration", "10s", "how often an agent gives a sign of life"},
     read_duration<&Config::heartbeat>},
    {{"lease", "duration", "30s",
      "silence after which an agent's tasks are offered again; at least two heartbeats"},
     read_duration<&Config::lease>},
    {{"backoff", "duration", "1s", "wait before the second attempt of a task; doubles with each further one"},
     read_duration<&Config::backoff>},
    {{"seed", "whole number", "1", "of the strategy `random` and of who is invited"}, read_seed},
    {{"invite", "whole number", "0", "auctions: so many of those who may take a task are asked; 0: all"},
     read_invite},
    {{"durability", "commit or none", "commit",
      "commit: what was answered survives a power cut; none: faster, the last seconds may be lost"},
     read_durability},
    {{"listen", "address or none", "none",
      "where agents of other machines connect, tcp://ADDRESS:PORT and the port above; wants `bidboard keys`"},
     read_listen},
    {{"accounts", "map", "{}", "limits of what the agents of one `account:` do together"}, read_accounts},
    {{"budgets", "map", "{}",
      "what may be spent: of board, day, project:NAME, account:NAME, agent:NAME or workflow:ID, as {day: "
      "20}"},
     read_budgets},
    {{"estimate", "number or map", "0",
      "what an attempt is expected to cost while none of its kind is known"},
     [](KeyReader& r, const Value& v, Target& t) {
       t.settings.config.estimate = read_amount(r, "estimate", v);
     }},
    {{"prices", "map", "{}",
      "what a million tokens of a model cost, for clients that tell no price, as {MODEL: {input: 1, output: "
      "8}}"},
     [](KeyReader& r, const Value& v, Target& t) { t.settings.prices = read_prices(r, v); }},
    {{"restart", "map", "{intensity: 5, period: 30s}", "how often `up` starts agents again"},
     [](KeyReader& r, const Value& v, Target& t) {
       read_group<RestartLimit>(r, "restart", v, restart_table, t.settings.restart);
     }},
    {{"merge", "map", "{}", "how `bidboard merge` brings the work of worktrees into a branch"},
     [](KeyReader& r, const Value& v, Target& t) {
       read_group<MergeSettings>(r, "merge", v, merge_table, t.settings.merge);
       const MergeSettings& merge = t.settings.merge;
       if (!merge.push.empty() && (!merge.into.empty() || !merge.check.empty() || merge.batch > 1))
         r.refuse(v.place, "has push, which merges nothing, beside into, check or batch",
                  "leave out those, or leave out push");
       if (merge.automatic && merge.into.empty() && merge.push.empty())
         r.refuse(v.place, "is automatic into whatever branch is checked out just then",
                  "add into: BRANCH, or push: REMOTE");
     }},
    {{"agents", "list of agents", "none", "agents that `up` starts"},
     [](KeyReader&, const Value& v, Target& t) { t.agents = &v; }},
}};

/// Rules about combinations of keys.
void check_settings(const Value& document, const Config& config, Diagnostics& diagnostics) {
  const auto place_of = [&](std::string_view key, std::string_view or_else) {
    const Value* value = document.find(key);
    return value ? value->place : document.find(or_else)->place;
  };
  if (config.lease < config.heartbeat * 2)
    diagnostics.add(
        place_of("lease", "heartbeat"),
        fmt::format("'lease' is {}, less than two heartbeats of {}", config.lease, config.heartbeat),
        fmt::format("set lease: {}s or a shorter heartbeat", format_micros((config.heartbeat * 3).us)));
  if (config.seconds_weight == 0 && config.price_weight == 0)
    diagnostics.add(place_of("weights", "weights"), "'weights' are both 0", "set one of them above 0");
}

constexpr std::string_view agent_example =
    "#agents:\n"
    "#- {name: coder, count: 2, skills: {cpp: 0.9}, exec: \"claude -p\"}\n"
    "#- {name: runner, allow_run: true}\n";

}  // namespace

Result<Settings> read_settings(std::string_view text, std::string file, const KnownNames& known) {
  const auto document = parse_yaml(text);
  if (!document) return fail(document.error().code, fmt::format("{}:{}", file, document.error().text));
  Target target{known, {}, nullptr};
  if (document->is_null()) return std::move(target.settings);
  Diagnostics diagnostics(std::move(file));
  KeyReader reader(diagnostics, "");
  if (require_map(reader, *document, "project: NAME")) {
    read_keys<Target>(reader, *document, table, target);
    check_settings(*document, target.settings.config, diagnostics);
    if (target.agents) target.settings.agents = read_agents(*target.agents, true, diagnostics);
    apply_prices(target.settings.agents, target.settings.prices);
  }
  if (!diagnostics.empty()) return fail(diagnostics.error());
  return std::move(target.settings);
}

std::vector<std::string> doubts(const Settings& settings) {
  std::vector<std::string> found;
  const std::vector<PlannedAgent>& agents = settings.agents;
  const bool some_in_worktrees = std::ranges::any_of(
      agents, [](const PlannedAgent& agent) { return agent.worktree != WorktreeMode::none; });
  const MergeSettings& merge = settings.merge;
  if ((merge.automatic || !merge.push.empty()) && !agents.empty() && !some_in_worktrees)
    found.push_back(
        fmt::format("`merge:` {} what is done in worktrees, and no agent here has one: add `worktree: task`",
                    merge.push.empty() ? "merges" : "pushes"));
  constexpr std::string_view of_account = "account:";
  std::set<std::string> unused;
  for (const AccountLimits& limits : settings.config.accounts) unused.insert(limits.name);
  for (const Budget& budget : settings.config.budgets)
    if (budget.scope.starts_with(of_account)) unused.insert(budget.scope.substr(of_account.size()));
  std::set<std::string> unknown;
  for (const PlannedAgent& agent : agents)
    if (!agent.profile.account.empty() && !unused.contains(agent.profile.account))
      unknown.insert(agent.profile.account);
  for (const PlannedAgent& agent : agents) unused.erase(agent.profile.account);
  for (const std::string& account : unknown)
    if (const std::string near = nearest(account, {unused.begin(), unused.end()}); !near.empty())
      found.push_back(fmt::format(
          "agents have the account {}, for which there are no limits or budgets; no agent has {}, for which "
          "there are: is that the one?",
          quoted(account), quoted(near)));
  return found;
}

std::string default_settings_file(const Config& config) {
  const Config defaults;
  std::string out =
      "# How this board is run, and the agents that `bidboard up` starts. Every key may be left out;\n"
      "# the commented lines show the defaults.\n";
  for (const Key<Target>& row : table) {
    const KeyInfo& info = row.info;
    out += fmt::format("\n# {}.\n", info.doc);
    if (info.name == "project")
      out += fmt::format("project: {}\n", to_json(Value(config.project)));
    else if (info.name == "strategy" && config.strategy != defaults.strategy)
      out += fmt::format("strategy: {}\n", config.strategy);
    else if (info.name == "mechanism" && config.mechanism != defaults.mechanism)
      out += fmt::format("mechanism: {}\n", config.mechanism);
    else if (info.name != "agents")
      out += fmt::format("#{}: {}\n", info.name, info.fallback);
  }
  for (const KeyInfo& info : agent_keys(true))
    out += fmt::format("#   {}: {} ({})\n", info.name, info.doc, info.fallback);
  return out + std::string(agent_example);
}

std::string settings_reference() {
  return fmt::format(
      "{}\n### weights\n\n{}\n### restart\n\n{}\n### accounts\n\n{}\n### budgets\n\n{}\n### prices: a "
      "model\n\n{}\n### merge\n\n{}\n"
      "### agents\n\n{}",
      markdown_table(infos<Target>(table)), markdown_table(infos<Config>(weight_table)),
      markdown_table(infos<RestartLimit>(restart_table)), markdown_table(infos<AccountLimits>(account_table)),
      markdown_table(infos<Amount>(budget_table)), markdown_table(token_price_keys()),
      markdown_table(infos<MergeSettings>(merge_table)), markdown_table(agent_keys(true)));
}

}  // namespace bidboard
