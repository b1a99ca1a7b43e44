#include "experiments/report.hpp"

#include <cmath>
#include <cstdio>

#include "blackboard/fmt.hpp"
#include "experiments/hypotheses.hpp"
#include "experiments/verdict.hpp"

namespace bidboard {
namespace {

std::string html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

/// Four digits are more than anyone sees, and keep the page small.
Value rounded(double value) {
  if (value == 0 || !std::isfinite(value)) return 0;
  const double unit = std::pow(10, std::floor(std::log10(std::abs(value))) - 4);
  return std::round(value / unit) * unit;
}

Value numbers(const Comparison& c, bool with_p) {
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
      standings.push(std::move(standing));
    }
    Value value{Value::Object{}};
    value.set("agents", static_cast<std::int64_t>(setting.agents));
    value.set("faults", static_cast<std::int64_t>(setting.faults));
    value.set("standings", std::move(standings));
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
    list.push(std::move(value));
  }
  return list;
}

Value runs_value(const Results& results) {
  Value list{Value::Array{}};
  for (const RunRecord& run : results.runs) {
    Value row{Value::Array{}};
    for (const std::size_t position :
         {run.cell.workload, run.cell.agents, run.cell.faults, run.cell.strategy})
      row.push(static_cast<std::int64_t>(position));
    row.push(run.cell.seed);
    for (const std::optional<double>& value : run.measured) row.push(value ? rounded(*value) : Value());
    list.push(std::move(row));
  }
  return list;
}

/// Escapes what would end a script element.
std::string safe_in_script(std::string json) {
  for (std::size_t at = 0; (at = json.find("</", at)) != json.npos; at += 3) json.replace(at, 2, "<\\/");
  return json;
}

/// Mean of a measure over all runs of a strategy in a setting; a dash where it was not measured.
std::string mean_of(const Results& results, const char* measure, const SettingVerdict& setting,
                    std::size_t strategy) {
  const auto values = results.values(measure_position(measure), setting.agents, setting.faults, strategy);
  if (values.empty()) return "–";
  double sum = 0;
  for (const auto& [key, value] : values) sum += value;
  return four_digits(sum / static_cast<double>(values.size()));
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
  std::string text = fmt::format(
      "## {}\n\n{}\n\n**{}{}", names.name, names.about, answer(results, verdict),
      fmt::format("**\n\n{}, seeds 1 to {}, workloads:", counted(results.runs.size(), "run"), names.seeds));
  for (const std::string& workload : names.workloads)
    text += fmt::format(" {}{}", workload, (&workload == &names.workloads.back() ? ". " : ","));
  text += results.made_by + "\n";
  for (const AnswerTable& table : answer_tables(results)) text += in_markdown(table);
  for (const SettingVerdict& setting : verdict.settings) {
    text += fmt::format(
        "\n### {}\n\n| strategy | × bound | 95 % | against the best | × HEFT | ready → award p50, s | "
        "messages per task | redundant % |\n|---|---|---|---|---|---|---|---|\n",
        setting_name(names, setting.agents, setting.faults));
    for (const Standing& s : setting.standings)
      text += fmt::format("| {} | {} | {} to {} | {} | {} | {} | {} | {} |\n", names.strategies[s.strategy],
                          four_digits(s.to_bound.ratio), four_digits(s.to_bound.ci.low),
                          four_digits(s.to_bound.ci.high),
                          (s.as_good_as_best ? "as good" : "× " + four_digits(s.to_best.ratio)),
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

std::string report_page(const Results& results, const std::vector<Value>& gantt) {
  const Verdict verdict = judge(results);
  Value data = to_value(results.names);
  data.set("comparisons", static_cast<std::int64_t>(verdict.comparisons));
  data.set("verdict", to_value(verdict));
  data.set("measures", measures_value());
  data.set("runs", runs_value(results));
  Value charts{Value::Object{}};
  for (const Value& line : gantt)
    if (const Value* cell = line.find("cell"); cell && cell->is_string() && line.find("executions"))
      charts.set(cell->string(), *line.find("executions"));
  data.set("gantt", std::move(charts));

  const ExperimentNames& names = results.names;
  std::string page = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\">\n<link rel=\"icon\" "
      "href=\"data:,\">\n<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n<h1>{}</h1>\n",
      html(names.name), report_css, html(names.name));
  if (!names.about.empty()) page += fmt::format("<p>{}</p>\n", html(names.about));
  page += fmt::format("<p class=\"answer\" id=\"answer\">{}</p>\n", html(answer(results, verdict)));
  page += fmt::format(
      "<p class=\"soft\">{}, {}, seeds 1 to {}. {}</p>\n", counted(results.runs.size(), "run"),
      names.mode == "live" ? "with real processes" : "simulated", names.seeds, html(results.made_by));
  for (const AnswerTable& table : answer_tables(results)) page += in_html(table);
  page += "<main id=\"main\"></main>\n";
  page += fmt::format("<script type=\"application/json\" id=\"data\">{}</script>\n",
                      safe_in_script(to_json(data)));
  page += fmt::format("<script>\n{}</script>\n</body>\n</html>\n", report_js);
  return page;
}

}  // namespace bidboard
