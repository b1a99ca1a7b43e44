#include "experiments/report.hpp"

#include <algorithm>
#include <cmath>

#include "blackboard/fmt.hpp"
#include "experiments/gantt.hpp"
#include "experiments/html.hpp"
#include "experiments/hypotheses.hpp"
#include "experiments/verdict.hpp"

namespace bidboard {
namespace {

/// Four digits are more than anyone sees, and keep the page small.
Value rounded(double value) {
  if (value == 0 || !std::isfinite(value)) return 0;
  const double unit = std::pow(10, std::floor(std::log10(std::abs(value))) - 4);
  return std::round(value / unit) * unit;
}

Value numbers(const Comparison& c, bool with_p) {
  if (c.pairs == 0) return {};
  Value list{Value::Array{}};
  for (const double value : {c.ratio, c.ci.low, c.ci.high}) list.push(rounded(value));
  if (with_p) list.push(rounded(c.p));
  return list;
}

Value to_value(const Verdict& verdict) {
  Value settings{Value::Array{}};
  for (const SettingVerdict& setting : verdict.settings) {
    Value standings{Value::Array{}};
    for (const Standing& s : setting.standings) {
      Value standing{Value::Object{}};
      standing.set("strategy", static_cast<std::int64_t>(s.strategy));
      standing.set("bound", numbers(s.to_bound, false));
      standing.set("best", numbers(s.to_best, true));
      standing.set("baseline", numbers(s.to_baseline, true));
      standing.set("good", s.as_good_as_best);
      standing.set("runs", static_cast<std::int64_t>(s.runs));
      standing.set("finished", static_cast<std::int64_t>(s.finished));
      standing.set("less", s.finishes_less);
      standings.push(std::move(standing));
    }
    Value value{Value::Object{}};
    value.set("agents", static_cast<std::int64_t>(setting.agents));
    value.set("faults", static_cast<std::int64_t>(setting.faults));
    value.set("standings", std::move(standings));
    value.set("compared", static_cast<std::int64_t>(setting.standings.front().to_bound.pairs));
    settings.push(std::move(value));
  }
  return settings;
}

Value measures_value() {
  Value list{Value::Array{}};
  for (const Measure& measure : measures()) {
    Value value{Value::Object{}};
    value.set("name", measure.name);
    value.set("title", measure.title);
    value.set("unit", measure.unit);
    value.set("formula", measure.formula);
    value.set("geometric", is_geometric(measure));
    value.set("always", measure.always);
    list.push(std::move(value));
  }
  return list;
}

/// What the page may do with a run.
enum class Use : std::uint8_t { unfinished = 0, finished = 1, compared = 2 };

Value runs_value(const Results& results) {
  std::map<std::pair<std::size_t, std::size_t>, std::set<Results::Key>> compared;  // by agents and faults
  for (std::size_t a = 0; a < results.names.agents.size(); ++a)
    for (std::size_t f = 0; f < results.names.faults.size(); ++f) compared[{a, f}] = results.compared(a, f);
  Value list{Value::Array{}};
  for (const RunRecord& run : results.runs) {
    const bool is_compared =
        compared[{run.cell.agents, run.cell.faults}].contains({run.cell.workload, run.cell.seed});
    const Use use = !is_finished(run) ? Use::unfinished : is_compared ? Use::compared : Use::finished;
    Value row{Value::Array{}};
    for (const std::size_t position :
         {run.cell.workload, run.cell.agents, run.cell.faults, run.cell.strategy})
      row.push(static_cast<std::int64_t>(position));
    row.push(run.cell.seed);
    row.push(static_cast<int>(use));
    for (std::size_t i = 0; i < measures().size(); ++i) {
      const std::optional<double> value = value_of(run, i);
      row.push(value ? rounded(*value) : Value());
    }
    list.push(std::move(row));
  }
  return list;
}

/// Escapes what would end a script element.
std::string safe_in_script(std::string json) {
  for (std::size_t at = 0; (at = json.find("</", at)) != json.npos; at += 3) json.replace(at, 2, "<\\/");
  return json;
}

/// Mean of a measure over the runs of a setting that are compared; a dash where it was not measured.
std::string mean_of(const Results& results, const char* name, const SettingVerdict& setting,
                    std::size_t strategy) {
  const std::size_t measure = measure_position(name);
  const std::set<Results::Key> compared = results.compared(setting.agents, setting.faults);
  std::vector<double> values;
  for (const auto& [key, value] : results.values(measure, setting.agents, setting.faults, strategy))
    if (compared.contains(key)) values.push_back(value);
  return values.empty() ? "–" : four_digits(mean(measures()[measure], values));
}

/// "9 of 10 runs", or "10 runs" if that is all of them.
std::string runs_in_words(const Results& results) {
  const std::size_t expected = expected_runs(results.names);
  const std::string runs = counted(std::max(expected, results.runs.size()), "run");
  return results.runs.size() < expected ? fmt::format("{} of {}", results.runs.size(), runs) : runs;
}

/// Two cells: mean and interval.
std::string to_bound_in_words(const Standing& s) {
  if (s.to_bound.pairs == 0) return "– | –";
  return fmt::format("{} | {} to {}", four_digits(s.to_bound.ratio), four_digits(s.to_bound.ci.low),
                     four_digits(s.to_bound.ci.high));
}
std::string against_best_in_words(const Standing& s) {
  if (s.finishes_less) return "finishes less";
  if (s.to_best.pairs == 0) return "–";
  return s.as_good_as_best ? "as good" : "× " + four_digits(s.to_best.ratio);
}

std::string in_markdown(const AnswerTable& table) {
  std::string text = fmt::format("\n### {}\n\n{}\n\n|", table.title, table.note);
  for (const std::string& word : table.head) text += fmt::format(" {} |", word);
  text += "\n|";
  for (std::size_t i = 0; i < table.head.size(); ++i) text += "---|";
  for (const std::vector<std::string>& row : table.rows) {
    text += "\n|";
    for (const std::string& word : row) text += fmt::format(" {} |", word);
  }
  return text + "\n";
}

std::string in_html(const AnswerTable& table) {
  std::string text = fmt::format(
      "<section><h2>{}</h2><p class=\"soft\">{}</p><div class=\"scroll\"><table class=\"words\"><thead><tr>",
      html(table.title), html(table.note));
  for (const std::string& word : table.head) text += fmt::format("<th>{}</th>", html(word));
  text += "</tr></thead><tbody>\n";
  for (const std::vector<std::string>& row : table.rows) {
    text += "<tr>";
    for (const std::string& word : row) text += fmt::format("<td>{}</td>", html(word));
    text += "</tr>\n";
  }
  return text + "</tbody></table></div></section>\n";
}

}  // namespace

std::string report_markdown(const Results& results) {
  const Verdict verdict = judge(results);
  const ExperimentNames& names = results.names;
  std::string text =
      fmt::format("## {}\n\n{}\n\n**{}{}", names.name, names.about, answer(results, verdict),
                  fmt::format("**\n\n{}, seeds 1 to {}, workloads:", runs_in_words(results), names.seeds));
  for (const std::string& workload : names.workloads)
    text += fmt::format(" {}{}", workload, (&workload == &names.workloads.back() ? ". " : ","));
  text += fmt::format(
      "{}\n\nIn the tables of settings, ratios (×) are geometric means, all else arithmetic ones, "
      "over the runs that all strategies finished.\n",
      results.made_by);
  for (const AnswerTable& table : answer_tables(results)) text += in_markdown(table);
  for (const SettingVerdict& setting : verdict.settings) {
    text += fmt::format(
        "\n### {}\n\n| strategy | finished | × bound | 95 % | against the best | × HEFT | ready → award p50, "
        "s | "
        "messages per task | redundant % |\n|---|---|---|---|---|---|---|---|---|\n",
        setting_name(names, setting.agents, setting.faults));
    for (const Standing& s : setting.standings)
      text += fmt::format("| {} | {} of {} | {} | {} | {} | {} | {} | {} |\n", names.strategies[s.strategy],
                          s.finished, s.runs, to_bound_in_words(s), against_best_in_words(s),
                          mean_of(results, "heft_ratio", setting, s.strategy),
                          mean_of(results, "award_p50", setting, s.strategy),
                          mean_of(results, "messages", setting, s.strategy),
                          mean_of(results, "redundant", setting, s.strategy));
  }
  return text;
}

std::string results_document(const std::vector<Results>& all) {
  const Results& first = all.front();
  std::string text = fmt::format(
      "# Results\n\n{}\n\nWritten by `./dev results` from a recorded run of the experiments in "
      "`experiments/`. [metrics.md](metrics.md) defines the measures. \"As good\" means: the best, or not "
      "significantly different from it.\n",
      answer(first, judge(first)));
  for (const Results& results : all) text += "\n" + report_markdown(results);
  return text;
}

Result<GanttChart> chart_of(const ExperimentNames& names, const Value& line) {
  const Result<RunRecord> run = read_run(line);
  if (!run) return fail(run.error());
  const Value* executions = line.find("executions");
  if (!has_place(names, run->cell) || !executions) return fail(Errc::corrupt, "it is not a chart");
  return gantt_of(fmt::format("Cell {}, {}", name_of(run->cell), names.name), *executions,
                  names.agent_counts[run->cell.agents]);
}

std::string report_page(const Results& results, const std::vector<Value>& gantt) {
  const Verdict verdict = judge(results);
  Value data = to_value(results.names);
  data.set("comparisons", static_cast<std::int64_t>(verdict.comparisons));
  data.set("verdict", to_value(verdict));
  data.set("measures", measures_value());
  data.set("runs", runs_value(results));
  Value charts{Value::Array{}};
  for (const Value& line : gantt)
    if (const Result<GanttChart> chart = chart_of(results.names, line))
      charts.push(Value{Value::Array{text_of(line, "cell"), gantt_svg(*chart, SvgUse::part)}});
  data.set("gantt", std::move(charts));
  data.set("gantt_legend", gantt_legend);

  const ExperimentNames& names = results.names;
  std::string page = page_head(names.name) + fmt::format("<h1>{}</h1>\n", html(names.name));
  std::string about = names.about;
  std::ranges::replace(about, '\n', ' ');
  if (!about.empty()) page += fmt::format("<p>{}</p>\n", html(about));
  page += fmt::format("<p class=\"answer\" id=\"answer\">{}</p>\n", html(answer(results, verdict)));
  page += fmt::format("<p class=\"soft\">{}, {}, seeds 1 to {}. {}</p>\n", runs_in_words(results),
                      names.mode == "live" ? "with real processes" : "simulated", names.seeds,
                      html(results.made_by));
  for (const std::string& warning : results.warnings)
    page += fmt::format("<p class=\"warning\">{}</p>\n", html(warning));
  page += "<div id=\"answers\">\n";
  for (const AnswerTable& table : answer_tables(results)) page += in_html(table);
  page += "</div>\n";
  page += "<main id=\"main\"></main>\n";
  page += fmt::format("<script type=\"application/json\" id=\"data\">{}</script>\n",
                      safe_in_script(to_json(data)));
  page += fmt::format("<script>\n{}</script>\n</body>\n</html>\n", report_js);
  return page;
}

}  // namespace bidboard
