// Judges the hypotheses and goals of an experiment (questions.hpp) by its results, and fits how costs grow
// with the number of agents. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/results.hpp"
#include "experiments/statistics.hpp"

namespace bidboard {

enum class HypothesisOutcome : std::uint8_t { upheld, refuted, no_difference, not_measured };
std::string_view name(HypothesisOutcome outcome);

/// Compares two strategies in the same runs: the same workload, agents, faults and seed; for a growth, the
/// same workload, faults and seed over all numbers of agents.
struct HypothesisVerdict {
  HypothesisOutcome outcome = HypothesisOutcome::not_measured;
  double more = 0;  ///< mean over the runs; of ratios the geometric one
  double less = 0;
  bool as_ratio = false;       ///< `contrast` is more ÷ less instead of more − less
  std::size_t unfinished = 0;  ///< runs of the two that did not finish, and are left out
  Difference contrast;         ///< p is corrected for all hypotheses of the experiment (Holm)
};
/// In the order of the hypotheses. A contrast is a ratio for the aspect `failure`, and if all values are
/// positive and not percentages; else a difference. Effects below 1 %, 0.5 points or an exponent of 0.05
/// count as no difference, even if they are significant.
std::vector<HypothesisVerdict> judge_hypotheses(const Results& results);
/// "peer n^1.92, hierarchy n^1.01; difference 0.91 [0.88 to 0.95], p = 0.002, 24 pairs".
std::string in_words(const Hypothesis& hypothesis, const HypothesisVerdict& verdict);

/// The best strategy of a goal in one setting.
struct GoalFigure {
  std::size_t agents = 0;
  std::size_t faults = 0;
  std::size_t strategy = 0;
  Comparison figure;           ///< against nothing, or against the goal's strategy; no pairs: no run finished
  std::size_t unfinished = 0;  ///< of its runs; a strategy with such runs does not meet a goal
  bool met = false;
};
/// In the order of the goals; a goal that was not measured has no figures.
std::vector<std::vector<GoalFigure>> judge_goals(const Results& results);

/// measure = factor × agents^exponent.
struct Growth {
  PowerLaw law;
  Interval exponent;  ///< 95 %, by resampling workloads and seeds
};
/// For one strategy and agents of one kind, without faults (the first entry of `faults`). Empty if there are
/// fewer than three different numbers of agents, a value is 0, or a run did not finish.
std::optional<Growth> growth_of(const Results& results, std::string_view measure, std::size_t strategy,
                                std::string_view kind);

/// A table for people.
struct AnswerTable {
  std::string title;
  std::string note;
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> rows;
};
/// Hypotheses, goals and fitted growth, those that the experiment has.
std::vector<AnswerTable> answer_tables(const Results& results);
/// A number with four significant digits.
std::string four_digits(double value);

}  // namespace bidboard
