// The tables and plots of a report as files for other programs: CSV (RFC 4180, lines end with LF) and SVG.
// Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "experiments/results.hpp"

namespace bidboard {

/// Name and text of each file: standings.csv, a table for hypotheses, goals and growth if the experiment has
/// them, and for each setting a plot of makespan / bound with intervals.
std::vector<std::pair<std::string, std::string>> exported_files(const Results& results);

}  // namespace bidboard
