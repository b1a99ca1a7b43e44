#include "runtime/sim/scenario.hpp"

#include <algorithm>
#include <array>

#include "auction/clearing.hpp"
#include "auction/eligibility.hpp"
#include "blackboard/board/board.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/spending.hpp"
#include "runtime/coordination/strategy.hpp"
#include "runtime/sim/bills.hpp"
#include "runtime/sim/checkers.hpp"

namespace bidboard::sim {
namespace {

constexpr std::array<const char*, 3> skills{"cpp", "docs", "review"};
constexpr std::size_t shells = 2;
constexpr const char* steady = "steady";  ///< the agent that can do every task
/// A breaker stays open for up to an hour (runtime/core/breakers.hpp), and may open once more by a probe that
/// began before the faults were over.
constexpr Duration longest_rests = minutes(150);
/// More turns in a row without anything to do mean that the core spins.
constexpr std::uint64_t idle_turns_allowed = 100;

std::string share(std::int64_t millionths) { return format_micros(millionths * 100) + " %"; }

template <class Item>
Item one_of(const std::vector<Item>& items, Random& random) {
  return items[random.below(items.size())];
}

Config some_config(Random& random) {
  Config config;
  const std::vector<std::string_view> mechanisms = mechanism_names();
  // Auctions have the most that can go wrong, then trees of managers.
  config.strategy = random.chance(400'000)   ? "auction"
                    : random.chance(200'000) ? "hierarchy"
                                             : one_of(strategy_names(), random);
  config.mechanism = mechanisms[random.below(mechanisms.size())];
  config.calibrate = random.chance(800'000);
  config.price_weight = random.between(0, 2) * one;
  config.backoff = seconds(random.between(0, 3));
  config.bid_timeout = milliseconds(random.between(200, 3'000));
  config.seed = random.next();
  if (random.chance(300'000)) config.invite_max = static_cast<std::uint32_t>(random.between(1, 4));
  return config;
}

Behaviour some_behaviour(Random& random) {
  Behaviour behaviour;
  if (random.chance(300'000)) behaviour.noise = random.between(0, one / 2);
  if (random.chance(300'000)) behaviour.failure_rate = random.between(0, 400'000);
  if (random.chance(200'000)) behaviour.hang_rate = random.between(0, 300'000);
  behaviour.live_bids = random.chance(400'000);
  if (!behaviour.live_bids) return behaviour;
  behaviour.bid_error = random.between(0, one);
  if (random.chance(200'000)) behaviour.bid_factor = random.between(0, 2 * one);
  if (random.chance(300'000)) behaviour.decline_rate = random.between(0, 500'000);
  if (random.chance(300'000)) behaviour.silence_rate = random.between(0, 500'000);
  behaviour.bid_delay_max = milliseconds(random.between(1, 3'000));
  return behaviour;
}

AgentSpec some_agent(std::size_t number, Random& random) {
  AgentSpec agent;
  AgentProfile& profile = agent.profile;
  profile.name = fmt::format("agent{}", number);
  profile.speed = random.between(5, 40) * one / 10;
  profile.capacity = static_cast<std::uint32_t>(random.between(1, 3));
  profile.price_per_second = random.between(0, 2) * one / 2;
  for (const char* skill : skills)
    if (random.chance(600'000)) profile.skills.push_back({skill, random.between(2, 10) * one / 10});
  if (random.chance(100'000)) profile.project = "other";
  if (random.chance(200'000)) profile.bids = BidStyle::formula, profile.cost_formula = "size / speed / level";
  agent.behaviour = some_behaviour(random);
  if (random.chance(200'000)) agent.behaviour.true_speed = random.between(5, 40) * one / 10;
  agent.local = random.chance(600'000);
  if (random.chance(300'000)) profile.set_up = random.between(1, 30) * one / 10;
  return agent;
}

/// An agent that may do every task and does it well, so that every task can end.
AgentSpec steady_agent() {
  AgentSpec agent;
  agent.profile.name = steady;
  for (const char* skill : skills) agent.profile.skills.push_back({skill, one});
  return agent;
}

/// A tree over the agents, of any depth; sometimes with a cycle, or with agents outside it.
void draw_managers(std::vector<AgentSpec>& agents, Random& random) {
  const std::size_t specialists = agents.size();
  const std::int64_t managers = random.between(1, 4);
  const auto some_manager = [&](std::int64_t below) {
    return fmt::format("manager{}", random.below(static_cast<std::uint64_t>(below)));
  };
  for (std::int64_t i = 0; i < managers; ++i) {
    AgentSpec agent;
    agent.profile.name = fmt::format("manager{}", i);
    agent.profile.role = i == 0 ? Role::executive : Role::manager;
    if (i > 0 && random.chance(900'000)) agent.profile.parent = some_manager(i);
    if (i == 0 && random.chance(50'000)) agent.profile.parent = some_manager(managers);
    agent.local = random.chance(600'000);
    agents.push_back(std::move(agent));
  }
  for (std::size_t i = 0; i < specialists; ++i)
    if (random.chance(900'000)) agents[i].profile.parent = some_manager(managers);
}

LinkProfile some_links(Random& random) {
  LinkProfile links;
  links.latency_max = microseconds(random.between(100, random.chance(500'000) ? 2'000 : 300'000));
  if (random.chance(300'000)) return links;
  if (random.chance(700'000)) links.loss = random.between(0, 100'000);
  if (random.chance(600'000)) links.duplication = random.between(0, 100'000);
  if (random.chance(600'000)) links.reordering = random.between(0, 200'000);
  links.reordered_by = milliseconds(random.between(1, 5'000));
  return links;
}

FaultRates some_faults(Random& random) {
  FaultRates rates;
  const auto every = [&](std::int64_t from_s, std::int64_t to_s) {
    return random.chance(500'000) ? seconds(random.between(from_s, to_s)) : Duration{};
  };
  rates.controller_crash_every = every(5, 120);
  rates.commit_failure = random.chance(400'000) ? random.between(0, 50'000) : 0;
  rates.agent_crash_every = every(5, 60);
  rates.agent_pause_every = every(10, 60);
  rates.controller_pause_every = every(30, 120);
  rates.cut_every = every(10, 60);
  rates.reconnect_every = every(5, 60);
  rates.wall_jump_every = every(20, 120);
  rates.drift_ppm_max = random.chance(500'000) ? random.between(0, 10'000) : 0;
  return rates;
}

OutageSpec some_outage(Random& random) {
  constexpr std::array kinds{Outage::rate_limit, Outage::quota,   Outage::overload, Outage::authentication,
                             Outage::credit,     Outage::network, Outage::crash};
  OutageSpec outage;
  outage.outage = kinds[random.below(kinds.size())];
  outage.every = seconds(random.between(10, 120));
  outage.lasts = seconds(random.between(1, 60));
  outage.stated = random.between(0, 2) * one / 2;
  return outage;
}

AccountSpec some_account(std::size_t number, Random& random) {
  AccountSpec account;
  account.name = fmt::format("account{}", number);
  for (std::int64_t i = random.between(0, 3); i > 0; --i) account.outages.push_back(some_outage(random));
  if (random.chance(400'000)) account.calls_max = static_cast<std::uint32_t>(random.between(1, 20));
  account.window = seconds(random.between(5, 60));
  account.call_every = seconds(random.between(1, 20));
  account.price = random.between(0, 2) * one / 10;
  account.price_per_second = random.between(0, 2) * one / 100;
  account.tokens_per_second = random.between(0, 50);
  return account;
}

/// In a quarter of the worlds most agents share accounts at providers. From a generator of its own, so that
/// the other worlds stay what they are.
void draw_accounts(Scenario& scenario, Random random) {
  if (!random.chance(250'000)) return;
  WorldOptions& world = scenario.world;
  const std::int64_t count = random.between(1, 2);
  for (std::int64_t i = 0; i < count; ++i)
    world.accounts.push_back(some_account(static_cast<std::size_t>(i), random));
  for (AgentSpec& agent : world.agents)
    if (!leads(agent.profile.role) && agent.profile.name != steady && random.chance(800'000)) {
      agent.profile.account = one_of(world.accounts, random).name;
      agent.behaviour.tells_outages = random.chance(900'000);
    }
  Config& config = world.config;
  for (const AccountSpec& account : world.accounts) {
    if (random.chance(300'000))
      config.accounts.push_back(
          {account.name, static_cast<std::uint32_t>(random.between(0, 3)), seconds(random.between(0, 5))});
    if (random.chance(300'000))
      config.budgets.push_back({account_scope(account.name), {random.between(1, 30) * one / 10, 0}});
  }
  if (random.chance(300'000)) config.budgets.push_back({"board", {random.between(1, 60) * one / 10, 0}});
  config.estimate = {random.between(0, 3) * one / 10, 0};
}

/// Titles identify the request that posted a task: each is posted once.
Post some_post(const std::string& title, std::uint32_t count, Random& random) {
  Post post;
  for (std::uint32_t i = 0; i < count; ++i) {
    TaskSpec spec;
    spec.title = fmt::format("{}.{}", title, i);
    spec.size = random.between(0, 30) * one;
    spec.priority = random.between(-1, 1);
    spec.attempts = static_cast<std::uint32_t>(random.between(1, 4));
    spec.timeout = seconds(random.between(10, 180));
    spec.repeatable = random.chance(800'000);
    if (random.chance(100'000)) spec.budget = random.between(1, 20) * one;
    if (random.chance(100'000)) spec.stall_after = seconds(random.between(1, 30));
    if (random.chance(400'000))
      spec.skills.push_back({skills[random.below(skills.size())], random.between(0, 9) * one / 10});
    if (random.chance(150'000)) spec.project = "other";
    post.tasks.push_back(std::move(spec));
    for (std::uint32_t n = 0; i > 0 && n < 2; ++n)
      if (random.chance(250'000))
        post.batch_needs.push_back({i, static_cast<std::uint32_t>(random.below(i)), random.chance(300'000)});
  }
  if (random.chance(300'000)) post.workflow = title;
  return post;
}

/// Titles stay: they identify tasks. Some agent can do every task, edited or not.
Edit some_edit(TaskId task, TaskId other, Random& random) {
  Edit edit{task, {}, {}, {}};
  if (random.chance(300'000)) edit.change.body = "another body";
  if (random.chance(400'000)) edit.change.priority = random.between(-2, 2);
  if (random.chance(200'000)) edit.change.timeout = seconds(random.between(10, 30));
  if (random.chance(300'000)) {
    edit.change.skills.emplace();
    if (random.chance(700'000))
      edit.change.skills->push_back({skills[random.below(skills.size())], random.between(0, 9) * one / 10});
  }
  if (random.chance(200'000)) {
    edit.change.needs.emplace();
    if (random.chance(600'000)) edit.change.needs->push_back({other, random.chance(300'000)});
  }
  if (random.chance(300'000)) edit.add_labels.push_back("edited");
  return edit;
}

RequestBody some_meddling(const Scenario& scenario, Random& random) {
  const auto some_task = [&] { return TaskId{random.below(scenario.tasks) + 1}; };
  const auto some_name = [&] { return one_of(scenario.world.agents, random).profile.name; };
  switch (random.below(13)) {
    case 0:
    case 1:
      return Claim{random.chance(500'000) ? TaskId{} : some_task(), {}};
    case 2:
      return Finish{some_task(), {}, random.chance(700'000), "by hand", 0, 0};
    case 3:
      return Renew{some_task(), {}};
    case 4:
    case 5:
      return Direct{static_cast<Direction>(random.below(4)), some_task(), "because"};
    case 6:
      return Reassign{some_task(), random.chance(400'000) ? "" : some_name()};
    case 7:
    case 8:
      return Depend{some_task(), {some_task(), random.chance(300'000)}, random.chance(400'000)};
    case 9:
    case 10:
      return some_edit(some_task(), some_task(), random);
    case 11:
      return AddComment{some_task(), "what was seen here"};
    default:
      return Configure{some_config(random)};
  }
}

void draw_requests(Scenario& scenario, Random& random) {
  const auto some_time = [&] { return Instant{random.between(0, scenario.safety_phase.us)}; };
  // A few are so large that the log is replayed during the run.
  const std::int64_t posts = random.chance(5'000) ? random.between(100, 250) : random.between(2, 8);
  for (std::int64_t i = 0; i < posts; ++i) {
    const auto count = static_cast<std::uint32_t>(random.between(1, 12));
    const auto client = static_cast<std::uint32_t>(random.below(scenario.clients));
    scenario.requests.push_back(
        {i == 0 ? Instant{} : some_time(), client, {}, some_post(fmt::format("post{}", i), count, random)});
    scenario.tasks += count;
  }
  for (std::int64_t n = random.chance(700'000) ? random.between(1, 30) : 0; n > 0; --n) {
    RequestBody body = some_meddling(scenario, random);
    const bool own_name = std::holds_alternative<Claim>(body) || random.chance(300'000);
    scenario.requests.push_back({some_time(), static_cast<std::uint32_t>(random.below(scenario.clients)),
                                 own_name ? fmt::format("shell{}", random.below(shells)) : "",
                                 std::move(body)});
  }
  std::ranges::stable_sort(scenario.requests, {}, &Meddling::at);
}

/// Long enough for every task, one after the other, with each remaining attempt at the slowest agent or up to
/// its timeout, and the waits between them.
Duration liveness_bound(const Scenario& scenario) {
  Duration longest;
  Duration all;
  for (const Meddling& request : scenario.requests)
    if (const auto* post = std::get_if<Post>(&request.body))
      for (const TaskSpec& task : post->tasks) {
        longest = std::max(longest, task.timeout);
        all = all + (task.timeout + minutes(1)) * (task.attempts + 1);
      }
  const Duration rests = scenario.world.accounts.empty() ? Duration{} : longest_rests;
  return minutes(10) + longest * 2 + all + rests;
}

/// The requests of people once the faults are over: they release what was held back, and decide tasks that
/// wait for a person or for money.
void tidy_up(World& world) {
  const Board board(world.store());
  for (TaskId id{1}; id <= board.counters().task; id.value += 1) {
    const Task* task = board.task(id);
    if (!task || is_over(task->state)) continue;
    if (task->reserved_for) world.request(0, Reassign{id, ""});
    if (task->state == TaskState::paused) world.request(0, Direct{Direction::resume, id, "go on"});
    if (task->state == TaskState::waiting) world.request(0, Finish{id, {}, true, "by hand", 0, 0});
    if (!hold_of(*task, HoldKind::budget)) continue;
    for (const std::string& scope : {task_scope(id), std::string("board")})
      world.request(0, RaiseBudget{scope, {1'000 * one, 0}});
  }
}

class FaultCount final : public Observer {
 public:
  void on_fault(const Fault&, Instant) override { ++count; }
  std::uint64_t count = 0;
};

std::string state_of(const Board& board, TaskId id) {
  const Task& task = *board.task(id);
  return fmt::format("{} is {}{}", id, task.state,
                     (task.holder && is_held(task.state) ? fmt::format(" at {}", task.holder) : ""));
}

}  // namespace

Scenario draw_scenario(std::uint64_t seed) {
  Random random(seed);
  Scenario scenario;
  scenario.world.seed = random.next();
  scenario.world.config = some_config(random);
  const std::int64_t agents = random.between(1, 7);
  for (std::int64_t i = 0; i < agents; ++i)
    scenario.world.agents.push_back(some_agent(static_cast<std::size_t>(i), random));
  scenario.world.agents.push_back(steady_agent());
  if (scenario.world.config.strategy == "hierarchy" || random.chance(100'000))
    draw_managers(scenario.world.agents, random);
  scenario.world.links = some_links(random);
  FaultRates& rates = scenario.world.faults.rates;
  if (!random.chance(100'000)) rates = some_faults(random);
  if (scenario.world.config.strategy == "peer") rates.cut_peers_every = rates.cut_every;
  scenario.world.controller.per_batch = microseconds(random.between(100, 20'000));
  scenario.clients = static_cast<std::uint32_t>(random.between(1, 3));
  scenario.safety_phase = seconds(random.between(30, 300));
  draw_requests(scenario, random);
  draw_accounts(scenario, Random(~seed));
  return scenario;
}

std::vector<std::string> describe(const Scenario& scenario) {
  const WorldOptions& world = scenario.world;
  std::vector<std::string> lines;
  const Config& config = world.config;
  lines.push_back(
      fmt::format("strategy {}, mechanism {}, calibration {}, price weight {}, bids within {}, {} invited",
                  config.strategy, config.mechanism, (config.calibrate ? "on" : "off"),
                  format_micros(config.price_weight), config.bid_timeout,
                  (config.invite_max > 0 ? std::to_string(config.invite_max) : "all")));
  lines.push_back(fmt::format(
      "{} tasks, {} requests by {} shells, faults for {}, then every task ends within {}", scenario.tasks,
      scenario.requests.size(), scenario.clients, scenario.safety_phase, liveness_bound(scenario)));
  for (const AgentSpec& agent : world.agents) {
    const AgentProfile& profile = agent.profile;
    const Behaviour& behaviour = agent.behaviour;
    std::string line =
        fmt::format("{}{} speed {}, capacity {}", profile.name, (agent.local ? ":" : " (elsewhere):"),
                    format_micros(profile.speed), profile.capacity);
    if (leads(profile.role))
      line = fmt::format("{}{} leads", profile.name, (agent.local ? ":" : " (elsewhere):"));
    if (!profile.parent.empty()) line += ", under " + profile.parent;
    if (!profile.account.empty())
      line += fmt::format(", {}{}", profile.account, behaviour.tells_outages ? "" : " (tells no outages)");
    for (const Skill& skill : profile.skills)
      line += fmt::format(", {} {}", skill.name, format_micros(skill.level));
    if (behaviour.true_speed > 0) line += ", true speed " + format_micros(behaviour.true_speed);
    if (behaviour.failure_rate > 0) line += ", fails " + share(behaviour.failure_rate);
    if (behaviour.hang_rate > 0) line += ", hangs " + share(behaviour.hang_rate);
    if (behaviour.live_bids)
      line += fmt::format(", live bids: off by {}, times {}, declines {}, silent {}",
                          share(behaviour.bid_error), format_micros(behaviour.bid_factor),
                          share(behaviour.decline_rate), share(behaviour.silence_rate));
    lines.push_back(std::move(line));
  }
  for (const AccountLimits& limits : config.accounts)
    lines.push_back(fmt::format("{}: {} at once, {} apart", limits.name,
                                (limits.running_max > 0 ? std::to_string(limits.running_max) : "all"),
                                limits.stagger));
  for (const Budget& budget : config.budgets)
    lines.push_back(fmt::format("{} may spend {}", budget.scope, in_words(budget.bound)));
  for (const AccountSpec& account : world.accounts)
    for (std::string& line : describe(account)) lines.push_back(std::move(line));
  for (std::string& line : describe(world.links)) lines.push_back(std::move(line));
  for (std::string& line : describe(world.faults)) lines.push_back(std::move(line));
  return lines;
}

ScenarioReport run_scenario(const Scenario& scenario, Observer* also) {
  World world(scenario.world);
  Checkers checkers;
  BillChecker bills(world, false);
  FaultCount faults;
  world.observe(checkers);
  world.observe(bills);
  world.observe(faults);
  if (also) world.observe(*also);
  while (world.clients() < scenario.clients) world.add_client();
  for (const Meddling& request : scenario.requests)
    world.request(request.client, request.body, request.at, request.as);
  world.run_until(Instant{} + scenario.safety_phase);

  world.heal();
  ScenarioReport report;
  report.bound = liveness_bound(scenario);
  const Instant limit = world.now() + report.bound;
  while (!world.done() && world.now() < limit) {
    const Instant next_look = world.now() + minutes(1);
    while (!world.requests_answered() && world.now() < next_look && world.step()) continue;
    tidy_up(world);
    world.run_until_done(std::min(limit, next_look));
  }
  checkers.check_at_end(world.store(), world.now());
  bills.check_at_end(world.now());

  report.violations = checkers.violations();
  for (const std::string& violation : bills.violations()) report.violations.push_back(violation);
  const Board board(world.store());
  if (!world.done()) {
    report.violations.push_back(fmt::format(
        "some tasks or requests did not end within {}: {} tasks are open{}", report.bound, world.open_tasks(),
        (world.requests_answered() ? "" : ", some requests are not answered")));
    for (TaskId id{1}; id <= board.counters().task; id.value += 1)
      if (!is_over(board.task(id)->state)) report.violations.push_back(state_of(board, id));
  }
  if (world.idle_turns_max() > idle_turns_allowed)
    report.violations.push_back(fmt::format(
        "the controller was woken {} times in a row without anything to do", world.idle_turns_max()));
  report.log_hash = world.log_hash();
  report.events = world.store().last_seq().value;
  report.messages = world.traffic().total().messages;
  report.tasks = board.counters().task.value;
  for (TaskId id{1}; id <= board.counters().task; id.value += 1)
    report.done += board.task(id)->state == TaskState::done;
  report.faults = faults.count;
  report.failed_commits = world.store().failed_commits();
  report.late_results = board.counters().discovery.value;
  report.took = world.now() - Instant{};
  return report;
}

}  // namespace bidboard::sim
