#include "experiments/bench/support.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "blackboard/checks/check.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/format/keys.hpp"
#include "blackboard/store/lmdb_store.hpp"
#include "experiments/statistics.hpp"
#include "runtime/drivers/call.hpp"

namespace bidboard::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t probe_bytes = 32 * 1024;  // about what a one-task commit writes
constexpr double probe_seconds = 0.2;
constexpr std::int64_t tasks_per_request = 2'000;
constexpr double finish_patience_s = 600;

}  // namespace

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

Workspace::Workspace() {
  std::string pattern = (fs::temp_directory_path() / "bidboard-bench-XXXXXX").string();
  BB_CHECK(::mkdtemp(pattern.data()) != nullptr, "a temporary folder can be made");
  path_ = pattern;
}
Workspace::~Workspace() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}
void Workspace::write(const std::string& name, const std::string& text) const {
  std::ofstream(fmt::format("{}/{}", path_, name)) << text;
}

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
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return fail(Errc::failed, fmt::format("`bidboard {}` ended badly", arguments.front()));
  return ran;
}

Figure figure(std::string name, std::string unit, std::vector<double> values, std::string goal) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const double low = *least;
  const double high = *most;
  return {std::move(name), std::move(unit), quantile(std::move(values), 0.5), low, high, std::move(goal)};
}

std::vector<double> ratios(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> out;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) out.push_back(a[i] / b[i]);
  return out;
}

double probe_disk(const std::string& folder) {
  const std::string path = folder + "/probe";
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const std::string bytes(probe_bytes, 'x');
  const auto begun = Clock::now();
  int writes = 0;
  while (seconds_since(begun) < probe_seconds) {
    if (::pwrite(fd, bytes.data(), bytes.size(), 0) < 0 || ::fdatasync(fd) != 0) break;
    ++writes;
  }
  ::close(fd);
  return writes / seconds_since(begun);
}

double cpu_seconds_of(const std::vector<pid_t>& family) {
  double nanoseconds = 0;
  for (const pid_t pid : family) {
    std::error_code gone;
    for (const auto& thread : fs::directory_iterator(fmt::format("/proc/{}/task", pid), gone)) {
      std::ifstream file(thread.path() / "schedstat");
      double on_cpu = 0;
      if (file >> on_cpu) nanoseconds += on_cpu;
    }
  }
  return nanoseconds / 1e9;
}

std::vector<pid_t> family_of(pid_t root) {
  std::vector<pid_t> family{root};
  for (std::size_t at = 0; at < family.size(); ++at) {
    const std::string pid = std::to_string(family[at]);
    std::ifstream children(fmt::format("/proc/{}/task/{}/children", pid, pid));
    pid_t child = 0;
    while (children >> child) family.push_back(child);
  }
  return family;
}

Memory memory_of(pid_t pid) {
  Memory memory;
  std::ifstream file(fmt::format("/proc/{}/status", pid));
  for (std::string name; file >> name;) {
    double kilobytes = 0;
    if (name == "RssAnon:" && file >> kilobytes) memory.own = kilobytes / 1e3;
    if (name == "RssFile:" && file >> kilobytes) memory.mapped = kilobytes / 1e3;
  }
  return memory;
}

Result<std::unique_ptr<LiveBoard>> LiveBoard::start(const BenchOptions& bench, const LiveOptions& options) {
  std::string settings = "strategy: " + options.strategy;
  if (!options.durable) settings += "\ndurability: none";
  settings +=
      fmt::format("{}{}}}\n",
                  fmt::format("\nagents:\n  - {{name: w, count: {}, capacity: {}, executor: simulated",
                              options.agents, options.capacity),
                  (options.asked ? ", live: true" : ""));
  return start(bench.program, settings);
}

Result<std::unique_ptr<LiveBoard>> LiveBoard::start(const std::string& program, const std::string& settings) {
  auto place = std::make_unique<Workspace>();
  if (const auto made = run(program, place->path(), {"init"}); !made) return fail(made.error());
  place->write("bidboard.yaml", settings);
  if (const auto up = run(program, place->path(), {"up", "--detach"}); !up) return fail(up.error());
  std::unique_ptr<LiveBoard> board(new LiveBoard(program, {place->path() + "/.bidboard"}));
  board->place_ = std::move(place);
  const Result<Ran> status = run(program, board->place_->path(), {"status", "--json"});
  const Result<Value> json = status ? parse_json(status->output) : Result<Value>(fail(status.error()));
  const Value* data = json ? json->find("data") : nullptr;
  const Value* supervisor = data ? data->find("supervisor") : nullptr;
  if (!supervisor || !supervisor->is_integer()) return fail(Errc::failed, "the board did not come up");
  board->supervisor_ = static_cast<pid_t>(supervisor->integer());
  return board;
}

LiveBoard::~LiveBoard() { static_cast<void>(run(program_, place_->path(), {"down"})); }

Result<pid_t> LiveBoard::controller() const {
  const std::optional<Writer> writer = serving_writer(directory_);
  if (!writer) return fail(Errc::failed, "the controller is gone");
  return static_cast<pid_t>(writer->pid);
}

Result<void> LiveBoard::post(std::int64_t count, Micros size) const {
  WorkflowId joined;
  for (std::int64_t left = count; left > 0; left -= tasks_per_request) {
    Post post;
    TaskSpec spec;
    spec.title = "task";
    spec.size = size;
    post.tasks.assign(static_cast<std::size_t>(std::min(left, tasks_per_request)), spec);
    post.workflow = "bench";
    post.joins = joined;
    const Result<Posted> posted = call_for<Posted>(directory_, std::move(post));
    if (!posted) return fail(posted.error());
    joined = posted->workflow;
  }
  return {};
}

Result<void> LiveBoard::post(Post tasks) const {
  const Result<Posted> posted = call_for<Posted>(directory_, std::move(tasks));
  if (!posted) return fail(posted.error());
  return {};
}

Result<std::vector<Task>> LiveBoard::finished(std::int64_t count) const {
  const auto begun = Clock::now();
  while (true) {
    const Result<std::unique_ptr<Snapshot>> snapshot = open_snapshot(directory_.path);
    if (!snapshot) return fail(snapshot.error());
    std::int64_t open = 0;
    const Result<void> read =
        (*snapshot)->scan(keys::all_of<Workflow>(), {}, [&](std::string_view, std::string_view value) {
          const Result<Workflow> workflow = unseal<Workflow>(value);
          if (workflow) open += workflow->open;
          return true;
        });
    if (!read) return fail(read.error());
    if (open == 0) {
      std::vector<Task> tasks;
      const Result<void> tasks_read =
          (*snapshot)->scan(keys::all_of<Task>(), {}, [&](std::string_view, std::string_view value) {
            Result<Task> task = unseal<Task>(value);
            if (task) tasks.push_back(std::move(*task));
            return true;
          });
      if (!tasks_read) return fail(tasks_read.error());
      const auto done = std::count_if(tasks.begin(), tasks.end(),
                                      [](const Task& task) { return task.state == TaskState::done; });
      if (done != count || std::ssize(tasks) != count)
        return fail(Errc::failed, fmt::format("{} of {} are done", done, counted(count, "task")));
      return tasks;
    }
    if (seconds_since(begun) > finish_patience_s) return fail(Errc::timed_out, "the tasks are not over");
    ::usleep(10'000);
  }
}

double seconds_until_done(const std::vector<Task>& tasks, WallTime Task::*from) {
  WallTime first{INT64_MAX};
  WallTime last{INT64_MIN};
  for (const Task& task : tasks) {
    first = std::min(first, task.*from);
    last = std::max(last, task.finished_at);
  }
  return static_cast<double>((last - first).us) / 1e6;
}

}  // namespace bidboard::bench
