// `bidboard bench`: figures for this machine, each a median of several runs, with a raw disk probe around the
// runs that write, so that a noisy or slow disk shows. What is compared is measured alternately within one
// run. Starts real processes on temporary boards. Edge code; Linux (reads /proc).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "blackboard/result.hpp"
#include "blackboard/text/document.hpp"
#include "blackboard/time.hpp"

namespace bidboard {

struct BenchOptions {
  std::string program;              ///< the binary under test
  std::vector<std::string> blocks;  ///< names of bench_blocks(); empty: those of its `by_default`
  std::int64_t runs = 5;            ///< of each figure
  std::int64_t tasks = 2'000;       ///< per dispatch run with one in flight
  Duration idle_window = seconds(60);
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

struct BenchBlock {
  std::string name;
  std::string what;
  bool by_default = true;
  std::function<Result<std::vector<Figure>>(const BenchOptions&)> measure;
};
const std::vector<BenchBlock>& bench_blocks();

/// The figures of the chosen blocks, in order. Errors: invalid (no such block), and those of the processes
/// started (unavailable, failed).
Result<std::vector<Figure>> run_bench(const BenchOptions& options);
Value to_value(const std::vector<Figure>& figures);

}  // namespace bidboard
