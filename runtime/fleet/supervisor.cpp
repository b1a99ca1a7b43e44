#include "runtime/fleet/supervisor.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "agents/guard/descriptor.hpp"
#include "agents/guard/platform.hpp"
#include "blackboard/checks/check.hpp"
#include "blackboard/fmt.hpp"
#include "runtime/drivers/clock.hpp"

namespace bidboard {
namespace {

constexpr Duration longest_rest = minutes(10);
/// How often it is checked whether a child that stood by is wanted.
constexpr Duration stand_by_interval = seconds(1);

int child_pipe[2] = {-1, -1};
struct sigaction earlier_child;

void on_child(int) {
  const int error = errno;
  static_cast<void>(!::write(child_pipe[1], "x", 1));
  errno = error;
}

/// A descriptor from which the text can be read. An unlinked file, since a pipe holds at most 64 KB until its
/// reader runs. Errors: unavailable.
Result<Descriptor> readable(const std::string& text) {
  if (text.empty()) {
    Descriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (nothing.get() >= 0) return nothing;
    return fail(Errc::unavailable, fmt::format("cannot open /dev/null: {}", std::strerror(errno)));
  }
  const char* folder = std::getenv("TMPDIR");
  std::string path = fmt::format("{}/bidboard-XXXXXX", folder && *folder ? folder : "/tmp");
  Descriptor file(::mkstemp(path.data()));  // mode 0600
  if (file.get() < 0)
    return fail(Errc::unavailable, fmt::format("cannot make a file at {}: {}", path, std::strerror(errno)));
  ::unlink(path.c_str());
  ::fcntl(file.get(), F_SETFD, FD_CLOEXEC);
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t count = ::write(file.get(), text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0)
      return fail(Errc::unavailable, fmt::format("cannot write {}: {}", path, std::strerror(errno)));
    done += static_cast<std::size_t>(count);
  }
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

/// In the child, between fork and exec.
[[noreturn]] void become(const ChildSpec& spec, char* const* argv, int in, pid_t parent,
                         const sigset_t& mask) {
  die_with_parent();
  if (::getppid() != parent) ::_exit(127);  // the parent has died meanwhile
  // Away from the terminal: ctrl-C and a hang-up reach its whole foreground group, and a controller that
  // stops before its agents leaves them no way to say that their attempts do not count.
  ::setsid();
  ::signal(SIGTERM, SIG_DFL);
  ::signal(SIGCHLD, SIG_DFL);
  ::pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  ::dup2(in, STDIN_FILENO);
  ::fcntl(STDIN_FILENO, F_SETFD, 0);  // dup2 leaves the flag when `in` is stdin already
  if (!spec.log.empty()) {
    const int log = ::open(spec.log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (log >= 0) {
      ::dup2(log, STDOUT_FILENO);
      ::dup2(log, STDERR_FILENO);
    }
  }
  close_descriptors_from(3);
  ::execvp(argv[0], argv);
  ::_exit(127);
}

}  // namespace

Supervisor::Supervisor(RestartLimit limit, std::function<void(const std::string&)> on_note)
    : limit_(limit), on_note_(std::move(on_note)) {
  BB_CHECK(child_pipe[0] < 0, "one Supervisor at a time");
  BB_CHECK(::pipe(child_pipe) == 0, "a pipe can be made");
  for (const int fd : child_pipe) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
  }
  struct sigaction action {};
  action.sa_handler = on_child;
  action.sa_flags = SA_NOCLDSTOP | SA_RESTART;
  ::sigaction(SIGCHLD, &action, &earlier_child);
}

Supervisor::~Supervisor() {
  stop_all();
  ::sigaction(SIGCHLD, &earlier_child, nullptr);
  for (int& fd : child_pipe) {
    ::close(fd);
    fd = -1;
  }
}

Result<void> Supervisor::start(ChildSpec spec) {
  children_.push_back({std::move(spec), 0, RestartPolicy(limit_), {}, never, 0, false});
  if (stands_by(children_.back())) return {};
  return launch(children_.back());
}

Result<void> Supervisor::launch(Child& child) {
  std::vector<char*> argv;
  for (std::string& word : child.spec.argv) argv.push_back(word.data());
  argv.push_back(nullptr);
  const Result<Descriptor> input = readable(child.spec.input);
  if (!input) return fail(input.error());
  const pid_t parent = ::getpid();
  // Until its own program runs, a child has the handlers of this process: one of them would take a TERM for
  // the child and do nothing, and stop_all() would wait until its patience is over.
  sigset_t term, before;
  ::sigemptyset(&term);
  ::sigaddset(&term, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &term, &before);
  const pid_t pid = ::fork();
  if (pid == 0) become(child.spec, argv.data(), input->get(), parent, before);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0)
    return fail(Errc::unavailable, std::string("no process can be started: ") + std::strerror(errno));
  child.pid = pid;
  child.launched = read_clocks().mono;
  child.resumes = never;
  return {};
}

bool Supervisor::stands_by(Child& child) const {
  if (!child.spec.wanted || child.spec.wanted()) return false;
  child.resumes = read_clocks().mono + stand_by_interval;
  return true;
}

bool Supervisor::others_run(const Child& child) const {
  return std::ranges::any_of(children_, [&](const Child& other) {
    return &other != &child && !other.spec.essential && other.pid != 0;
  });
}

/// Twice as long with each rest; a child that ran for a while since begins anew.
void Supervisor::let_rest(Child& child, const std::string& ending) {
  const Instant now = read_clocks().mono;
  if (now - child.launched > limit_.period) child.rests = 0;
  const Duration rest =
      std::min(limit_.period * (std::int64_t{1} << std::min<std::uint32_t>(child.rests, 10)), longest_rest);
  child.rests += 1;
  child.resumes = now + rest;
  on_note_(fmt::format("{}, more than {} times within {}; it rests for {}, the others go on{}", ending,
                       limit_.intensity, limit_.period, rest,
                       child.spec.log.empty() ? "" : ". Its log: " + child.spec.log));
}

std::string Supervisor::ending_of(const Child& child, int status) const {
  if (WIFSIGNALED(status)) return fmt::format("{} was ended by signal {}", child.spec.name, WTERMSIG(status));
  return fmt::format("{} ended with exit code {}", child.spec.name, WEXITSTATUS(status));
}

Result<void> Supervisor::look_after() {
  char drained[64];
  while (::read(child_pipe[0], drained, sizeof drained) > 0) {
  }
  for (Child& child : children_) {
    int status = 0;
    if (child.pid == 0 && child.resumes <= read_clocks().mono && !stands_by(child))
      if (Result<void> launched = launch(child); !launched) return launched;
    if (child.pid == 0 || ::waitpid(child.pid, &status, WNOHANG) != child.pid) continue;
    child.pid = 0;
    if (child.stopped || stands_by(child)) continue;
    const std::string ending = ending_of(child, status);
    if (!child.spec.restart) {
      on_note_(ending);
      continue;
    }
    if (!child.policy.allow(read_clocks().mono)) {
      if (!child.spec.essential && others_run(child)) {
        let_rest(child, ending);
        continue;
      }
      stop_all();
      return fail(Errc::failed,
                  fmt::format("{}, more than {} times within {}; gave up and stopped everything{}", ending,
                              limit_.intensity, limit_.period,
                              (child.spec.log.empty() ? "" : ". Its log: " + child.spec.log)));
    }
    on_note_(ending + "; starting it again");
    if (Result<void> launched = launch(child); !launched) return launched;
  }
  return {};
}

int Supervisor::descriptor() const { return child_pipe[0]; }

void Supervisor::stop(const std::string& name) {
  for (Child& child : children_) {
    if (child.spec.name != name || child.stopped) continue;
    child.stopped = true;
    child.resumes = never;
    if (child.pid != 0) ::kill(child.pid, SIGTERM);
  }
}

void Supervisor::stop_all(Duration patience) {
  using Clock = std::chrono::steady_clock;
  const auto give_up = Clock::now() + std::chrono::microseconds(patience.us);
  // The controller was started first and stops last, so that agents can still leave the board.
  for (auto child = children_.rbegin(); child != children_.rend(); ++child) {
    if (child->pid == 0) continue;
    const bool is_first = std::next(child) == children_.rend();
    if (is_first)
      for (Child& other : children_)
        if (&other != &*child && other.pid != 0) {
          while (::waitpid(other.pid, nullptr, WNOHANG) == 0) {
            if (Clock::now() > give_up) ::kill(other.pid, SIGKILL);
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
          }
          other.pid = 0;
        }
    ::kill(child->pid, SIGTERM);
  }
  for (Child& child : children_) {
    while (child.pid != 0 && ::waitpid(child.pid, nullptr, WNOHANG) == 0) {
      if (Clock::now() > give_up) ::kill(child.pid, SIGKILL);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    child.pid = 0;
  }
}

std::size_t Supervisor::running() const {
  return static_cast<std::size_t>(
      std::count_if(children_.begin(), children_.end(), [](const Child& c) { return c.pid != 0; }));
}

pid_t Supervisor::pid_of(const std::string& name) const {
  for (const Child& child : children_)
    if (child.spec.name == name) return child.pid;
  return 0;
}

Result<Writer> await_serving(const BoardDirectory& board, Duration patience, Supervisor& supervisor,
                             const StopSignal& stop) {
  const Instant give_up = read_clocks().mono + patience;
  while (read_clocks().mono < give_up) {
    if (const auto writer = serving_writer(board)) return *writer;
    if (stop.requested()) return fail(Errc::failed, "interrupted");
    if (const Result<void> fine = supervisor.look_after(); !fine) return fail(fine.error());
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return fail(Errc::unavailable,
              fmt::format("the controller of {} did not come up within {}", board.path, patience));
}

}  // namespace bidboard
