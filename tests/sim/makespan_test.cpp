// How good the schedules are that come of it: recorded workflows run in simulated worlds in which nothing
// goes wrong and every bid is true, compared with schedules made in advance with perfect knowledge.
// BIDBOARD_MAKESPANS=1 prints every ratio.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <queue>

#include "runtime/sim/world.hpp"
#include "runtime/workflow/plan.hpp"
#include "runtime/workflow/posting.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;
using namespace bidboard::sim;

namespace {

/// Of the critical path, at speed 1.
constexpr Duration path_length = seconds(400);

/// Every recorded workflow; none where the data is absent.
std::vector<Plan> traces() {
  const auto folder = std::filesystem::path(BIDBOARD_SOURCE_DIR).parent_path() / "shared/data/wfinstances";
  std::vector<std::filesystem::path> files;
  if (std::filesystem::exists(folder))
    for (const auto& file : std::filesystem::directory_iterator(folder))
      if (file.path().extension() == ".json") files.push_back(file.path());
  std::ranges::sort(files);
  std::vector<Plan> plans;
  for (const auto& path : files) {
    std::ifstream file(path);
    Result<Plan> plan =
        read_plan(std::string(std::istreambuf_iterator<char>(file), {}), path.filename().string(), {});
    REQUIRE(plan.has_value());
    scale_sizes(*plan, div_micros(path_length.us, plan->critical_path));
    plans.push_back(std::move(*plan));
  }
  return plans;
}

/// Speeds from the slowest to the fastest, `spread` times as fast, evenly by ratio; their product is 1.
std::vector<Micros> speeds(std::size_t agents, double spread) {
  std::vector<Micros> out;
  for (std::size_t i = 0; i < agents; ++i)
    out.push_back(
        to_micros(std::pow(spread, static_cast<double>(i) / static_cast<double>(agents - 1) - 0.5)));
  return out;
}

struct Graph {
  explicit Graph(const Plan& plan) : dependents(plan.tasks.size()), needs(plan.tasks.size()) {
    for (std::size_t i = 0; i < plan.tasks.size(); ++i)
      for (const PlannedNeed& need : plan.tasks[i].needs) {
        dependents[need.task].push_back(i);
        needs[i].push_back(need.task);
      }
    levels.assign(plan.tasks.size(), -1);
    for (std::size_t i = 0; i < plan.tasks.size(); ++i) level(plan, i);
  }
  Micros level(const Plan& plan, std::size_t task) {
    if (levels[task] >= 0) return levels[task];
    Micros behind = 0;
    for (const std::size_t next : dependents[task]) behind = std::max(behind, level(plan, next));
    return levels[task] = behind + plan.tasks[task].spec.size;
  }
  std::vector<std::vector<std::size_t>> dependents, needs;
  std::vector<Micros> levels;  ///< bottom levels
};

/// List scheduling: whenever an agent is free it takes the ready task of the highest bottom level. For agents
/// of one speed.
Micros by_list(const Plan& plan, std::size_t agents) {
  Graph graph(plan);
  std::vector<std::size_t> open(plan.tasks.size());
  std::vector<std::pair<Micros, std::size_t>> ready;  // bottom level, task
  const auto add = [&](std::size_t task) { ready.emplace_back(graph.levels[task], task); };
  for (std::size_t i = 0; i < open.size(); ++i)
    if ((open[i] = graph.needs[i].size()) == 0) add(i);
  std::priority_queue<std::pair<Micros, std::size_t>, std::vector<std::pair<Micros, std::size_t>>,
                      std::greater<>>
      running;
  Micros now = 0;
  while (!ready.empty() || !running.empty()) {
    std::ranges::sort(ready, [](const auto& a, const auto& b) {
      return std::pair(-a.first, a.second) < std::pair(-b.first, b.second);
    });
    std::size_t taken = 0;
    for (; taken < ready.size() && running.size() < agents; ++taken)
      running.emplace(now + plan.tasks[ready[taken].second].spec.size, ready[taken].second);
    ready.erase(ready.begin(), ready.begin() + static_cast<std::ptrdiff_t>(taken));
    now = running.top().first;
    while (!running.empty() && running.top().first == now) {
      for (const std::size_t next : graph.dependents[running.top().second])
        if (--open[next] == 0) add(next);
      running.pop();
    }
  }
  return now;
}

/// HEFT (Topcuoglu, Hariri and Wu 2002) without communication: by upward rank, each task into the gap where
/// it finishes first.
Micros by_heft(const Plan& plan, const std::vector<Micros>& speed) {
  const Graph graph(plan);
  std::vector<std::size_t> order(plan.tasks.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, std::greater<>{}, [&](std::size_t i) { return graph.levels[i]; });
  // A need of size 0 has its dependent's level: it must come first all the same.
  std::vector<bool> placed(order.size(), false);
  std::vector<std::map<Micros, Micros>> busy(speed.size());  // begin → end
  std::vector<Micros> finish(order.size(), 0);
  Micros makespan = 0;
  const auto place = [&](auto&& self, std::size_t task) -> void {
    if (placed[task]) return;
    placed[task] = true;
    Micros ready = 0;
    for (const std::size_t need : graph.needs[task]) {
      self(self, need);
      ready = std::max(ready, finish[need]);
    }
    std::size_t best = 0;
    Micros begin_of_best = 0;
    Micros first = INT64_MAX;
    for (std::size_t agent = 0; agent < speed.size(); ++agent) {
      const Micros length = div_micros(plan.tasks[task].spec.size, speed[agent]);
      Micros begin = ready;
      for (const auto& [from, to] : busy[agent]) {
        if (begin + length <= from) break;
        begin = std::max(begin, to);
      }
      if (begin + length >= first) continue;
      best = agent;
      begin_of_best = begin;
      first = begin + length;
    }
    if (first > begin_of_best) busy[best][begin_of_best] = first;
    finish[task] = first;
    makespan = std::max(makespan, first);
  };
  for (const std::size_t task : order) place(place, task);
  return makespan;
}

/// `how`: a strategy, or "auction/MECHANISM". `error`: bids are asked for, and wrong by up to this share.
Micros in_a_world(const Plan& plan, const std::vector<Micros>& speed, const std::string& how,
                  Micros error = 0) {
  WorldOptions options;
  options.config.strategy = how.substr(0, how.find('/'));
  if (how.find('/') != std::string::npos) options.config.mechanism = how.substr(how.find('/') + 1);
  options.config.calibrate = false;
  options.links.latency_min = options.links.latency_max = Duration{};
  options.controller = {Duration{}, Duration{}};
  for (std::size_t i = 0; i < speed.size(); ++i) {
    AgentSpec agent;
    agent.profile.name = "agent" + std::to_string(i);
    agent.profile.speed = speed[i];
    agent.behaviour.live_bids = error > 0;
    agent.behaviour.bid_error = error;
    options.agents.push_back(agent);
  }
  World world(options);
  Post post;
  post.workflow = "trace";
  for (std::uint32_t i = 0; i < plan.tasks.size(); ++i) {
    post.tasks.push_back(plan.tasks[i].spec);
    for (const PlannedNeed& need : plan.tasks[i].needs) post.batch_needs.push_back({i, need.task, need.any});
  }
  const Instant begin = Instant{} + seconds(5);
  world.run_until(begin);
  world.post(std::move(post), begin);
  REQUIRE(world.run_until_done(begin + minutes(60 * 24 * 30)));
  return (world.now() - begin).us;
}

struct Ratios {
  std::map<std::string, std::vector<double>> of;  ///< by strategy

  double mean(const std::string& how) const {
    double logs = 0;
    for (const double ratio : of.at(how)) logs += std::log(ratio);
    return std::exp(logs / static_cast<double>(of.at(how).size()));
  }
  double best_auction() const {
    double best = 1e9;
    for (const auto& [how, all] : of)
      if (how.starts_with("auction")) best = std::min(best, mean(how));
    return best;
  }
};

Ratios measure(const std::vector<Plan>& plans, std::size_t agents, double spread) {
  static const std::vector<std::string> ways{
      "auction/first_price", "auction/sequential", "auction/optimal", "list", "central", "fifo"};
  const bool told = std::getenv("BIDBOARD_MAKESPANS") != nullptr;
  const std::vector<Micros> speed = speeds(agents, spread);
  Ratios ratios;
  for (const Plan& plan : plans) {
    const Micros best = spread == 1 ? by_list(plan, agents) : by_heft(plan, speed);
    if (told) std::printf("%2zu agents x%.0f %-45s", agents, spread, plan.source.c_str());
    for (const std::string& how : ways) {
      const double ratio = static_cast<double>(in_a_world(plan, speed, how)) / static_cast<double>(best);
      ratios.of[how].push_back(ratio);
      if (told) std::printf(" %s %.3f", how.substr(how.find('/') + 1).c_str(), ratio);
    }
    if (told) std::printf("\n");
  }
  if (told) {
    std::printf("%2zu agents x%.0f %-45s", agents, spread, "geometric mean");
    for (const std::string& how : ways)
      std::printf(" %s %.3f", how.substr(how.find('/') + 1).c_str(), ratios.mean(how));
    std::printf("\n");
  }
  return ratios;
}

}  // namespace

TEST_CASE(
    "agents of one speed: the best auction comes within 2 % of list scheduling with perfect knowledge") {
  const std::vector<Plan> plans = traces();
  if (plans.empty()) {
    WARN("no recorded workflows here: nothing was checked");
    return;
  }
  for (const std::size_t agents : {4u, 16u, 64u}) {
    INFO(agents << " agents");
    CHECK(measure(plans, agents, 1).best_auction() <= 1.02);
  }
}

TEST_CASE("speeds four times apart: the best auction comes within 5 % of HEFT with perfect estimates") {
  const std::vector<Plan> plans = traces();
  if (plans.empty()) {
    WARN("no recorded workflows here: nothing was checked");
    return;
  }
  for (const std::size_t agents : {4u, 16u, 64u}) {
    INFO(agents << " agents");
    CHECK(measure(plans, agents, 4).best_auction() <= 1.05);
  }
}

TEST_CASE("bids that are wrong by up to half: the auction still beats first come first served by 10 %") {
  const std::vector<Plan> plans = traces();
  if (plans.empty()) {
    WARN("no recorded workflows here: nothing was checked");
    return;
  }
  for (const std::size_t agents : {4u, 16u}) {
    Ratios ratios;
    for (const Plan& plan : plans)
      ratios.of["auction"].push_back(
          static_cast<double>(in_a_world(plan, speeds(agents, 4), "auction/sequential", one / 2)) /
          static_cast<double>(in_a_world(plan, speeds(agents, 4), "fifo")));
    INFO(agents << " agents: " << ratios.mean("auction"));
    CHECK(ratios.mean("auction") <= 0.90);
  }
}
