// What the strategies are compared with: first come first served, lots, and one agent that does it all.
#include "runtime/coordination/strategy.hpp"

namespace bidboard {
namespace {

class FifoStrategy final : public Strategy {
 public:
  std::string_view name() const override { return "fifo"; }
  bool orders_by_bottom_level() const override { return false; }
  bool sees_busy() const override { return false; }

  std::vector<Choice> choose(const Situation& situation) override {
    std::vector<std::uint32_t> free = free_slots(situation);
    std::vector<Choice> choices;
    for (std::size_t t = 0; t < situation.tasks.size(); ++t)
      for (const std::size_t agent : situation.tasks[t].eligible)
        if (free[agent] > 0) {
          free[agent] -= 1;
          choices.push_back({t, agent, "first in line, and the first free agent that may take it"});
          break;
        }
    return choices;
  }

  static std::vector<std::uint32_t> free_slots(const Situation& situation) {
    std::vector<std::uint32_t> free;
    for (const AgentView& agent : situation.agents) free.push_back(agent.free_slots);
    return free;
  }
};

class RandomStrategy final : public Strategy {
 public:
  explicit RandomStrategy(std::uint64_t seed) : random_(seed) {}
  std::string_view name() const override { return "random"; }
  bool orders_by_bottom_level() const override { return false; }
  bool sees_busy() const override { return false; }

  std::vector<Choice> choose(const Situation& situation) override {
    std::vector<std::uint32_t> free = FifoStrategy::free_slots(situation);
    std::vector<Choice> choices;
    for (std::size_t t = 0; t < situation.tasks.size(); ++t) {
      std::vector<std::size_t> able;
      for (const std::size_t agent : situation.tasks[t].eligible)
        if (free[agent] > 0) able.push_back(agent);
      if (able.empty()) continue;
      const std::size_t winner = able[random_.below(able.size())];
      free[winner] -= 1;
      choices.push_back({t, winner, "drawn by lot among " + std::to_string(able.size()) + " free agents"});
    }
    return choices;
  }

 private:
  Random random_;
};

class SingleStrategy final : public Strategy {
 public:
  std::string_view name() const override { return "single"; }
  bool orders_by_bottom_level() const override { return false; }

  std::vector<Choice> choose(const Situation& situation) override {
    std::vector<std::uint32_t> free = FifoStrategy::free_slots(situation);
    std::vector<Choice> choices;
    for (std::size_t t = 0; t < situation.tasks.size(); ++t) {
      if (situation.tasks[t].eligible.empty()) continue;
      const std::size_t only = situation.tasks[t].eligible.front();  // the first registered; others stay idle
      if (free[only] == 0) continue;
      free[only] -= 1;
      choices.push_back({t, only, "the first registered agent that may take it does everything"});
    }
    return choices;
  }
};

}  // namespace

std::unique_ptr<Strategy> make_fifo() { return std::make_unique<FifoStrategy>(); }
std::unique_ptr<Strategy> make_random(std::uint64_t seed) { return std::make_unique<RandomStrategy>(seed); }
std::unique_ptr<Strategy> make_single() { return std::make_unique<SingleStrategy>(); }

}  // namespace bidboard
