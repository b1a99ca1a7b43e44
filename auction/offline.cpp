#include "auction/offline.hpp"
#include "blackboard/fmt.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace bidboard {
namespace {

constexpr std::size_t tasks_max = 2'000;
constexpr std::size_t agents_max = 2'000;
constexpr std::int64_t capacity_max = 1'000'000'000;
constexpr double cost_max = 1e9;
constexpr std::size_t flaws_shown = 50;

std::string quoted(std::string_view name) { return fmt::format("'{}'", name); }

/// Reads what it can and collects all errors, so that one run reports everything that must be fixed.
class Reader {
 public:
  Result<OfflineAuction> read(const Value& document);

 private:
  struct Known {
    Place place;
    std::uint64_t id = 0;
  };
  using Names = std::map<std::string, Known>;

  void flaw(Place at, const std::string& text);
  void check_keys(const Value& object, std::string_view what, const std::vector<std::string>& keys);
  const Value* member(const Value& object, std::string_view what, const char* key);
  const Value::Array* list(const Value& document, const char* key);
  std::optional<std::string> name(const Value& value, std::string_view what);
  void declare(Names& names, const std::string& name, Place at, std::string_view what);
  std::uint64_t lookup(const Names& names, const Value& value, std::string_view what);  ///< 0: not known
  static std::vector<std::string> number(Names& names);

  void read_tasks(const Value::Array& items);
  void read_agents(const Value::Array& items);
  void read_bids(const Value::Array& items);
  void read_bid(const Value& item);
  void read_bundle(const Value& item, const Value& tasks, std::uint64_t agent, std::optional<Micros> amount);
  std::int64_t capacity(const Value& agent);
  std::optional<Micros> cost(const Value& value);

  std::vector<std::string> flaws_;
  Names tasks_;
  Names agents_;
  std::vector<std::string> task_order_;
  std::vector<std::pair<std::string, std::int64_t>> agent_order_;           ///< with capacities
  std::map<std::pair<std::uint64_t, std::uint64_t>, Place> bids_;           ///< by task and agent
  std::map<std::pair<std::vector<TaskId>, std::uint64_t>, Place> bundles_;  ///< by tasks and agent
  OfflineAuction auction_;
};

void Reader::flaw(Place at, const std::string& text) {
  std::string line;
  if (at.line > 0) line = fmt::format("{}:{}: ", at.line, at.column);
  flaws_.push_back(line + text);
}

void Reader::check_keys(const Value& object, std::string_view what, const std::vector<std::string>& keys) {
  for (const Value::Member& m : object.object()) {
    if (std::ranges::find(keys, m.key) != keys.end()) continue;
    const std::string meant = nearest(m.key, keys);
    std::string known;
    for (const std::string& key : keys) known += (known.empty() ? "" : ", ") + key;
    flaw(m.place, fmt::format("unknown key {} in {}{}", quoted(m.key), what,
                              (meant.empty() ? "; it takes " + known
                                             : fmt::format(", did you mean {}?", quoted(meant)))));
  }
}

const Value* Reader::member(const Value& object, std::string_view what, const char* key) {
  const Value* value = object.find(key);
  if (!value) flaw(object.place, fmt::format("{} has no {}", what, quoted(key)));
  return value;
}

const Value::Array* Reader::list(const Value& document, const char* key) {
  const Value* value = member(document, "the auction", key);
  if (!value) return nullptr;
  if (value->is_array()) return &value->array();
  flaw(value->place, fmt::format("{} is {}; it must be a list", quoted(key), value->type_name()));
  return nullptr;
}

std::optional<std::string> Reader::name(const Value& value, std::string_view what) {
  if (!value.is_string())
    flaw(value.place, fmt::format("{} is {}; it must be text: put it in quotes", what, value.type_name()));
  else if (value.string().empty())
    flaw(value.place, fmt::format("{} is empty; give it a name", what));
  else
    return value.string();
  return {};
}

void Reader::declare(Names& names, const std::string& name, Place at, std::string_view what) {
  const auto [known, is_new] = names.try_emplace(name, Known{at, 0});
  if (is_new) return;
  const Place first = known->second.place;
  flaw(at, fmt::format("{} {} is listed twice{}: remove one", what, quoted(name),
                       first.line > 0 ? fmt::format(", first on line {}", first.line) : ""));
}

std::uint64_t Reader::lookup(const Names& names, const Value& value, std::string_view what) {
  const auto text = name(value, fmt::format("a bid's {}", what));
  if (!text) return 0;
  if (const auto known = names.find(*text); known != names.end()) return known->second.id;
  std::vector<std::string> candidates;
  for (const auto& [candidate, known] : names) candidates.push_back(candidate);
  const std::string meant = nearest(*text, candidates);
  const std::string many = fmt::format("{}s", what);
  flaw(value.place, fmt::format("a bid names the unknown {} {}{}", what, quoted(*text),
                                (meant.empty() ? "; add it to " + quoted(many)
                                               : fmt::format(", did you mean {}?", quoted(meant)))));
  return 0;
}

/// Ids by alphabet, from 1; the names by id.
std::vector<std::string> Reader::number(Names& names) {
  std::vector<std::string> out;
  for (auto& [name, known] : names) {
    out.push_back(name);
    known.id = out.size();
  }
  return out;
}

void Reader::read_tasks(const Value::Array& items) {
  for (const Value& item : items) {
    const auto id = name(item, "a task");
    if (!id) continue;
    declare(tasks_, *id, item.place, "task");
    task_order_.push_back(*id);
  }
  if (items.size() > tasks_max)
    flaw(items[tasks_max].place,
         fmt::format("{} tasks are too many; the limit is {}", items.size(), tasks_max));
}

void Reader::read_agents(const Value::Array& items) {
  for (const Value& item : items) {
    if (!item.is_object()) {
      flaw(item.place, fmt::format("an agent is {}{}", item.type_name(),
                                   R"(; it must be a map: {"id": "a1", "capacity": 1})"));
      continue;
    }
    check_keys(item, "an agent", {"id", "capacity"});
    const std::int64_t slots = capacity(item);
    const Value* value = member(item, "an agent", "id");
    const auto id = value ? name(*value, "an agent's id") : std::nullopt;
    if (!id) continue;
    declare(agents_, *id, value->place, "agent");
    agent_order_.emplace_back(*id, slots);
  }
  if (items.size() > agents_max)
    flaw(items[agents_max].place,
         fmt::format("{} agents are too many; the limit is {}", items.size(), agents_max));
}

std::int64_t Reader::capacity(const Value& agent) {
  const Value* value = agent.find("capacity");
  if (!value) return 1;
  if (value->is_integer() && value->integer() >= 0 && value->integer() <= capacity_max)
    return value->integer();
  flaw(value->place, fmt::format("a capacity is a whole number from 0 to {}", capacity_max));
  return 0;
}

std::optional<Micros> Reader::cost(const Value& value) {
  if (!value.is_number())
    flaw(value.place, fmt::format("a cost is {}; it must be a number", value.type_name()));
  else if (!(std::fabs(value.number()) <= cost_max))
    flaw(value.place, "a cost is beyond ±1000000000: use a larger unit for all costs");
  else
    return to_micros(value.number());
  return {};
}

void Reader::read_bid(const Value& item) {
  if (!item.is_object()) {
    flaw(item.place, fmt::format("a bid is {}{}", item.type_name(),
                                 R"(; it must be a map: {"task": "t1", "agent": "a1", "cost": 52})"));
    return;
  }
  check_keys(item, "a bid", {"task", "tasks", "agent", "cost"});
  const Value* tasks_value = item.find("tasks");
  const Value* task_value = tasks_value ? nullptr : member(item, "a bid", "task");
  const Value* agent_value = member(item, "a bid", "agent");
  const Value* cost_value = member(item, "a bid", "cost");
  const std::uint64_t task = task_value ? lookup(tasks_, *task_value, "task") : 0;
  const std::uint64_t agent = agent_value ? lookup(agents_, *agent_value, "agent") : 0;
  const auto amount = cost_value ? cost(*cost_value) : std::nullopt;
  if (tasks_value) return read_bundle(item, *tasks_value, agent, amount);
  if (task == 0 || agent == 0) return;
  const auto [known, is_new] = bids_.try_emplace({task, agent}, item.place);
  if (!is_new)
    flaw(item.place,
         fmt::format(
             "a second bid by {} for {}{}: remove one", quoted(agent_value->string()),
             quoted(task_value->string()),
             (known->second.line > 0 ? fmt::format(", the first is on line {}", known->second.line) : "")));
  else if (amount)
    auction_.problem.bids.push_back({TaskId{task}, AgentId{agent}, 0, *amount});
}

void Reader::read_bundle(const Value& item, const Value& tasks, std::uint64_t agent,
                         std::optional<Micros> amount) {
  if (item.find("task")) return flaw(item.place, "a bid has 'task' or 'tasks', not both");
  if (!tasks.is_array() || tasks.array().size() < 2)
    return flaw(tasks.place, R"('tasks' of a bid is a list of two or more: ["t1", "t2"])");
  ScoredBundle bundle{AgentId{agent}, {}, 0, amount.value_or(0)};
  for (const Value& task : tasks.array())
    if (const std::uint64_t id = lookup(tasks_, task, "task"); id != 0) bundle.tasks.push_back(TaskId{id});
  std::ranges::sort(bundle.tasks);
  if (std::ranges::adjacent_find(bundle.tasks) != bundle.tasks.end())
    return flaw(tasks.place, "a bid names a task twice: remove one");
  if (agent == 0 || !amount || bundle.tasks.size() < tasks.array().size()) return;
  const auto [known, is_new] = bundles_.try_emplace({bundle.tasks, agent}, item.place);
  if (is_new) return auction_.problem.bundles.push_back(std::move(bundle));
  flaw(item.place,
       fmt::format(
           "a second bid by {} for the same tasks{}: remove one", quoted(item.find("agent")->string()),
           (known->second.line > 0 ? fmt::format(", the first is on line {}", known->second.line) : "")));
}

Result<OfflineAuction> Reader::read(const Value& document) {
  if (!document.is_object())
    return fail(Errc::invalid,
                fmt::format("the auction is {}{}", document.type_name(),
                            R"(; it must be a map: {"tasks": [...], "agents": [...], "bids": [...]})"));
  check_keys(document, "the auction", {"tasks", "agents", "bids"});
  if (const auto* items = list(document, "tasks")) read_tasks(*items);
  if (const auto* items = list(document, "agents")) read_agents(*items);
  auction_.task_names = number(tasks_);
  auction_.agent_names = number(agents_);
  if (const auto* items = list(document, "bids"))
    for (const Value& item : *items) read_bid(item);
  if (auction_.problem.bundles.size() > clearing_bundles_max)
    flaw(document.place, fmt::format("{} bids for several tasks are too many; the limit is {}",
                                     auction_.problem.bundles.size(), clearing_bundles_max));
  if (!flaws_.empty()) {
    std::string text;
    for (std::size_t i = 0; i < std::min(flaws_.size(), flaws_shown); ++i)
      text += (i > 0 ? "\n" : "") + flaws_[i];
    if (flaws_.size() > flaws_shown) text += fmt::format("\nand {} more", flaws_.size() - flaws_shown);
    return fail(Errc::invalid, std::move(text));
  }
  auction_.problem.queueing = false;
  for (const std::string& id : task_order_) auction_.problem.tasks.push_back({TaskId{tasks_.at(id).id}});
  for (const auto& [id, slots] : agent_order_) {
    const AgentId agent{agents_.at(id).id};
    // Slots beyond the number of tasks change nothing; one of them is kept, so that a certificate gives it
    // price 0.
    const std::size_t useful = std::min(static_cast<std::size_t>(slots), task_order_.size() + 1);
    auction_.problem.agents.push_back({agent, std::vector<Micros>(useful, 0)});
    auction_.agents.push_back(agent);
  }
  return std::move(auction_);
}

/// 52 for 52'000'000, 0.5 for 500'000: as written in the file.
Value decimal(Micros value) {
  if (value % one == 0) return value / one;
  return from_micros(value);
}

/// The price of each agent. All its places have the same price, since they are equal; an unused place has
/// price 0.
std::map<AgentId, Micros> agent_prices(const OfflineAuction& auction, const Certificate& certificate) {
  std::map<AgentId, Micros> prices;
  for (const Certificate::PlacePrice& place : certificate.place_prices) prices[place.agent] = place.price;
  std::map<TaskId, Micros> task_prices;
  for (std::size_t i = 0; i < auction.problem.tasks.size(); ++i)
    task_prices[auction.problem.tasks[i].id] = certificate.task_prices[i];
  std::set<AgentId> without_place;
  for (const ClearingAgent& agent : auction.problem.agents)
    if (agent.slot_free_in.empty()) without_place.insert(agent.id);
  // An agent without places gets a price that never counts, low enough to match its bids.
  for (const ScoredBid& bid : auction.problem.bids)
    if (without_place.contains(bid.agent))
      prices[bid.agent] = std::min(prices[bid.agent], bid.cost - task_prices[bid.task]);
  for (const ScoredBundle& bundle : auction.problem.bundles) {
    if (!without_place.contains(bundle.agent)) continue;
    Micros left = bundle.cost;
    for (const TaskId task : bundle.tasks) left -= task_prices[task];
    prices[bundle.agent] = std::min(prices[bundle.agent], left);
  }
  return prices;
}

Value write_certificate(const OfflineAuction& auction, const Certificate& certificate) {
  Value tasks{Value::Object{}};
  for (std::size_t i = 0; i < auction.problem.tasks.size(); ++i)
    tasks.set(auction.task_names[auction.problem.tasks[i].id.value - 1], decimal(certificate.task_prices[i]));
  auto prices = agent_prices(auction, certificate);
  Value agents{Value::Object{}};
  for (const AgentId agent : auction.agents)
    agents.set(auction.agent_names[agent.value - 1], decimal(prices[agent]));
  Value out;
  out.set("bound", decimal(certificate.bound));
  out.set("gap", decimal(certificate.gap));
  out.set("tasks", std::move(tasks));
  out.set("agents", std::move(agents));
  out.set("unassigned", decimal(certificate.unassigned));
  return out;
}

}  // namespace

Result<OfflineAuction> read_auction(const Value& document) { return Reader().read(document); }

Value write_outcome(const OfflineAuction& auction, std::string_view mechanism, const Outcome& outcome) {
  const auto task_name = [&](TaskId id) { return auction.task_names[id.value - 1]; };
  std::set<TaskId> assigned;
  Value awards{Value::Array{}};
  for (const Award& award : outcome.awards) {
    assigned.insert(award.task);
    Value item;
    item.set("task", task_name(award.task));
    item.set("agent", auction.agent_names[award.agent.value - 1]);
    item.set("cost", decimal(award.cost));
    item.set("price", decimal(award.price));
    if (!award.bundle.empty()) {
      Value bundle{Value::Array{}};
      for (const TaskId task : award.bundle) bundle.push(task_name(task));
      item.set("bundle", std::move(bundle));
    }
    awards.push(std::move(item));
  }
  Value unassigned{Value::Array{}};
  for (const ClearingTask& task : auction.problem.tasks)
    if (!assigned.contains(task.id)) unassigned.push(task_name(task.id));
  Value out;
  out.set("mechanism", mechanism);
  out.set("awards", std::move(awards));
  out.set("unassigned", std::move(unassigned));
  out.set("total_cost", decimal(outcome.total_cost));
  if (outcome.certificate) out.set("exact", outcome.exact);
  if (outcome.certificate) out.set("certificate", write_certificate(auction, *outcome.certificate));
  return out;
}

}  // namespace bidboard
