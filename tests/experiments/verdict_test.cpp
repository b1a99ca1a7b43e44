#include "experiments/verdict.hpp"

#include "blackboard/random.hpp"
#include "experiments/export.hpp"
#include "experiments/report.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

bool says(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

/// Two crowds; each strategy takes its factor times a makespan that the seed draws.
Results results_of(const std::vector<std::string>& strategies, const std::vector<double>& factors) {
  Results results;
  results.names = {"test", "about <b>", "simulate", strategies[0],       12, {"w"}, {"4 agents", "8 agents"},
                   {4, 8}, {"none"},    strategies, {"agents", "agents"}};
  for (std::size_t a = 0; a < 2; ++a)
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
      Random random(seed + 100 * a);
      const double base = 100 + static_cast<double>(random.below(50));
      for (std::size_t s = 0; s < strategies.size(); ++s) {
        Random own(seed * 31 + s);
        const double makespan = base * factors[s] * (1 + static_cast<double>(own.below(1'000)) / 1e5);
        RunRecord run{{0, a, 0, s, seed}, Measured(measures().size())};
        run.measured[measure_position("makespan")] = makespan;
        run.measured[measure_position("bound_ratio")] = makespan / 90;
        results.runs.push_back(std::move(run));
      }
    }
  return results;
}

std::string answer_to(const Results& results) { return answer(results, judge(results)); }

std::string with(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

}  // namespace

TEST_CASE("the answer follows the numbers, not the labels") {
  const std::string first = answer_to(results_of({"slow", "fast"}, {1.3, 1.0}));
  const std::string swapped = answer_to(results_of({"fast", "slow"}, {1.3, 1.0}));
  INFO(first << "\n" << swapped);
  CHECK(says(first, "fast is best, or not significantly worse than the best, in 2 of 2 settings"));
  CHECK(says(swapped, "slow is best, or not significantly worse than the best, in 2 of 2 settings"));
  const std::string renamed = with(with(with(first, "fast", "#"), "slow", "fast"), "#", "slow");
  CHECK(swapped == renamed);
  CHECK(says(first, "23 % less time"));
}

TEST_CASE("identical data are said to be alike") {
  Results results = results_of({"one", "two", "three"}, {1, 1, 1});
  for (RunRecord& run : results.runs) run.measured = results.runs[0].measured;
  const std::string text = answer_to(results);
  INFO(text);
  CHECK(says(text, "No strategy is significantly better than another in any of 2 settings"));
  CHECK(says(text, "No strategy is significantly better than one"));
}

TEST_CASE("strategies are compared on the runs that all of them finished, not those that the first did") {
  Results results = results_of({"steady", "hangs", "gives up"}, {1, 1, 1});
  for (RunRecord& run : results.runs) {
    const bool hangs = run.cell.strategy == 1 && run.cell.seed <= 3;
    const bool gives_up = run.cell.strategy == 2 && run.cell.agents == 0;
    run.measured[measure_position("unfinished")] = hangs || gives_up ? 1 : 0;
  }
  // One that finished nothing is left aside.
  CHECK(results.compared(0, 0).size() == 9);
  CHECK(results.compared(1, 0).size() == 9);
  CHECK_FALSE(results.compared(0, 0).contains({0, 3}));
}

TEST_CASE("a difference that is not significant is reported as such") {
  const Verdict verdict = judge(results_of({"one", "two"}, {1.0, 1.0004}));
  for (const SettingVerdict& setting : verdict.settings)
    for (const Standing& standing : setting.standings) CHECK(standing.as_good_as_best);
}

TEST_CASE("a report told of 0.0 % less time, for it was certain") {
  Results results = results_of({"one", "two"}, {1, 1});
  for (std::size_t i = 1; i < results.runs.size(); i += 2) {
    results.runs[i].measured = results.runs[i - 1].measured;
    *results.runs[i].measured[measure_position("makespan")] *= 0.9998;
  }
  const Verdict verdict = judge(results);
  CHECK(verdict.settings[0].standings[1].to_baseline.p <= noise_level);
  CHECK(says(answer(results, verdict), "No strategy is significantly better than another"));
}

namespace {

void unfinish(RunRecord& run) {
  run.measured[measure_position("makespan")] = 1e6;
  run.measured[measure_position("bound_ratio")] = 1e4;
  run.measured[measure_position("unfinished")] = 5;
}

}  // namespace

TEST_CASE(
    "three of four runs never ended, and the strategy was said to be nearest to the bound at 35 times it") {
  Results results = results_of({"one", "two"}, {1.0, 1.2});
  for (RunRecord& run : results.runs)
    if (run.cell.agents == 0 && run.cell.seed % 4 != 0) unfinish(run);
  const Verdict verdict = judge(results);
  const Standing& best = verdict.settings[0].standings[0];
  CHECK(best.runs == 12);
  CHECK(best.finished == 3);
  CHECK(best.to_bound.pairs == 3);
  CHECK(best.to_bound.ratio < 3);
  const std::string text = answer(results, verdict);
  INFO(text);
  CHECK(text.starts_with("18 of 48 runs did not finish and count in no mean: 9 of 24 with every strategy."));
  CHECK(says(text, "With 4 agents, 6 of 24 runs finished; of these one is closest to the bound"));
  CHECK(says(to_csv(results), ",,,"));
  CHECK_FALSE(says(to_csv(results), "1000000"));
  CHECK(says(report_markdown(results), "| one | 3 of 12 |"));
}

TEST_CASE("a strategy that finishes less is not good, however fast it was where it finished") {
  Results results = results_of({"sure", "hasty", "stuck"}, {1.0, 0.5, 0.7});
  for (RunRecord& run : results.runs) {
    if (run.cell.strategy == 1 && run.cell.seed > 2) unfinish(run);
    if (run.cell.strategy == 2) unfinish(run);
  }
  const Verdict verdict = judge(results);
  for (const SettingVerdict& setting : verdict.settings) {
    REQUIRE(setting.standings.size() == 3);
    CHECK(setting.standings[0].strategy == 0);
    CHECK(setting.standings[0].as_good_as_best);
    CHECK(setting.standings[1].finishes_less);
    CHECK_FALSE(setting.standings[1].as_good_as_best);
    CHECK(setting.standings[1].to_bound.pairs == 2);  // what all finished that finished anything
    CHECK(setting.standings[2].finishes_less);
    CHECK(setting.standings[2].to_bound.pairs == 0);
  }
  CHECK(says(answer(results, verdict), "hasty finishes only 2 of 12 runs"));
  for (RunRecord& run : results.runs) unfinish(run);
  CHECK(says(answer_to(results), "No run was finished, so there is nothing to compare."));
  CHECK(says(report_page(results, {}), "No run was finished"));
}

TEST_CASE("one measure had 2.31 in the table and 2.56 in the plot: one mean each, and named") {
  for (const Measure& measure : measures()) {
    INFO(measure.name);
    CHECK(mean(measure, {1, 4}) == Approx(measure.unit == "×" ? 2 : 2.5));
  }
  Results results = results_of({"one", "two"}, {1.0, 1.2});
  for (RunRecord& run : results.runs)
    run.measured[measure_position("heft_ratio")] = run.cell.seed % 2 ? 1.0 : 4.0;
  const std::string text = report_markdown(results);
  CHECK(says(text, "ratios (×) are geometric means, all else arithmetic ones"));
  CHECK(says(text, "as good | 2 |"));
}

TEST_CASE("versions of one experiment are compared by name") {
  const Results before = results_of({"one", "two"}, {1.0, 1.2});
  const Results after = results_of({"two", "one"}, {1.2, 0.8});
  const std::vector<Compared> rows = compare_results(before, after);
  REQUIRE(rows.size() == 4);
  for (const Compared& row : rows) {
    if (row.strategy == "one") CHECK(row.makespan.ratio == Approx(0.8).epsilon(0.02));
    if (row.strategy == "one") CHECK(row.makespan.p < noise_level);
    if (row.strategy == "two") CHECK(row.makespan.ratio == Approx(1.0).epsilon(0.02));
  }
}

TEST_CASE(
    "workloads of two versions were compared by their place, and runs that did not finish were not told") {
  Results before = results_of({"one"}, {1.0});
  Results after = before;
  // A new workload stands before the old one, and takes ten times as long.
  after.names.workloads = {"new", "w"};
  for (RunRecord& run : after.runs) run.cell.workload = 1;
  for (RunRecord run : before.runs) {
    *run.measured[measure_position("makespan")] *= 10;
    after.runs.push_back(std::move(run));
  }
  for (const Compared& row : compare_results(before, after)) CHECK(row.makespan.ratio == Approx(1));
  for (RunRecord& run : after.runs)
    if (run.cell.seed > 9) unfinish(run);
  for (const Compared& row : compare_results(before, after)) {
    CHECK(row.runs == 12);
    CHECK(row.finished_before == 12);
    CHECK(row.finished_after == 9);
    CHECK(row.makespan.pairs == 9);
  }
}

TEST_CASE("results survive their files, and the page holds them safely and needs no network") {
  const Results results = results_of({"</script>", "two, \"three\""}, {1, 2});
  const Result<RunRecord> again = read_run(to_value(results.names, results.runs[5]));
  REQUIRE(again.has_value());
  CHECK(again->cell == results.runs[5].cell);
  CHECK(again->measured == results.runs[5].measured);
  const Result<ExperimentNames> names = read_names(to_value(results.names));
  REQUIRE(names.has_value());
  CHECK(names->strategies == results.names.strategies);
  CHECK(says(to_csv(results), "\"two, \"\"three\"\"\""));
  const std::string page = report_page(results, {});
  CHECK(says(page, "about &lt;b&gt;"));
  CHECK_FALSE(says(page, "\"</script>"));
  CHECK_FALSE(says(page, "src=\"http"));
  CHECK_FALSE(says(page, "@import"));
}

TEST_CASE("the tables and plots of a report are exported as CSV and SVG") {
  Results results = results_of({"one", "two, <b>"}, {1.0, 1.2});
  for (RunRecord& run : results.runs)
    if (run.cell.agents == 1) unfinish(run);
  const std::vector<std::pair<std::string, std::string>> files = exported_files(results);
  REQUIRE(files.size() == 3);
  CHECK(files[0].first == "standings.csv");
  CHECK(says(files[0].second, "\n4 agents,none,one,12,12,12,1."));
  CHECK(says(files[0].second, "\n4 agents,none,\"two, <b>\",12,12,12,1."));
  CHECK(says(files[0].second, "\n8 agents,none,one,12,0,0,,,,,,,,no,,,,\n"));
  CHECK_FALSE(says(files[0].second, "\r"));
  CHECK(files[1].first == "setting-1-4-agents.svg");
  CHECK(says(files[1].second, "two, &lt;b&gt;"));
  CHECK(says(files[1].second, "<circle"));
  CHECK_FALSE(says(files[2].second, "<circle"));
}
