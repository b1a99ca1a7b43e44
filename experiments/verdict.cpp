#include "experiments/verdict.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "blackboard/fmt.hpp"
#include "runtime/jobs/diagnostics.hpp"

namespace bidboard {
namespace {

using Values = std::map<Results::Key, double>;

Comparison compare_values(const Values& a, const Values& b) {
  std::vector<double> of_a, of_b;
  pair_up(a, b, of_a, of_b);
  return of_a.empty() ? Comparison{} : compare(of_a, of_b);
}

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, share < 0.0995 ? "%.1f %%" : "%.0f %%", share * 100);
  return text;
}
std::string times(double ratio) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f ×", ratio);
  return text;
}

/// "54 of 72 runs did not finish (fifo: 18 of 24, ...)"; empty if all did.
std::string unfinished_runs(const Results& results) {
  std::map<std::size_t, std::pair<std::size_t, std::size_t>> by_strategy;  // unfinished, all
  std::size_t unfinished = 0;
  for (const RunRecord& run : results.runs) {
    auto& [open, all] = by_strategy[run.cell.strategy];
    open += !is_finished(run), ++all;
    unfinished += !is_finished(run);
  }
  if (unfinished == 0) return "";
  std::vector<std::string> parts;
  const auto& first = by_strategy.begin()->second;
  if (std::ranges::all_of(by_strategy, [&](const auto& other) { return other.second == first; }))
    parts.push_back(fmt::format("{} of {} with every strategy", first.first, first.second));
  else
    for (const auto& [strategy, counts] : by_strategy)
      if (counts.first > 0)
        parts.push_back(
            fmt::format("{} {} of {}", results.names.strategies[strategy], counts.first, counts.second));
  return fmt::format("{} of {} did not finish and count in no mean: {}. ", unfinished,
                     counted(results.runs.size(), "run"), list_in_words(parts));
}

std::vector<const SettingVerdict*> comparable(const Verdict& verdict) {
  std::vector<const SettingVerdict*> settings;
  for (const SettingVerdict& setting : verdict.settings)
    if (setting.has_comparisons()) settings.push_back(&setting);
  return settings;
}

struct Tally {
  std::size_t strategy = 0;
  std::size_t good = 0;  ///< settings in which no strategy is significantly better
  double log_ratio = 0;  ///< sum over settings, to the bound
};

/// In how many settings each strategy is as good as the best; most first.
std::vector<Tally> tally(const Results& results, const Verdict& verdict) {
  std::vector<Tally> tallies(results.names.strategies.size());
  for (std::size_t s = 0; s < tallies.size(); ++s) tallies[s].strategy = s;
  for (const SettingVerdict* setting : comparable(verdict))
    for (const Standing& standing : setting->standings) {
      tallies[standing.strategy].good += standing.as_good_as_best;
      tallies[standing.strategy].log_ratio += std::log(standing.to_bound.ratio);
    }
  std::stable_sort(tallies.begin(), tallies.end(), [](const Tally& a, const Tally& b) {
    return a.good != b.good ? a.good > b.good : a.log_ratio < b.log_ratio;
  });
  return tallies;
}

std::string who_leads(const Results& results, const Verdict& verdict) {
  const std::vector<Tally> tallies = tally(results, verdict);
  const std::size_t compared = comparable(verdict).size();
  const std::string settings = counted(compared, "setting");
  std::vector<std::string> leaders;
  for (const Tally& t : tallies)
    if (t.good == tallies.front().good) leaders.push_back(results.names.strategies[t.strategy]);
  if (leaders.size() == tallies.size() && tallies.front().good == compared)
    return fmt::format("No strategy is significantly better than another in any of {}.", settings);
  const bool one_leads = leaders.size() == 1;
  std::string text =
      fmt::format("{} {} best, or not significantly worse than the best, in {} of {}", list_in_words(leaders),
                  one_leads ? "is" : "are", tallies.front().good, settings);
  for (const Tally& t : tallies) {
    if (t.good == tallies.front().good) continue;
    if (t.good > 0) text += fmt::format("; {} in {}", results.names.strategies[t.strategy], t.good);
    break;
  }
  return text + ".";
}

/// The setting with the largest gain over the baseline, and those without a significant gain.
std::string against_baseline(const Results& results, const Verdict& verdict) {
  const SettingVerdict* most = nullptr;
  double gain = 1;
  std::vector<std::string> nothing;
  const std::vector<const SettingVerdict*> settings = comparable(verdict);
  for (const SettingVerdict* setting : settings) {
    const Standing& best = setting->standings.front();
    if (!best.differs_from_baseline || best.to_baseline.ratio >= 1)
      nothing.push_back(setting_name(results.names, setting->agents, setting->faults));
    else if (best.to_baseline.ratio < gain)
      most = setting, gain = best.to_baseline.ratio;
  }
  std::string text;
  if (most) {
    const Standing& best = most->standings.front();
    text += fmt::format(
        " Compared with {}, the gain is largest with {}: {} takes {} less time (95 % interval {} to {}).",
        results.names.baseline, setting_name(results.names, most->agents, most->faults),
        results.names.strategies[best.strategy], percent(1 - gain), percent(1 - best.to_baseline.ci.high),
        percent(1 - best.to_baseline.ci.low));
  }
  if (nothing.size() == settings.size())
    text += fmt::format(" No strategy is significantly better than {}.", results.names.baseline);
  else if (!nothing.empty())
    text += fmt::format(" No strategy is significantly better than {} with {}.", results.names.baseline,
                        list_in_words(nothing));
  return text;
}

std::string one_setting(const Results& results, const SettingVerdict& setting) {
  const Standing& best = setting.standings.front();
  const std::string where = setting_name(results.names, setting.agents, setting.faults);
  if (!setting.has_comparisons())
    return fmt::format(" With {}, no workload and seed was finished by the strategies to compare.", where);
  std::string text = fmt::format(
      " With {}, {}{} is closest to the bound ({})", where,
      setting.finished() < setting.runs()
          ? fmt::format("{} of {} finished; of these ", setting.finished(), counted(setting.runs(), "run"))
          : "",
      results.names.strategies[best.strategy], times(best.to_bound.ratio));
  std::vector<std::string> equals;
  for (const Standing& s : setting.standings)
    if (&s != &best && s.as_good_as_best) equals.push_back(results.names.strategies[s.strategy]);
  if (!equals.empty())
    text += fmt::format("; {} {} not significantly worse", list_in_words(equals),
                        equals.size() == 1 ? "is" : "are");
  for (const Standing& s : setting.standings)
    if (s.finishes_less)
      text += fmt::format("; {} finishes only {} of {}", results.names.strategies[s.strategy], s.finished,
                          counted(s.runs, "run"));
  const Standing& last = setting.standings.back();
  if (!last.as_good_as_best && last.to_best.ratio > 1)
    text += fmt::format("; {} takes {} longer", results.names.strategies[last.strategy],
                        percent(last.to_best.ratio - 1));
  return text + ".";
}

/// 1 where the strategy finished the run, else 0.
Values shares_of(const Results& results, std::size_t agents, std::size_t faults, std::size_t strategy) {
  Values shares;
  for (const RunRecord& run : results.runs)
    if (run.cell.agents == agents && run.cell.faults == faults && run.cell.strategy == strategy)
      shares[{run.cell.workload, run.cell.seed}] = is_finished(run) ? 1 : 0;
  return shares;
}

/// Which strategies finish significantly fewer runs than the one that finishes most.
void compare_shares(const Results& results, SettingVerdict& setting) {
  if (setting.finished() == setting.runs()) return;
  const auto share = [](const Standing& s) {
    return static_cast<double>(s.finished) / static_cast<double>(s.runs);
  };
  const Standing& most = *std::ranges::max_element(setting.standings, {}, share);
  const Values of_most = shares_of(results, setting.agents, setting.faults, most.strategy);
  std::vector<double> p;
  for (const Standing& standing : setting.standings) {
    std::vector<double> a, b;
    pair_up(of_most, shares_of(results, setting.agents, setting.faults, standing.strategy), a, b);
    p.push_back(a.empty() ? 1 : differ(a, b).p);
  }
  const std::vector<double> corrected = holm(p);
  for (std::size_t i = 0; i < p.size(); ++i) setting.standings[i].finishes_less = corrected[i] <= noise_level;
}

/// Those that finish as many come first, then those that were compared, by their makespans.
bool ranks_before(const Standing& a, const Standing& b) {
  if (a.finishes_less != b.finishes_less) return b.finishes_less;
  if ((a.to_bound.pairs > 0) != (b.to_bound.pairs > 0)) return a.to_bound.pairs > 0;
  return a.to_bound.ratio < b.to_bound.ratio;
}

SettingVerdict judge_setting(const Results& results, std::size_t agents, std::size_t faults) {
  const std::size_t makespan = measure_position("makespan");
  const std::size_t bound = measure_position("bound_ratio");
  const std::set<Results::Key> compared = results.compared(agents, faults);
  const auto values = [&](std::size_t measure, std::size_t strategy) {
    Values all = results.values(measure, agents, faults, strategy);
    std::erase_if(all, [&](const auto& value) { return !compared.contains(value.first); });
    return all;
  };
  SettingVerdict setting{agents, faults, {}};
  std::map<std::size_t, Values> makespans;
  for (std::size_t s = 0; s < results.names.strategies.size(); ++s) {
    Standing standing;
    standing.strategy = s;
    for (const auto& [key, share] : shares_of(results, agents, faults, s))
      ++standing.runs, standing.finished += share > 0;
    if (standing.runs == 0) continue;
    std::vector<double> ratios;
    for (const auto& [key, value] : values(bound, s)) ratios.push_back(value);
    if (!ratios.empty()) standing.to_bound = summarise(ratios);
    makespans[s] = values(makespan, s);
    setting.standings.push_back(standing);
  }
  compare_shares(results, setting);
  std::ranges::stable_sort(setting.standings, ranks_before);
  for (Standing& standing : setting.standings) {
    standing.to_best =
        compare_values(makespans[standing.strategy], makespans[setting.standings.front().strategy]);
    for (const auto& [s, baseline] : makespans)
      if (results.names.strategies[s] == results.names.baseline)
        standing.to_baseline = compare_values(makespans[standing.strategy], baseline);
  }
  return setting;
}

bool is_noise(const Comparison& comparison) {
  return comparison.p > noise_level || std::abs(std::log(comparison.ratio)) < std::log(least_ratio);
}

std::size_t sum_of(const std::vector<Standing>& standings, std::size_t Standing::*count) {
  std::size_t sum = 0;
  for (const Standing& standing : standings) sum += standing.*count;
  return sum;
}

}  // namespace

std::size_t SettingVerdict::runs() const { return sum_of(standings, &Standing::runs); }
std::size_t SettingVerdict::finished() const { return sum_of(standings, &Standing::finished); }

Verdict judge(const Results& results) {
  Verdict verdict;
  for (std::size_t a = 0; a < results.names.agents.size(); ++a)
    for (std::size_t f = 0; f < results.names.faults.size(); ++f)
      if (SettingVerdict setting = judge_setting(results, a, f); !setting.standings.empty())
        verdict.settings.push_back(std::move(setting));
  std::vector<double> p;
  for (const SettingVerdict& setting : verdict.settings)
    for (const Standing& s : setting.standings) p.push_back(s.to_best.p), p.push_back(s.to_baseline.p);
  const std::vector<double> corrected = holm(p);
  std::size_t at = 0;
  for (SettingVerdict& setting : verdict.settings)
    for (Standing& s : setting.standings) {
      s.to_best.p = corrected[at++];
      s.to_baseline.p = corrected[at++];
      s.as_good_as_best = s.to_best.pairs > 0 && !s.finishes_less && is_noise(s.to_best);
      s.differs_from_baseline = !is_noise(s.to_baseline);
    }
  verdict.comparisons = p.size();
  return verdict;
}

std::vector<Compared> compare_results(const Results& before, const Results& after) {
  const std::size_t makespan = measure_position("makespan");
  const auto place = [](const std::vector<std::string>& names, const std::string& name) {
    return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
  };
  const auto as_before = [&](const Values& values) {
    Values renamed;
    for (const auto& [key, value] : values)
      renamed[{place(before.names.workloads, after.names.workloads[key.first]), key.second}] = value;
    return renamed;
  };
  std::vector<Compared> rows;
  std::vector<double> p;
  for (std::size_t a = 0; a < before.names.agents.size(); ++a)
    for (std::size_t f = 0; f < before.names.faults.size(); ++f)
      for (std::size_t s = 0; s < before.names.strategies.size(); ++s) {
        const std::size_t agents = place(after.names.agents, before.names.agents[a]);
        const std::size_t faults = place(after.names.faults, before.names.faults[f]);
        const std::size_t strategy = place(after.names.strategies, before.names.strategies[s]);
        Compared row{before.names.agents[a], before.names.faults[f], before.names.strategies[s],
                     compare_values(as_before(after.values(makespan, agents, faults, strategy)),
                                    before.values(makespan, a, f, s))};
        std::vector<double> shares_before, shares_after;
        pair_up(shares_of(before, a, f, s), as_before(shares_of(after, agents, faults, strategy)),
                shares_before, shares_after);
        row.runs = shares_before.size();
        row.finished_before = static_cast<std::size_t>(std::ranges::count(shares_before, 1.0));
        row.finished_after = static_cast<std::size_t>(std::ranges::count(shares_after, 1.0));
        if (row.runs == 0) continue;
        p.push_back(row.makespan.p);
        rows.push_back(std::move(row));
      }
  const std::vector<double> corrected = holm(p);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].makespan.p = corrected[i];
  return rows;
}

std::string answer(const Results& results, const Verdict& verdict) {
  if (verdict.settings.empty()) return "There are no results yet.";
  constexpr std::size_t described_singly = 4;
  std::string text = unfinished_runs(results);
  if (comparable(verdict).empty()) return text + "No run was finished, so there is nothing to compare.";
  text += who_leads(results, verdict) + against_baseline(results, verdict);
  if (verdict.settings.size() <= described_singly)
    for (const SettingVerdict& setting : verdict.settings) text += one_setting(results, setting);
  return text;
}

}  // namespace bidboard
