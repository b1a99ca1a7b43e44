// The same work given to other systems: jobs queued in beanstalkd and Redis and done by as many processes,
// durably. Their servers are started in a temporary folder, on unix sockets, and stopped. Edge code.
#pragma once

#include "blackboard/result.hpp"

namespace bidboard::bench {

struct QueueLoad {
  std::int64_t tasks = 0;
  int workers = 4;
  int in_flight = 1;               ///< per worker
  std::size_t job_bytes = 100;     ///< of what a worker is given
  std::size_t result_bytes = 100;  ///< of what it reports, where that is kept
};
struct QueueRun {
  double rate = 0;  ///< tasks per second, from the first one taken to the last one done
  std::int64_t lost = 0;
  std::int64_t twice = 0;
};

/// beanstalkd with a log flushed at every write (-b DIR -f 0): reserve, then delete and reserve in one write.
/// It keeps no results. Errors: unavailable (not installed), failed.
Result<QueueRun> run_beanstalkd(const QueueLoad& load);
/// Redis with its log flushed at every write (appendfsync always), as a reliable queue: LMOVE to a list of
/// the worker; then LREM, HSET of the result and the next LMOVE in one write.
Result<QueueRun> run_redis(const QueueLoad& load);

}  // namespace bidboard::bench
