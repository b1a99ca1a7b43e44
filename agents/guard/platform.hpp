// The calls that differ between operating systems, each with a portable fallback. Functions marked [fork] are
// async-signal-safe: they may be called between fork and exec in a program with threads (no heap, no locks,
// no streams).
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agents/guard/descriptor.hpp"
#include "blackboard/result.hpp"

namespace bidboard {

struct Pipe {
  Descriptor read;
  Descriptor write;
};
/// Both ends close-on-exec and blocking. Errors: unavailable (no descriptors left).
Result<Pipe> make_pipe();
/// A connected pair of stream sockets, likewise; either end reads and writes.
Result<Pipe> make_socket_pair();
Result<void> set_nonblocking(const Descriptor& descriptor);

/// The present path of an open file or folder. Nothing: it was removed, or the system does not know.
std::optional<std::string> path_of(const Descriptor& descriptor);

/// [fork] Closes every descriptor from `first` on.
void close_descriptors_from(int first);
/// [fork] Orphans among our descendants become our children instead of init's. False: this system cannot (not
/// Linux).
bool become_subreaper();
/// [fork] Kills this process when the process that forked it dies. Linux only; elsewhere it does nothing.
void die_with_parent();
/// [fork] Sets the name that `ps` and `top` show; at most 15 characters are kept. Linux only.
void name_process(const char* name);

/// One line of the process table.
struct ProcessEntry {
  pid_t pid;
  pid_t parent;
  pid_t group;
  bool zombie;
};
/// [fork] Lists the machine's processes, at most `capacity` of them; none where there is no /proc.
std::optional<std::size_t> list_processes(ProcessEntry* table, std::size_t capacity);

/// When the process began, in clock ticks since boot: together with the pid this identifies a process for
/// ever, although pids are reused. Empty if there is no such process, or it cannot be determined (not Linux).
std::optional<std::uint64_t> process_start_ticks(pid_t pid);

/// A descriptor that becomes readable when the process ends; it need not be a child of ours. With
/// `start_ticks` the watch is for exactly that process, even if its pid was reused. Errors: not_found (it has
/// ended already), unsupported (a system without pidfd: call kill(pid, 0) from time to time).
Result<Descriptor> watch_process(pid_t pid, std::optional<std::uint64_t> start_ticks = {});

/// A set of descriptors, itself a descriptor that is readable while one of them is: waiting costs what has
/// happened, not what is watched. A member leaves it when it is closed. Errors: unsupported (not Linux),
/// unavailable (no descriptors left).
Result<Descriptor> make_watched_set();
/// False: the system refuses.
bool add_to_watched_set(const Descriptor& set, const Descriptor& member, std::uint64_t name);
/// The names of some members that are readable now; none when no member is.
std::vector<std::uint64_t> readable_in(const Descriptor& set);

}  // namespace bidboard
