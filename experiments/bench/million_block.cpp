#include <filesystem>

#include "blackboard/board/board.hpp"
#include "blackboard/store/lmdb_store.hpp"
#include "experiments/bench/blocks.hpp"
#include "experiments/bench/support.hpp"

namespace bidboard::bench {
namespace {

constexpr std::int64_t million = 1'000'000;
constexpr std::int64_t live_tasks = 1'000;
constexpr int openings = 5;

}  // namespace

Result<Figures> million_block(const BenchOptions& options) {
  options.on_progress("a million tasks, posted and finished");
  Figures figures;
  auto started = LiveBoard::start(options, {.strategy = "fifo", .agents = 4, .capacity = 16});
  if (!started) return fail(started.error());
  LiveBoard& board = **started;
  const auto begun = Clock::now();
  if (const Result<void> posted = board.post(million); !posted) return fail(posted.error());
  const auto done = board.finished(million);
  if (!done) return fail(done.error());
  figures.push_back(figure("a million tasks, posted and finished", "s", {seconds_since(begun)}));
  const Result<pid_t> controller = board.controller();
  if (!controller) return fail(controller.error());
  const Memory memory = memory_of(*controller);
  figures.push_back(figure("its controller's own memory", "MB", {memory.own}, "under 1,000"));
  figures.push_back(figure("pages of the board that it has mapped", "MB", {memory.mapped}));
  const double bytes = static_cast<double>(std::filesystem::file_size(board.directory().path + "/data.mdb"));
  figures.push_back(figure("its file", "MB", {bytes / 1e6}));

  const std::string folder = board.directory().home();
  if (const auto down = run(options.program, folder, {"down"}); !down) return fail(down.error());
  if (const Result<void> posted = board.post(live_tasks); !posted) return fail(posted.error());
  std::vector<double> open_ms;
  std::vector<double> group_s;
  for (int i = 0; i < openings; ++i) {
    const auto opening = Clock::now();
    const auto store = LmdbStore::open(board.directory().path);
    if (!store) return fail(store.error());
    const Board opened(**store);
    open_ms.push_back(seconds_since(opening) * 1e3);
  }
  for (int i = 0; i < openings; ++i) {
    const Result<Ran> grouped =
        run(options.program, folder, {"query", "SELECT state, count(*) FROM tasks GROUP BY state"});
    if (!grouped) return fail(grouped.error());
    group_s.push_back(grouped->seconds);
  }
  figures.push_back(figure("opening it with 1,000 live tasks", "ms", std::move(open_ms), "under 50"));
  figures.push_back(figure("`GROUP BY state` on it, start to exit", "s", std::move(group_s), "under 0.5"));
  return figures;
}

}  // namespace bidboard::bench
