#include <array>
#include <map>

#include "blackboard/fmt.hpp"
#include "experiments/bench/blocks.hpp"
#include "experiments/bench/floor.hpp"
#include "experiments/bench/support.hpp"

namespace bidboard::bench {
namespace {

constexpr int agents = 4;

struct Load {
  const char* name;
  const char* strategy;
  bool asked;
  const char* goal;
};
constexpr std::array<Load, 4> loads{{{"fifo", "fifo", false, "at least 0.7"},
                                     {"proxy auction", "auction", false, "at least 0.6"},
                                     {"live auction", "auction", true, "at least 0.35"},
                                     {"blackboard", "blackboard", false, ""}}};

/// Tasks per second of a live board.
Result<double> rate_of(const BenchOptions& options, const Load& load, int capacity, std::int64_t tasks) {
  const auto board = LiveBoard::start(
      options, {.strategy = load.strategy, .agents = agents, .capacity = capacity, .asked = load.asked});
  if (!board) return fail(board.error());
  if (const Result<void> posted = (*board)->post(tasks); !posted) return fail(posted.error());
  const auto done = (*board)->finished(tasks);
  if (!done) return fail(done.error());
  return static_cast<double>(tasks) / seconds_until_done(*done, &Task::awarded_at);
}

std::string in_flight(int capacity) { return fmt::format(", {} in flight", capacity); }

Result<void> measure(const BenchOptions& options, int capacity, std::int64_t tasks, Figures& figures) {
  const Result<Recording> recording = record_dispatch("fifo", tasks, agents, capacity);
  if (!recording) return fail(recording.error());
  std::vector<double> disk;
  std::vector<double> floor;
  std::array<std::vector<double>, loads.size()> rates;
  for (std::int64_t round = 1; round <= options.runs; ++round) {
    options.on_progress(fmt::format("dispatch{}, round {} of {}", in_flight(capacity), round, options.runs));
    const Workspace place;
    disk.push_back(probe_disk(place.path()));
    const Result<double> lowest = run_floor(*recording, agents, capacity, place.path());
    if (!lowest) return fail(lowest.error());
    floor.push_back(*lowest);
    for (std::size_t i = 0; i < loads.size(); ++i) {
      const Result<double> rate = rate_of(options, loads[i], capacity, tasks);
      if (!rate) return fail(rate.error());
      rates[i].push_back(*rate);
    }
  }
  figures.push_back(figure("raw disk: durable 32 KB writes", "per s", std::move(disk)));
  figures.push_back(figure("floor" + in_flight(capacity), "tasks/s", floor,
                           capacity == 1 ? "about 4,000" : "about 45,000"));
  for (std::size_t i = 0; i < loads.size(); ++i) {
    figures.push_back(figure(loads[i].name + in_flight(capacity), "tasks/s", rates[i]));
    figures.push_back(
        figure(loads[i].name + in_flight(capacity), "× floor", ratios(rates[i], floor), loads[i].goal));
  }
  return {};
}

}  // namespace

Result<Figures> dispatch_block(const BenchOptions& options) {
  Figures figures;
  if (const Result<void> one = measure(options, 1, options.tasks, figures); !one) return fail(one.error());
  // With many in flight tasks go faster: use more, for a run that is long enough to measure.
  if (const Result<void> many = measure(options, 16, options.tasks * 5, figures); !many)
    return fail(many.error());
  return figures;
}

}  // namespace bidboard::bench
