#include "experiments/faults.hpp"

#include <array>

#include "blackboard/fmt.hpp"
#include "runtime/jobs/key_table.hpp"

namespace bidboard {
namespace {

constexpr std::int64_t most_agents = 100'000;
constexpr std::int64_t most_calls = 1'000'000;
constexpr double most_money = 1e6;

constexpr std::array<Key<sim::OutageSpec>, 4> outage_table{{
    {{"class", "word", "required",
      "rate_limit, quota, overload, authentication or credit: all agents of the account are refused; network "
      "or "
      "crash: one of them, drawn each time"},
     [](KeyReader& r, const Value& v, sim::OutageSpec& e) {
       const std::vector<std::string> known{"rate_limit", "quota",   "overload", "authentication",
                                            "credit",     "network", "crash"};
       e.outage = outage_named(r.choice(v, known).value_or("")).value_or(Outage::none);
     }},
    {{"every", "duration", "10m",
      "mean time from the end of one outage to the next, uniform from 0 to twice this"},
     [](KeyReader& r, const Value& v, sim::OutageSpec& e) {
       e.every = r.duration(v, seconds(1)).value_or(minutes(10));
     }},
    {{"lasts", "duration", "1m", "mean length of an outage, uniform from 0 to twice this"},
     [](KeyReader& r, const Value& v, sim::OutageSpec& e) {
       e.lasts = r.duration(v, seconds(1)).value_or(minutes(1));
     }},
    {{"stated", "number", "1",
      "share of the rest of the outage that the provider states when it refuses; 0: it states no time"},
     [](KeyReader& r, const Value& v, sim::OutageSpec& e) { e.stated = r.number(v, 0, 10).value_or(one); }},
}};

void read_outages(KeyReader& reader, const Value& list, AccountsSpec& out) {
  if (!list.is_array())
    return reader.refuse(list.place, "must be a list", "write [{class: overload, every: 10m, lasts: 1m}]");
  for (const Value& value : list.array()) {
    KeyReader inner(reader.diagnostics(), "outage");
    if (!require_map(inner, value, "{class: overload, every: 10m, lasts: 1m}")) continue;
    sim::OutageSpec outage;
    outage.outage = Outage::none;
    read_keys(inner, value, outage_table, outage);
    if (!value.find("class"))
      reader.diagnostics().add(value.place, "an outage needs a class", "add class: overload");
    out.terms.outages.push_back(outage);
  }
}

constexpr std::array<Key<AccountsSpec>, 9> accounts_table{{
    {{"count", "whole number", "1", "number of accounts; the agents use them in turn"},
     [](KeyReader& r, const Value& v, AccountsSpec& e) {
       e.count = static_cast<std::uint32_t>(r.whole(v, 1, most_agents).value_or(1));
     }},
    {{"outages", "list of maps", "none", "outages that come and go at random, of each account by itself"},
     read_outages},
    {{"calls", "whole number", "no limit",
      "calls that an account allows in each window; further ones meet a rate limit that states its end"},
     [](KeyReader& r, const Value& v, AccountsSpec& e) {
       e.terms.calls_max = static_cast<std::uint32_t>(r.whole(v, 1, most_calls).value_or(1));
     }},
    {{"window", "duration", "1m", "length of such a window"},
     [](KeyReader& r, const Value& v, AccountsSpec& e) {
       e.terms.window = r.duration(v, seconds(1)).value_or(minutes(1));
     }},
    {{"call_every", "duration", "10s",
      "an attempt makes a call when it begins and then once in this time; one that is refused ends it"},
     [](KeyReader& r, const Value& v, AccountsSpec& e) {
       e.terms.call_every = r.duration(v, milliseconds(100)).value_or(seconds(10));
     }},
    {{"price", "number", "0", "price of each attempt whose first call is not refused"},
     [](KeyReader& r, const Value& v, AccountsSpec& e) {
       e.terms.price = r.number(v, 0, most_money).value_or(0);
     }},
    {{"price_per_second", "number", "1", "price of a second of work"},
     [](KeyReader& r, const Value& v, AccountsSpec& e) {
       e.terms.price_per_second = r.number(v, 0, most_money).value_or(one);
     }},
    {{"board_budget", "number", "no limit",
      "what the board may spend, as a multiple of what the work costs when every attempt succeeds at speed "
      "1"},
     [](KeyReader& r, const Value& v, AccountsSpec& e) {
       e.board_budget = r.number(v, 0, most_money, true).value_or(0);
     }},
    {{"account_budget", "number", "no limit",
      "what each account may spend, as a multiple of its equal share of the same"},
     [](KeyReader& r, const Value& v, AccountsSpec& e) {
       e.account_budget = r.number(v, 0, most_money, true).value_or(0);
     }},
}};

std::optional<AccountsSpec> read_accounts(const Value& value, Diagnostics& diagnostics) {
  KeyReader reader(diagnostics, "accounts");
  if (!require_map(reader, value, "{count: 2, calls: 30, window: 1m}")) return {};
  AccountsSpec spec;
  spec.terms.price_per_second = one;
  read_keys(reader, value, accounts_table, spec);
  return spec;
}

constexpr std::array<Key<FaultsSpec>, 8> faults_table{{
    {{"kill_agents", "whole number", "0",
      "number of agents that are killed, one after the other, and not restarted"},
     [](KeyReader& r, const Value& v, FaultsSpec& e) {
       e.kill_agents = static_cast<std::uint32_t>(r.whole(v, 0, most_agents).value_or(0));
     }},
    {{"kill_controller", "true or false", "false", "the controller is killed and restarted"},
     [](KeyReader& r, const Value& v, FaultsSpec& e) { e.kill_controller = r.flag(v).value_or(false); }},
    {{"at", "number", "0.5", "time of the fault, as a share of the lower bound of the makespan"},
     [](KeyReader& r, const Value& v, FaultsSpec& e) { e.at = r.number(v, 0, 100).value_or(one / 2); }},
    {{"down", "duration", "5s", "time until the controller is restarted"},
     [](KeyReader& r, const Value& v, FaultsSpec& e) { e.down = r.duration(v, {}).value_or(seconds(5)); }},
    {{"loss", "number", "0", "share of messages that are lost"},
     [](KeyReader& r, const Value& v, FaultsSpec& e) { e.loss = r.number(v, 0, 0.9).value_or(0); }},
    {{"partition", "duration", "0", "half of the agents are cut off from the controller for this long"},
     [](KeyReader& r, const Value& v, FaultsSpec& e) {
       e.partition = r.duration(v, {}).value_or(Duration{});
     }},
    {{"accounts", "map", "none", "accounts at providers that the agents share (mode: simulate)"},
     [](KeyReader& r, const Value& v, FaultsSpec& e) { e.accounts = read_accounts(v, r.diagnostics()); }},
    {{"name", "text", "composed from the other keys", "its name in the report"},
     [](KeyReader& r, const Value& v, FaultsSpec& e) { e.name = r.name(v).value_or(""); }},
}};

std::string name_of(const AccountsSpec& spec) {
  std::string text = counted(spec.count, "account");
  if (spec.terms.calls_max > 0)
    text += fmt::format(", {} in {}", counted(spec.terms.calls_max, "call"), spec.terms.window);
  for (const sim::OutageSpec& outage : spec.terms.outages) text += fmt::format(", {}", outage.outage);
  if (spec.board_budget > 0) text += fmt::format(", budget × {}", format_micros(spec.board_budget));
  if (spec.account_budget > 0)
    text += fmt::format(", budgets of accounts × {}", format_micros(spec.account_budget));
  return text;
}

std::string name_of(const FaultsSpec& spec) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (spec.kill_agents > 0) add(fmt::format("{} killed", spec.kill_agents));
  if (spec.kill_controller) add("controller killed");
  if (spec.loss > 0) add(fmt::format("{} % of messages lost", format_micros(spec.loss * 100)));
  if (spec.partition.us > 0) add(fmt::format("partition of {}", spec.partition));
  if (spec.accounts) add(name_of(*spec.accounts));
  return text.empty() ? "none" : text;
}

}  // namespace

std::string account_name(std::uint32_t number) { return fmt::format("account{}", number + 1); }

std::optional<FaultsSpec> read_faults(const Value& value, Diagnostics& diagnostics) {
  KeyReader reader(diagnostics, "faults");
  FaultsSpec spec;
  spec.place = value.place;
  spec.name.clear();
  if (value.is_string()) {
    if (!reader.choice(value, {"none"})) return {};
  } else {
    if (!require_map(reader, value, "{kill_agents: 1}")) return {};
    read_keys(reader, value, faults_table, spec);
  }
  if (spec.name.empty()) spec.name = name_of(spec);
  return spec;
}

std::string faults_reference() {
  return fmt::format("{}\n### Accounts of a fault\n\n{}\n### An outage of accounts\n\n{}",
                     markdown_table(infos<FaultsSpec>(faults_table)),
                     markdown_table(infos<AccountsSpec>(accounts_table)),
                     markdown_table(infos<sim::OutageSpec>(outage_table)));
}

}  // namespace bidboard
