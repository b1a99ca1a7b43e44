#include "agents/guard/platform.hpp"
#include "blackboard/fmt.hpp"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstring>
#include <string>

#if defined(__linux__)
#include <sys/epoll.h>
#include <sys/prctl.h>
#endif

namespace bidboard {
namespace {

std::string because() { return std::strerror(errno); }

#if defined(__linux__)

/// The content of /proc/PID/stat. The command's name may contain spaces and parentheses, so fields are
/// counted from the last ')'.
struct Stat {
  ProcessEntry entry;
  std::uint64_t start_ticks;
};

std::uint64_t number_at(const char*& at, const char* end) {
  std::uint64_t value = 0;
  for (; at < end && *at >= '0' && *at <= '9'; ++at)
    value = value * 10 + static_cast<std::uint64_t>(*at - '0');
  return value;
}

/// [fork] `directory` is an open /proc.
std::optional<Stat> read_stat(int directory, pid_t pid) {
  char path[32];
  char digits[16];
  std::size_t count = 0;
  for (pid_t rest = pid; rest > 0; rest /= 10) digits[count++] = static_cast<char>('0' + rest % 10);
  std::size_t length = 0;
  while (count > 0) path[length++] = digits[--count];
  std::memcpy(path + length, "/stat", 6);

  const int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  char text[1024];
  const ssize_t size = read(fd, text, sizeof text);
  close(fd);
  if (size <= 0) return {};

  const char* const end = text + size;
  const char* at = end;
  while (at > text && at[-1] != ')') --at;
  if (end - at < 4) return {};
  Stat stat{};
  stat.entry.pid = pid;
  stat.entry.zombie = at[1] == 'Z' || at[1] == 'X';
  at += 3;  // " S " is field 3; from here, fields 4 (parent) to 22 (start)
  for (int field = 4; field <= 22 && at < end; ++field) {
    if (*at == '-') ++at;
    const std::uint64_t value = number_at(at, end);
    if (field == 4) stat.entry.parent = static_cast<pid_t>(value);
    if (field == 5) stat.entry.group = static_cast<pid_t>(value);
    if (field == 22) stat.start_ticks = value;
    ++at;
  }
  return stat;
}

#endif

}  // namespace

Result<Pipe> make_pipe() {
  int ends[2];
#if defined(__linux__)
  if (pipe2(ends, O_CLOEXEC) != 0) return fail(Errc::unavailable, "cannot make a pipe: " + because());
#else
  if (pipe(ends) != 0) return fail(Errc::unavailable, "cannot make a pipe: " + because());
  for (const int end : ends) fcntl(end, F_SETFD, FD_CLOEXEC);
#endif
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

Result<Pipe> make_socket_pair() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
    return fail(Errc::unavailable, "cannot make a pair of sockets: " + because());
  for (const int end : ends) fcntl(end, F_SETFD, FD_CLOEXEC);
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

Result<void> set_nonblocking(const Descriptor& descriptor) {
  const int flags = fcntl(descriptor.get(), F_GETFL);
  if (flags < 0 || fcntl(descriptor.get(), F_SETFL, flags | O_NONBLOCK) != 0)
    return fail(Errc::failed, "cannot make a pipe non-blocking: " + because());
  return {};
}

std::optional<std::string> path_of(const Descriptor& descriptor) {
  struct stat open {};
  struct stat named {};
  char path[PATH_MAX] = {};
#if defined(F_GETPATH)
  if (fcntl(descriptor.get(), F_GETPATH, path) != 0) return {};
#elif defined(__linux__)
  const std::string link = fmt::format("/proc/self/fd/{}", descriptor.get());
  if (readlink(link.c_str(), path, sizeof path - 1) <= 0) return {};
#else
  return {};
#endif
  // Of a removed one, Linux gives the path with " (deleted)" behind it.
  if (fstat(descriptor.get(), &open) != 0 || stat(path, &named) != 0) return {};
  if (open.st_ino != named.st_ino || open.st_dev != named.st_dev) return {};
  return std::string(path);
}

void close_descriptors_from(int first) {
#if defined(SYS_close_range)
  if (syscall(SYS_close_range, static_cast<unsigned>(first), ~0U, 0U) == 0) return;
#endif
  constexpr long most = 65'536;  // the limit may be a billion, and closing that many takes minutes
  const long limit = sysconf(_SC_OPEN_MAX);
  for (long fd = first; fd < (limit > 0 && limit < most ? limit : most); ++fd) close(static_cast<int>(fd));
}

#if defined(__linux__)

bool become_subreaper() { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0; }
void die_with_parent() { prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); }
void name_process(const char* name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

std::optional<std::size_t> list_processes(ProcessEntry* table, std::size_t capacity) {
  const int directory = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return {};
  // struct linux_dirent64, read by offsets: inode 8 bytes, offset 8, length 2, type 1, then the name. opendir
  // would allocate.
  constexpr std::size_t length_at = 16;
  constexpr std::size_t name_at = 19;
  char buffer[8192];
  std::size_t count = 0;
  while (count < capacity) {
    const long size = syscall(SYS_getdents64, directory, buffer, sizeof buffer);
    if (size <= 0) break;
    for (const char* at = buffer; at < buffer + size && count < capacity;) {
      std::uint16_t length;
      std::memcpy(&length, at + length_at, sizeof length);
      const char* name = at + name_at;
      at += length;
      const auto pid = static_cast<pid_t>(number_at(name, at));
      if (pid <= 0 || *name != '\0') continue;
      if (const auto stat = read_stat(directory, pid)) table[count++] = stat->entry;
    }
  }
  close(directory);
  return count;
}

std::optional<std::uint64_t> process_start_ticks(pid_t pid) {
  const Descriptor directory(open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || pid <= 0) return {};
  const auto stat = read_stat(directory.get(), pid);
  if (!stat || stat->entry.zombie) return {};
  return stat->start_ticks;
}

#else

bool become_subreaper() { return false; }
void die_with_parent() {}
void name_process(const char*) {}
std::optional<std::size_t> list_processes(ProcessEntry*, std::size_t) { return {}; }
std::optional<std::uint64_t> process_start_ticks(pid_t) { return {}; }

#endif

Result<Descriptor> watch_process([[maybe_unused]] pid_t pid,
                                 [[maybe_unused]] std::optional<std::uint64_t> start_ticks) {
#if defined(SYS_pidfd_open)
  Descriptor descriptor(static_cast<int>(syscall(SYS_pidfd_open, pid, 0U)));
  if (!descriptor && errno != ESRCH && errno != EINVAL)
    return fail(Errc::unsupported, fmt::format("cannot watch process {}: {}", pid, because()));
  // Checked after opening: from then on, the descriptor and the check are about the same process, or about
  // none.
  if (!descriptor || (start_ticks && process_start_ticks(pid) != start_ticks))
    return fail(Errc::not_found, fmt::format("process {} has ended", pid));
  return descriptor;
#else
  return fail(Errc::unsupported, "this system cannot watch processes");
#endif
}

#if defined(__linux__)

Result<Descriptor> make_watched_set() {
  Descriptor set(epoll_create1(EPOLL_CLOEXEC));
  if (!set) return fail(Errc::unavailable, "cannot watch descriptors: " + because());
  return set;
}
bool add_to_watched_set(const Descriptor& set, const Descriptor& member, std::uint64_t name) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = name;
  return epoll_ctl(set.get(), EPOLL_CTL_ADD, member.get(), &event) == 0;
}
std::vector<std::uint64_t> readable_in(const Descriptor& set) {
  epoll_event events[64];
  const int count = epoll_wait(set.get(), events, 64, 0);
  std::vector<std::uint64_t> names;
  for (int i = 0; i < count; ++i) names.push_back(events[i].data.u64);
  return names;
}

#else

Result<Descriptor> make_watched_set() {
  return fail(Errc::unsupported, "this system cannot watch many descriptors at once");
}
bool add_to_watched_set(const Descriptor&, const Descriptor&, std::uint64_t) { return false; }
std::vector<std::uint64_t> readable_in(const Descriptor&) { return {}; }

#endif

}  // namespace bidboard
