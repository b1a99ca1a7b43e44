#include "blackboard/spending.hpp"

#include <algorithm>
#include <chrono>

#include "blackboard/fmt.hpp"
#include "blackboard/numbers.hpp"

namespace bidboard {
namespace {

constexpr std::string_view day_prefix = "day:";

std::chrono::sys_days day_of(WallTime at) {
  return std::chrono::floor<std::chrono::days>(
      std::chrono::sys_time<std::chrono::microseconds>(std::chrono::microseconds(at.us)));
}

/// Whether `spent + more` stays within the bound; 0: there is none.
bool stays_within(std::int64_t spent, std::int64_t more, std::int64_t bound) {
  return bound <= 0 || add_saturated(spent, std::max<std::int64_t>(more, 1)) <= bound;
}

}  // namespace

std::string day_scope(WallTime at) {
  const std::chrono::year_month_day date(day_of(at));
  return fmt::format("{}{:04}-{:02}-{:02}", day_prefix, static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

WallTime end_of_day(WallTime at) {
  const auto next =
      std::chrono::time_point_cast<std::chrono::microseconds>(day_of(at) + std::chrono::days(1));
  return WallTime{next.time_since_epoch().count()};
}

std::string account_scope(std::string_view account) { return fmt::format("account:{}", account); }
std::string agent_scope(std::string_view agent) { return fmt::format("agent:{}", agent); }
std::string task_scope(TaskId task) { return fmt::format("task:{}", task); }
std::string kind_scope(std::string_view kind) { return fmt::format("kind:{}", kind); }

std::vector<std::string> scopes_of(const TaskSpec& task, WallTime at) {
  std::vector<std::string> scopes{"board", day_scope(at)};
  if (!task.project.empty()) scopes.push_back("project:" + task.project);
  if (task.workflow) scopes.push_back(fmt::format("workflow:{}", task.workflow));
  return scopes;
}

std::vector<std::string> scopes_of(const AgentProfile& agent) {
  std::vector<std::string> scopes;
  if (!agent.name.empty()) scopes.push_back(agent_scope(agent.name));
  if (!agent.account.empty()) scopes.push_back(account_scope(agent.account));
  return scopes;
}

std::vector<std::string> charged_scopes(const TaskSpec& task, const AgentProfile& agent, WallTime at) {
  std::vector<std::string> scopes = scopes_of(task, at);
  for (std::string& scope : scopes_of(agent)) scopes.push_back(std::move(scope));
  scopes.push_back(kind_scope(task.kind));
  return scopes;
}

std::string_view budgeted_scope(std::string_view scope) {
  return scope.starts_with(day_prefix) ? day_prefix.substr(0, day_prefix.size() - 1) : scope;
}

std::string flaw_of_scope(std::string_view scope) {
  if (scope == "board" || scope == "day") return {};
  for (const std::string_view prefix : {"project:", "account:", "agent:", "workflow:"})
    if (scope.starts_with(prefix) && scope.size() > prefix.size()) return {};
  return fmt::format(
      "'{}' has no budget; write board, day, project:NAME, account:NAME, agent:NAME or workflow:ID", scope);
}

Amount bound_of(const Config& config, std::string_view scope) {
  const auto found = std::ranges::find(config.budgets, budgeted_scope(scope), &Budget::scope);
  return found == config.budgets.end() ? Amount{} : found->bound;
}

Amount limit_of(const Config& config, const Spending& spending) {
  Amount bound = bound_of(config, spending.scope);
  if (bound.money > 0) bound.money = add_saturated(bound.money, spending.raised.money);
  if (bound.tokens > 0) bound.tokens = add_saturated(bound.tokens, spending.raised.tokens);
  return bound;
}

std::string exhausted(const Config& config, const Spending& spending) {
  const Amount limit = limit_of(config, spending);
  const Amount more = mean_of(spending, config.estimate);
  if (fits(spending.spent, more, limit)) return {};
  return fmt::format("{} of the {} that {} may spend is spent, an attempt costs about {}; {}",
                     in_words(spending.spent, limit), in_words(limit), spending.scope, in_words(more, limit),
                     raise_hint(spending.scope, limit));
}

std::string raise_hint(std::string_view scope, const Amount& limit) {
  const std::string_view more = limit.tokens == 0  ? "AMOUNT"
                                : limit.money == 0 ? "--tokens N"
                                                   : "AMOUNT --tokens N";
  return fmt::format("`bidboard budget raise {} {}` allows more", budgeted_scope(scope), more);
}

Amount mean_of(const Spending& spending, const Amount& fallback) {
  if (spending.attempts == 0) return fallback;
  return {spending.spent.money / spending.attempts, spending.spent.tokens / spending.attempts};
}

std::string in_words(const Amount& amount) {
  if (amount.tokens == 0) return format_micros(amount.money);
  const std::string tokens = counted(amount.tokens, "token");
  return amount.money == 0 ? tokens : fmt::format("{} and {}", format_micros(amount.money), tokens);
}

std::string in_words(const Amount& amount, const Amount& limit) {
  return in_words(Amount{limit.money > 0 ? amount.money : 0, limit.tokens > 0 ? amount.tokens : 0});
}

bool fits(const Amount& spent, const Amount& more, const Amount& bound) {
  return stays_within(spent.money, more.money, bound.money) &&
         stays_within(spent.tokens, more.tokens, bound.tokens);
}

Amount operator+(const Amount& a, const Amount& b) {
  return {add_saturated(a.money, b.money), add_saturated(a.tokens, b.tokens)};
}

}  // namespace bidboard
