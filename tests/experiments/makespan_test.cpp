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

#include "experiments/schedule.hpp"
#include "runtime/jobs/posting.hpp"
#include "runtime/sim/world.hpp"
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
Setting setting_of(const Plan& plan, std::size_t agents, double spread) {
  Setting setting{plan, {}, std::vector<bool>(agents, false)};
  for (std::size_t i = 0; i < agents; ++i) {
    AgentProfile agent;
    agent.name = "agent" + std::to_string(i);
    agent.speed = to_micros(std::pow(spread, static_cast<double>(i) / static_cast<double>(agents - 1) - 0.5));
    setting.agents.push_back(std::move(agent));
  }
  return setting;
}

/// `how`: a strategy, or "auction/MECHANISM". `error`: bids are asked for, and wrong by up to this share.
double in_a_world(const Setting& setting, const std::string& how, Micros error = 0) {
  WorldOptions options;
  options.config.strategy = how.substr(0, how.find('/'));
  if (how.find('/') != std::string::npos) options.config.mechanism = how.substr(how.find('/') + 1);
  options.config.calibrate = false;
  options.links.latency_min = options.links.latency_max = Duration{};
  options.controller = {Duration{}, Duration{}};
  for (const AgentProfile& profile : setting.agents) {
    AgentSpec agent;
    agent.profile = profile;
    agent.behaviour.live_bids = error > 0;
    agent.behaviour.bid_error = error;
    options.agents.push_back(agent);
  }
  World world(options);
  const Instant begin = Instant{} + seconds(5);
  world.run_until(begin);
  world.post(post_of(setting.plan), begin);
  REQUIRE(world.run_until_done(begin + minutes(60 * 24 * 30)));
  return from_micros((world.now() - begin).us);
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
  Ratios ratios;
  for (const Plan& plan : plans) {
    const Setting setting = setting_of(plan, agents, spread);
    const double best = spread == 1 ? list_makespan(setting) : heft_makespan(setting);
    if (told) std::printf("%2zu agents x%.0f %-45s", agents, spread, plan.source.c_str());
    for (const std::string& how : ways) {
      const double ratio = in_a_world(setting, how) / best;
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
    for (const Plan& plan : plans) {
      const Setting setting = setting_of(plan, agents, 4);
      ratios.of["auction"].push_back(in_a_world(setting, "auction/sequential", one / 2) /
                                     in_a_world(setting, "fifo"));
    }
    INFO(agents << " agents: " << ratios.mean("auction"));
    CHECK(ratios.mean("auction") <= 0.90);
  }
}
