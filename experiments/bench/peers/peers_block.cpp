// The same work by other systems, alternating with ours: durable queues by throughput, Dask, which keeps
// nothing, against ours without durability.
#include <map>

#include "blackboard/fmt.hpp"
#include "blackboard/store/lmdb_store.hpp"
#include "experiments/bench/blocks.hpp"
#include "experiments/bench/peers/dask.hpp"
#include "experiments/bench/peers/queue_peers.hpp"
#include "experiments/bench/recording.hpp"
#include "experiments/bench/support.hpp"
#include "experiments/facts.hpp"

namespace bidboard::bench {
namespace {

constexpr int workers = 4;
constexpr std::int64_t chain_length = 500;

struct Counted {
  std::vector<double> values;
  std::int64_t lost = 0;
  std::int64_t twice = 0;
};

/// Accepted results by task, as the log has them.
Result<void> count(const BoardDirectory& board, std::int64_t tasks, Counted& into) {
  const Result<std::unique_ptr<Snapshot>> snapshot = open_snapshot(board.path);
  if (!snapshot) return fail(snapshot.error());
  std::map<TaskId, int> accepted;
  const Result<void> read = each_event(**snapshot, [&](const Event& event) {
    if (const auto* done = std::get_if<TaskFinished>(&event.body)) ++accepted[done->task];
  });
  if (!read) return read;
  into.lost += tasks - std::ssize(accepted);
  for (const auto& [task, times] : accepted) into.twice += times > 1;
  return {};
}

Result<void> run_ours(const BenchOptions& options, const LiveOptions& live, std::int64_t tasks,
                      Counted& into) {
  const auto board = LiveBoard::start(options, live);
  if (!board) return fail(board.error());
  if (const Result<void> posted = (*board)->post(tasks); !posted) return fail(posted.error());
  const auto done = (*board)->finished(tasks);
  if (!done) return fail(done.error());
  into.values.push_back(static_cast<double>(tasks) / seconds_until_done(*done, &Task::awarded_at));
  return count((*board)->directory(), tasks, into);
}

Result<void> run_peer(Result<QueueRun> (*peer)(const QueueLoad&), const QueueLoad& load, Counted& into) {
  const Result<QueueRun> run = peer(load);
  if (!run) return fail(run.error());
  into.values.push_back(run->rate);
  into.lost += run->lost;
  into.twice += run->twice;
  return {};
}

Figure count_of(const std::string& name, const Counted& counted) {
  return figure(name + ": lost and done twice, all rounds", "tasks",
                {static_cast<double>(counted.lost + counted.twice)}, "0");
}

Result<void> against_queues(const BenchOptions& options, int in_flight, std::int64_t tasks, const char* goal,
                            Figures& figures) {
  const Result<Recording> recording = record_dispatch("fifo", 10, workers, in_flight);
  if (!recording) return fail(recording.error());
  const QueueLoad load{tasks, workers, in_flight, recording->award_bytes, recording->report_bytes};
  const std::string suffix = fmt::format(", {} in flight", in_flight);
  std::vector<double> disk;
  Counted ours, beanstalkd, redis;
  for (std::int64_t round = 1; round <= options.runs; ++round) {
    options.on_progress(fmt::format("peers{}, round {} of {}", suffix, round, options.runs));
    const Workspace place;
    disk.push_back(probe_disk(place.path()));
    const LiveOptions live{.strategy = "fifo", .agents = workers, .capacity = in_flight};
    if (const auto ran = run_ours(options, live, tasks, ours); !ran) return ran;
    if (const auto ran = run_peer(run_beanstalkd, load, beanstalkd); !ran) return ran;
    if (const auto ran = run_peer(run_redis, load, redis); !ran) return ran;
  }
  std::vector<double> better;
  for (std::size_t i = 0; i < ours.values.size(); ++i)
    better.push_back(std::max(beanstalkd.values[i], redis.values[i]));
  figures.push_back(figure("raw disk: durable 32 KB writes", "per s", std::move(disk)));
  figures.push_back(figure("Bidboard, fifo" + suffix, "tasks/s", ours.values));
  figures.push_back(figure("beanstalkd" + suffix, "tasks/s", beanstalkd.values));
  figures.push_back(figure("Redis" + suffix, "tasks/s", redis.values));
  figures.push_back(figure("Bidboard" + suffix, "× the better one", ratios(ours.values, better), goal));
  figures.push_back(count_of("Bidboard" + suffix, ours));
  figures.push_back(count_of("beanstalkd" + suffix, beanstalkd));
  figures.push_back(count_of("Redis" + suffix, redis));
  return {};
}

/// A fresh board without durability, and how long the posted tasks took.
Result<double> seconds_without_durability(const BenchOptions& options, const Post& post, int capacity,
                                          Counted& counted) {
  const auto board = LiveBoard::start(
      options, {.strategy = "fifo", .agents = workers, .capacity = capacity, .durable = false});
  if (!board) return fail(board.error());
  if (const Result<void> posted = (*board)->post(post); !posted) return fail(posted.error());
  const auto tasks = std::ssize(post.tasks);
  const auto done = (*board)->finished(tasks);
  if (!done) return fail(done.error());
  if (const Result<void> all = count((*board)->directory(), tasks, counted); !all) return fail(all.error());
  return seconds_until_done(*done, &Task::created_at);
}

Post tasks_of(std::int64_t count, bool chained) {
  Post post;
  TaskSpec spec;
  spec.title = "task";
  spec.size = 0;
  post.workflow = "bench";
  post.tasks.assign(static_cast<std::size_t>(count), spec);
  for (std::uint32_t i = 1; chained && i < post.tasks.size(); ++i)
    post.batch_needs.push_back({i, i - 1, false});
  return post;
}

Result<void> against_dask(const BenchOptions& options, Figures& figures) {
  constexpr int in_flight = 16;  // Dask's workers are given tasks in advance, too
  const std::int64_t tasks = std::min<std::int64_t>(options.tasks, 2'000);
  Counted ours, dask;
  std::vector<double> our_chain, their_chain, our_latency, their_latency;
  for (std::int64_t round = 1; round <= options.runs; ++round) {
    options.on_progress(fmt::format("Dask, round {} of {}", round, options.runs));
    const Result<double> many = seconds_without_durability(options, tasks_of(tasks, false), in_flight, ours);
    if (!many) return fail(many.error());
    const Result<double> chain = seconds_without_durability(options, tasks_of(chain_length, true), 1, ours);
    if (!chain) return fail(chain.error());
    const Result<double> latency = post_to_result_ms(options);
    if (!latency) return fail(latency.error());
    const Result<DaskRun> theirs = run_dask(tasks, chain_length, workers);
    if (!theirs) return fail(theirs.error());
    ours.values.push_back(static_cast<double>(tasks) / *many);
    dask.values.push_back(theirs->rate);
    dask.lost += theirs->lost;
    our_chain.push_back(*chain);
    their_chain.push_back(theirs->chain_seconds);
    our_latency.push_back(*latency);
    their_latency.push_back(theirs->result_ms);
  }
  figures.push_back(figure("Bidboard, not durable, 16 in flight", "tasks/s", ours.values));
  figures.push_back(figure("Dask", "tasks/s", dask.values));
  figures.push_back(figure("Bidboard", "× Dask", ratios(ours.values, dask.values), "at least 4"));
  figures.push_back(figure("Bidboard, chain of 500 tasks, not durable", "s", our_chain));
  figures.push_back(figure("Dask, chain of 500 tasks", "s", their_chain));
  figures.push_back(
      figure("Bidboard, chain", "× as fast as Dask", ratios(their_chain, our_chain), "at least 10"));
  figures.push_back(figure("Bidboard, submission to result, not durable", "ms", our_latency));
  figures.push_back(figure("Dask, submission to result", "ms", their_latency));
  figures.push_back(figure("Bidboard, submission to result", "× Dask's", ratios(our_latency, their_latency),
                           "at most 0.1"));
  figures.push_back(count_of("Bidboard against Dask", ours));
  figures.push_back(count_of("Dask", dask));
  return {};
}

}  // namespace

Result<Figures> peers_block(const BenchOptions& options) {
  Figures figures;
  if (const Result<void> one = against_queues(options, 1, options.tasks, "at least 1.2", figures); !one)
    return fail(one.error());
  if (const Result<void> many = against_queues(options, 16, options.tasks * 5, "at least 5", figures); !many)
    return fail(many.error());
  if (const Result<void> dask = against_dask(options, figures); !dask) return fail(dask.error());
  return figures;
}

}  // namespace bidboard::bench
