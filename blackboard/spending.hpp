// What attempts are charged to. A scope is a word, or a word and a name: "board", "day", "project:web",
// "account:team", "agent:ann", "workflow:w3", "kind:review", "task:t5". Budgets bound scopes; records of what
// was spent (Spending) have one scope more precise, "day:2026-11-29" in UTC. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "blackboard/records.hpp"

namespace bidboard {

std::string day_scope(WallTime at);
/// When the next day begins, in UTC.
WallTime end_of_day(WallTime at);
std::string account_scope(std::string_view account);
std::string agent_scope(std::string_view agent);
std::string task_scope(TaskId task);
std::string kind_scope(std::string_view kind);

/// Of a task, whoever does it: board, day, project and workflow.
std::vector<std::string> scopes_of(const TaskSpec& task, WallTime at);
/// Of an agent, whatever it does: itself and its account.
std::vector<std::string> scopes_of(const AgentProfile& agent);
/// All that an attempt is charged to, the kind of the task included.
std::vector<std::string> charged_scopes(const TaskSpec& task, const AgentProfile& agent, WallTime at);

/// The scope of the budget that bounds it: "day" for "day:2026-11-29".
std::string_view budgeted_scope(std::string_view scope);
/// What is wrong with the scope of a budget; empty when nothing is.
std::string flaw_of_scope(std::string_view scope);

/// What the configuration allows a scope to spend; 0: no bound.
Amount bound_of(const Config& config, std::string_view scope);
/// The same, with what was allowed on top.
Amount limit_of(const Config& config, const Spending& spending);
/// Why nothing more may be spent, in words; empty: something may.
std::string exhausted(const Config& config, const Spending& spending);
/// "`bidboard budget raise day AMOUNT` allows more".
std::string raise_hint(std::string_view scope, const Amount& limit);
/// What an attempt costs on average; the fallback when none is known.
Amount mean_of(const Spending& spending, const Amount& fallback);
/// "12.5 and 3000 tokens".
std::string in_words(const Amount& amount);
/// The same of what the limit bounds.
std::string in_words(const Amount& amount, const Amount& limit);

/// Whether `more` may be spent in addition, or, if that is nothing, anything at all.
bool fits(const Amount& spent, const Amount& more, const Amount& bound);
Amount operator+(const Amount& a, const Amount& b);

}  // namespace bidboard
