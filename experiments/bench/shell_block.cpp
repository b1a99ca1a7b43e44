#include <unistd.h>

#include "blackboard/fmt.hpp"
#include "experiments/bench/blocks.hpp"
#include "experiments/bench/support.hpp"

namespace bidboard::bench {
namespace {

constexpr std::int64_t listed_tasks = 1'000;
constexpr int start_runs = 21;
constexpr int idle_agents = 30;
constexpr int idle_windows = 3;

}  // namespace

Result<Figures> shell_block(const BenchOptions& options) {
  options.on_progress("listing a board of 1,000 tasks");
  Workspace place;
  std::string job = "name: listed\nagents: [{name: w, count: 4, executor: simulated}]\ntasks:\n";
  for (std::int64_t i = 1; i <= listed_tasks; ++i) job += fmt::format("  n{}: {{title: task, size: 0}}\n", i);
  place.write("job.yaml", job);
  if (const auto made = run(options.program, place.path(), {"init"}); !made) return fail(made.error());
  if (const auto posted = run(options.program, place.path(), {"run", "job.yaml", "--quiet"}); !posted)
    return fail(posted.error());
  std::vector<double> ms;
  for (int i = 0; i < start_runs; ++i) {
    const Result<Ran> listed = run(options.program, place.path(), {"tasks"});
    if (!listed) return fail(listed.error());
    ms.push_back(listed->seconds * 1e3);
  }
  return Figures{figure("`tasks` on 1,000 tasks, start to exit", "ms", std::move(ms), "under 30")};
}

Result<Figures> idle_block(const BenchOptions& options) {
  options.on_progress("30 idle agents and a controller");
  const auto board = LiveBoard::start(options, {.agents = idle_agents});
  if (!board) return fail(board.error());
  ::sleep(2);  // lets registrations and their disk writes finish
  const std::vector<pid_t> family = family_of((*board)->supervisor());
  if (family.size() < idle_agents + 2) return fail(Errc::failed, "not all idle agents started");
  std::vector<double> percent;
  for (int i = 0; i < idle_windows; ++i) {
    const double before = cpu_seconds_of(family);
    const auto begun = Clock::now();
    ::usleep(static_cast<useconds_t>(options.idle_window.us / idle_windows));
    percent.push_back((cpu_seconds_of(family) - before) / seconds_since(begun) * 100);
  }
  return Figures{figure("30 idle agents and a controller", "% of a core", std::move(percent), "under 0.1")};
}

}  // namespace bidboard::bench
