#include "experiments/verdict.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

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

struct Tally {
  std::size_t strategy = 0;
  std::size_t good = 0;  ///< settings in which nothing is better
  double log_ratio = 0;  ///< sum over settings, to the bound
};

/// How often each strategy is best or within noise of the best; most often first.
std::vector<Tally> tally(const Results& results, const Verdict& verdict) {
  std::vector<Tally> tallies(results.names.strategies.size());
  for (std::size_t s = 0; s < tallies.size(); ++s) tallies[s].strategy = s;
  for (const SettingVerdict& setting : verdict.settings)
    for (const Standing& standing : setting.standings) {
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
  const std::string settings = std::to_string(verdict.settings.size());
  std::vector<std::string> leaders;
  for (const Tally& t : tallies)
    if (t.good == tallies.front().good) leaders.push_back(results.names.strategies[t.strategy]);
  if (leaders.size() == tallies.size() && tallies.front().good == verdict.settings.size())
    return "No strategy differs from another by more than noise in any of " + settings + " settings.";
  const bool one_leads = leaders.size() == 1;
  std::string text = list_in_words(leaders) + (one_leads ? " is" : " are") +
                     " best or within noise of the best in " + std::to_string(tallies.front().good) + " of " +
                     settings + " settings";
  for (const Tally& t : tallies) {
    if (t.good == tallies.front().good) continue;
    if (t.good > 0) text += ", " + results.names.strategies[t.strategy] + " in " + std::to_string(t.good);
    break;
  }
  return text + ".";
}

/// Where the best strategy gains most over the baseline, and where it gains nothing.
std::string against_baseline(const Results& results, const Verdict& verdict) {
  const SettingVerdict* most = nullptr;
  double gain = 1;
  std::vector<std::string> nothing;
  for (const SettingVerdict& setting : verdict.settings) {
    const Standing& best = setting.standings.front();
    if (!best.differs_from_baseline || best.to_baseline.ratio >= 1)
      nothing.push_back(setting_name(results.names, setting.agents, setting.faults));
    else if (best.to_baseline.ratio < gain)
      most = &setting, gain = best.to_baseline.ratio;
  }
  std::string text;
  if (most) {
    const Standing& best = most->standings.front();
    text += " Over " + results.names.baseline + " the gain is largest with " +
            setting_name(results.names, most->agents, most->faults) + ": " +
            results.names.strategies[best.strategy] + " takes " + percent(1 - gain) +
            " less time (95 % interval " + percent(1 - best.to_baseline.ci.high) + " to " +
            percent(1 - best.to_baseline.ci.low) + ").";
  }
  if (nothing.size() == verdict.settings.size())
    text += " Nothing beats " + results.names.baseline + " by more than noise.";
  else if (!nothing.empty())
    text += " Nothing beats it by more than noise with " + list_in_words(nothing) + ".";
  return text;
}

std::string one_setting(const Results& results, const SettingVerdict& setting) {
  const Standing& best = setting.standings.front();
  std::string text = " With " + setting_name(results.names, setting.agents, setting.faults) + ", " +
                     results.names.strategies[best.strategy] + " comes nearest to the bound (" +
                     times(best.to_bound.ratio) + ")";
  std::vector<std::string> equals;
  for (const Standing& s : setting.standings)
    if (&s != &best && s.as_good_as_best) equals.push_back(results.names.strategies[s.strategy]);
  if (!equals.empty())
    text += "; " + list_in_words(equals) + (equals.size() == 1 ? " is" : " are") + " within noise of it";
  const Standing& last = setting.standings.back();
  if (!last.as_good_as_best)
    text += "; " + results.names.strategies[last.strategy] + " takes " + percent(last.to_best.ratio - 1) +
            " longer";
  return text + ".";
}

SettingVerdict judge_setting(const Results& results, std::size_t agents, std::size_t faults) {
  const std::size_t makespan = measure_position("makespan");
  const std::size_t bound = measure_position("bound_ratio");
  SettingVerdict setting{agents, faults, {}};
  std::map<std::size_t, Values> makespans;
  for (std::size_t s = 0; s < results.names.strategies.size(); ++s) {
    std::vector<double> ratios;
    for (const auto& [key, value] : results.values(bound, agents, faults, s)) ratios.push_back(value);
    if (ratios.empty()) continue;
    makespans[s] = results.values(makespan, agents, faults, s);
    setting.standings.push_back({s, summarise(ratios), {}, {}, false, false});
  }
  std::stable_sort(setting.standings.begin(), setting.standings.end(),
                   [](const Standing& a, const Standing& b) { return a.to_bound.ratio < b.to_bound.ratio; });
  for (Standing& standing : setting.standings) {
    standing.to_best =
        compare_values(makespans[standing.strategy], makespans[setting.standings.front().strategy]);
    for (const auto& [s, values] : makespans)
      if (results.names.strategies[s] == results.names.baseline)
        standing.to_baseline = compare_values(makespans[standing.strategy], values);
  }
  return setting;
}

bool is_noise(const Comparison& comparison) {
  return comparison.p > noise_level || std::abs(std::log(comparison.ratio)) < std::log(least_ratio);
}

}  // namespace

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
      s.as_good_as_best = is_noise(s.to_best);
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
  std::vector<Compared> rows;
  std::vector<double> p;
  for (std::size_t a = 0; a < before.names.agents.size(); ++a)
    for (std::size_t f = 0; f < before.names.faults.size(); ++f)
      for (std::size_t s = 0; s < before.names.strategies.size(); ++s) {
        const Values of_before = before.values(makespan, a, f, s);
        const Values of_after = after.values(makespan, place(after.names.agents, before.names.agents[a]),
                                             place(after.names.faults, before.names.faults[f]),
                                             place(after.names.strategies, before.names.strategies[s]));
        const Comparison compared = compare_values(of_after, of_before);
        if (compared.pairs == 0) continue;
        rows.push_back(
            {before.names.agents[a], before.names.faults[f], before.names.strategies[s], compared});
        p.push_back(compared.p);
      }
  const std::vector<double> corrected = holm(p);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].makespan.p = corrected[i];
  return rows;
}

std::string answer(const Results& results, const Verdict& verdict) {
  if (verdict.settings.empty()) return "There are no results yet.";
  constexpr std::size_t told_one_by_one = 4;
  std::string text = who_leads(results, verdict) + against_baseline(results, verdict);
  if (verdict.settings.size() <= told_one_by_one)
    for (const SettingVerdict& setting : verdict.settings) text += one_setting(results, setting);
  return text;
}

}  // namespace bidboard
