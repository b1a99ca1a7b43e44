// The baselines of the comparison: first come first served, a random agent, and one agent that does all the
// work.
#include "blackboard/fmt.hpp"
#include "blackboard/random.hpp"
#include "runtime/coordination/push.hpp"
#include "runtime/coordination/strategy.hpp"
#include "runtime/core/core.hpp"

namespace bidboard {
namespace {

std::vector<std::uint32_t> free_slots(const Situation& situation) {
  std::vector<std::uint32_t> free;
  for (const AgentView& agent : situation.agents) free.push_back(agent.free_slots);
  return free;
}

class FifoCoordinator final : public PushCoordinator {
 public:
  std::string_view name() const override { return "fifo"; }
  bool orders_by_bottom_level() const override { return false; }
  Outlook outlook() const override { return {.sees_busy = false}; }

 protected:
  std::vector<Choice> choose(const Situation& situation) override {
    std::vector<std::uint32_t> free = free_slots(situation);
    std::vector<Choice> choices;
    for (std::size_t t = 0; t < situation.tasks.size(); ++t)
      for (const std::size_t agent : situation.tasks[t].eligible)
        if (free[agent] > 0) {
          free[agent] -= 1;
          choices.push_back({t, agent, "first in the queue; the first free agent that may take it"});
          break;
        }
    return choices;
  }
};

class RandomCoordinator final : public PushCoordinator {
 public:
  explicit RandomCoordinator(std::uint64_t seed) : random_(seed) {}
  void forget(Core& core) override {
    PushCoordinator::forget(core);
    random_ = Random(core.board.config().seed);
  }
  std::string_view name() const override { return "random"; }
  bool orders_by_bottom_level() const override { return false; }
  Outlook outlook() const override { return {.sees_busy = false}; }

 protected:
  std::vector<Choice> choose(const Situation& situation) override {
    std::vector<std::uint32_t> free = free_slots(situation);
    std::vector<Choice> choices;
    for (std::size_t t = 0; t < situation.tasks.size(); ++t) {
      std::vector<std::size_t> able;
      for (const std::size_t agent : situation.tasks[t].eligible)
        if (free[agent] > 0) able.push_back(agent);
      if (able.empty()) continue;
      const std::size_t winner = able[random_.below(able.size())];
      free[winner] -= 1;
      choices.push_back(
          {t, winner, fmt::format("chosen at random among {}", counted(able.size(), "free agent"))});
    }
    return choices;
  }

 private:
  Random random_;
};

class SingleCoordinator final : public PushCoordinator {
 public:
  std::string_view name() const override { return "single"; }
  bool orders_by_bottom_level() const override { return false; }

 protected:
  std::vector<Choice> choose(const Situation& situation) override {
    std::vector<std::uint32_t> free = free_slots(situation);
    std::vector<Choice> choices;
    for (std::size_t t = 0; t < situation.tasks.size(); ++t) {
      if (situation.tasks[t].eligible.empty()) continue;
      const std::size_t only =
          situation.tasks[t].eligible.front();  // the first registered; the others stay idle
      if (free[only] == 0) continue;
      free[only] -= 1;
      choices.push_back({t, only, "the first registered agent that may take it does everything"});
    }
    return choices;
  }
};

}  // namespace

std::unique_ptr<Coordinator> make_fifo() { return std::make_unique<FifoCoordinator>(); }
std::unique_ptr<Coordinator> make_random(std::uint64_t seed) {
  return std::make_unique<RandomCoordinator>(seed);
}
std::unique_ptr<Coordinator> make_single() { return std::make_unique<SingleCoordinator>(); }

}  // namespace bidboard
