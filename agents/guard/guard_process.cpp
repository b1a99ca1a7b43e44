#include "agents/guard/guard_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "agents/guard/guard.hpp"
#include "agents/guard/platform.hpp"
#include "agents/guard/signal_safe.hpp"
#include "agents/guard/task_lock.hpp"

namespace bidboard {
namespace {

// The guard's descriptors. 0, 1 and 2 are the command's until it is forked, then /dev/null.
constexpr int control_fd = 3;
constexpr int report_fd = 4;
constexpr int log_fd = 5;
constexpr int place_fd = 6;
constexpr int folder_fd = 7;
constexpr int first_foreign_fd = 8;
constexpr int parking_fd = 64;  ///< descriptors are moved here while the low numbers are assigned

constexpr std::int64_t lock_poll_us = 20'000;
constexpr std::int64_t kill_poll_us = 10'000;
constexpr std::int64_t kill_poll_most_us = 500'000;

/// Static, because the guard may not allocate; untouched pages cost nothing.
constexpr std::size_t table_capacity = 32'768;
ProcessEntry table[table_capacity];
pid_t tree[table_capacity];       ///< the guard's descendants, as of the last scan
pid_t signalled[table_capacity];  ///< those that were sent a signal already: each counts once

volatile sig_atomic_t terminated = 0;
void on_terminate(int) { terminated = 1; }
void on_child(int) {}  // exists so that pselect wakes

struct Guard {
  const GuardPlan& plan;
  GuardReport report;
  int lock = -1;
  int exec_status = -1;  ///< closed by the command's exec, or carries its error
  pid_t child = 0;
  bool child_reaped = false;
  int child_status = 0;
  bool owns_orphans = false;
  std::size_t signalled_count = 0;
  int held[guard_slots] = {};  ///< locks kept for the agent; 0: none
};

std::int64_t now_us() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000;
}

int folder_of(const Guard& guard) { return guard.plan.folder >= 0 ? folder_fd : AT_FDCWD; }
bool has_log(const Guard& guard) { return guard.plan.log >= 0; }

/// Assigns the plan's descriptors their fixed numbers and closes all others, including ZeroMQ's and the
/// terminal's.
void take_descriptors(const GuardPlan& plan) {
  const int wanted[first_foreign_fd] = {plan.input,  plan.output, plan.errors, plan.control,
                                        plan.report, plan.log,    plan.place,  plan.folder};
  int parked[first_foreign_fd];
  for (int i = 0; i < first_foreign_fd; ++i)
    parked[i] = wanted[i] < 0 ? -1 : fcntl(wanted[i], F_DUPFD, parking_fd);
  for (int i = 0; i < first_foreign_fd; ++i) {
    if (parked[i] < 0)
      close(i);
    else
      dup2(parked[i], i);
  }
  close_descriptors_from(first_foreign_fd);
  for (const int fd : {control_fd, report_fd, log_fd, place_fd, folder_fd}) fcntl(fd, F_SETFD, FD_CLOEXEC);
  fcntl(control_fd, F_SETFL, fcntl(control_fd, F_GETFL) | O_NONBLOCK);
}

void set_handler(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, nullptr);
}

void reset_signals() {
  for (int number = 1; number < NSIG; ++number) set_handler(number, SIG_DFL);
}

/// Ctrl-C is left to the agent; TERM stops the tree. CHLD and TERM are unblocked only while pselect waits, so
/// that none is missed between checking and waiting.
void take_signals() {
  reset_signals();
  for (const int number : {SIGINT, SIGHUP, SIGPIPE, SIGQUIT, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2, SIGXFSZ})
    set_handler(number, SIG_IGN);
  set_handler(SIGCHLD, on_child);
  set_handler(SIGTERM, on_terminate);
  sigset_t held;
  sigemptyset(&held);
  sigaddset(&held, SIGCHLD);
  sigaddset(&held, SIGTERM);
  sigprocmask(SIG_SETMASK, &held, nullptr);
}

/// Waits for a signal, for the descriptors, or until `until`; a negative descriptor is ignored.
void wait_for(int fd_a, int fd_b, std::int64_t until) {
  fd_set readable;
  FD_ZERO(&readable);
  int highest = -1;
  for (const int fd : {fd_a, fd_b}) {
    if (fd < 0) continue;
    FD_SET(fd, &readable);
    if (fd > highest) highest = fd;
  }
  timespec timeout{};
  const bool bounded = until != INT64_MAX;
  if (bounded) {
    std::int64_t left = until - now_us();
    if (left < 0) left = 0;
    timeout.tv_sec = static_cast<time_t>(left / 1'000'000);
    timeout.tv_nsec = static_cast<long>(left % 1'000'000 * 1'000);
  }
  sigset_t none;
  sigemptyset(&none);
  pselect(highest + 1, &readable, nullptr, nullptr, bounded ? &timeout : nullptr, &none);
}

/// Keeps the lock whose descriptor came with a message; releases the one that had the slot before.
void hold(Guard& guard, msghdr& message, unsigned slot) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    int fd;
    std::memcpy(&fd, CMSG_DATA(part), sizeof fd);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (guard.held[slot] > 0) close(guard.held[slot]);
    guard.held[slot] = fd;
  }
}

/// Reads the agent's messages. True if the tree must end: the agent asked for it, or died.
bool stop_wanted(Guard& guard) {
  if (terminated != 0) guard.report.word = GuardWord::stopped;
  while (terminated == 0) {
    GuardOrder order{};
    alignas(cmsghdr) char extra[CMSG_SPACE(sizeof(int))];
    iovec bytes{&order, sizeof order};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = extra;
    message.msg_controllen = sizeof extra;
    const ssize_t size = recvmsg(control_fd, &message, 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
    if (size == static_cast<ssize_t>(sizeof order) && order.what == GuardOrder::hold) {
      hold(guard, message, order.slot % guard_slots);
      continue;
    }
    guard.report.word = size <= 0 ? GuardWord::agent_gone : GuardWord::stopped;
    return true;
  }
  return true;
}

/// True when no child is left, dead or alive.
bool reap(Guard& guard) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid != guard.child) continue;
    guard.child_reaped = true;
    guard.child_status = status;
  }
  return pid < 0;
}

/// False: the report says why the command may not run.
bool take_lock(Guard& guard) {
  if (guard.plan.lock_path == nullptr) return true;
  const std::int64_t give_up = now_us() + guard.plan.lock_wait_us;
  bool told = false;
  for (;;) {
    const LockTry attempt = try_lock_file(folder_of(guard), guard.plan.lock_path);
    if (attempt.fd >= 0) {
      // The command inherits it on purpose (guard.hpp), at a number that scripts do not use.
      guard.lock = fcntl(attempt.fd, F_DUPFD, parking_fd);
      close(attempt.fd);
      return true;
    }
    if (attempt.error != 0) {
      guard.report.word = GuardWord::exec_failed;
      guard.report.phase = GuardPhase::lock;
      guard.report.code = attempt.error;
      return false;
    }
    if (stop_wanted(guard)) return false;
    if (now_us() >= give_up) {
      guard.report.word = GuardWord::lock_timeout;
      return false;
    }
    if (!told && has_log(guard))
      (Line() << "[guard] waiting: an earlier execution of this task still runs").write_to(log_fd);
    told = true;
    wait_for(control_fd, -1, now_us() + lock_poll_us);
  }
}

/// Releases the lock and removes its file, unless a process of the tree still holds it through an inherited
/// descriptor (possible where orphans cannot be found).
void release_lock(Guard& guard) {
  if (guard.lock < 0) return;
  close(guard.lock);
  const int folder = folder_of(guard);
  if (try_lock_file(folder, guard.plan.lock_path).fd >= 0) unlinkat(folder, guard.plan.lock_path, 0);
}

struct ExecFailure {
  GuardPhase phase;
  int error;
};

[[noreturn]] void become_command(const GuardPlan& plan, pid_t guard_pid, int status_fd) {
  setpgid(0, 0);
  die_with_parent();
  if (getppid() != guard_pid) _exit(127);
  ExecFailure failure{GuardPhase::directory, 0};
  const bool is_there = plan.place < 0 || fchdir(place_fd) == 0;
  if (is_there && (plan.directory == nullptr || chdir(plan.directory) == 0)) {
    reset_signals();
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    execve(plan.argv[0], plan.argv, plan.environment);
    failure.phase = GuardPhase::exec;
  }
  failure.error = errno;
  write_all(status_fd, &failure, sizeof failure);
  _exit(127);
}

/// The guard keeps no end of the command's pipes, or their readers would never see the end of the data.
void drop_command_descriptors() {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd < 3; ++fd) {
    if (null < 0)
      close(fd);
    else
      dup2(null, fd);
  }
  if (null > 2) close(null);
}

bool start_command(Guard& guard) {
  int status[2] = {-1, -1};
  const pid_t self = getpid();
  if (pipe(status) == 0) {
    for (const int end : status) fcntl(end, F_SETFD, FD_CLOEXEC);
    fcntl(status[0], F_SETFL, fcntl(status[0], F_GETFL) | O_NONBLOCK);
    guard.child = fork();
    if (guard.child == 0) become_command(guard.plan, self, status[1]);
  } else {
    guard.child = -1;
  }
  if (guard.child < 0) {
    guard.report.word = GuardWord::exec_failed;
    guard.report.phase = GuardPhase::fork;
    guard.report.code = errno;
    guard.child = 0;
    return false;
  }
  setpgid(guard.child, guard.child);  // both sides do it, so that neither has to wait for the other
  close(status[1]);
  guard.exec_status = status[0];
  drop_command_descriptors();
  return true;
}

/// Checks whether the exec has happened; true once it failed.
bool exec_failed(Guard& guard) {
  if (guard.exec_status < 0) return false;
  ExecFailure failure{};
  ssize_t size;
  do size = read(guard.exec_status, &failure, sizeof failure);
  while (size < 0 && errno == EINTR);
  if (size < 0) return false;
  close(guard.exec_status);
  guard.exec_status = -1;
  if (size == static_cast<ssize_t>(sizeof failure)) {
    guard.report.word = GuardWord::exec_failed;
    guard.report.phase = failure.phase;
    guard.report.code = failure.error;
    return true;
  }
  const GuardReport started{GuardWord::started, GuardPhase::none, guard.child, 0, 0, 0};
  write_all(report_fd, &started, sizeof started);
  return false;
}

/// Waits until the command ends or must be ended; the report then says why.
void watch_command(Guard& guard) {
  const std::int64_t deadline = guard.plan.timeout_us > 0 ? now_us() + guard.plan.timeout_us : INT64_MAX;
  for (;;) {
    reap(guard);
    if (exec_failed(guard)) return;
    if (guard.child_reaped) {
      const int status = guard.child_status;
      guard.report.word = WIFEXITED(status) ? GuardWord::exited : GuardWord::signalled;
      guard.report.code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
      return;
    }
    if (stop_wanted(guard)) return;
    if (now_us() >= deadline) {
      guard.report.word = GuardWord::timed_out;
      return;
    }
    wait_for(control_fd, guard.exec_status, deadline);
  }
}

/// As a subreaper the guard inherits every orphan below it: no children left means no descendants left.
bool tree_is_gone(Guard& guard) {
  const bool childless = reap(guard);
  return childless && (guard.owns_orphans || kill(-guard.child, 0) != 0);
}

bool gone_within(Guard& guard, std::int64_t span_us) {
  const std::int64_t until = now_us() + span_us;
  for (;;) {
    if (tree_is_gone(guard)) return true;
    if (now_us() >= until) return false;
    // Without orphans of our own no signal reports that the group is empty, hence the shorter waits.
    const std::int64_t next = now_us() + lock_poll_us;
    wait_for(-1, -1, guard.owns_orphans || until < next ? until : next);
  }
}

void count(Guard& guard, pid_t pid) {
  for (std::size_t i = 0; i < guard.signalled_count; ++i)
    if (signalled[i] == pid) return;
  if (guard.signalled_count < table_capacity) signalled[guard.signalled_count++] = pid;
}

/// Lists the live descendants into `tree`. Lists nothing where there is no process table to read.
std::optional<std::size_t> list_tree(bool& group_lives, pid_t group) {
  const auto listed = list_processes(table, table_capacity);
  if (!listed) return {};
  std::size_t size = 0;
  pid_t parent = getpid();
  for (std::size_t next = 0;; parent = tree[next++]) {
    for (std::size_t i = 0; i < *listed && size < table_capacity; ++i) {
      if (table[i].parent != parent || table[i].zombie) continue;
      tree[size++] = table[i].pid;
      group_lives = group_lives || table[i].group == group;
    }
    if (next == size) return size;
  }
}

/// Signals the process group as one, then every descendant that has left it.
void signal_tree(Guard& guard, int number) {
  bool group_lives = !guard.child_reaped;
  const auto size = list_tree(group_lives, guard.child);
  if (!size) {
    if (kill(-guard.child, number) == 0) count(guard, guard.child);
    return;
  }
  // Once the child is reaped, its number might belong to another group: only a living member proves that it
  // is ours.
  if (group_lives) kill(-guard.child, number);
  for (std::size_t i = 0; i < *size; ++i) {
    count(guard, tree[i]);
    if (getpgid(tree[i]) != guard.child) kill(tree[i], number);
  }
}

void end_tree(Guard& guard) {
  const bool by_itself = guard.report.word == GuardWord::exited ||
                         guard.report.word == GuardWord::signalled ||
                         guard.report.word == GuardWord::exec_failed;
  if (guard.plan.lets_go) return;
  if (gone_within(guard, by_itself ? guard.plan.linger_us : 0)) return;
  signal_tree(guard, SIGTERM);
  signal_tree(guard, SIGCONT);  // a stopped process handles TERM only once it continues
  if (gone_within(guard, guard.plan.grace_us)) return;
  for (std::int64_t pause = kill_poll_us;;
       pause = pause * 2 < kill_poll_most_us ? pause * 2 : kill_poll_most_us) {
    signal_tree(guard, SIGKILL);
    if (gone_within(guard, pause)) return;
  }
}

void write_log_line(const Guard& guard) {
  if (!has_log(guard) || guard.signalled_count == 0) return;
  Line line;
  line << "[guard] ";
  switch (guard.report.word) {
    case GuardWord::agent_gone:
      line << "agent gone";
      break;
    case GuardWord::stopped:
      line << "told to stop";
      break;
    case GuardWord::timed_out:
      line << "time limit of ";
      if (guard.plan.timeout_us < 1'000'000)
        line << guard.plan.timeout_us / 1'000 << " ms reached";
      else
        line << guard.plan.timeout_us / 1'000'000 << " s reached";
      break;
    default:
      line << "command ended but left processes behind";
      break;
  }
  const auto killed = static_cast<std::int64_t>(guard.signalled_count);
  line << ": stopped process group " << static_cast<std::int64_t>(guard.child) << " (" << killed
       << (killed == 1 ? " process)" : " processes)");
  line.write_to(log_fd);
}

[[noreturn]] void finish(Guard& guard) {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  guard.report.cpu_us =
      (static_cast<std::int64_t>(usage.ru_utime.tv_sec) + usage.ru_stime.tv_sec) * 1'000'000 +
      usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
  guard.report.killed = static_cast<std::uint32_t>(guard.signalled_count);
  for (const char* const* path = guard.plan.scratch; *path != nullptr; ++path)
    unlinkat(folder_of(guard), *path, 0);
  release_lock(guard);  // before the report: its reader may start the next execution at once
  write_all(report_fd, &guard.report, sizeof guard.report);
  _exit(0);
}

}  // namespace

[[noreturn]] void run_guard(const GuardPlan& plan) {
  setsid();
  name_process("bidboard-guard");
  Guard guard{.plan = plan, .report = {}};
  take_descriptors(plan);
  take_signals();
  guard.owns_orphans = become_subreaper();
  if (take_lock(guard) && start_command(guard)) {
    const std::int64_t began = now_us();
    watch_command(guard);
    guard.report.wall_us = now_us() - began;
    end_tree(guard);
    write_log_line(guard);
  }
  finish(guard);
}

}  // namespace bidboard
