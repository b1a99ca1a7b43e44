#include "runtime/home/doctor.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "agents/guard/descriptor.hpp"
#include "blackboard/board/board.hpp"
#include "blackboard/board/verify.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/format/keys.hpp"
#include "blackboard/secrets.hpp"
#include "blackboard/store/lmdb_store.hpp"
#include "blackboard/task_states.hpp"
#include "blackboard/text/shell.hpp"
#include "runtime/home/key_directory.hpp"
#include "runtime/home/socket_folder.hpp"

namespace bidboard {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_findings = 50;

/// All findings from the store's content, one per line.
std::vector<std::string> read_everything(const BoardDirectory& board, bool deep) {
  const Result<std::uint64_t> entries = count_entries(board.path);
  const Result<std::unique_ptr<Snapshot>> snapshot = open_snapshot(board.path);
  if (!entries || !snapshot) return {entries ? snapshot.error().text : entries.error().text};
  std::vector<std::string> findings;
  std::uint64_t found = 0;
  std::string before;
  const Result<void> read = (*snapshot)->scan({}, {}, [&](std::string_view key, std::string_view value) {
    if (const Result<void> fine = check_entry(key, value); !fine)
      findings.push_back(
          fmt::format("{} (key {}): {}", keys::described(key), to_hex(key), fine.error().text));
    if (found++ > 0 && key <= before)
      findings.push_back(fmt::format("key {} comes after {}, which is greater", to_hex(key), to_hex(before)));
    before = key;
    return findings.size() < most_findings;
  });
  if (!read) findings.push_back(read.error().text);
  // A damaged page can hide others; if it hides all of a kind, no record refers to them.
  if (findings.empty() && found != *entries)
    findings.push_back(
        fmt::format("the store says that it holds {} entries, but {} are found", *entries, found));
  if (!findings.empty()) return findings;  // what does not decode cannot be compared
  findings = check_invariants(**snapshot);
  if (!deep || !findings.empty()) return findings;
  return verify(**snapshot);
}

[[noreturn]] void read_in_child(int out, const BoardDirectory& board, bool deep) {
  std::string text;
  for (const std::string& finding : read_everything(board, deep)) text += finding + "\n";
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t n = ::write(out, text.data() + at, text.size() - at);
    if (n <= 0) ::_exit(1);
    at += static_cast<std::size_t>(n);
  }
  ::_exit(0);
}

Result<void> examine_store(const BoardDirectory& board, bool deep, std::vector<Symptom>& findings) {
  int pipe[2];
  if (::pipe(pipe) != 0) return fail(Errc::unavailable, "cannot create a pipe");
  const pid_t pid = ::fork();
  if (pid < 0) return fail(Errc::unavailable, "cannot start a process");
  if (pid == 0) {
    ::close(pipe[0]);
    read_in_child(pipe[1], board, deep);
  }
  ::close(pipe[1]);
  std::string text;
  char buffer[4096];
  ssize_t n = 0;
  while ((n = ::read(pipe[0], buffer, sizeof buffer)) > 0) text.append(buffer, static_cast<std::size_t>(n));
  ::close(pipe[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    findings.push_back({true, text.substr(at, end - at)});
    at = end + 1;
  }
  if (WIFSIGNALED(status) || WEXITSTATUS(status) != 0)
    findings.push_back(
        {true, fmt::format("reading the store killed the reader ({}): data.mdb is damaged; restore a backup",
                           WIFSIGNALED(status) ? ::strsignal(WTERMSIG(status)) : "it gave up")});
  return {};
}

void examine_files(const BoardDirectory& board, std::vector<Symptom>& findings) {
  struct stat info {};
  if (::stat(board.secret_file().c_str(), &info) != 0)
    findings.push_back(
        {false,
         "secret.key is missing; the next command makes a new one, and live awards must then be made again"});
  else if (info.st_size != 32)
    findings.push_back(
        {true, "secret.key does not hold 32 bytes; with no task running it can be moved away"});
  else if ((info.st_mode & 077) != 0)
    findings.push_back({true, "secret.key can be read by others; type `chmod 600 " +
                                  shell_quoted(board.secret_file()) + "`"});
  if (::stat(board.keys().c_str(), &info) == 0)
    if (const auto keys = allowed_keys(board); !keys)
      findings.push_back({keys.error().code == Errc::refused,
                          keys.error().text + "; until then no other machine can connect"});
  const Descriptor lock(::open(board.writer_lock().c_str(), O_RDONLY | O_CLOEXEC));
  if (lock && ::fstat(lock.get(), &info) == 0 && info.st_size > 0 &&
      ::flock(lock.get(), LOCK_SH | LOCK_NB) == 0)
    findings.push_back(
        {false, "the last writer did not end cleanly; nothing is lost, the next one takes over"});
}

/// Agents that are unattended because no controller serves.
void examine_agents(const Snapshot& snapshot, std::vector<Symptom>& findings) {
  const Result<void> read =
      snapshot.scan(keys::all_of<Agent>(), {}, [&](std::string_view, std::string_view bytes) {
        const Result<Agent> agent = unseal<Agent>(bytes);
        if (!agent || agent->state != AgentState::live || !agent->key.empty()) return true;
        const bool runs = agent->profile.pid > 0 && ::kill(static_cast<pid_t>(agent->profile.pid), 0) == 0;
        findings.push_back({false, fmt::format("agent {}{}; `bidboard up` fixes that", agent->profile.name,
                                               (runs ? " waits for a controller"
                                                     : " is listed as live, but its process has ended"))});
        return true;
      });
  if (!read) findings.push_back({true, read.error().text});
}

/// The executing process holds the lock file of its task until every process that it started is gone.
void examine_executions(const BoardDirectory& board, const Snapshot& snapshot, bool served,
                        std::vector<Symptom>& findings) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(board.run(), error)) {
    if (entry.path().extension() != ".lock") continue;
    const Descriptor lock(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC));
    if (!lock || ::flock(lock.get(), LOCK_SH | LOCK_NB) == 0) continue;
    const std::string name = entry.path().stem().string();
    const std::optional<TaskId> id = parse_id<TaskId>(name);
    const auto bytes = id ? snapshot.get(keys::task(*id)) : std::nullopt;
    if (!bytes) {
      findings.push_back({true, bytes.error().text});
      continue;
    }
    const Result<Task> task = *bytes ? unseal<Task>(**bytes) : fail(Errc::not_found, "no such task");
    if (!served)
      findings.push_back({false, fmt::format("a process of task {} still runs, without a controller", name)});
    else if (!task || !is_held(task->state))
      findings.push_back(
          {false, fmt::format("a process of task {} still runs, but no agent holds the task", name)});
  }
}

void examine_processes(const BoardDirectory& board, std::vector<Symptom>& findings) {
  const bool served = serving_writer(board).has_value();
  const Result<std::unique_ptr<Snapshot>> snapshot = open_snapshot(board.path);
  if (!snapshot) {
    findings.push_back({true, snapshot.error().text});
    return;
  }
  if (!served) examine_agents(**snapshot, findings);
  examine_executions(board, **snapshot, served, findings);
  const Result<std::string> id = board_id(board);
  for (const std::string& sockets : id ? socket_folders(*id) : std::vector<std::string>{})
    if (std::error_code error; !served && fs::exists(sockets + "/c", error))
      findings.push_back(
          {false,
           fmt::format(
               "sockets of a controller that was killed are left over in {}; the next one takes them over",
               sockets)});
}

}  // namespace

Result<std::vector<Symptom>> examine(const BoardDirectory& board, bool deep) {
  std::vector<Symptom> findings;
  examine_files(board, findings);
  if (const Result<void> done = examine_store(board, deep, findings); !done) return fail(done.error());
  // A store that crashes its readers is not read in this process.
  if (findings.empty() || !findings.back().grave) examine_processes(board, findings);
  return findings;
}

}  // namespace bidboard
