#include <cmath>

#include "blackboard/fmt.hpp"
#include "blackboard/format/codec.hpp"
#include "experiments/bench/blocks.hpp"
#include "experiments/bench/support.hpp"
#include "experiments/statistics.hpp"
#include "runtime/net/client.hpp"

namespace bidboard::bench {
namespace {

constexpr int agents = 4;
constexpr int probes = 200;
constexpr std::int32_t urgent = 1'000;

struct Probed {
  std::vector<double> award_ms;
  std::vector<double> result_ms;
};

/// A client that posts one urgent task at a time and follows its events on the feed: each figure covers
/// request, decision, commit, award and feed.
class Prober {
 public:
  static Result<Prober> open(const BoardDirectory& directory) {
    const std::optional<Writer> writer = serving_writer(directory);
    if (!writer) return fail(Errc::unavailable, "no controller");
    auto feed = Feed::open(writer->feed);
    auto connection = Connection::open(writer->endpoint);
    if (!feed || !connection) return fail(Errc::unavailable, "no connection");
    while (!(*connection)->wait(seconds(10)).connected) {
    }
    return Prober(std::move(*feed), std::move(*connection));
  }

  Result<void> probe(Probed& into) {
    Post post;
    post.tasks.resize(1);
    post.tasks[0].title = fmt::format("probe {}", ++number_);
    post.tasks[0].priority = urgent;
    post.tasks[0].size = 0;
    const std::string title = post.tasks[0].title;
    const auto begun = Clock::now();
    if (!connection_->send(Request{{}, number_, {}, {}, std::move(post)}))
      return fail(Errc::unavailable, "the controller is gone");
    TaskId task;
    while (true) {
      const std::optional<FeedPiece> piece = feed_->wait(seconds(10));
      if (!piece) return fail(Errc::timed_out, "the feed sent nothing");
      for (const std::string& bytes : piece->events) {
        const Result<Event> event = unseal<Event>(bytes);
        if (!event) return fail(event.error());
        if (const auto* posted = std::get_if<TaskPosted>(&event->body);
            posted && posted->task.spec.title == title)
          task = posted->task.id;
        if (const auto* awarded = std::get_if<TaskAwarded>(&event->body); awarded && awarded->task == task)
          into.award_ms.push_back(seconds_since(begun) * 1e3);
        if (const auto* done = std::get_if<TaskFinished>(&event->body); done && done->task == task) {
          into.result_ms.push_back(seconds_since(begun) * 1e3);
          return {};
        }
      }
    }
  }

 private:
  Prober(std::unique_ptr<Feed> feed, std::unique_ptr<Connection> connection)
      : feed_(std::move(feed)), connection_(std::move(connection)) {}
  std::unique_ptr<Feed> feed_;
  std::unique_ptr<Connection> connection_;
  std::uint64_t number_ = 0;
};

/// Probes while `load` other tasks wait and run.
Result<Probed> probe(const BenchOptions& options, std::int64_t load, bool durable = true) {
  const auto board = LiveBoard::start(options, {.strategy = "auction", .agents = agents, .durable = durable});
  if (!board) return fail(board.error());
  Result<Prober> prober = Prober::open((*board)->directory());
  if (!prober) return fail(prober.error());
  Probed probed;
  if (const Result<void> first = prober->probe(probed); !first) return fail(first.error());
  probed = {};  // the first one also waited for the subscription
  if (load > 0)
    if (const Result<void> posted = (*board)->post(load); !posted) return fail(posted.error());
  for (int i = 0; i < probes; ++i)
    if (const Result<void> done = prober->probe(probed); !done) return fail(done.error());
  return probed;
}

void add(Figures& figures, const std::string& name, const std::vector<double>& ms) {
  figures.push_back(
      {name + ", p50 and p99", "ms", quantile(ms, 0.5), quantile(ms, 0.5), quantile(ms, 0.99), ""});
}

/// Busy share of the agents' time with tasks of `size`.
Result<double> efficiency(const BenchOptions& options, Micros size) {
  const auto board = LiveBoard::start(options, {.strategy = "fifo", .agents = agents});
  if (!board) return fail(board.error());
  const std::int64_t tasks = std::max<std::int64_t>(options.tasks / 4, 100);
  if (const Result<void> posted = (*board)->post(tasks, size); !posted) return fail(posted.error());
  const auto done = (*board)->finished(tasks);
  if (!done) return fail(done.error());
  return static_cast<double>(tasks * size) / 1e6 / agents / seconds_until_done(*done, &Task::awarded_at);
}

/// METG(50 %): Slaughter et al., Task Bench (2020). Sizes are halved until less than half of the time is
/// work; between the last two the crossing is interpolated.
Result<Figure> shortest_task(const BenchOptions& options) {
  options.on_progress("shortest task with 50 % efficiency");
  double size_before = 0;
  double share_before = 1;
  for (Micros size = 16'000; size >= 125; size /= 2) {
    const Result<double> share = efficiency(options, size);
    if (!share) return fail(share.error());
    if (*share < 0.5 && size_before > 0) {
      const double t = (share_before - 0.5) / (share_before - *share);
      const double log_size =
          std::log(size_before) + t * (std::log(static_cast<double>(size)) - std::log(size_before));
      return figure("shortest task with 50 % efficiency, 4 agents", "ms", {std::exp(log_size) / 1e3});
    }
    size_before = static_cast<double>(size);
    share_before = *share;
  }
  return figure("shortest task with 50 % efficiency, 4 agents (or less)", "ms", {size_before / 1e3});
}

}  // namespace

Result<double> post_to_result_ms(const BenchOptions& options) {
  const Result<Probed> probed = probe(options, 0, false);
  if (!probed) return fail(probed.error());
  return quantile(probed->result_ms, 0.5);
}

Result<Figures> latency_block(const BenchOptions& options) {
  Figures figures;
  options.on_progress("post to award, idle");
  const Result<Probed> idle = probe(options, 0);
  if (!idle) return fail(idle.error());
  add(figures, "post to award, idle", idle->award_ms);
  add(figures, "post to result, idle", idle->result_ms);
  options.on_progress("post to award, loaded");
  const Result<Probed> loaded = probe(options, options.tasks * 5);
  if (!loaded) return fail(loaded.error());
  add(figures, "post to award, loaded", loaded->award_ms);
  add(figures, "post to result, loaded", loaded->result_ms);
  const Result<Figure> shortest = shortest_task(options);
  if (!shortest) return fail(shortest.error());
  figures.push_back(*shortest);
  return figures;
}

}  // namespace bidboard::bench
