// The questions of an experiment: hypotheses that its results uphold or refute, and goals that they meet or
// miss. Workloads, agents, faults and strategies are named as in the report. Pure.
#pragma once

#include <string>
#include <vector>

#include "blackboard/text/document.hpp"
#include "runtime/jobs/diagnostics.hpp"

namespace bidboard {

struct Experiment;

/// Selects runs: those with these workloads, agents and faults.
struct Where {
  std::vector<std::string> workloads;
  std::vector<std::string> agents;
  std::vector<std::string> faults;
};

/// Which aspect of a measure is compared.
enum class Aspect : std::uint8_t {
  value,    ///< the measure itself
  growth,   ///< its exponent over the numbers of agents
  failure,  ///< the measure under faults ÷ the same without
};

/// "`more` has more of it than `less`."
struct Hypothesis {
  std::string text;
  std::string measure;
  Aspect aspect = Aspect::value;
  std::string more;
  std::string less;
  Where where;
};

/// "With the best of these strategies, the measure (or its ratio to that of `against`) is at most this high."
struct GoalSpec {
  std::string text;
  std::string measure;
  std::vector<std::string> strategies;
  std::string against;  ///< a strategy; empty: compare the measure itself
  Micros at_most = 0;
  Where where;
};

/// `hypotheses:` and `goals:` of an experiment file, the rest of which has been read. Errors are added to the
/// diagnostics.
void read_hypotheses(const Value& list, Experiment& experiment, Diagnostics& diagnostics);
void read_goals(const Value& list, Experiment& experiment, Diagnostics& diagnostics);
/// Their keys in Markdown.
std::string questions_reference();

/// Conversion for experiment.json; unreadable members keep their defaults.
Value to_value(const Hypothesis& hypothesis);
Value to_value(const GoalSpec& goal);
Hypothesis read_hypothesis(const Value& value);
GoalSpec read_goal(const Value& value);

}  // namespace bidboard
