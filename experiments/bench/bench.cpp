#include "experiments/bench/bench.hpp"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "blackboard/check.hpp"

namespace bidboard {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int listed_tasks = 1'000;
constexpr int idle_agents = 30;
constexpr int start_runs = 21;
constexpr std::size_t probe_bytes = 32 * 1024;  // what a one-task commit writes

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

/// A folder in which one block measures; gone with it.
class Workspace {
 public:
  Workspace() {
    std::string pattern = (fs::temp_directory_path() / "bidboard-bench-XXXXXX").string();
    BB_CHECK(::mkdtemp(pattern.data()) != nullptr, "a temporary folder can be made");
    path_ = pattern;
  }
  ~Workspace() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  const std::string& path() const { return path_; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ + "/" + name) << text;
  }

 private:
  std::string path_;
};

struct Ran {
  int exit = -1;
  std::string output;
  double seconds = 0;
};

/// Runs the program in the folder and takes its stdout.
Result<Ran> run(const std::string& program, const std::string& folder, std::vector<std::string> arguments) {
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) return fail(Errc::unavailable, "no pipe");
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const auto begun = Clock::now();
  const pid_t pid = ::fork();
  if (pid < 0) return fail(Errc::unavailable, "no process can be started");
  if (pid == 0) {
    if (::chdir(folder.c_str()) != 0) ::_exit(127);
    ::unsetenv("BIDBOARD_DIR");
    ::dup2(pipe[1], STDOUT_FILENO);
    ::execv(program.c_str(), argv.data());
    ::_exit(127);
  }
  ::close(pipe[1]);
  Ran ran;
  char buffer[16 * 1024];
  ssize_t n = 0;
  while ((n = ::read(pipe[0], buffer, sizeof buffer)) > 0)
    ran.output.append(buffer, static_cast<std::size_t>(n));
  ::close(pipe[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  ran.seconds = seconds_since(begun);
  ran.exit = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  if (ran.exit != 0)
    return fail(Errc::failed, "`bidboard " + arguments.front() + "` ended with " + std::to_string(ran.exit));
  return ran;
}

Figure figure(std::string name, std::string unit, std::vector<double> values, std::string goal = {}) {
  std::sort(values.begin(), values.end());
  return {std::move(name), std::move(unit), values[values.size() / 2],
          values.front(),  values.back(),   std::move(goal)};
}

/// Durable 32 KB writes per second, for a fifth of a second.
double probe_disk(const Workspace& place) {
  const std::string path = place.path() + "/probe";
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const std::string bytes(probe_bytes, 'x');
  const auto begun = Clock::now();
  int writes = 0;
  while (seconds_since(begun) < 0.2) {
    if (::pwrite(fd, bytes.data(), bytes.size(), 0) < 0 || ::fdatasync(fd) != 0) break;
    ++writes;
  }
  ::close(fd);
  return writes / seconds_since(begun);
}

std::string flat_job(std::int64_t tasks, int capacity) {
  std::ostringstream job;
  job << "name: flat\nagents:\n";
  for (int i = 1; i <= 4; ++i)
    job << "  - {name: w" << i << ", capacity: " << capacity << ", executor: simulated}\n";
  job << "tasks:\n";
  for (std::int64_t i = 1; i <= tasks; ++i) job << "  n" << i << ": {title: task, size: 0}\n";
  return job.str();
}

Result<Figure> measure_listing(const BenchOptions& options) {
  options.on_progress("listing a board of 1,000 tasks");
  Workspace place;
  if (const auto made = run(options.program, place.path(), {"init"}); !made) return fail(made.error());
  place.write("flat.yaml", flat_job(listed_tasks, 1));
  if (const auto posted = run(options.program, place.path(), {"run", "flat.yaml", "--quiet"}); !posted)
    return fail(posted.error());
  std::vector<double> ms;
  for (int i = 0; i < start_runs; ++i) {
    const Result<Ran> listed = run(options.program, place.path(), {"tasks"});
    if (!listed) return fail(listed.error());
    ms.push_back(listed->seconds * 1e3);
  }
  return figure("`tasks` on 1,000 tasks, start to exit", "ms", std::move(ms), "under 30");
}

/// CPU time of all threads of a process so far, in seconds, to the nanosecond; 0 when it is gone.
double cpu_seconds(pid_t pid) {
  double nanoseconds = 0;
  std::error_code gone;
  for (const auto& thread : fs::directory_iterator("/proc/" + std::to_string(pid) + "/task", gone)) {
    std::ifstream file(thread.path() / "schedstat");
    double on_cpu = 0;
    if (file >> on_cpu) nanoseconds += on_cpu;
  }
  return nanoseconds / 1e9;
}

/// The process and all its descendants.
std::vector<pid_t> family_of(pid_t root) {
  std::vector<pid_t> family{root};
  for (std::size_t at = 0; at < family.size(); ++at) {
    std::ifstream children("/proc/" + std::to_string(family[at]) + "/task/" + std::to_string(family[at]) +
                           "/children");
    pid_t child = 0;
    while (children >> child) family.push_back(child);
  }
  return family;
}

double cpu_of(const std::vector<pid_t>& family) {
  double total = 0;
  for (const pid_t pid : family) total += cpu_seconds(pid);
  return total;
}

Result<Figure> measure_idle(const BenchOptions& options) {
  options.on_progress("30 idle agents and a controller");
  Workspace place;
  if (const auto made = run(options.program, place.path(), {"init"}); !made) return fail(made.error());
  place.write("bidboard.yaml",
              "agents:\n  - {name: idle, count: " + std::to_string(idle_agents) + ", executor: simulated}\n");
  if (const auto up = run(options.program, place.path(), {"up", "--detach"}); !up) return fail(up.error());
  const Result<Ran> status = run(options.program, place.path(), {"status", "--json"});
  const Result<Value> json =
      status ? parse_json(status->output) : Result<Value>(fail(Errc::failed, "no status"));
  const Value* data = json ? json->find("data") : nullptr;
  const Value* supervisor = data ? data->find("supervisor") : nullptr;
  if (!supervisor || !supervisor->is_integer()) return fail(Errc::failed, "the idle board did not come up");
  ::sleep(2);  // registrations and their disk writes are over by then
  const std::vector<pid_t> family = family_of(static_cast<pid_t>(supervisor->integer()));
  std::vector<double> percent;
  const int windows = 3;
  for (int i = 0; i < windows; ++i) {
    const double before = cpu_of(family);
    const auto begun = Clock::now();
    ::usleep(static_cast<useconds_t>(options.idle_window.us / windows));
    percent.push_back((cpu_of(family) - before) / seconds_since(begun) * 100);
  }
  if (const auto down = run(options.program, place.path(), {"down"}); !down) return fail(down.error());
  if (family.size() < idle_agents + 2) return fail(Errc::failed, "not all idle agents came up");
  return figure("30 idle agents and a controller", "% of a core", std::move(percent), "under 0.2");
}

struct Load {
  const char* strategy;
  int capacity;
};

Result<void> measure_dispatch(const BenchOptions& options, std::vector<Figure>& figures) {
  constexpr std::array<Load, 6> loads{
      {{"fifo", 1}, {"auction", 1}, {"blackboard", 1}, {"fifo", 16}, {"auction", 16}, {"blackboard", 16}}};
  std::array<std::vector<double>, loads.size()> rates;
  std::vector<double> disk;
  for (std::int64_t round = 0; round < options.runs; ++round) {
    options.on_progress("dispatch, round " + std::to_string(round + 1) + " of " +
                        std::to_string(options.runs));
    for (std::size_t i = 0; i < loads.size(); ++i) {
      Workspace place;
      disk.push_back(probe_disk(place));
      place.write("flat.yaml", flat_job(options.tasks, loads[i].capacity));
      const Result<Ran> ran =
          run(options.program, place.path(), {"run", "flat.yaml", "--strategy", loads[i].strategy, "--json"});
      if (!ran) return fail(ran.error());
      const Result<Value> json = parse_json(ran->output);
      const Value* data = json ? json->find("data") : nullptr;
      const Value* makespan = data ? data->find("makespan") : nullptr;
      if (!makespan || makespan->number() <= 0) return fail(Errc::failed, "a dispatch run told no makespan");
      rates[i].push_back(static_cast<double>(options.tasks) / makespan->number());
    }
  }
  figures.push_back(figure("durable 32 KB writes (raw disk probe)", "per s", std::move(disk)));
  for (std::size_t i = 0; i < loads.size(); ++i)
    figures.push_back(figure("dispatch, 4 agents, " + std::string(loads[i].strategy) + ", " +
                                 std::to_string(loads[i].capacity) + " in flight each",
                             "tasks/s", std::move(rates[i])));
  return {};
}

}  // namespace

Result<std::vector<Figure>> run_bench(const BenchOptions& options) {
  std::vector<Figure> figures;
  const Result<Figure> listing = measure_listing(options);
  if (!listing) return fail(listing.error());
  figures.push_back(*listing);
  const Result<Figure> idle = measure_idle(options);
  if (!idle) return fail(idle.error());
  figures.push_back(*idle);
  if (const Result<void> dispatched = measure_dispatch(options, figures); !dispatched)
    return fail(dispatched.error());
  return figures;
}

Value to_value(const std::vector<Figure>& figures) {
  Value list{Value::Array{}};
  for (const Figure& f : figures) {
    Value item{Value::Object{}};
    item.set("name", f.name);
    item.set("unit", f.unit);
    item.set("median", f.median);
    item.set("min", f.least);
    item.set("max", f.most);
    item.set("goal", f.goal);
    list.push(std::move(item));
  }
  return list;
}

}  // namespace bidboard
