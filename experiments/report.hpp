// The report: a self-contained HTML page, made of report/page.css and report/page.js, which are built into
// the binary. Pure.
#pragma once

#include <string>
#include <vector>

#include "experiments/gantt.hpp"
#include "experiments/results.hpp"

namespace bidboard {

/// `gantt`: the lines of gantt.jsonl.
std::string report_page(const Results& results, const std::vector<Value>& gantt);

/// A line of gantt.jsonl. Errors: corrupt.
Result<GanttChart> chart_of(const ExperimentNames& names, const Value& line);

/// The answer, hypotheses, goals and a table per setting in Markdown.
std::string report_markdown(const Results& results);
/// docs/results.md: the answer of the first, then a section for each. REQUIRES: at least one.
std::string results_document(const std::vector<Results>& all);

/// The built-in parts (made by CMake from the files of their names).
extern const char* const report_css;
extern const char* const report_js;

}  // namespace bidboard
