#include "runtime/sim/bills.hpp"

#include <algorithm>

#include "blackboard/board/board.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/spending.hpp"

namespace bidboard::sim {
namespace {

constexpr std::size_t violations_max = 20;

}  // namespace

void BillChecker::must(bool holds, const std::string& what) {
  if (!holds && violations_.size() < violations_max)
    violations_.push_back(fmt::format("{}: {}", at_ - Instant{}, what));
}

Amount BillChecker::charged() const {
  Amount sum;
  for (const auto& [attempt, amount] : charged_) sum = sum + amount;
  return sum;
}

void BillChecker::on_saved(const Saved& saved, const Store&, Instant at) {
  at_ = at;
  for (const Event& event : saved.events) std::visit([&](const auto& body) { follow(body); }, event.body);
}

void BillChecker::follow(const AgentRegistered& event) { agents_[event.agent.id] = event.agent.profile; }

void BillChecker::follow(const BreakerMoved& event) {
  if (event.breaker.state == BreakerState::open)
    open_.insert(event.breaker.name);
  else
    open_.erase(event.breaker.name);
}

void BillChecker::follow(const TaskAwarded& event) {
  const auto agent = agents_.find(event.agent);
  if (event.shell_claim || agent == agents_.end()) return;
  const AgentProfile& profile = agent->second;
  must(!open_.contains("agent/" + profile.name) && !open_.contains(profile.account),
       fmt::format("{} was awarded {}, although it or its account rests", profile.name, event.task));
}

void BillChecker::charge(const Key& attempt, AgentId agent, const Amount& amount) {
  Amount& charged = charged_[attempt];
  charged = charged + amount;
  Amount& account = by_account_[agents_[agent].account];
  account = account + amount;
}

void BillChecker::follow(const AttemptEnded& event) {
  charge({event.task, event.epoch}, event.agent, {event.price, event.tokens});
  const std::string what = fmt::format("{} epoch {}", event.task, event.epoch.value);
  if (event.outage != Outage::none) told_.insert({event.task, event.epoch});
  must(event.outage == Outage::none || !event.counts,
       fmt::format("{} ended by an outage, {}, but counts", what, event.outage));
  if (!world_.provider().was_refused(event.task, event.epoch) || !event.counts) return;
  used_up_ += 1;
  must(!outages_told_ || !all_told_, fmt::format("{} was ended by the provider, but counts", what));
}

void BillChecker::follow(const TaskFinished& event) {
  const bool by_person = event.result != result_of(event.task, event.epoch);
  if (!by_person) told_.insert({event.task, event.epoch});
  charge({event.task, event.epoch}, event.agent, {event.price, event.tokens});
}

/// Tells the whole price, of which a part may have been told with the result.
void BillChecker::follow(const AttemptSettled& event) {
  const Amount& told = charged_[{event.task, event.epoch}];
  charge(
      {event.task, event.epoch}, event.agent,
      {std::max<Micros>(event.price - told.money, 0), std::max<std::int64_t>(event.tokens - told.tokens, 0)});
}

void BillChecker::check_at_end(Instant at) {
  at_ = at;
  check_attempts();
  check_sums();
}

/// What an attempt of an account's agent is said to have cost is its bill. If its agent could not tell it, it
/// is nothing, or with budgets what was expected.
void BillChecker::check_attempts() {
  const bool may_be_expected = !world_.options().config.budgets.empty();
  for (const auto& [attempt, bill] : world_.provider().bills()) {
    const auto charged = charged_.find(attempt);
    const bool is_over = charged != charged_.end();
    const std::string what = fmt::format("{} epoch {}", attempt.first, attempt.second.value);
    must(is_over || !all_told_ || !world_.done(),
         fmt::format("{} was billed {}, but the board does not know its end", what, in_words(bill.amount)));
    if (!is_over || charged->second == bill.amount) continue;
    const bool was_told = all_told_ || told_.contains(attempt);
    must(!was_told && (may_be_expected || charged->second == Amount{}),
         fmt::format("{} was billed {}, but the board says {}", what, in_words(bill.amount),
                     in_words(charged->second)));
  }
}

/// The records of what was spent are the sums of what attempts were said to cost.
void BillChecker::check_sums() {
  const Board board(world_.store());
  const auto check = [&](const std::string& scope, const Amount& sum) {
    const Amount recorded = board.spending(scope).spent;
    must(recorded == sum, fmt::format("{} is said to have spent {}, but its attempts cost {}", scope,
                                      in_words(recorded), in_words(sum)));
  };
  check("board", charged());
  for (const auto& [account, sum] : by_account_)
    if (!account.empty()) check(account_scope(account), sum);
}

}  // namespace bidboard::sim
