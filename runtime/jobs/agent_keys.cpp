#include "runtime/jobs/agent_keys.hpp"

#include <array>
#include <limits>

#include "agents/clients/client.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/text/expression.hpp"
#include "runtime/jobs/prices.hpp"
#include "runtime/jobs/variables.hpp"

namespace bidboard {
namespace {

constexpr std::int64_t max_count = 1'000;
constexpr std::int64_t max_seed = std::numeric_limits<std::int64_t>::max();
constexpr NumberRange share{0, 1};

void read_role(KeyReader& reader, const Value& value, AgentEntry& entry) {
  std::vector<std::string> names;
  for (const Role role : {Role::executive, Role::manager, Role::specialist, Role::operator_, Role::observer})
    names.emplace_back(name(role));
  if (const auto word = reader.choice(value, names)) entry.agent.profile.role = *parse_role(*word);
}

void read_executor(KeyReader& reader, const Value& value, AgentEntry& entry) {
  const auto word = reader.choice(value, {"command", "coprocess", "simulated"});
  if (!word) return;
  for (const ExecutorKind kind : {ExecutorKind::command, ExecutorKind::coprocess, ExecutorKind::simulated})
    if (*word == name(kind)) entry.agent.executor = kind;
  entry.agent.profile.simulated = entry.agent.executor == ExecutorKind::simulated;
}

void read_preset(KeyReader& reader, const Value& value, AgentEntry& entry) {
  std::vector<std::string> names;
  for (const CodingClient& client : coding_clients()) names.emplace_back(client.name);
  entry.agent.preset = reader.choice(value, names).value_or("");
}

void read_cost(KeyReader& reader, const Value& value, AgentEntry& entry) {
  const auto formula = reader.text(value);
  if (!formula) return;
  if (const auto compiled = Expression::compile(*formula); !compiled) {
    reader.refuse(value.place, "is not a formula: " + compiled.error().text,
                  "write for example size / speed");
    return;
  }
  entry.agent.profile.cost_formula = *formula;
  entry.agent.profile.bids = BidStyle::formula;
}

void read_serves(KeyReader& reader, const Value& value, AgentEntry& entry) {
  const auto word = reader.text(value);
  if (!word) return;
  const auto workflow = parse_id<WorkflowId>(*word);
  if (workflow && word->starts_with(WorkflowId::letter))
    entry.agent.profile.workflow = *workflow;
  else if (*word == "board")
    entry.agent.serves_board = true;
  else
    reader.refuse(value.place, fmt::format("serves {}, which is neither", quoted(*word)),
                  "write board, or the id of a workflow as in w3");
}

void read_secrets(KeyReader& reader, const Value& value, AgentEntry& entry) {
  entry.agent.secrets = read_secret_sources(reader, value);
  entry.agent.profile.secrets.clear();
  for (const SecretSource& secret : entry.agent.secrets) entry.agent.profile.secrets.push_back(secret.name);
}

void read_worktree(KeyReader& reader, const Value& value, AgentEntry& entry) {
  const auto word = reader.choice(value, {"none", "task", "agent"});
  for (const WorktreeMode mode : {WorktreeMode::none, WorktreeMode::task, WorktreeMode::agent})
    if (word == name(mode)) entry.agent.worktree = mode;
}

Value text_or_null(const std::string& text) { return text.empty() ? Value() : Value(text); }
Value true_or_null(bool flag) { return flag ? Value(true) : Value(); }
Value number_unless(Micros value, Micros fallback) {
  return value == fallback ? Value() : Value(from_micros(value));
}
/// In microseconds: exact.
Value duration_unless(Duration value, Duration fallback) {
  if (value == fallback) return {};
  return Value(fmt::format("{}us", value.us));
}

Value print_skills(const PlannedAgent& agent) {
  Value levels;
  for (const Skill& skill : agent.profile.skills) levels.set(skill.name, Value(from_micros(skill.level)));
  return levels;
}

Value print_serves(const PlannedAgent& agent) {
  if (agent.profile.workflow) return Value(to_string(agent.profile.workflow));
  if (agent.serves_board) return Value("board");
  return {};
}

constexpr std::array<AgentKey, 38> table{{
    {{{"name", "text", "required", "its name, unique among live agents"},
      [](KeyReader& r, const Value& v, AgentEntry& e) { e.agent.profile.name = r.name(v).value_or(""); }},
     [](const PlannedAgent& a) { return Value(a.profile.name); },
     {"--name", "NAME"}},
    {{{"count", "whole number", "1", "how many of its kind; above 1 they are called name1, name2, ..."},
      [](KeyReader& r, const Value& v, AgentEntry& e) { e.count = r.whole(v, 1, max_count).value_or(1); }},
     nullptr},
    {{{"role", "executive, manager, specialist, operator or observer", "specialist",
       "a specialist takes tasks; managers and executives lead (strategy hierarchy)"},
      read_role},
     [](const PlannedAgent& a) {
       return a.profile.role == Role::specialist ? Value() : Value(name(a.profile.role));
     },
     {"--role", "ROLE"}},
    {{{"parent", "text", "none", "name of the manager or executive above it"},
      [](KeyReader& r, const Value& v, AgentEntry& e) { e.agent.profile.parent = r.name(v).value_or(""); }},
     [](const PlannedAgent& a) { return text_or_null(a.profile.parent); },
     {"--parent", "NAME"}},
    {{{"project", "text", "all", "works for this project only"},
      [](KeyReader& r, const Value& v, AgentEntry& e) { e.agent.profile.project = r.name(v).value_or(""); }},
     [](const PlannedAgent& a) { return text_or_null(a.profile.project); },
     {"--project", "NAME"}},
    {{{"skills", "map of name to level, or list of names", "none",
       "what it can do; a level divides the time it takes"},
      [](KeyReader& r, const Value& v, AgentEntry& e) { e.agent.profile.skills = r.skills(v); }},
     print_skills,
     {"--skill,-s", "NAME[=LEVEL]", "a skill and its level, which divides the time it takes; 1 is normal"}},
    {{{"speed", "number", "1", "work done per second"},
      [](KeyReader& r, const Value& v, AgentEntry& e) {
        e.agent.profile.speed = r.number(v, ranges::speed).value_or(one);
      }},
     [](const PlannedAgent& a) { return number_unless(a.profile.speed, one); },
     {"--speed", "X"}},
    {{{"capacity", "whole number", "1", "tasks at once"},
      [](KeyReader& r, const Value& v, AgentEntry& e) {
        e.agent.profile.capacity = static_cast<std::uint32_t>(r.whole(v, ranges::capacity).value_or(1));
      }},
     [](const PlannedAgent& a) { return a.profile.capacity == 1 ? Value() : Value(a.profile.capacity); },
     {"--capacity", "N"}},
    // Always printed: an agent with a bare `executor: command` is allowed to have no way to do a task.
    {{{"executor", "command, coprocess or simulated", "command",
       "one process per task, one child that speaks JSON lines, or waiting for size / speed"},
      read_executor},
     [](const PlannedAgent& a) { return Value(name(a.executor)); }},
    {{{"exec", "text", "none", "command that does a task, or the coprocess; not needed for `run` tasks"},
      [](KeyReader& r, const Value& v, AgentEntry& e) { e.agent.exec = r.text(v).value_or(""); }},
     [](const PlannedAgent& a) { return text_or_null(a.exec); },
     {"--exec", "CMD", "one process per task: the task on stdin, the result on stdout, exit 0 for success"}},
    {{{"preset", "claude, codex, gemini, opencode, aider, openai or ollama", "none",
       "a coding agent, or a model over HTTP: its command, prompt and output are known, and its limits rest "
       "it "
       "(docs/coding-agents.md)"},
      read_preset},
     [](const PlannedAgent& a) { return text_or_null(a.preset); },
     {"--preset", "CLIENT"}},
    {{{"model", "text", "the client's default", "model of a preset; openai and ollama need one"},
      [](KeyReader& r, const Value& v, AgentEntry& e) { e.agent.model = r.text(v).value_or(""); }},
     [](const PlannedAgent& a) { return text_or_null(a.model); },
     {"--model", "NAME"}},
    {{{"permission", "text", "to change files",
       "what a preset may do without asking, in its client's own words"},
      [](KeyReader& r, const Value& v, AgentEntry& e) { e.agent.permission = r.text(v).value_or(""); }},
     [](const PlannedAgent& a) { return text_or_null(a.permission); },
     {"--permission", "MODE"}},
    {{{"account", "text", "none",
       "what it shares with others at a provider: an outage of one rests them all"},
      [](KeyReader& r, const Value& v, AgentEntry& e) { e.agent.profile.account = r.name(v).value_or(""); }},
     [](const PlannedAgent& a) { return text_or_null(a.profile.account); },
     {"--account", "NAME"}},
    {{{"input", "text or json", "text",
       "the task on the command's stdin: title, body and comments, or all of it as JSON"},
      [](KeyReader& r, const Value& v, AgentEntry& e) {
        e.agent.json_input = r.choice(v, {"text", "json"}) == "json";
      }},
     [](const PlannedAgent& a) { return a.json_input ? Value("json") : Value(); },
     {"--input", "text|json"}},
    {{{"allow_run", "true or false", "false", "executes a task's own `run` command"},
      [](KeyReader& r, const Value& v, AgentEntry& e) {
        e.agent.profile.allow_run = r.flag(v).value_or(false);
      }},
     [](const PlannedAgent& a) { return true_or_null(a.profile.allow_run); },
     {"--allow-run"}},
    {{{"bid", "text", "none",
       "command that makes live bids: the task as JSON on stdin, a bid or a refusal on stdout"},
      [](KeyReader& r, const Value& v, AgentEntry& e) {
        e.agent.bid = r.text(v).value_or("");
        if (!e.agent.bid.empty()) e.agent.profile.bids = BidStyle::live;
      }},
     [](const PlannedAgent& a) { return text_or_null(a.bid); },
     {"--bid", "CMD"}},
    {{{"bid_timeout", "duration", "10s", "time limit of the `bid` command"},
      [](KeyReader& r, const Value& v, AgentEntry& e) {
        e.agent.bid_timeout = r.duration(v, Duration{1}).value_or(seconds(10));
      }},
     [](const PlannedAgent& a) { return duration_unless(a.bid_timeout, seconds(10)); },
     {"--bid-timeout", "TIME", "time limit of the --bid command"}},
    {{{"cost", "formula", "size / speed / skill level",
       "expected seconds, a Lua expression over size, speed, level, needs ..."},
      read_cost},
     [](const PlannedAgent& a) { return text_or_null(a.profile.cost_formula); },
     {"--cost", "FORMULA"}},
    {{{"live", "true or false", "false",
       "the agent computes each of its standard bids; else the controller does"},
      [](KeyReader& r, const Value& v, AgentEntry& e) {
        if (r.flag(v).value_or(false)) e.agent.profile.bids = BidStyle::live;
      }},
     [](const PlannedAgent& a) { return true_or_null(a.profile.bids == BidStyle::live && a.bid.empty()); },
     {"--live"}},
    {{{"price_per_second", "number", "0", "price of a second of its work"},
      [](KeyReader& r, const Value& v, AgentEntry& e) {
        e.agent.profile.price_per_second = r.number(v, ranges::price_per_second).value_or(0);
      }},
     [](const PlannedAgent& a) { return number_unless(a.profile.price_per_second, 0); },
     {"--price-per-second", "X"}},
    {{{"set_up", "duration", "0",
       "time saved on each further task of a kind; the agent also bids for bundles of tasks"},
      [](KeyReader& r, const Value& v, AgentEntry& e) {
        if (const auto saved = r.duration(v, Duration{})) e.agent.profile.set_up = saved->us;
      }},
     [](const PlannedAgent& a) { return duration_unless(Duration{a.profile.set_up}, Duration{}); },
     {"--set-up", "TIME"}},
    {{{"answers_bids", "true or false", "true",
       "a coprocess answers bid lines; false: standard bids, or `cost`"},
      [](KeyReader& r, const Value& v, AgentEntry& e) { e.agent.answers_bids = r.flag(v).value_or(true); }},
     [](const PlannedAgent& a) { return a.answers_bids ? Value() : Value(false); },
     {"--no-bids", "", "the coprocess does not bid; use standard bids or --cost"}},
    {{{"price_field", "text", "none", "path in a JSON result to its price, as in total_cost_usd"},
      [](KeyReader& r, const Value& v, AgentEntry& e) { e.agent.price_field = r.text(v).value_or(""); }},
     [](const PlannedAgent& a) { return text_or_null(a.price_field); },
     {"--price-field", "PATH"}},
    {{{"tokens_field", "text", "none", "path in a JSON result to its tokens, as in usage.output_tokens"},
      [](KeyReader& r, const Value& v, AgentEntry& e) { e.agent.tokens_field = r.text(v).value_or(""); }},
     [](const PlannedAgent& a) { return text_or_null(a.tokens_field); },
     {"--tokens-field", "PATH"}},
    {{{"result_field", "text", "none", "path in a JSON result to what counts as the result"},
      [](KeyReader& r, const Value& v, AgentEntry& e) { e.agent.result_field = r.text(v).value_or(""); }},
     [](const PlannedAgent& a) { return text_or_null(a.result_field); },
     {"--result-field", "PATH"}},
    {{{"token_price", "map of input, cached and output, or list of KIND=PRICE",
       "that of its model in `prices`",
       "what a million tokens cost, for clients that tell tokens and no price (docs/coding-agents.md)"},
      [](KeyReader& r, const Value& v, AgentEntry& e) { e.agent.token_price = read_token_price(r, v); }},
     [](const PlannedAgent& a) { return a.token_price ? to_value(*a.token_price) : Value(); },
     {"--token-price", "KIND=PRICE",
      "what a million tokens cost, input=, cached= and output=, for clients that tell tokens and no price"}},
    {{{"noise", "number", "0", "of a simulated agent: 0.2 varies durations by 20 %"},
      [](KeyReader& r, const Value& v, AgentEntry& e) { e.agent.noise = r.number(v, share).value_or(0); }},
     [](const PlannedAgent& a) { return number_unless(a.noise, 0); },
     {"--noise", "X"}},
    {{{"failure_rate", "number", "0", "of a simulated agent: share of attempts that fail"},
      [](KeyReader& r, const Value& v, AgentEntry& e) {
        e.agent.failure_rate = r.number(v, share).value_or(0);
      }},
     [](const PlannedAgent& a) { return number_unless(a.failure_rate, 0); },
     {"--failure-rate", "X"}},
    {{{"seed", "whole number", "1", "of a simulated agent: random seed"},
      [](KeyReader& r, const Value& v, AgentEntry& e) {
        e.agent.seed = static_cast<std::uint64_t>(r.whole(v, 0, max_seed).value_or(1));
      }},
     [](const PlannedAgent& a) { return a.seed == 1 ? Value() : Value(a.seed); },
     {"--seed", "N"}},
    {{{"serves", "board, or the id of a workflow as in w3", "in a job file that job, else board",
       "whose tasks it does"},
      read_serves},
     print_serves,
     {"--serves", "board|WORKFLOW"}},
    {{{"dir", "text", "the board's folder; of a job the current one",
       "working directory of its commands, relative to the file's folder"},
      [](KeyReader& r, const Value& v, AgentEntry& e) { e.agent.dir = r.text(v).value_or(""); }},
     [](const PlannedAgent& a) { return text_or_null(a.dir); },
     {"--dir,--directory", "DIR", "working directory of its commands"}},
    {{{"env", "map of name to text, or list of NAME=VALUE", "none", "variables of its commands"},
      [](KeyReader& r, const Value& v, AgentEntry& e) { e.agent.env = read_variables(r, v); }},
     [](const PlannedAgent& a) { return to_value(a.env); },
     {"--env", "NAME=VALUE", "a variable of its commands; the list of processes shows it"}},
    {{{"env_file", "text", "none", "dotenv file with variables of its commands, readable by its owner only"},
      [](KeyReader& r, const Value& v, AgentEntry& e) { e.agent.env_file = r.text(v).value_or(""); }},
     [](const PlannedAgent& a) { return text_or_null(a.env_file); },
     {"--env-file", "FILE"}},
    {{{"secrets",
       "map of name to {env: VARIABLE} or {file: PATH}, or list of NAME, NAME=VARIABLE, NAME=@FILE", "none",
       "variables of its commands that it reads at its start and hides in all that it writes"},
      read_secrets},
     [](const PlannedAgent& a) { return to_value(a.secrets); },
     {"--secret", "NAME[=VARIABLE|=@FILE]",
      "a variable of its commands, read from its own environment or a file, and hidden in all that it "
      "writes"}},
    {{{"allow_env", "true or false", "false", "tasks may set variables of `exec` too, not only of `run`"},
      [](KeyReader& r, const Value& v, AgentEntry& e) {
        e.agent.profile.allow_env = r.flag(v).value_or(false);
      }},
     [](const PlannedAgent& a) {
       return true_or_null(a.profile.allow_env && a.executor != ExecutorKind::coprocess);
     },
     {"--allow-env"}},
    {{{"worktree", "none, task or agent", "none",
       "a git worktree for each attempt, or one for the agent, with the work of each task in a branch "
       "(docs/coding-agents.md)"},
      read_worktree},
     [](const PlannedAgent& a) {
       return a.worktree == WorktreeMode::none ? Value() : Value(name(a.worktree));
     },
     {"--worktree", "task|agent"}},
    // The last row: job files do not have it.
    {{{"restart", "true or false", "true", "started again when it dies"},
      [](KeyReader& r, const Value& v, AgentEntry& e) { e.agent.restart = r.flag(v).value_or(true); }},
     [](const PlannedAgent& a) { return a.restart ? Value() : Value(false); }},
}};

}  // namespace

std::span<const AgentKey> agent_key_table() { return table; }

}  // namespace bidboard
