#include <algorithm>
#include <array>
#include <span>

#include "blackboard/board/board.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/store/lmdb_store.hpp"
#include "experiments/bench/blocks.hpp"
#include "experiments/bench/raw_lmdb.hpp"
#include "experiments/bench/support.hpp"

namespace bidboard::bench {
namespace {

constexpr std::array<std::size_t, 3> batches{1, 16, 256};

using Turn = std::vector<Event>;

Result<std::vector<Turn>> events_of(std::span<const Written> recorded) {
  std::vector<Turn> turns;
  for (const Written& written : recorded) {
    Turn& turn = turns.emplace_back();
    for (const std::string& bytes : written.events) {
      Result<Event> event = unseal<Event>(bytes);
      if (!event) return fail(event.error());
      turn.push_back(std::move(*event));
    }
  }
  return turns;
}

/// Turns per second of the board: its events folded into its records, and both made durable.
Result<double> board_rate(const Recording& recording, std::size_t batch, const std::string& folder) {
  const Result<std::vector<Turn>> before = events_of(recording.before);
  const Result<std::vector<Turn>> turns = before ? events_of(recording.turns) : before;
  if (!turns) return fail(turns.error());
  const auto store = LmdbStore::open(folder + "/store", {.create = true});
  if (!store) return fail(store.error());
  Board board(**store);
  const auto write = [&](std::span<const Turn> some) {
    for (const Turn& turn : some)
      for (const Event& event : turn) board.apply(event);
    return board.commit(Term{1});
  };
  if (const Result<Saved> done = write(*before); !done) return fail(done.error());
  const std::span<const Turn> all(*turns);
  const auto begun = Clock::now();
  for (std::size_t at = 0; at < all.size(); at += batch)
    if (const Result<Saved> done = write(all.subspan(at, std::min(batch, all.size() - at))); !done)
      return fail(done.error());
  return static_cast<double>(all.size()) / seconds_since(begun);
}

Result<double> raw_rate(const Recording& recording, std::size_t batch, const std::string& folder) {
  const auto raw = RawLmdb::create(folder);
  if (!raw) return fail(raw.error());
  if (const Result<void> before = (*raw)->write(recording.before); !before) return fail(before.error());
  const std::span<const Written> turns(recording.turns);
  const auto begun = Clock::now();
  for (std::size_t at = 0; at < turns.size(); at += batch)
    if (const Result<void> done = (*raw)->write(turns.subspan(at, std::min(batch, turns.size() - at))); !done)
      return fail(done.error());
  return static_cast<double>(turns.size()) / seconds_since(begun);
}

}  // namespace

Result<Figures> store_block(const BenchOptions& options) {
  const Result<Recording> recording = record_dispatch("fifo", options.tasks, 4, 16);
  if (!recording) return fail(recording.error());
  Figures figures;
  for (const std::size_t batch : batches) {
    std::vector<double> raw;
    std::vector<double> ours;
    for (std::int64_t round = 1; round <= options.runs; ++round) {
      options.on_progress(
          fmt::format("board writes in batches of {}, round {} of {}", batch, round, options.runs));
      const Workspace place;
      const Result<double> lowest = raw_rate(*recording, batch, place.path());
      const Result<double> rate = lowest ? board_rate(*recording, batch, place.path()) : lowest;
      if (!rate) return fail(rate.error());
      raw.push_back(*lowest);
      ours.push_back(*rate);
    }
    const std::string name = fmt::format("board writes, {} per commit", counted(batch, "task"));
    figures.push_back(figure(name, "tasks/s", ours));
    figures.push_back(figure(name, "× raw LMDB", ratios(ours, raw), "at least 0.7"));
  }
  return figures;
}

}  // namespace bidboard::bench
