#include "experiments/hypotheses.hpp"

#include <cmath>

#include "blackboard/random.hpp"
#include "experiments/experiment.hpp"
#include "experiments/report.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

bool says(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

const std::string file =
    "name: hypotheses\nabout: >\n  What is said.\nseeds: 8\nworkloads: [{generate: chain}, {generate: "
    "random}]\n"
    "agents: [{count: [4, 8, 16, 32]}]\nfaults: [none, {kill_agents: 1}]\nstrategies: [central, blackboard]\n"
    "hypotheses:\n"
    "  - {hypothesis: More paths, measure: links, as: growth, more: blackboard, less: central, faults: "
    "[none]}\n"
    "  - {hypothesis: More work twice, measure: redundant, more: blackboard, less: central}\n"
    "  - {hypothesis: Alive for longer, measure: agent_seconds, more: blackboard, less: central}\n"
    "  - {hypothesis: A death spreads, measure: makespan, as: failure, more: blackboard, less: central}\n"
    "goals:\n"
    "  - {goal: Near HEFT, measure: heft_ratio, at_most: 1.15, strategies: [central, blackboard], agents: [4 "
    "agents],\n"
    "     faults: [1 killed]}\n"
    "  - {goal: Beats it, measure: makespan, at_most: 0.9, against: central, strategies: [blackboard], "
    "faults: [none]}\n";

ExperimentNames names() {
  const Result<Experiment> experiment = read_experiment(file, "c.yaml", {});
  INFO((experiment ? "" : experiment.error().text));
  REQUIRE(experiment.has_value());
  return names_of(*experiment);
}

/// How a made-up strategy behaves.
struct Manner {
  double paths = 1;       ///< exponent of its links
  double redundant = 0;   ///< %
  double alive = 1'000;   ///< agent-seconds
  double makespan = 100;  ///< without faults
  double slower = 1;      ///< by a death
};

/// Each value is a little off, by chance or not at all.
Results results_of(const Manner& central, const Manner& blackboard, bool noise = true) {
  Results results;
  results.names = names();
  for (std::size_t w = 0; w < 2; ++w)
    for (std::size_t a = 0; a < 4; ++a)
      for (std::size_t f = 0; f < 2; ++f)
        for (std::uint64_t seed = 1; seed <= 8; ++seed)
          for (std::size_t s = 0; s < 2; ++s) {
            const Manner& manner = s == 0 ? central : blackboard;
            Random random(((w * 4 + a) * 2 + f) * 100 + seed * 7 + s * 1'000'003);
            const auto about = [&](double value) {
              return noise ? value * (0.99 + static_cast<double>(random.below(2'000)) / 1e5) : value;
            };
            const auto count = static_cast<double>(results.names.agent_counts[a]);
            RunRecord run{{w, a, f, s, seed}, Measured(measures().size())};
            const auto set = [&](const char* measure, double value) {
              run.measured[measure_position(measure)] = value;
            };
            set("links", about(std::pow(count, manner.paths)));
            set("redundant", about(manner.redundant));
            set("agent_seconds", about(manner.alive));
            const double makespan = about(manner.makespan * (f == 1 ? manner.slower : 1));
            set("makespan", makespan);
            set("bound_ratio", makespan / 80);
            set("heft_ratio", makespan / 90);
            results.runs.push_back(std::move(run));
          }
  return results;
}

std::vector<HypothesisOutcome> outcomes(const Results& results) {
  std::vector<HypothesisOutcome> out;
  for (const HypothesisVerdict& verdict : judge_hypotheses(results)) out.push_back(verdict.outcome);
  return out;
}

const Manner lean{1, 0, 1'000, 100, 1.1};
const Manner lavish{2, 5, 1'300, 130, 1.6};

}  // namespace

TEST_CASE("a hypothesis follows the numbers: upheld, and refuted when the labels are swapped") {
  CHECK(outcomes(results_of(lean, lavish)) == std::vector<HypothesisOutcome>(4, HypothesisOutcome::upheld));
  CHECK(outcomes(results_of(lavish, lean)) == std::vector<HypothesisOutcome>(4, HypothesisOutcome::refuted));
}

TEST_CASE("no hypothesis is upheld or refuted by identical data, nor by noise") {
  CHECK(outcomes(results_of(lean, lean, false)) ==
        std::vector<HypothesisOutcome>(4, HypothesisOutcome::no_difference));
  CHECK(outcomes(results_of(lean, lean)) ==
        std::vector<HypothesisOutcome>(4, HypothesisOutcome::no_difference));
}

TEST_CASE("what is certain but too small to matter is no difference") {
  const Manner hardly_more{1.01, 0.1, 1'001, 100, 1.101};
  const Results results = results_of(lean, hardly_more, false);
  for (const HypothesisVerdict& verdict : judge_hypotheses(results)) CHECK(verdict.contrast.p < 0.01);
  CHECK(outcomes(results) == std::vector<HypothesisOutcome>(4, HypothesisOutcome::no_difference));
}

TEST_CASE("a hypothesis's figures are those of its formula") {
  const Results results = results_of(lean, lavish, false);
  const std::vector<HypothesisVerdict> verdicts = judge_hypotheses(results);
  // Growth: the difference of the exponents, over two workloads and eight seeds, without faults.
  CHECK_FALSE(verdicts[0].as_ratio);
  CHECK(verdicts[0].more == Approx(2));
  CHECK(verdicts[0].less == Approx(1));
  CHECK(verdicts[0].contrast.mean == Approx(1));
  CHECK(verdicts[0].contrast.pairs == 16);
  // Percentages by differences, over four crowds and two faults.
  CHECK_FALSE(verdicts[1].as_ratio);
  CHECK(verdicts[1].contrast.mean == Approx(5));
  CHECK(verdicts[1].contrast.pairs == 128);
  CHECK(verdicts[2].as_ratio);
  CHECK(verdicts[2].contrast.mean == Approx(1.3));
  // A death makes the one 1.6, the other 1.1 times as slow, whatever they take without it.
  CHECK(verdicts[3].as_ratio);
  CHECK(verdicts[3].more == Approx(1.6));
  CHECK(verdicts[3].contrast.mean == Approx(1.6 / 1.1));
  CHECK(verdicts[3].contrast.pairs == 64);
  CHECK(in_words(results.names.hypotheses[0], verdicts[0]) ==
        "blackboard n^2.00, central n^1.00; difference 1.00 [1.00 to 1.00], p = 3.052e-05, 16 pairs");
}

TEST_CASE("what was not measured is neither upheld nor refuted") {
  Results results = results_of(lean, lavish);
  std::erase_if(results.runs, [](const RunRecord& run) { return run.cell.strategy == 1; });
  CHECK(outcomes(results) == std::vector<HypothesisOutcome>(4, HypothesisOutcome::not_measured));
  CHECK(judge_goals(results)[1].empty());
  results.names.hypotheses[0].measure = "of another version";
  CHECK(outcomes(results)[0] == HypothesisOutcome::not_measured);
}

TEST_CASE("a goal is met by the best of its strategies, in every crowd, or missed") {
  const auto met = judge_goals(results_of(lean, lavish, false));
  REQUIRE(met[0].size() == 1);
  CHECK(met[0][0].strategy == 0);
  CHECK(met[0][0].figure.ratio == Approx(110.0 / 90));
  CHECK_FALSE(met[0][0].met);
  REQUIRE(met[1].size() == 4);
  CHECK_FALSE(met[1][3].met);
  CHECK(met[1][3].figure.ratio == Approx(1.3));
  const auto swapped = judge_goals(results_of(lavish, {1, 0, 1'000, 90, 1.1}, false));
  CHECK(swapped[0][0].strategy == 1);
  CHECK(swapped[0][0].met);
  CHECK(swapped[1][0].met);
  CHECK(swapped[1][0].figure.ratio == Approx(90.0 / 130));
}

TEST_CASE("growth is fitted over the numbers of agents, with an interval") {
  const Results results = results_of(lean, lavish);
  const std::optional<Growth> growth = growth_of(results, "links", 1, "agents");
  REQUIRE(growth.has_value());
  CHECK(growth->law.exponent == Approx(2).epsilon(0.01));
  CHECK(growth->law.factor == Approx(1).epsilon(0.05));
  CHECK(growth->exponent.low < growth->law.exponent);
  CHECK(growth->law.exponent < growth->exponent.high);
  CHECK(growth->exponent.high - growth->exponent.low < 0.05);
  CHECK_FALSE(growth_of(results, "redundant", 0, "agents").has_value());  // nothing but zeros
  CHECK_FALSE(growth_of(results, "messages", 0, "agents").has_value());
}

TEST_CASE("8 agents of mixed speed and 16 equal ones were joined as growth") {
  Results results = results_of(lean, lavish, false);
  // The two largest groups are of another kind, and cost a hundred times as much.
  for (const std::size_t a : {2u, 3u}) results.names.agent_kinds[a] = "agents, speed 0.5 to 2";
  const std::size_t links = measure_position("links");
  for (RunRecord& run : results.runs)
    if (run.cell.agents >= 2 && run.measured[links]) *run.measured[links] *= 100;
  const HypothesisVerdict verdict = judge_hypotheses(results)[0];
  CHECK(verdict.more == Approx(2));
  CHECK(verdict.less == Approx(1));
  CHECK(verdict.contrast.pairs == 32);  // for each kind of agents, workload and seed
  CHECK_FALSE(growth_of(results, "links", 1, "agents").has_value());  // two numbers are too few
}

TEST_CASE("runs that did not finish were averaged as if they had ended at the limit") {
  Results results = results_of(lean, lean, false);
  const auto unfinish = [](RunRecord& run, double makespan) {
    run.measured[measure_position("makespan")] = makespan;
    run.measured[measure_position("unfinished")] = 3;
  };
  // Every third run of blackboard under faults hangs.
  std::size_t hung = 0;
  for (RunRecord& run : results.runs)
    if (run.cell.strategy == 1 && run.cell.faults == 1 && run.cell.seed % 3 == 0) unfinish(run, 1e6), ++hung;
  REQUIRE(hung > 0);
  const HypothesisVerdict verdict = judge_hypotheses(results)[3];
  CHECK(verdict.outcome == HypothesisOutcome::no_difference);
  CHECK(verdict.more == Approx(1.1));
  CHECK(verdict.unfinished == hung);
  CHECK(says(in_words(results.names.hypotheses[3], verdict), "runs that did not finish left out"));
  results.names.goals[1].where.faults = {"1 killed"};
  results.names.goals[1].at_most = 2 * one;
  const auto goals = judge_goals(results);
  for (const GoalFigure& figure : goals[1]) CHECK_FALSE(figure.met);
  CHECK(says(report_markdown(results), "did not finish |"));
}

TEST_CASE("a goal was not mentioned where none of its strategies' runs finished, as if it had been met") {
  Results results = results_of(lean, lavish, false);
  for (RunRecord& run : results.runs)
    if (run.cell.agents == 0 && run.cell.faults == 1) run.measured[measure_position("unfinished")] = 3;
  const auto goals = judge_goals(results);
  REQUIRE(goals[0].size() == 1);
  CHECK(goals[0][0].unfinished == 16);
  CHECK(goals[0][0].figure.pairs == 0);
  CHECK_FALSE(goals[0][0].met);
  CHECK(says(report_markdown(results), "| – | 1.15 | missed: 16 runs did not finish |"));
}

TEST_CASE(
    "hypotheses, goals and growth stand in the page and in Markdown, and survive the files of results") {
  Results results = results_of(lean, lavish);
  const Result<ExperimentNames> again = read_names(to_value(results.names));
  REQUIRE(again.has_value());
  results.names = *again;
  for (const std::string& text : {report_markdown(results), report_page(results, {})}) {
    CHECK(says(text, "More work twice"));
    CHECK(says(text, "upheld"));
    CHECK(says(text, "growth of links used with n"));
    CHECK(says(text, "missed"));
    CHECK(says(text, "4 agents and 1 killed"));
    CHECK(says(text, "Growth with the number n of agents"));
  }
}

TEST_CASE("a document of several results opens with what the first of them answers") {
  Results first = results_of(lean, lavish);
  Results second = results_of(lavish, lean);
  first.made_by = "Commit 1234.";
  second.names.name = "Another";
  const std::string text = results_document({first, second});
  CHECK(text.starts_with(
      "# Results\n\ncentral is best, or not significantly worse than the best, in 8 of 8 settings"));
  CHECK(says(text, "\n## hypotheses\n\nWhat is said.\n\n**central"));
  CHECK(says(text, "\n## Another\n"));
  CHECK(says(text, "seeds 1 to 8"));
  CHECK(says(text, "Commit 1234."));
}

TEST_CASE("what is wrong with a hypothesis or goal is told with its line") {
  const std::string head = "name: x\nworkloads: [{generate: chain}]\nstrategies: [fifo, central]\n";
  const auto findings = [&](const std::string& text) {
    const Result<Experiment> experiment = read_experiment(head + text, "e.yaml", {});
    REQUIRE_FALSE(experiment.has_value());
    return experiment.error().text;
  };
  const std::string wrong = findings(
      "hypotheses:\n  - {hypothesis: x, measure: linkz, more: central, less: fifo}\n"
      "  - {hypothesis: x, measure: links, more: peers, less: fifo, faults: [fire]}\n  - {hypothesis: x}\n"
      "goals: [{goal: x, measure: makespan, against: nobody}]\n");
  CHECK(says(wrong, "e.yaml:5:30: 'linkz' is not known here; did you mean 'links'?"));
  CHECK(says(wrong, "e.yaml:6:43: 'peers' is not known here; choose from fifo and central"));
  CHECK(says(wrong, "'fire' is not known here"));
  CHECK(says(wrong, "e.yaml:7:5: lacks 'measure'"));
  CHECK(says(wrong, "lacks 'more'"));
  CHECK(says(wrong, "'nobody' is not known here"));
  CHECK(says(wrong, "lacks 'at_most'"));
  CHECK(says(findings("hypotheses: 3\n"), "must be a list"));
  CHECK(says(findings("claims: [{claim: x, measure: links, more: central, less: fifo}]\n"),
             "e.yaml:4:9: 'claims' is called 'hypotheses' now, and 'claim' in its entries 'hypothesis'; "
             "rename both keys"));
  CHECK_FALSE(says(experiment_reference(), "`claims`"));
}
