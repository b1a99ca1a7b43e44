#include "experiments/estimate.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "blackboard/random.hpp"

namespace bidboard {
namespace {

/// Positions in workloads, agents, faults and strategies.
using Combination = std::array<std::size_t, 4>;

Combination combination_of(const Cell& cell) {
  return {cell.workload, cell.agents, cell.faults, cell.strategy};
}

constexpr double least_seconds = 1e-6;
constexpr int rounds = 50;

/// Seconds as a product of one factor for each part, fitted to what was measured.
class Factors {
 public:
  explicit Factors(const std::map<Combination, double>& measured) : measured_(measured) {
    for (int round = 0; round < rounds; ++round)
      for (std::size_t part = 0; part < log_factors_.size(); ++part) fit(part);
    // A mean of logarithms is below the logarithm of the mean.
    double sum = 0;
    double predicted = 0;
    for (const auto& [combination, seconds] : measured_)
      sum += seconds, predicted += std::exp(log_of(combination));
    correction_ = predicted > 0 ? sum / predicted : 1;
  }

  double operator()(const Combination& combination) const {
    if (const auto found = measured_.find(combination); found != measured_.end()) return found->second;
    return correction_ * std::exp(log_of(combination));
  }

 private:
  double log_of(const Combination& combination) const {
    double sum = 0;
    for (std::size_t part = 0; part < combination.size(); ++part)
      if (const auto found = log_factors_[part].find(combination[part]); found != log_factors_[part].end())
        sum += found->second;
    return sum;
  }

  /// Moves the mean of what the other parts leave into the factors of this one.
  void fit(std::size_t part) {
    std::map<std::size_t, std::pair<double, double>> rest;  // sum, count
    for (const auto& [combination, seconds] : measured_) {
      auto& [sum, count] = rest[combination[part]];
      sum += std::log(std::max(seconds, least_seconds)) - log_of(combination);
      count += 1;
    }
    for (const auto& [place, mean] : rest) log_factors_[part][place] += mean.first / mean.second;
  }

  const std::map<Combination, double>& measured_;
  std::array<std::map<std::size_t, double>, 4> log_factors_;
  double correction_ = 1;
};

}  // namespace

std::vector<Cell> sample_order(const Experiment& experiment) {
  std::vector<Cell> order;
  for (std::size_t w = 0; w < experiment.workloads.size(); ++w)
    for (std::size_t a = 0; a < experiment.agents.size(); ++a)
      for (std::size_t f = 0; f < experiment.faults.size(); ++f)
        for (std::size_t s = 0; s < experiment.strategies.size(); ++s) order.push_back({w, a, f, s, 1});
  Random random(1);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

double predict_seconds(const Experiment& experiment, const std::vector<TimedRun>& sample, unsigned threads) {
  std::map<Combination, double> runs;
  std::map<Combination, double> grounds;  // the same for all strategies
  for (const TimedRun& timed : sample) {
    Combination combination = combination_of(timed.cell);
    runs[combination] = timed.run;
    combination[3] = 0;
    grounds[combination] = timed.ground;
  }
  const Factors seconds_of_run(runs);
  const Factors seconds_of_ground(grounds);
  // Threads that share a seed each compute its ground.
  const auto copies = static_cast<double>(std::min<std::size_t>(threads, experiment.strategies.size()));
  double seconds = 0;
  for (const Cell& cell : sample_order(experiment)) {
    const Combination combination = combination_of(cell);
    seconds += seconds_of_run(combination);
    if (cell.strategy == 0) seconds += copies * seconds_of_ground(combination);
  }
  return seconds * experiment.seeds / std::max(1u, threads);
}

}  // namespace bidboard
