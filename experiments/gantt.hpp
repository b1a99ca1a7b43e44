// Gantt charts: who worked on what, and when. The report page and `bidboard gantt` draw them with this code:
// as SVG, as a page of its own, or as text for a terminal. Pure.
#pragma once

#include <string>
#include <vector>

#include "blackboard/text/document.hpp"

namespace bidboard {

/// A stretch of work; seconds from the beginning of the chart.
struct GanttBar {
  std::size_t row = 0;  ///< position in GanttChart::rows
  double begin = 0;
  double end = 0;
  enum class How : std::uint8_t {
    accepted,   ///< its result was accepted
    lost,       ///< it failed, or its result was not accepted
    under_way,  ///< until now
  } how = How::accepted;
  std::string title;  ///< of the task
};

struct GanttChart {
  std::string title;
  std::vector<std::string> rows;  ///< names of agents
  std::vector<GanttBar> bars;     ///< of one row may overlap: each then gets a lane
};

/// What the colours mean.
constexpr const char* gantt_legend =
    "Each bar is a stretch of work, in two shades so that neighbours can be told apart. Red: its result was "
    "not accepted.";

/// The executions of a run of so many agents, as gantt.jsonl has them: lists of task, agent, begin, end, 1 if
/// accepted.
GanttChart gantt_of(std::string title, const Value& executions, std::size_t agents);

/// `part`: for a page that has the classes of report/page.css; it is as wide as its place, and its text has
/// the same size at every width. `file`: complete, with colours of its own.
enum class SvgUse : std::uint8_t { part, file };
std::string gantt_svg(const GanttChart& chart, SvgUse use);
/// A self-contained page with the chart and a table of its bars.
std::string gantt_page(const GanttChart& chart);
/// Lanes of characters, as wide as a terminal of so many columns.
std::string gantt_text(const GanttChart& chart, std::size_t columns);

/// Round numbers (1, 2 or 5 times a power of ten) from 0 to `end`, at most `most` steps.
std::vector<double> round_ticks(double end, int most);

}  // namespace bidboard
