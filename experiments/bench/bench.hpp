// `bidboard bench`: figures for this machine, each a median of several runs, with a raw disk probe around
// every block so that a noisy or slow disk shows. Starts real processes on temporary boards. Edge code; Linux
// (reads /proc for the idle cost).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "blackboard/document.hpp"
#include "blackboard/result.hpp"
#include "blackboard/time.hpp"

namespace bidboard {

struct BenchOptions {
  std::string program;         ///< the binary under test
  std::int64_t runs = 5;       ///< of each figure
  std::int64_t tasks = 2'000;  ///< per dispatch run
  Duration idle_window = seconds(20);
  std::function<void(const std::string&)> on_progress = [](const std::string&) {};
};

struct Figure {
  std::string name;
  std::string unit;
  double median = 0;
  double least = 0;
  double most = 0;
  std::string goal;  ///< what it should be, in words; empty: none
};

/// Every figure, in order. Errors: of the processes started (unavailable, failed).
Result<std::vector<Figure>> run_bench(const BenchOptions& options);
Value to_value(const std::vector<Figure>& figures);

}  // namespace bidboard
