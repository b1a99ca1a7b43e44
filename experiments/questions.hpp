// What an experiment is asked beside its tables: published hypotheses that it puts to the test, and goals that
// are to be reached. Everything is named as the report names it. Pure.
#pragma once

#include <string>
#include <vector>

#include "blackboard/text/document.hpp"
#include "runtime/jobs/diagnostics.hpp"

namespace bidboard {

struct Experiment;

/// The runs that count: those of these workloads, agents and faults.
struct Where {
  std::vector<std::string> workloads;
  std::vector<std::string> agents;
  std::vector<std::string> faults;
};

/// What of a measure is compared.
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

/// "The best of these strategies keeps the measure, or its ratio to that of `against`, at most so high."
struct GoalSpec {
  std::string text;
  std::string measure;
  std::vector<std::string> strategies;
  std::string against;  ///< a strategy; empty: the measure itself counts
  Micros at_most = 0;
  Where where;
};

/// `hypotheses:` and `goals:` of an experiment file, the rest of which has been read. What is wrong goes into the
/// diagnostics.
void read_hypotheses(const Value& list, Experiment& experiment, Diagnostics& diagnostics);
void read_goals(const Value& list, Experiment& experiment, Diagnostics& diagnostics);
/// Their keys in Markdown.
std::string questions_reference();

/// As they are kept with the results, and back; what does not fit is left at its default.
Value to_value(const Hypothesis& hypothesis);
Value to_value(const GoalSpec& goal);
Hypothesis read_hypothesis(const Value& value);
GoalSpec read_goal(const Value& value);

}  // namespace bidboard
