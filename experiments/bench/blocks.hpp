// The blocks of the benchmark: each measures a few figures and returns them in the order of the table.
// Errors: of the processes started (unavailable, failed), storage.
#pragma once

#include "experiments/bench/bench.hpp"

namespace bidboard::bench {

using Figures = std::vector<Figure>;

/// Start to exit of `tasks`; CPU of 30 idle agents and their controller.
Result<Figures> shell_block(const BenchOptions& options);
Result<Figures> idle_block(const BenchOptions& options);
/// Tasks per second against the floor, by strategy, with 1 and 16 in flight per agent.
Result<Figures> dispatch_block(const BenchOptions& options);
/// The board's commits against raw LMDB with the same puts and batches.
Result<Figures> store_block(const BenchOptions& options);
/// Post to award and post to result, idle and under load; the shortest task with 50 % efficiency.
Result<Figures> latency_block(const BenchOptions& options);
/// Auctions cleared per second with 10, 100 and 1,000 proxy bidders.
Result<Figures> clearing_block(const BenchOptions& options);
/// A million tasks posted and finished; opening and grouping the board they leave.
Result<Figures> million_block(const BenchOptions& options);
/// A simulated world of 10,000 agents and a million tasks, under fifo and under proxy auctions.
Result<Figures> scale_block(const BenchOptions& options);
/// The controller's CPU and messages per task of every strategy with up to 1,000 simulated agents, and the
/// power laws that fit them.
Result<Figures> growth_block(const BenchOptions& options);

/// beanstalkd, Redis and Dask with the same work. Also unavailable: one of them is not installed.
Result<Figures> peers_block(const BenchOptions& options);

}  // namespace bidboard::bench
