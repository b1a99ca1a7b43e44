#include "runtime/jobs/agent_entry.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>
#include <map>

#include "agents/clients/client.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/text/expression.hpp"
#include "runtime/jobs/variables.hpp"

namespace bidboard {
namespace {

constexpr std::int64_t max_count = 1'000;
constexpr std::int64_t max_seed = std::numeric_limits<std::int64_t>::max();
constexpr NumberRange share{0, 1};

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

void read_preset(KeyReader& reader, const Value& value, Entry& entry) {
  std::vector<std::string> names;
  for (const CodingClient& client : coding_clients()) names.emplace_back(client.name);
  entry.agent.preset = reader.choice(value, names).value_or("");
}

void read_cost(KeyReader& reader, const Value& value, Entry& entry) {
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

void read_serves(KeyReader& reader, const Value& value, Entry& entry) {
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

void read_secrets(KeyReader& reader, const Value& value, Entry& entry) {
  entry.agent.secrets = read_secret_sources(reader, value);
  entry.agent.profile.secrets.clear();
  for (const SecretSource& secret : entry.agent.secrets) entry.agent.profile.secrets.push_back(secret.name);
}

/// How a key is written as an option of `bidboard agent`.
struct Typed {
  std::string_view names = {};  ///< "--skill,-s"; empty: it is not an option
  std::string_view shown = {};  ///< its value in the help text; empty: a flag for the opposite of the default
  std::string_view help = {};   ///< where the key's documentation does not fit the option
};

/// How one option is read, documented, printed and typed. `print`: null when the agent has the default; a
/// null function: the key is unfolded while reading and never printed.
struct AgentKey {
  Key<Entry> key;
  Value (*print)(const PlannedAgent&);
  Typed typed = {};

  std::string_view option() const { return typed.names.substr(0, typed.names.find(',')); }
};

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

constexpr std::array<AgentKey, 36> table{{
    {{{"name", "text", "required", "its name, unique among live agents"},
      [](KeyReader& r, const Value& v, Entry& e) { e.agent.profile.name = r.name(v).value_or(""); }},
     [](const PlannedAgent& a) { return Value(a.profile.name); },
     {"--name", "NAME"}},
    {{{"count", "whole number", "1", "how many of its kind; above 1 they are called name1, name2, ..."},
      [](KeyReader& r, const Value& v, Entry& e) { e.count = r.whole(v, 1, max_count).value_or(1); }},
     nullptr},
    {{{"role", "executive, manager, specialist, operator or observer", "specialist",
       "a specialist takes tasks; managers and executives lead (strategy hierarchy)"},
      read_role},
     [](const PlannedAgent& a) {
       return a.profile.role == Role::specialist ? Value() : Value(name(a.profile.role));
     },
     {"--role", "ROLE"}},
    {{{"parent", "text", "none", "name of the manager or executive above it"},
      [](KeyReader& r, const Value& v, Entry& e) { e.agent.profile.parent = r.name(v).value_or(""); }},
     [](const PlannedAgent& a) { return text_or_null(a.profile.parent); },
     {"--parent", "NAME"}},
    {{{"project", "text", "all", "works for this project only"},
      [](KeyReader& r, const Value& v, Entry& e) { e.agent.profile.project = r.name(v).value_or(""); }},
     [](const PlannedAgent& a) { return text_or_null(a.profile.project); },
     {"--project", "NAME"}},
    {{{"skills", "map of name to level, or list of names", "none",
       "what it can do; a level divides the time it takes"},
      [](KeyReader& r, const Value& v, Entry& e) { e.agent.profile.skills = r.skills(v); }},
     print_skills,
     {"--skill,-s", "NAME[=LEVEL]", "a skill and its level, which divides the time it takes; 1 is normal"}},
    {{{"speed", "number", "1", "work done per second"},
      [](KeyReader& r, const Value& v, Entry& e) {
        e.agent.profile.speed = r.number(v, ranges::speed).value_or(one);
      }},
     [](const PlannedAgent& a) { return number_unless(a.profile.speed, one); },
     {"--speed", "X"}},
    {{{"capacity", "whole number", "1", "tasks at once"},
      [](KeyReader& r, const Value& v, Entry& e) {
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
      [](KeyReader& r, const Value& v, Entry& e) { e.agent.exec = r.text(v).value_or(""); }},
     [](const PlannedAgent& a) { return text_or_null(a.exec); },
     {"--exec", "CMD", "one process per task: the task on stdin, the result on stdout, exit 0 for success"}},
    {{{"preset", "claude, codex, gemini, opencode or aider", "none",
       "a coding agent: its command, prompt and output are known, and its limits rest it "
       "(docs/coding-agents.md)"},
      read_preset},
     [](const PlannedAgent& a) { return text_or_null(a.preset); },
     {"--preset", "CLIENT"}},
    {{{"model", "text", "the client's default", "model of a preset"},
      [](KeyReader& r, const Value& v, Entry& e) { e.agent.model = r.text(v).value_or(""); }},
     [](const PlannedAgent& a) { return text_or_null(a.model); },
     {"--model", "NAME"}},
    {{{"permission", "text", "to change files",
       "what a preset may do without asking, in its client's own words"},
      [](KeyReader& r, const Value& v, Entry& e) { e.agent.permission = r.text(v).value_or(""); }},
     [](const PlannedAgent& a) { return text_or_null(a.permission); },
     {"--permission", "MODE"}},
    {{{"account", "text", "none",
       "what it shares with others at a provider: an outage of one rests them all"},
      [](KeyReader& r, const Value& v, Entry& e) { e.agent.profile.account = r.name(v).value_or(""); }},
     [](const PlannedAgent& a) { return text_or_null(a.profile.account); },
     {"--account", "NAME"}},
    {{{"input", "text or json", "text",
       "the task on the command's stdin: title, body and comments, or all of it as JSON"},
      [](KeyReader& r, const Value& v, Entry& e) {
        e.agent.json_input = r.choice(v, {"text", "json"}) == "json";
      }},
     [](const PlannedAgent& a) { return a.json_input ? Value("json") : Value(); },
     {"--input", "text|json"}},
    {{{"allow_run", "true or false", "false", "executes a task's own `run` command"},
      [](KeyReader& r, const Value& v, Entry& e) { e.agent.profile.allow_run = r.flag(v).value_or(false); }},
     [](const PlannedAgent& a) { return true_or_null(a.profile.allow_run); },
     {"--allow-run"}},
    {{{"bid", "text", "none",
       "command that makes live bids: the task as JSON on stdin, a bid or a refusal on stdout"},
      [](KeyReader& r, const Value& v, Entry& e) {
        e.agent.bid = r.text(v).value_or("");
        if (!e.agent.bid.empty()) e.agent.profile.bids = BidStyle::live;
      }},
     [](const PlannedAgent& a) { return text_or_null(a.bid); },
     {"--bid", "CMD"}},
    {{{"bid_timeout", "duration", "10s", "time limit of the `bid` command"},
      [](KeyReader& r, const Value& v, Entry& e) {
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
      [](KeyReader& r, const Value& v, Entry& e) {
        if (r.flag(v).value_or(false)) e.agent.profile.bids = BidStyle::live;
      }},
     [](const PlannedAgent& a) { return true_or_null(a.profile.bids == BidStyle::live && a.bid.empty()); },
     {"--live"}},
    {{{"price_per_second", "number", "0", "price of a second of its work"},
      [](KeyReader& r, const Value& v, Entry& e) {
        e.agent.profile.price_per_second = r.number(v, ranges::price_per_second).value_or(0);
      }},
     [](const PlannedAgent& a) { return number_unless(a.profile.price_per_second, 0); },
     {"--price-per-second", "X"}},
    {{{"set_up", "duration", "0",
       "time saved on each further task of a kind; the agent also bids for bundles of tasks"},
      [](KeyReader& r, const Value& v, Entry& e) {
        if (const auto saved = r.duration(v, Duration{})) e.agent.profile.set_up = saved->us;
      }},
     [](const PlannedAgent& a) { return duration_unless(Duration{a.profile.set_up}, Duration{}); },
     {"--set-up", "TIME"}},
    {{{"answers_bids", "true or false", "true",
       "a coprocess answers bid lines; false: standard bids, or `cost`"},
      [](KeyReader& r, const Value& v, Entry& e) { e.agent.answers_bids = r.flag(v).value_or(true); }},
     [](const PlannedAgent& a) { return a.answers_bids ? Value() : Value(false); },
     {"--no-bids", "", "the coprocess does not bid; use standard bids or --cost"}},
    {{{"price_field", "text", "none", "path in a JSON result to its price, as in total_cost_usd"},
      [](KeyReader& r, const Value& v, Entry& e) { e.agent.price_field = r.text(v).value_or(""); }},
     [](const PlannedAgent& a) { return text_or_null(a.price_field); },
     {"--price-field", "PATH"}},
    {{{"tokens_field", "text", "none", "path in a JSON result to its tokens, as in usage.output_tokens"},
      [](KeyReader& r, const Value& v, Entry& e) { e.agent.tokens_field = r.text(v).value_or(""); }},
     [](const PlannedAgent& a) { return text_or_null(a.tokens_field); },
     {"--tokens-field", "PATH"}},
    {{{"result_field", "text", "none", "path in a JSON result to what counts as the result"},
      [](KeyReader& r, const Value& v, Entry& e) { e.agent.result_field = r.text(v).value_or(""); }},
     [](const PlannedAgent& a) { return text_or_null(a.result_field); },
     {"--result-field", "PATH"}},
    {{{"noise", "number", "0", "of a simulated agent: 0.2 varies durations by 20 %"},
      [](KeyReader& r, const Value& v, Entry& e) { e.agent.noise = r.number(v, share).value_or(0); }},
     [](const PlannedAgent& a) { return number_unless(a.noise, 0); },
     {"--noise", "X"}},
    {{{"failure_rate", "number", "0", "of a simulated agent: share of attempts that fail"},
      [](KeyReader& r, const Value& v, Entry& e) { e.agent.failure_rate = r.number(v, share).value_or(0); }},
     [](const PlannedAgent& a) { return number_unless(a.failure_rate, 0); },
     {"--failure-rate", "X"}},
    {{{"seed", "whole number", "1", "of a simulated agent: random seed"},
      [](KeyReader& r, const Value& v, Entry& e) {
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
      [](KeyReader& r, const Value& v, Entry& e) { e.agent.dir = r.text(v).value_or(""); }},
     [](const PlannedAgent& a) { return text_or_null(a.dir); },
     {"--dir,--directory", "DIR", "working directory of its commands"}},
    {{{"env", "map of name to text, or list of NAME=VALUE", "none", "variables of its commands"},
      [](KeyReader& r, const Value& v, Entry& e) { e.agent.env = read_variables(r, v); }},
     [](const PlannedAgent& a) { return to_value(a.env); },
     {"--env", "NAME=VALUE", "a variable of its commands; the list of processes shows it"}},
    {{{"env_file", "text", "none", "dotenv file with variables of its commands, readable by its owner only"},
      [](KeyReader& r, const Value& v, Entry& e) { e.agent.env_file = r.text(v).value_or(""); }},
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
      [](KeyReader& r, const Value& v, Entry& e) { e.agent.profile.allow_env = r.flag(v).value_or(false); }},
     [](const PlannedAgent& a) {
       return true_or_null(a.profile.allow_env && a.executor != ExecutorKind::coprocess);
     },
     {"--allow-env"}},
    // The last row: job files do not have it.
    {{{"restart", "true or false", "true", "started again when it dies"},
      [](KeyReader& r, const Value& v, Entry& e) { e.agent.restart = r.flag(v).value_or(true); }},
     [](const PlannedAgent& a) { return a.restart ? Value() : Value(false); }},
}};

/// Where an agent is described, which determines the names of its keys.
enum class Form : std::uint8_t {
  job_file,
  supervised,  ///< bidboard.yaml, or a description for one process: the key `restart` too
  options,     ///< of `bidboard agent`: "--speed" for `speed`
};

std::vector<Key<Entry>> rows(Form form) {
  std::vector<Key<Entry>> keys;
  for (const AgentKey& row : table) {
    keys.push_back(row.key);
    if (form == Form::options && !row.typed.names.empty()) keys.back().info.name = row.option();
  }
  if (form == Form::job_file) keys.pop_back();
  return keys;
}

/// The key's name in that form. REQUIRES: it is a key.
std::string_view spelled(std::string_view key, Form form) {
  if (form == Form::options)
    for (const AgentKey& row : table)
      if (row.key.info.name == key && !row.typed.names.empty()) return row.option();
  return key;
}

/// Rules about combinations of keys.
void check_entry(const Entry& entry, const Value& value, Form form, KeyReader& reader) {
  const PlannedAgent& agent = entry.agent;
  const auto given = [&](std::string_view key) {
    const Value* member = value.find(spelled(key, form));
    return member && !member->is_null();
  };
  const auto refuse_both = [&](std::string_view one, std::string_view other, std::string fix) {
    if (!given(one) || !given(other)) return;
    const std::string_view later = spelled(other, form);
    reader.refuse(value.find(later)->place, fmt::format("has both {} and {}", spelled(one, form), later),
                  std::move(fix));
  };
  const auto place_of = [&](std::string_view key) { return value.find(spelled(key, form))->place; };
  if (!given("name")) reader.refuse(value.place, "has no name", "add name: ...");
  for (const std::string_view key : {"model", "permission"})
    if (given(key) && agent.preset.empty())
      reader.refuse(place_of(key),
                    fmt::format("has {} but no {}", spelled(key, form), spelled("preset", form)),
                    "add preset: claude, or write it into exec");
  if (!agent.preset.empty() && agent.executor != ExecutorKind::command)
    reader.refuse(place_of("preset"), "has a preset but its executor is not command", "remove the executor");
  refuse_both("bid", "cost", "keep the command or the formula");
  refuse_both("live", "cost", "an agent with a formula is not asked: keep one");
  if (given("bid") && agent.executor != ExecutorKind::command)
    reader.refuse(place_of("bid"),
                  fmt::format("has {} but its executor is not command", spelled("bid", form)),
                  "remove it; a coprocess bids over its JSON lines");
  if (agent.executor == ExecutorKind::simulated && given("exec"))
    reader.refuse(place_of("exec"), "is simulated and executes nothing", "remove exec or the executor");
  if (agent.executor == ExecutorKind::coprocess && agent.exec.empty())
    reader.refuse(place_of("executor"), "has no command for its coprocess", "add exec: ...");
  const bool idle = agent.executor == ExecutorKind::command && agent.exec.empty() && !given("exec") &&
                    !given("executor") && !agent.profile.allow_run;
  if (idle && may(agent.profile.role, Action::take))
    reader.refuse(value.place, "has no way to do a task",
                  form == Form::options
                      ? "add --exec CMD, --coprocess CMD, --simulate, or --allow-run for tasks with a command"
                      : "add exec: ..., allow_run: true or executor: simulated");
}

/// No entry if the value is not a map; an empty name if it has none.
std::optional<Entry> read_entry(const Value& value, Form form, Diagnostics& diagnostics) {
  const Value* given_name = value.find(spelled("name", form));
  const bool named = given_name && given_name->is_string();
  KeyReader reader(diagnostics, named ? "agent " + quoted(given_name->string()) : "an agent");
  if (!require_map(reader, value, "{name: ..., exec: ...}")) return {};
  Entry entry;
  entry.agent.place = value.place;
  read_keys(reader, value, std::span<const Key<Entry>>(rows(form)), entry);
  if (const CodingClient* client = find_coding_client(entry.agent.preset); client && entry.agent.exec.empty())
    entry.agent.exec = client->command({entry.agent.model, entry.agent.permission});
  check_entry(entry, value, form, reader);
  entry.agent.profile.only_commands =
      entry.agent.executor == ExecutorKind::command && entry.agent.exec.empty();
  // To a coprocess the variables of a task are a part of its description, not variables.
  if (entry.agent.executor == ExecutorKind::coprocess) entry.agent.profile.allow_env = true;
  return entry;
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
      diagnostics.add(agent.place, subject + ": is its own ancestor through its parents",
                      "change one parent");
    else if (above == &agent && !agent.profile.parent.empty())
      diagnostics.add(agent.place,
                      fmt::format("{}: unknown parent {}", subject, quoted(agent.profile.parent)),
                      diagnostics.suggest(agent.profile.parent, names, "add an agent of that name"));
  }
}

}  // namespace

std::vector<PlannedAgent> read_agents(const Value& list, bool supervised, Diagnostics& diagnostics) {
  std::vector<PlannedAgent> agents;
  KeyReader outer(diagnostics, "");
  if (!list.is_array()) {
    outer.refuse(list.place, fmt::format("'agents' must be a list, not {}", list.type_name()),
                 "write - {name: ..., exec: ...} for each agent");
    return agents;
  }
  std::map<std::string, Place> places;
  const Form form = supervised ? Form::supervised : Form::job_file;
  for (const Value& value : list.array()) {
    const std::optional<Entry> read = read_entry(value, form, diagnostics);
    if (!read) continue;
    const Entry& entry = *read;
    for (std::int64_t i = 1; i <= entry.count && !entry.agent.profile.name.empty(); ++i) {
      PlannedAgent agent = entry.agent;
      if (entry.count > 1) agent.profile.name += std::to_string(i);
      const auto [earlier, fresh] = places.emplace(agent.profile.name, value.place);
      if (fresh) {
        agents.push_back(std::move(agent));
        continue;
      }
      diagnostics.add(value.place,
                      fmt::format("agent {} is defined twice, first at {}:{}", quoted(agent.profile.name),
                                  earlier->second.line, earlier->second.column),
                      "give it another name");
    }
  }
  check_parents(agents, diagnostics);
  return agents;
}

std::vector<KeyInfo> agent_keys(bool supervised) {
  return infos(std::span<const Key<Entry>>(rows(supervised ? Form::supervised : Form::job_file)));
}

Value describe_agent(const PlannedAgent& agent) {
  Value description;
  for (const AgentKey& row : table) {
    if (!row.print) continue;
    if (Value value = row.print(agent); !value.is_null())
      description.set(row.key.info.name, std::move(value));
  }
  return description;
}

Result<PlannedAgent> read_agent(std::string_view text, std::string source) {
  const Result<Value> value = text.starts_with('{') ? parse_json(text) : parse_yaml(text);
  if (!value) return fail(Errc::invalid, fmt::format("{}:{}", source, value.error().text));
  Diagnostics diagnostics(std::move(source));
  std::optional<Entry> entry = read_entry(*value, Form::supervised, diagnostics);
  if (entry && entry->count != 1)
    diagnostics.add(value->place, "this describes one agent, not several", "remove 'count'");
  if (!diagnostics.empty()) return fail(diagnostics.error());
  return std::move(entry->agent);
}

std::vector<AgentOption> agent_options() {
  const auto is_list = [](std::string_view key) {
    return key == "skills" || key == "env" || key == "secrets";
  };
  std::vector<AgentOption> options;
  for (const auto& [key, print, typed] : table) {
    if (typed.names.empty()) continue;
    const KeyInfo& info = key.info;
    std::string help(typed.help.empty() ? info.doc : typed.help);
    help.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(help.front())));
    const bool worth_saying = !typed.shown.empty() && info.fallback != "none" && info.fallback != "required";
    if (worth_saying) help += fmt::format(" [{}]", info.fallback);
    options.push_back({info.name, typed.names, typed.shown, is_list(info.name), std::move(help)});
  }
  return options;
}

Result<PlannedAgent> read_agent_options(const Value& typed) {
  Value value;
  for (const AgentKey& row : table) {
    const Value* given = typed.find(row.key.info.name);
    if (!given) continue;
    Value meant = *given;
    const bool numeric = row.key.info.type == "number" || row.key.info.type == "whole number";
    if (numeric && given->is_string()) {
      // Anything else stays text, which the row refuses. YAML, unlike JSON, accepts .5.
      if (Result<Value> number = parse_yaml(given->string()); number && number->is_number()) {
        meant = std::move(*number);
        meant.place = given->place;
      }
    } else if (given->is_bool() && row.typed.shown.empty()) {
      meant = Value(row.key.info.fallback != "true");
    }
    value.set(spelled(row.key.info.name, Form::options), std::move(meant));
  }
  Diagnostics diagnostics("");
  std::optional<Entry> entry = read_entry(value, Form::options, diagnostics);
  if (!diagnostics.empty()) return fail(diagnostics.error());
  return std::move(entry->agent);
}

}  // namespace bidboard
