#include "experiments/gantt.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <string_view>

#include "blackboard/fmt.hpp"
#include "blackboard/text/readable.hpp"
#include "blackboard/text/utf8.hpp"
#include "experiments/html.hpp"
#include "experiments/report.hpp"

namespace bidboard {
namespace {

using How = GanttBar::How;

constexpr double letter_px = 7.5;
/// Text of 12 px needs so much height.
constexpr std::size_t label_px = 14;
constexpr std::size_t axis_px = 24;
constexpr double file_px = 960;
/// A page is read on telephones too.
constexpr double narrow_px = 330;
/// Bars are drawn on a canvas of this width, which is stretched.
constexpr double canvas = 10'000;
constexpr double least_bar = 12;
/// A damaged file can name any agent.
constexpr double most_rows = 100'000;

std::size_t letters(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) text.remove_prefix(std::max<std::size_t>(1, utf8_length(text)));
  return count;
}

std::string first_letters(std::string_view text, std::size_t count) {
  std::size_t at = 0;
  for (; count > 0 && at < text.size(); --count) at += std::max<std::size_t>(1, utf8_length(text.substr(at)));
  return std::string(text.substr(0, at));
}

std::string short_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

/// Bars of one agent at the same time stand in different lanes.
struct Lanes {
  std::vector<std::size_t> first;  ///< lane of each row; one more for the end
  std::vector<std::size_t> of_bar;
  std::vector<bool> odd;  ///< every other bar of a lane, so that neighbours can be told apart

  explicit Lanes(const GanttChart& chart) : first{0}, of_bar(chart.bars.size()), odd(chart.bars.size()) {
    std::vector<std::size_t> order(chart.bars.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return chart.bars[i].begin; });
    std::vector<std::vector<std::pair<double, bool>>> lanes(
        chart.rows.size());  // end and kind of the last bar
    for (const std::size_t i : order) {
      const GanttBar& bar = chart.bars[i];
      auto& of_row = lanes[bar.row];
      auto free = std::ranges::find_if(of_row, [&](const auto& lane) { return lane.first <= bar.begin; });
      if (free == of_row.end()) free = of_row.insert(of_row.end(), {0, true});
      *free = {std::max(bar.end, bar.begin), !free->second};
      of_bar[i] = static_cast<std::size_t>(free - of_row.begin());
      odd[i] = free->second;
    }
    for (const auto& of_row : lanes) first.push_back(first.back() + std::max<std::size_t>(1, of_row.size()));
    for (std::size_t i = 0; i < order.size(); ++i) of_bar[i] += first[chart.bars[i].row];
  }
  std::size_t count() const { return first.back(); }
};

double end_of(const GanttChart& chart) {
  double end = 0;
  for (const GanttBar& bar : chart.bars) end = std::max(end, bar.end);
  return end > 0 ? end : 1;
}

const char* class_of(How how, bool odd) {
  if (how == How::lost) return "lost";
  if (how == How::under_way) return "open";
  return odd ? "work odd" : "work";
}

const char* word_for(How how) {
  return how == How::lost ? "not accepted" : how == How::under_way ? "under way" : "accepted";
}

/// Whole numbers are short, and a canvas unit is a tenth of a pixel.
std::string bar_path(const GanttBar& bar, std::size_t lane, std::size_t lane_px, double per_second) {
  const double x = bar.begin * per_second;
  const double width = std::max(least_bar, (bar.end - bar.begin) * per_second);
  const std::size_t gap = lane_px > 4 ? 2 : 1;
  return fmt::format("M{} {}h{}v{}h-{}z", std::lround(x), lane * lane_px + gap / 2, std::lround(width),
                     lane_px - gap, std::lround(width));
}

}  // namespace

std::vector<double> round_ticks(double end, int most) {
  std::vector<double> ticks;
  const double least = end / most;
  const double power = std::pow(10, std::floor(std::log10(least)));
  double step = power;
  for (const double factor : {2.0, 5.0, 10.0})
    if (step < least) step = factor * power;
  for (int i = 0; i * step <= end * (1 + 1e-9); ++i) ticks.push_back(i * step);
  return ticks;
}

GanttChart gantt_of(std::string title, const Value& executions, std::size_t agents) {
  GanttChart chart;
  const auto add_rows = [&](std::size_t count) {
    while (chart.rows.size() < count) chart.rows.push_back(fmt::format("w{}", chart.rows.size() + 1));
  };
  add_rows(agents);
  chart.title = std::move(title);
  if (!executions.is_array()) return chart;
  for (const Value& row : executions.array()) {
    if (!row.is_array() || row.array().size() != 5) continue;
    const Value::Array& cells = row.array();
    if (!std::ranges::all_of(cells, [](const Value& cell) { return cell.is_number() && cell.number() >= 0; }))
      continue;
    if (cells[1].number() >= most_rows) continue;
    const auto agent = static_cast<std::size_t>(cells[1].number());
    add_rows(agent + 1);
    chart.bars.push_back({agent, cells[2].number(), cells[3].number(),
                          cells[4].number() > 0 ? How::accepted : How::lost,
                          fmt::format("{}", static_cast<std::int64_t>(cells[0].number()) + 1)});
  }
  return chart;
}

std::string gantt_svg(const GanttChart& chart, SvgUse use) {
  const Lanes lanes(chart);
  const std::size_t lane_px = lanes.count() > 60 ? 6 : lanes.count() > 20 ? 12 : 20;
  const std::size_t height = lanes.count() * lane_px;
  const double width = use == SvgUse::file ? file_px : narrow_px;
  std::size_t longest = 1;
  for (const std::string& row : chart.rows) longest = std::max(longest, letters(row));
  const double left = std::min(0.3, (static_cast<double>(longest) * letter_px + 12) / width);
  const double right = use == SvgUse::file ? 0.02 : 0.05;
  const double end = end_of(chart);
  const auto percent = [](double share) { return short_number(std::round(share * 10'000) / 100) + "%"; };

  std::string svg =
      use == SvgUse::part
          ? fmt::format("<svg class='gantt' width='100%' height='{}' role='img'>", height + axis_px)
          : svg_head(chart.title, file_px, static_cast<double>(height + axis_px));
  for (const double tick : round_ticks(end, use == SvgUse::file ? 8 : 4)) {
    const std::string x = percent(left + tick / end * (1 - left - right));
    svg += fmt::format(
        "<line class='axis' x1='{0}' x2='{0}' y1='0' y2='{1}'/><text x='{0}' y='{2}' "
        "text-anchor='middle'>{3} s</text>",
        x, height, height + 17, short_number(tick));
  }
  std::size_t free_from = 0;
  for (std::size_t row = 0; row < chart.rows.size(); ++row) {
    const std::size_t y = lanes.first[row] * lane_px;
    if (y < free_from) continue;
    free_from = y + label_px;
    const std::size_t fits = static_cast<std::size_t>(left * width / letter_px);
    svg += fmt::format("<text x='{}' y='{}' text-anchor='end'>{}</text>", percent(left - 6 / width),
                       y + std::max<std::size_t>(lane_px * 3 / 4, 10),
                       html(first_letters(readable(chart.rows[row]), fits)));
  }
  svg +=
      fmt::format("<svg x='{}' y='0' width='{}' height='{}' viewBox='0 0 {} {}' preserveAspectRatio='none'>",
                  percent(left), percent(1 - left - right), height, canvas, height);
  std::map<std::string_view, std::string> groups;  // by class
  for (std::size_t i = 0; i < chart.bars.size(); ++i) {
    const GanttBar& bar = chart.bars[i];
    std::string title = bar.title;
    if (use == SvgUse::file)
      title += fmt::format(", {}: {} to {} s, {}", chart.rows[bar.row], short_number(bar.begin),
                           short_number(bar.end), word_for(bar.how));
    groups[class_of(bar.how, lanes.odd[i])] +=
        fmt::format("<path d='{}'><title>{}</title></path>",
                    bar_path(bar, lanes.of_bar[i], lane_px, canvas / end), html(title));
  }
  for (const auto& [name, paths] : groups) svg += fmt::format("<g class='{}'>{}</g>", name, paths);
  return svg + "</svg></svg>\n";
}

std::string gantt_page(const GanttChart& chart) {
  const bool has_open =
      std::ranges::any_of(chart.bars, [](const GanttBar& bar) { return bar.how == How::under_way; });
  const auto milliseconds = [](double seconds) { return short_number(std::round(seconds * 1e3) / 1e3); };
  std::string page = page_head(chart.title);
  page += fmt::format("<h1>{}</h1>\n<figure>{}</figure>\n<p class=\"soft\">{}</p>\n", html(chart.title),
                      gantt_svg(chart, SvgUse::part),
                      gantt_legend + (has_open ? std::string(" Grey: under way.") : std::string()));
  page +=
      "<div class=\"scroll\"><table class=\"plain\"><thead><tr><th>task</th><th>agent</th><th>begin, s</th>"
      "<th>end, s</th><th>result</th></tr></thead><tbody>\n";
  for (const GanttBar& bar : chart.bars)
    page += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", html(bar.title),
                        html(chart.rows[bar.row]), milliseconds(bar.begin), milliseconds(bar.end),
                        word_for(bar.how));
  return page + "</tbody></table></div>\n</body>\n</html>\n";
}

std::string gantt_text(const GanttChart& chart, std::size_t columns) {
  const Lanes lanes(chart);
  const double end = end_of(chart);
  std::size_t longest = 1;
  for (const std::string& row : chart.rows) longest = std::max(longest, letters(row));
  longest = std::min<std::size_t>(longest, columns / 3);
  const std::size_t width = std::max<std::size_t>(10, columns > longest + 2 ? columns - longest - 2 : 10);
  const auto column = [&](double second) {
    return std::min(width - 1, static_cast<std::size_t>(second / end * static_cast<double>(width)));
  };
  std::vector<std::vector<const char*>> drawn(lanes.count(), std::vector<const char*>(width, "·"));
  for (std::size_t i = 0; i < chart.bars.size(); ++i) {
    const GanttBar& bar = chart.bars[i];
    const char* mark = bar.how == How::lost        ? "x"
                       : bar.how == How::under_way ? "░"
                       : lanes.odd[i]              ? "▓"
                                                   : "█";
    const std::size_t from = column(bar.begin);
    const double to = bar.end / end * static_cast<double>(width);
    for (std::size_t c = from; c < width && (c == from || static_cast<double>(c) + 0.5 < to); ++c)
      drawn[lanes.of_bar[i]][c] = mark;
  }
  std::string text;
  for (std::size_t row = 0; row < chart.rows.size(); ++row)
    for (std::size_t lane = lanes.first[row]; lane < lanes.first[row + 1]; ++lane) {
      const std::string label = lane == lanes.first[row] ? first_letters(chart.rows[row], longest) : "";
      text += label + std::string(longest + 2 - letters(label), ' ');
      for (const char* mark : drawn[lane]) text += mark;
      text += "\n";
    }
  std::string axis(longest + 2 + width + 12, ' ');
  std::size_t free_from = 0;
  for (const double tick : round_ticks(end, static_cast<int>(std::max<std::size_t>(1, width / 10)))) {
    const std::string label = short_number(tick) + " s";
    const std::size_t at = longest + 2 + column(tick);
    if (at < free_from || at + label.size() > longest + 2 + width) continue;
    axis.replace(at, label.size(), label);
    free_from = at + label.size() + 2;
  }
  return text + axis.substr(0, axis.find_last_not_of(' ') + 1) + "\n";
}

}  // namespace bidboard
