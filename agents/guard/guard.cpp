#include "agents/guard/guard.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>

#include "agents/guard/guard_process.hpp"
#include "agents/guard/platform.hpp"
#include "blackboard/checks/check.hpp"
#include "blackboard/checks/sabotage.hpp"

namespace bidboard {
namespace {

/// A null-terminated array of C strings that borrows from `texts`.
std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

struct Pipes {
  Pipe input;
  Pipe output;
  Pipe errors;
  Pipe control;  ///< actually a socket, since descriptors are sent through it
  Pipe report;
};

Result<Pipes> make_pipes() {
  Pipes pipes;
  for (Pipe* pipe : {&pipes.input, &pipes.output, &pipes.errors, &pipes.report}) {
    auto made = make_pipe();
    if (!made) return fail(made.error());
    *pipe = std::move(*made);
  }
  auto made = make_socket_pair();
  if (!made) return fail(made.error());
  pipes.control = std::move(*made);
  for (const Descriptor* end :
       {&pipes.input.write, &pipes.output.read, &pipes.errors.read, &pipes.control.write, &pipes.report.read})
    if (auto done = set_nonblocking(*end); !done) return fail(done.error());
  return pipes;
}

void ignore_broken_pipes() {
  struct sigaction current {};
  if (sigaction(SIGPIPE, nullptr, &current) == 0 && current.sa_handler == SIG_DFL) signal(SIGPIPE, SIG_IGN);
}

/// Forks with all signals blocked: the agent's signal handlers must not run in the guard.
pid_t fork_guard(const GuardPlan& plan) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = fork();
  if (pid == 0) run_guard(plan);
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return pid;
}

}  // namespace

GuardedProcess::GuardedProcess(GuardedProcess&& other) noexcept
    : input(std::move(other.input)),
      output(std::move(other.output)),
      errors(std::move(other.errors)),
      pid_(std::exchange(other.pid_, 0)),
      ended_(std::exchange(other.ended_, true)),
      control_(std::move(other.control_)),
      report_(std::move(other.report_)) {}

GuardedProcess::~GuardedProcess() {
  if (ended_) return;
  stop();
  control_.reset();
  // Closed, so that a command blocked on a full pipe gets EPIPE and can still answer the TERM.
  output.reset();
  errors.reset();
  input.reset();
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void GuardedProcess::stop() {
  if (ended_ || !control_) return;
  const GuardOrder order{GuardOrder::stop, 0};
  // If the socket is full, earlier stop messages are already queued; if it is broken, the guard is ending.
  // Either way nothing is lost.
  [[maybe_unused]] const ssize_t written = write(control_.get(), &order, sizeof order);
}

Result<void> GuardedProcess::hold(unsigned slot, const Descriptor& descriptor) {
  BB_CHECK(slot < guard_slots, "a guard has only so many slots");
  if (ended_) return fail(Errc::unavailable, "its guard has ended");
  GuardOrder order{GuardOrder::hold, static_cast<std::uint8_t>(slot)};
  iovec bytes{&order, sizeof order};
  alignas(cmsghdr) char extra[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = extra;
  message.msg_controllen = sizeof extra;
  cmsghdr* const part = CMSG_FIRSTHDR(&message);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(sizeof(int));
  const int fd = descriptor.get();
  std::memcpy(CMSG_DATA(part), &fd, sizeof fd);
  ssize_t sent;
  do sent = sendmsg(control_.get(), &message, 0);
  while (sent < 0 && errno == EINTR);
  if (sent == static_cast<ssize_t>(sizeof order)) return {};
  return fail(Errc::unavailable, std::string("its guard cannot be reached: ") + std::strerror(errno));
}

std::optional<GuardReport> GuardedProcess::next_report() {
  if (ended_) return {};
  GuardReport report;
  ssize_t size;
  do size = read(report_.get(), &report, sizeof report);
  while (size < 0 && errno == EINTR);
  if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return {};
  if (size != static_cast<ssize_t>(sizeof report)) report = GuardReport{};  // the guard died: GuardWord::lost
  if (report.word == GuardWord::started) return report;
  ended_ = true;
  control_.reset();
  report_.reset();
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  return report;
}

Result<GuardedProcess> start_guarded(const GuardSpec& spec) {
  if (spec.argv.empty()) return fail(Errc::invalid, "no command to execute");
  for (const Folder* folder : {&spec.place, &spec.folder})
    if (const Result<void> there = folder->check(); !there) return fail(Errc::invalid, there.error().text);
  auto pipes = make_pipes();
  if (!pipes) return fail(pipes.error());
  ignore_broken_pipes();

  const std::vector<char*> argv = pointers(spec.argv);
  const std::vector<char*> environment = pointers(spec.environment);
  const std::vector<char*> scratch = pointers(spec.scratch);
  const GuardPlan plan{
      .argv = argv.data(),
      .environment = environment.data(),
      .directory = spec.directory.empty() ? nullptr : spec.directory.c_str(),
      .lock_path = spec.lock_path.empty() ? nullptr : spec.lock_path.c_str(),
      .scratch = scratch.data(),
      .lock_wait_us = spec.lock_wait.us,
      .timeout_us = spec.timeout.us,
      .grace_us = spec.grace.us,
      .linger_us = spec.linger.us,
      .lets_go = sabotaged("guard"),
      .input = pipes->input.read.get(),
      .output = pipes->output.write.get(),
      .errors = pipes->errors.write.get(),
      .control = pipes->control.read.get(),
      .report = pipes->report.write.get(),
      .log = spec.log,
      .place = spec.place.fd(),
      .folder = spec.folder.fd(),
  };
  const pid_t pid = fork_guard(plan);
  if (pid < 0) return fail(Errc::unavailable, std::string("cannot start a process: ") + std::strerror(errno));

  GuardedProcess process;
  process.pid_ = pid;
  process.ended_ = false;
  process.input = std::move(pipes->input.write);
  process.output = std::move(pipes->output.read);
  process.errors = std::move(pipes->errors.read);
  process.control_ = std::move(pipes->control.write);
  process.report_ = std::move(pipes->report.read);
  return process;
}

}  // namespace bidboard
