#include "experiments/bench/simulated_load.hpp"

#include "blackboard/fmt.hpp"
#include "blackboard/random.hpp"
#include "experiments/bench/turn_clock.hpp"
#include "experiments/cells.hpp"

namespace bidboard::bench {
namespace {

constexpr std::uint64_t tasks_per_request = 2'000;

/// Counts results too.
class Meter final : public TurnClock {
 public:
  void on_saved(const Saved& saved, const Store&, Instant) override {
    for (const Event& event : saved.events) done += std::holds_alternative<TaskFinished>(event.body);
  }

  std::uint64_t done = 0;
};

sim::WorldOptions world_of(const Load& load) {
  sim::WorldOptions options;
  options.seed = load.seed;
  options.config.strategy = load.strategy;
  options.config.mechanism = load.mechanism;
  options.config.invite_max = load.invite_max;
  Random random(load.seed);
  std::vector<AgentProfile> profiles(load.agents);
  for (std::uint32_t i = 0; i < load.agents; ++i) {
    profiles[i].name = fmt::format("agent{}", i);
    profiles[i].speed = random.between(one / 2, 2 * one);
  }
  std::vector<AgentProfile> managers;
  if (load.strategy == "hierarchy") managers = add_managers(profiles, 0);
  for (AgentProfile& profile : profiles) {
    sim::AgentSpec agent;
    agent.profile = std::move(profile);
    agent.behaviour.live_bids = load.live_bids;
    options.agents.push_back(std::move(agent));
  }
  for (AgentProfile& manager : managers) options.agents.push_back({std::move(manager), {}, true});
  return options;
}

std::uint64_t heartbeats(const sim::NetworkCount& count) {
  std::uint64_t sum = 0;
  for (const std::size_t kind : {Message(Heartbeat{}).index(), Message(HeartbeatAck{}).index()})
    if (kind < count.by_kind.size()) sum += count.by_kind[kind].messages;
  return sum;
}

}  // namespace

LoadCost simulate_load(const Load& load) {
  sim::World world(world_of(load));
  Meter meter;
  world.observe(meter);
  const auto begun = Clock::now();
  Random random(load.seed);
  for (std::uint64_t posted = 0; posted < load.tasks;) {
    Post post;
    for (; posted < load.tasks && post.tasks.size() < tasks_per_request; ++posted) {
      TaskSpec task;
      task.title = "task";
      task.size = random.between(load.task_min.us, load.task_max.us);
      post.tasks.push_back(std::move(task));
    }
    world.post(std::move(post), Instant{} + seconds(1));
  }
  world.run_until_done(never - seconds(1));
  LoadCost cost;
  cost.seconds = seconds_since(begun);
  cost.controller_seconds = meter.seconds();
  const std::uint64_t messages = world.traffic().total().messages - heartbeats(world.traffic());
  cost.messages_per_task = static_cast<double>(messages) / static_cast<double>(load.tasks);
  cost.done = meter.done;
  cost.took = world.now() - Instant{};
  return cost;
}

}  // namespace bidboard::bench
