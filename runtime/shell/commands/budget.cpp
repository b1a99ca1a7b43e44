// budget, spend: what attempts may cost, and what they have cost.

#include <algorithm>
#include <map>

#include "blackboard/fmt.hpp"
#include "blackboard/numbers.hpp"
#include "blackboard/spending.hpp"
#include "runtime/drivers/clock.hpp"
#include "runtime/jobs/settings.hpp"
#include "runtime/shell/board_view.hpp"
#include "runtime/shell/caller.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/print.hpp"

namespace bidboard {
namespace {

struct BudgetArgs {
  std::string verb;
  std::string scope;
  std::string money;
  std::int64_t tokens = 0;
  bool json = false;
};

std::string tokens_or_dash(std::int64_t tokens) { return tokens == 0 ? "-" : std::to_string(tokens); }
std::string money_or_dash(Micros money) { return money == 0 ? "-" : format_micros(money); }

Result<Exit> raise(const Globals& globals, const BudgetArgs& args) {
  if (args.scope.empty())
    return fail(Errc::invalid,
                "which budget? Write `bidboard budget raise SCOPE AMOUNT`, as in "
                "`bidboard budget raise day 5`");
  Amount by{0, args.tokens};
  if (!args.money.empty()) {
    const Result<Micros> money = read_number(args.money, ranges::price);
    if (!money) return fail(Errc::invalid, fmt::format("AMOUNT: {}", money.error().text));
    by.money = *money;
  }
  if (by == Amount{}) return fail(Errc::invalid, "by how much? Add an AMOUNT of money, or --tokens N");
  const Result<Target> board = find_target(globals);
  if (!board) return fail(board.error());
  const Result<Nothing> done = call_for<Nothing>(*board, RaiseBudget{args.scope, by}, caller());
  if (!done) return fail(done.error());
  say("{} may spend {} more", args.scope, in_words(by));
  return Exit::ok;
}

/// The present record of a budget's scope.
Spending present(const std::vector<Spending>& all, const std::string& scope, WallTime now) {
  const std::string wanted = scope == "day" ? day_scope(now) : scope;
  const auto found = std::ranges::find(all, wanted, &Spending::scope);
  if (found != all.end()) return *found;
  Spending blank;
  blank.scope = wanted;
  return blank;
}

Result<Exit> say_no_budgets(const BoardDirectory& board) {
  const Result<Settings> settings = load_settings(board);
  if (!settings) return fail(settings.error());
  if (settings->config.budgets.empty())
    say("No budgets. `budgets: {{day: 20}}` in bidboard.yaml sets one; `bidboard spend` shows what was "
        "spent.");
  else
    say("The board knows no budgets yet; `bidboard up` brings those of bidboard.yaml to it.");
  return Exit::ok;
}

Result<Exit> list_budgets(const Globals& globals, const BudgetArgs& args) {
  const Result<BoardView> board = BoardView::open(globals);
  if (!board) return fail(board.error());
  const Result<Config> config = board->config();
  if (!config) return fail(config.error());
  const Result<std::vector<Spending>> all = board->spending();
  if (!all) return fail(all.error());
  Value list{Value::Array{}};
  bidboard::Table table({"BUDGET", "MONEY", "OF", "TOKENS", "OF", "STATE"});
  for (const Budget& budget : config->budgets) {
    const Spending spending = present(*all, budget.scope, board->now());
    const Amount limit = limit_of(*config, spending);
    const bool spent = !exhausted(*config, spending).empty();
    const bool is_left = fits(spending.spent, {1, 1}, limit);
    table.add({budget.scope, format_micros(spending.spent.money), money_or_dash(limit.money),
               std::to_string(spending.spent.tokens), tokens_or_dash(limit.tokens),
               !spent    ? "open"
               : is_left ? "too little left"
                         : "spent"});
    Value item;
    item.set("scope", budget.scope);
    item.set("money", from_micros(spending.spent.money));
    item.set("tokens", spending.spent.tokens);
    item.set("money_limit", limit.money > 0 ? Value(from_micros(limit.money)) : Value());
    item.set("tokens_limit", limit.tokens > 0 ? Value(limit.tokens) : Value());
    item.set("spent", spent);
    list.push(std::move(item));
  }
  if (args.json)
    print_json(std::move(list));
  else if (table.empty())
    return say_no_budgets(board->directory());
  else
    table.print();
  return Exit::ok;
}

Result<Exit> budget(const Globals& globals, const BudgetArgs& args) {
  if (args.verb.empty() || args.verb == "list") return list_budgets(globals, args);
  if (args.verb == "raise") return raise(globals, args);
  return fail(Errc::invalid, fmt::format("'{}' is not list or raise", args.verb));
}

struct SpendArgs {
  std::string by = "agent";
  bool json = false;
};

const std::vector<std::string> spend_words{"board", "day", "project", "workflow", "agent", "account", "kind"};

Result<Exit> spend(const Globals& globals, const SpendArgs& args) {
  if (std::ranges::find(spend_words, args.by) == spend_words.end())
    return fail(Errc::invalid, fmt::format("--by {} is not one of {}", args.by, listed(spend_words)));
  const Result<BoardView> board = BoardView::open(globals);
  if (!board) return fail(board.error());
  Result<std::vector<Spending>> all = board->spending();
  if (!all) return fail(all.error());
  std::erase_if(*all, [&](const Spending& spending) {
    return spending.attempts == 0 || spending.scope.substr(0, spending.scope.find(':')) != args.by;
  });
  std::ranges::stable_sort(*all, std::greater{}, [](const Spending& s) { return s.spent.money; });
  Value list{Value::Array{}};
  bidboard::Table table({"NAME", "MONEY", "TOKENS", "ATTEMPTS", "PER ATTEMPT"});
  for (const Spending& spending : *all) {
    const std::size_t colon = spending.scope.find(':');
    const std::string name = colon == std::string::npos ? spending.scope : spending.scope.substr(colon + 1);
    const Amount mean = mean_of(spending, {});
    table.add({name, format_micros(spending.spent.money), std::to_string(spending.spent.tokens),
               std::to_string(spending.attempts), in_words(mean)});
    Value item;
    item.set("name", name);
    item.set("money", from_micros(spending.spent.money));
    item.set("tokens", spending.spent.tokens);
    item.set("attempts", static_cast<std::int64_t>(spending.attempts));
    list.push(std::move(item));
  }
  if (args.json)
    print_json(std::move(list));
  else if (table.empty())
    say("No attempt has told what it cost. Clients tell it by their presets, commands by `done --price`.");
  else
    table.print();
  return Exit::ok;
}

}  // namespace

Command budget_command() {
  return {
      "budget",
      "Steering",
      "Show budgets, or allow more to be spent",
      "  list                  the budgets of the board, and what was spent of them\n"
      "  raise SCOPE AMOUNT    allow so much more; what waited for it goes on\n"
      "Budgets are set by `budgets:` in bidboard.yaml, of board, day, project:NAME, account:NAME,\n"
      "agent:NAME or workflow:ID; task:ID is the budget of one task (`post --budget`). A task whose next\n"
      "attempt does not fit waits; `explain` says for which budget. A day begins at midnight UTC.",
      {{"bidboard budget", "what is left"},
       {"bidboard budget raise day 5", "5 more, today only"},
       {"bidboard budget raise account:team --tokens 1000000", "more tokens"}},
      [](Options& o) -> Action0 {
        auto args = std::make_shared<BudgetArgs>();
        o.argument("VERB", args->verb, "list or raise [list]", false);
        o.argument("SCOPE", args->scope, "raise: the budget", false);
        o.argument("AMOUNT", args->money, "raise: how much more money", false);
        o.integer("--tokens", args->tokens, "N", "raise: how many more tokens");
        o.flag("--json", args->json, "list: print JSON");
        return [args](const Globals& globals) { return budget(globals, *args); };
      }};
}

Command spend_command() {
  return {
      "spend",
      "Insight",
      "Show what attempts have cost",
      "Attempts of any outcome count. The SQL table `spending` has all of it.",
      {{"bidboard spend", "by agent, the dearest first"}, {"bidboard spend --by day", "what each day cost"}},
      [](Options& o) -> Action0 {
        auto args = std::make_shared<SpendArgs>();
        o.text("--by", args->by, "WORD", fmt::format("{} [agent]", listed(spend_words)));
        o.flag("--json", args->json, "Print JSON");
        return [args](const Globals& globals) { return spend(globals, *args); };
      }};
}

}  // namespace bidboard
