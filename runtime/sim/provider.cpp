#include "runtime/sim/provider.hpp"

#include <algorithm>

#include "blackboard/checks/check.hpp"
#include "blackboard/fmt.hpp"
#include "runtime/sim/faults.hpp"

namespace bidboard::sim {

bool strikes_one_agent(Outage outage) {
  return outage == Outage::crash || outage == Outage::network || outage == Outage::missing_binary ||
         outage == Outage::environment;
}

std::vector<std::string> describe(const AccountSpec& account) {
  std::vector<std::string> lines;
  if (account.calls_max > 0)
    lines.push_back(fmt::format("account {}: {} in {}", account.name, counted(account.calls_max, "call"),
                                account.window));
  for (const OutageSpec& outage : account.outages)
    lines.push_back(fmt::format("account {}: {} every {}, for {}, of which {} % is stated", account.name,
                                outage.outage, outage.every, outage.lasts,
                                format_micros(outage.stated * 100)));
  return lines;
}

Provider::Provider(std::vector<AccountSpec> accounts, std::uint64_t seed) {
  Random random(seed);
  for (AccountSpec& spec : accounts) {
    Account account;
    for (const OutageSpec& outage : spec.outages) account.weather.push_back({outage, random.split()});
    const std::string name = spec.name;
    account.spec = std::move(spec);
    accounts_.emplace(name, std::move(account));
  }
}

const AccountSpec* Provider::account(const std::string& name) const {
  const auto found = accounts_.find(name);
  return found == accounts_.end() ? nullptr : &found->second.spec;
}

void Provider::join(const std::string& account, std::uint32_t agent) {
  accounts_.at(account).agents.push_back(agent);
}

/// To the outage that is under way at that time, or else the next one.
void Provider::advance(Weather& weather, const std::vector<std::uint32_t>& agents, Instant at) {
  while (weather.end <= at) {
    weather.begin = weather.end + next_gap(weather.spec.every, weather.random);
    weather.end = weather.begin + next_gap(weather.spec.lasts, weather.random);
    if (!agents.empty()) weather.victim = agents[weather.random.below(agents.size())];
  }
}

std::optional<CallRefused> Provider::judge(Account& account, std::uint32_t agent, Instant at) const {
  if (healed_) return {};
  std::optional<CallRefused> refused;
  for (Weather& weather : account.weather) {
    advance(weather, account.agents, at);
    const bool strikes =
        weather.begin <= at && (!strikes_one_agent(weather.spec.outage) || weather.victim == agent);
    if (strikes && !refused)
      refused =
          CallRefused{weather.spec.outage, Duration{mul_micros((weather.end - at).us, weather.spec.stated)}};
  }
  if (refused || account.spec.calls_max == 0) return refused;
  const std::int64_t length = account.spec.window.us;
  const std::int64_t window = (at - Instant{}).us / length;
  if (window != account.window) account.window = window, account.calls = 0;
  if (account.calls >= account.spec.calls_max)
    return CallRefused{Outage::rate_limit, Instant{(window + 1) * length} - at};
  account.calls += 1;
  return {};
}

std::optional<CallRefused> Provider::call(const std::string& account, std::uint32_t agent, TaskId task,
                                          Epoch epoch, Instant at) {
  const std::optional<CallRefused> refused = judge(accounts_.at(account), agent, at);
  calls_ += 1;
  if (!refused) return {};
  calls_refused_ += 1;
  refused_.insert({task, epoch});
  return refused;
}

void Provider::open(const std::string& account, TaskId task, Epoch epoch, Instant at) {
  const bool first = bills_.emplace(std::pair{task, epoch}, Bill{account, task, epoch, {}}).second;
  BB_CHECK(first, "an attempt is let in once");
  opened_[{task, epoch}] = at;
}

Amount Provider::close(TaskId task, Epoch epoch, Instant at, Bill::End end) {
  const auto opened = opened_.find({task, epoch});
  BB_CHECK(opened != opened_.end(), "only an attempt that was let in is billed, and once");
  Bill& bill = bills_.at({task, epoch});
  const AccountSpec& spec = accounts_.at(bill.account).spec;
  const Micros seconds = (at - opened->second).us;
  bill.amount.money = spec.price + mul_micros(seconds, spec.price_per_second);
  bill.amount.tokens = mul_micros(seconds, spec.tokens_per_second);
  bill.end = end;
  opened_.erase(opened);
  return bill.amount;
}

}  // namespace bidboard::sim
