#include "experiments/export.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "blackboard/fmt.hpp"
#include "blackboard/text/csv.hpp"
#include "experiments/gantt.hpp"
#include "experiments/html.hpp"
#include "experiments/hypotheses.hpp"
#include "experiments/verdict.hpp"

namespace bidboard {
namespace {

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (const std::string& cell : cells) line += csv_field(cell) + (&cell == &cells.back() ? "\n" : ",");
  return line;
}

/// "Growth with the number n of agents, fitted" → "growth-with-the-number-n-of-agents-fitted".
std::string file_name(const std::string& title) {
  std::string name;
  for (const char c : title) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0)
      name += static_cast<char>(std::tolower(byte));
    else if (!name.empty() && name.back() != '-')
      name += '-';
  }
  while (name.ends_with('-')) name.pop_back();
  return name;
}

std::string number(double value) { return to_json(Value(value)); }

std::string standings_csv(const Results& results, const Verdict& verdict) {
  std::string text =
      csv_line({"agents", "faults", "strategy", "runs", "finished", "compared", "bound_ratio",
                "bound_ratio_low", "bound_ratio_high", "to_best", "to_best_low", "to_best_high", "to_best_p",
                "as_good_as_best", "to_baseline", "to_baseline_low", "to_baseline_high", "to_baseline_p"});
  const ExperimentNames& names = results.names;
  for (const SettingVerdict& setting : verdict.settings)
    for (const Standing& s : setting.standings) {
      std::vector<std::string> cells{names.agents[setting.agents],  names.faults[setting.faults],
                                     names.strategies[s.strategy],  fmt::format("{}", s.runs),
                                     fmt::format("{}", s.finished), fmt::format("{}", s.to_bound.pairs)};
      const auto add = [&](const Comparison& c) {
        for (const double value : {c.ratio, c.ci.low, c.ci.high})
          cells.push_back(c.pairs > 0 ? number(value) : "");
      };
      add(s.to_bound);
      add(s.to_best);
      cells.push_back(s.to_best.pairs > 0 ? number(s.to_best.p) : "");
      cells.emplace_back(s.as_good_as_best ? "yes" : "no");
      add(s.to_baseline);
      cells.push_back(s.to_baseline.pairs > 0 ? number(s.to_baseline.p) : "");
      text += csv_line(cells);
    }
  return text;
}

constexpr double width = 720;
constexpr double left = 200;
constexpr double right = 70;
constexpr double row_px = 26;

/// One row for each strategy: a dot at the mean, and a line for its interval.
std::string dot_plot(const Results& results, const SettingVerdict& setting) {
  double high = 1;
  for (const Standing& s : setting.standings)
    if (s.to_bound.pairs > 0) high = std::max(high, s.to_bound.ci.high);
  const auto x = [&](double value) { return left + value / (high * 1.03) * (width - left - right); };
  const double height = row_px * static_cast<double>(setting.standings.size()) + 60;
  std::string svg = svg_head(
      "Makespan / bound with " + setting_name(results.names, setting.agents, setting.faults), width, height);
  for (const double tick : round_ticks(high * 1.03, 8))
    svg += fmt::format(
        "<line class='axis' x1='{0}' x2='{0}' y1='24' y2='{1}'/><text x='{0}' y='{2}' "
        "text-anchor='middle'>{3}</text>\n",
        four_digits(x(tick)), height - 34, height - 18, four_digits(tick));
  double y = 40;
  for (const Standing& s : setting.standings) {
    svg += fmt::format("<text x='{}' y='{}' text-anchor='end'>{}</text>", left - 12, y + 4,
                       html(results.names.strategies[s.strategy]));
    if (s.to_bound.pairs > 0)
      svg += fmt::format(
          "<line class='interval' x1='{0}' x2='{1}' y1='{2}' y2='{2}'/><circle class='work' cx='{3}' "
          "cy='{2}' r='5'/><text x='{4}' y='{5}'>{6}</text>",
          four_digits(x(s.to_bound.ci.low)), four_digits(x(s.to_bound.ci.high)), y,
          four_digits(x(s.to_bound.ratio)), width - right + 10, y + 4, four_digits(s.to_bound.ratio));
    svg += "\n";
    y += row_px;
  }
  return svg + "</svg>\n";
}

}  // namespace

std::vector<std::pair<std::string, std::string>> exported_files(const Results& results) {
  const Verdict verdict = judge(results);
  std::vector<std::pair<std::string, std::string>> files{{"standings.csv", standings_csv(results, verdict)}};
  for (const AnswerTable& table : answer_tables(results)) {
    std::string text = csv_line(table.head);
    for (const std::vector<std::string>& row : table.rows) text += csv_line(row);
    files.emplace_back(file_name(table.title) + ".csv", std::move(text));
  }
  std::size_t place = 0;
  for (const SettingVerdict& setting : verdict.settings)
    files.emplace_back(fmt::format("setting-{}-{}.svg", ++place,
                                   file_name(setting_name(results.names, setting.agents, setting.faults))),
                       dot_plot(results, setting));
  return files;
}

}  // namespace bidboard
