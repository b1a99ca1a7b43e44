// The same work given to Dask (python3-distributed), on four worker processes of this machine. Edge code.
#pragma once

#include "blackboard/result.hpp"

namespace bidboard::bench {

struct DaskRun {
  double rate = 0;           ///< tasks per second, from the first submission to the last result
  double chain_seconds = 0;  ///< of a chain
  double result_ms = 0;      ///< from submission to result, one at a time: median
  std::int64_t lost = 0;
};

/// Dask keeps nothing durably. Errors: unavailable (not installed), failed.
Result<DaskRun> run_dask(std::int64_t tasks, std::int64_t chain, int workers);

}  // namespace bidboard::bench
