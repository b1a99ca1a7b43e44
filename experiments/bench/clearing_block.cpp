#include <array>

#include "blackboard/fmt.hpp"
#include "experiments/bench/blocks.hpp"
#include "experiments/bench/support.hpp"
#include "runtime/net/client.hpp"

namespace bidboard::bench {
namespace {

constexpr int workers = 4;
constexpr std::array<int, 3> bidders{10, 100, 1'000};

/// Registers agents whose formula bids are too expensive to win: the controller computes and compares their
/// bids for every task, but sends them nothing. They stay live while the connection is read, for one lease.
Result<std::unique_ptr<Connection>> add_dear_bidders(const BoardDirectory& directory, int count) {
  const std::optional<Writer> writer = serving_writer(directory);
  if (!writer) return fail(Errc::unavailable, "no controller");
  auto connection = Connection::open(writer->endpoint);
  if (!connection) return fail(connection.error());
  while (!(*connection)->wait(seconds(10)).connected) {
  }
  for (int i = 1; i <= count; ++i) {
    AgentProfile profile;
    profile.name = fmt::format("expensive{}", i);
    profile.bids = BidStyle::formula;
    profile.cost_formula = "size * 2 + 1000";
    if (!(*connection)->send(Register{profile, static_cast<std::uint64_t>(i), {}}))
      return fail(Errc::unavailable, "the controller does not take registrations");
  }
  for (int known = 0; known < count;) {
    const Incoming incoming = (*connection)->wait(seconds(10));
    if (incoming.messages.empty()) return fail(Errc::timed_out, "not all bidders were registered");
    for (const Message& message : incoming.messages) known += std::holds_alternative<Registered>(message);
  }
  return connection;
}

}  // namespace

Result<Figures> clearing_block(const BenchOptions& options) {
  Figures figures;
  for (const int count : bidders) {
    std::vector<double> rates;
    for (std::int64_t round = 1; round <= options.runs; ++round) {
      options.on_progress(
          fmt::format("auctions with {} bidders, round {} of {}", count, round, options.runs));
      const auto board = LiveBoard::start(options, {.strategy = "auction", .agents = workers});
      if (!board) return fail(board.error());
      const auto dear = add_dear_bidders((*board)->directory(), count - workers);
      if (!dear) return fail(dear.error());
      const std::int64_t tasks = std::min<std::int64_t>(options.tasks, 400'000 / count);
      if (const Result<void> posted = (*board)->post(tasks); !posted) return fail(posted.error());
      const auto done = (*board)->finished(tasks);
      if (!done) return fail(done.error());
      rates.push_back(static_cast<double>(tasks) / seconds_until_done(*done, &Task::awarded_at));
    }
    figures.push_back(
        figure(fmt::format("auctions cleared, {} proxy bidders", count), "per s", std::move(rates)));
  }
  return figures;
}

}  // namespace bidboard::bench
