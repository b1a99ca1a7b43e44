#include "experiments/bench/peers/queue_peers.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <map>
#include <vector>

#include "blackboard/fmt.hpp"
#include "experiments/bench/peers/line_socket.hpp"
#include "experiments/bench/support.hpp"

namespace bidboard::bench {
namespace {

constexpr std::size_t number_width = 10;
constexpr std::int64_t jobs_per_write = 500;

/// The number of a job stands at its beginning.
std::string job_of(std::int64_t number, std::size_t bytes) {
  std::string job = std::to_string(number);
  job.insert(0, number_width - job.size(), '0');
  job.resize(std::max(bytes, number_width), 'x');
  return job;
}
std::int64_t number_of(const std::string& job) { return std::stoll(job.substr(0, number_width)); }

/// A server in a temporary folder; killed with the object, which is no shutdown: what it said is durable is.
class PeerServer {
 public:
  static Result<std::unique_ptr<PeerServer>> start(const std::string& program,
                                                   const std::vector<std::string>& arguments) {
    if (!std::filesystem::exists(program))
      return fail(Errc::unavailable,
                  fmt::format("{} is not installed; `./dev bench peers` installs it", program));
    std::unique_ptr<PeerServer> server(new PeerServer);
    std::vector<std::string> words{program};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    server->pid_ = ::fork();
    if (server->pid_ == 0) {
      const int nowhere = ::open("/dev/null", O_RDWR);
      for (const int fd : {0, 1, 2}) ::dup2(nowhere, fd);
      if (::chdir(server->place_.path().c_str()) == 0) ::execv(program.c_str(), argv.data());
      ::_exit(127);
    }
    return server;
  }
  ~PeerServer() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  std::string socket() const { return place_.path() + "/s"; }

 private:
  PeerServer() = default;
  Workspace place_;
  pid_t pid_ = 0;
};

/// What one worker did, reported to its parent.
struct Tally {
  double first = 0;  ///< seconds of the steady clock
  double last = 0;
  std::vector<std::int64_t> done;
};
double steady_seconds() { return std::chrono::duration<double>(Clock::now().time_since_epoch()).count(); }

bool write_all(int fd, const void* bytes, std::size_t size) {
  const char* at = static_cast<const char*>(bytes);
  for (ssize_t n = 0; size > 0; at += n, size -= static_cast<std::size_t>(n))
    if ((n = ::write(fd, at, size)) <= 0) return false;
  return true;
}
bool read_all(int fd, void* bytes, std::size_t size) {
  char* at = static_cast<char*>(bytes);
  for (ssize_t n = 0; size > 0; at += n, size -= static_cast<std::size_t>(n))
    if ((n = ::read(fd, at, size)) <= 0) return false;
  return true;
}

using Worker = std::function<Result<Tally>(int number, LineSocket socket)>;

void be_worker(int number, const std::string& path, const Worker& work, int out) {
  Result<LineSocket> socket = LineSocket::connect(path);
  if (!socket) return;
  const Result<Tally> tally = work(number, std::move(*socket));
  if (!tally) return;
  const double times[2] = {tally->first, tally->last};
  const std::size_t count = tally->done.size();
  write_all(out, times, sizeof times) && write_all(out, &count, sizeof count) &&
      write_all(out, tally->done.data(), count * sizeof(std::int64_t));
}

/// Runs the workers and counts. `left`: jobs that the server still has.
Result<QueueRun> run_workers(const QueueLoad& load, const std::string& path, const Worker& work) {
  std::vector<std::pair<pid_t, Descriptor>> workers;
  for (int i = 0; i < load.workers; ++i) {
    int pipe[2];
    if (::pipe2(pipe, O_CLOEXEC) != 0) return fail(Errc::unavailable, "no pipe");
    const pid_t pid = ::fork();
    if (pid == 0) {
      be_worker(i, path, work, pipe[1]);
      ::_exit(0);
    }
    ::close(pipe[1]);
    workers.emplace_back(pid, Descriptor(pipe[0]));
  }
  double first = 1e300;
  double last = 0;
  std::map<std::int64_t, int> times_done;
  bool all_reported = true;
  for (const auto& [pid, told] : workers) {
    double times[2] = {};
    std::size_t count = 0;
    std::vector<std::int64_t> done;
    bool ok = read_all(told.get(), times, sizeof times) && read_all(told.get(), &count, sizeof count);
    done.resize(count);
    ok = ok && read_all(told.get(), done.data(), count * sizeof(std::int64_t));
    ::waitpid(pid, nullptr, 0);
    all_reported = all_reported && ok;
    if (!ok || done.empty()) continue;
    first = std::min(first, times[0]);
    last = std::max(last, times[1]);
    for (const std::int64_t number : done) ++times_done[number];
  }
  if (!all_reported) return fail(Errc::failed, "a worker of the peer did not finish");
  QueueRun run{static_cast<double>(load.tasks) / (last - first), load.tasks - std::ssize(times_done), 0};
  for (const auto& [number, times] : times_done) run.twice += times > 1;
  return run;
}

/// "RESERVED ID BYTES" and the job, or that there is none.
Result<Tally> work_for_beanstalkd(const QueueLoad& load, LineSocket socket) {
  const std::string reserve = "reserve-with-timeout 0\r\n";
  Tally tally{steady_seconds(), 0, {}};
  for (int i = 0; i < load.in_flight; ++i) socket.say(reserve);
  for (int waiting = load.in_flight; waiting > 0;) {
    const Result<std::string> line = socket.line();
    if (!line) return fail(line.error());
    if (*line == "DELETED") {
      tally.last = steady_seconds();
    } else if (*line == "TIMED_OUT") {
      --waiting;
    } else if (line->starts_with("RESERVED ")) {
      const std::size_t space = line->find(' ', 9);
      const Result<std::string> job = socket.block(std::stoul(line->substr(space + 1)));
      if (!job) return fail(job.error());
      tally.done.push_back(number_of(*job));
      socket.say("delete " + line->substr(9, space - 9) + "\r\n" + reserve);
    } else {
      return fail(Errc::failed, fmt::format("unexpected answer of beanstalkd: {}", *line));
    }
    if (!socket.has_line())
      if (const Result<void> sent = socket.flush(); !sent) return fail(sent.error());
  }
  return tally;
}

std::string redis_command(const std::vector<std::string>& words) {
  std::string text = fmt::format("*{}\r\n", words.size());
  for (const std::string& word : words) text += fmt::format("${}\r\n{}\r\n", word.size(), word);
  return text;
}

/// Removal and result are answered with numbers, the next job with its text or with nothing.
Result<Tally> work_for_redis(const QueueLoad& load, int number, LineSocket socket) {
  const std::string own = fmt::format("taken:{}", number);
  const std::string take = redis_command({"LMOVE", "jobs", own, "LEFT", "RIGHT"});
  const std::string result(load.result_bytes, 'r');
  Tally tally{steady_seconds(), 0, {}};
  for (int i = 0; i < load.in_flight; ++i) socket.say(take);
  for (int waiting = load.in_flight; waiting > 0;) {
    const Result<std::string> line = socket.line();
    if (!line) return fail(line.error());
    if (line->starts_with(':')) {
      tally.last = steady_seconds();
    } else if (*line == "$-1") {
      --waiting;
    } else if (line->starts_with('$')) {
      const Result<std::string> job = socket.block(std::stoul(line->substr(1)));
      if (!job) return fail(job.error());
      tally.done.push_back(number_of(*job));
      socket.say(redis_command({"LREM", own, "1", *job}));
      socket.say(redis_command({"HSET", "results", job->substr(0, number_width), result}));
      socket.say(take);
    } else {
      return fail(Errc::failed, fmt::format("unexpected answer of Redis: {}", *line));
    }
    if (!socket.has_line())
      if (const Result<void> sent = socket.flush(); !sent) return fail(sent.error());
  }
  return tally;
}

/// Queues all jobs, each answered with one line.
Result<void> queue_jobs(const QueueLoad& load, const std::string& path,
                        const std::function<std::string(const std::string&)>& command) {
  Result<LineSocket> socket = LineSocket::connect(path);
  if (!socket) return fail(socket.error());
  for (std::int64_t i = 0; i < load.tasks;) {
    std::int64_t said = 0;
    for (; said < jobs_per_write && i < load.tasks; ++said, ++i)
      socket->say(command(job_of(i, load.job_bytes)));
    for (; said > 0; --said)
      if (const Result<std::string> line = socket->line(); !line) return fail(line.error());
  }
  return {};
}

}  // namespace

Result<QueueRun> run_beanstalkd(const QueueLoad& load) {
  const auto server = PeerServer::start("/usr/bin/beanstalkd", {"-l", "unix:s", "-b", ".", "-f", "0"});
  if (!server) return fail(server.error());
  const Result<void> queued = queue_jobs(load, (*server)->socket(), [](const std::string& job) {
    return fmt::format("put 0 0 3600 {}\r\n{}\r\n", job.size(), job);
  });
  if (!queued) return fail(queued.error());
  return run_workers(load, (*server)->socket(),
                     [&](int, LineSocket socket) { return work_for_beanstalkd(load, std::move(socket)); });
}

Result<QueueRun> run_redis(const QueueLoad& load) {
  const auto server = PeerServer::start(
      "/usr/bin/redis-server",
      {"--port", "0", "--unixsocket", "s", "--appendonly", "yes", "--appendfsync", "always", "--save", ""});
  if (!server) return fail(server.error());
  const Result<void> queued = queue_jobs(load, (*server)->socket(), [](const std::string& job) {
    return redis_command({"RPUSH", "jobs", job});
  });
  if (!queued) return fail(queued.error());
  return run_workers(load, (*server)->socket(), [&](int number, LineSocket socket) {
    return work_for_redis(load, number, std::move(socket));
  });
}

}  // namespace bidboard::bench
