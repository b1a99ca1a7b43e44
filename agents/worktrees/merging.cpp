#include "agents/worktrees/merging.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "agents/guard/guard.hpp"
#include "blackboard/fmt.hpp"

extern char** environ;

namespace bidboard {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t tail_bytes = 4'096;
/// How often a merge begins again because the branch moved meanwhile.
constexpr int tries_max = 3;
constexpr std::size_t others_max = 20;

/// False: the end.
bool read_some(Descriptor& from, std::string& tail) {
  char buffer[16384];
  const ssize_t got = ::read(from.get(), buffer, sizeof buffer);
  if (got > 0) tail.append(buffer, static_cast<std::size_t>(got));
  if (tail.size() > tail_bytes) tail.erase(0, tail.size() - tail_bytes);
  return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

struct Checked {
  bool passed = false;
  std::string output;
};

/// Under a guard: it ends with this process, and nothing of it is left behind.
Result<Checked> check(const std::string& command, const std::string& folder, Duration time) {
  GuardSpec spec;
  spec.argv = {"/bin/sh", "-c", command};
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (const std::string_view text(*entry); !text.starts_with("GIT_") && !text.starts_with("PWD="))
      spec.environment.emplace_back(text);
  spec.directory = folder;
  spec.timeout = time;
  Result<GuardedProcess> started = start_guarded(spec);
  if (!started) return fail(started.error());
  GuardedProcess& process = *started;
  process.input.reset();
  Checked checked;
  while (!process.ended()) {
    pollfd fds[3] = {{process.output ? process.output.get() : -1, POLLIN, 0},
                     {process.errors ? process.errors.get() : -1, POLLIN, 0},
                     {process.report_fd(), POLLIN, 0}};
    ::poll(fds, 3, -1);
    if (fds[0].revents != 0 && !read_some(process.output, checked.output)) process.output.reset();
    if (fds[1].revents != 0 && !read_some(process.errors, checked.output)) process.errors.reset();
    while (const std::optional<GuardReport> report = process.next_report()) {
      checked.passed = report->word == GuardWord::exited && report->code == 0;
      if (report->word == GuardWord::timed_out)
        checked.output += fmt::format("\n(the check was ended after {})", time);
    }
  }
  for (Descriptor* rest : {&process.output, &process.errors}) {
    errno = 0;
    while (*rest && read_some(*rest, checked.output) && errno == 0) continue;
  }
  return checked;
}

/// Where the branch is checked out; empty: nowhere.
Result<std::string> folder_with(const Git& git, const std::string& branch) {
  const Result<std::string> list = git.ask({"worktree", "list", "--porcelain", "-z"});
  if (!list) return fail(list.error());
  std::string path;
  for (const std::string& line : split_zeros(*list)) {
    if (line.starts_with("worktree ")) path = line.substr(9);
    if (line == "branch refs/heads/" + branch) return path;
  }
  return std::string();
}

}  // namespace

Result<Merging> Merging::begin(MergePlace place) {
  const Git git(place.repository);
  if (place.into.empty()) {
    const Result<GitRun> head = git.run({"symbolic-ref", "--quiet", "--short", "HEAD"});
    if (!head) return fail(head.error());
    if (head->status != 0)
      return fail(Errc::not_found,
                  fmt::format("no branch is checked out in {}{}; name one with --into", place.repository,
                              head->errors.empty() ? "" : " (" + said(*head) + ")"));
    place.into = head->output.substr(0, head->output.find('\n'));
  }
  const Result<std::string> target = git.commit_of("refs/heads/" + place.into);
  if (!target) return fail(target.error());
  if (target->empty())
    return fail(Errc::not_found, fmt::format("there is no branch '{}' in {}", place.into, place.repository));
  std::error_code error;
  fs::create_directories(place.place, error);
  if (error) return fail(Errc::failed, fmt::format("cannot make {}: {}", place.place, error.message()));
  TaskLock lock;
  const Result<bool> taken = lock.try_take(Folder(place.place), "merge.lock");
  if (!taken) return fail(taken.error());
  if (!*taken) return fail(Errc::conflict, "another `bidboard merge` of this board is under way");
  return Merging(std::move(place), std::move(lock));
}

Merging::~Merging() {
  if (lock_.held()) static_cast<void>(repository().run({"worktree", "remove", "--force", "--force", path()}));
}

Result<bool> Merging::has(const std::string& commit) const {
  const Result<std::string> known = repository().commit_of(commit);
  if (!known) return fail(known.error());
  if (known->empty()) return false;
  return repository().holds({"merge-base", "--is-ancestor", commit, "refs/heads/" + place_.into});
}

/// Nothing but attempts to merge is ever in it: what a killed one left is thrown away.
Result<void> Merging::make_worktree(const std::string& target) const {
  std::error_code error;
  if (fs::exists(path(), error)) {
    const Result<GitRun> removed = repository().run({"worktree", "remove", "--force", "--force", path()});
    if (!removed) return fail(removed.error());
    fs::remove_all(path(), error);
  }
  const auto made =
      repository().ask({"worktree", "add", "--quiet", "--force", "--force", "--detach", path(), target});
  if (!made) return fail(made.error());
  return {};
}

/// The merged commit, checked, is `target` of the result; the branch has not moved yet.
Result<MergeResult> Merging::attempt(TaskId task, const std::string& title, const std::string& commit,
                                     const std::string& target) const {
  MergeResult result;
  result.target = target;
  if (auto made = make_worktree(target); !made) return fail(made.error());
  const Git git(path());
  const Result<GitRun> merged = git.run_as_someone(
      {"merge", "--quiet", "--no-ff", "--no-verify", "--no-edit", "-m",
       fmt::format("Merge {}: {}\n\nBidboard-Task: {}\n", task, title.substr(0, title.find('\n')), task),
       commit});
  if (!merged) return fail(merged.error());
  if (merged->status != 0) {
    const Result<std::string> files = git.ask({"diff", "--name-only", "--diff-filter=U"});
    if (!files) return fail(files.error());
    if (files->empty()) return fail(Errc::failed, fmt::format("git merge failed: {}", said(*merged)));
    result.end = MergeEnd::conflict;
    result.files = *files;
    return result;
  }
  const Result<std::string> made = git.commit_of("HEAD");
  if (!made) return fail(made.error());
  if (!place_.check.empty()) {
    Result<Checked> checked = check(place_.check, path(), place_.check_time);
    if (!checked) return fail(checked.error());
    result.output = std::move(checked->output);
    if (!checked->passed) {
      result.end = MergeEnd::check_failed;
      return result;
    }
  }
  result.end = MergeEnd::merged;
  result.target = *made;
  return result;
}

/// False: the branch has moved meanwhile, or `why` it may not move.
Result<bool> Merging::advance(const std::string& from, const std::string& to, std::string& why) const {
  const Result<std::string> folder = folder_with(repository(), place_.into);
  if (!folder) return fail(folder.error());
  if (folder->empty()) {
    const Result<GitRun> moved =
        repository().run({"update-ref", "-m", "bidboard merge", "refs/heads/" + place_.into, to, from});
    if (!moved) return fail(moved.error());
    return moved->status == 0;
  }
  const Git there(*folder);
  const Result<std::string> changes = there.ask({"status", "--porcelain", "-z", "--untracked-files=no"});
  if (!changes) return fail(changes.error());
  if (!changes->empty()) {
    why = fmt::format(
        "{} is checked out in {}, which has changes: commit or stash them, or check out another "
        "branch there",
        place_.into, *folder);
    return false;
  }
  const Result<std::string> now = there.commit_of("refs/heads/" + place_.into);
  if (!now) return fail(now.error());
  if (*now != from) return false;
  const Result<GitRun> moved = there.run({"merge", "--quiet", "--ff-only", to});
  if (!moved) return fail(moved.error());
  if (moved->status != 0) why = fmt::format("{} cannot follow in {}: {}", place_.into, *folder, said(*moved));
  return moved->status == 0;
}

Result<MergeResult> Merging::merge(TaskId task, const std::string& title, const std::string& commit) {
  const Result<std::string> known = repository().commit_of(commit);
  if (!known) return fail(known.error());
  if (known->empty())
    return MergeResult{
        MergeEnd::blocked, {}, {}, fmt::format("commit {} is not in this repository: fetch it", commit)};
  for (int i = 0; i < tries_max; ++i) {
    const Result<bool> already = has(commit);
    if (!already) return fail(already.error());
    const Result<std::string> target = repository().commit_of("refs/heads/" + place_.into);
    if (!target) return fail(target.error());
    if (*already) return MergeResult{MergeEnd::already, *target, {}, {}};
    Result<MergeResult> result = attempt(task, title, commit, *target);
    if (!result || result->end != MergeEnd::merged) return result;
    std::string why;
    const Result<bool> moved = advance(*target, result->target, why);
    if (!moved) return fail(moved.error());
    if (*moved) return result;
    if (!why.empty()) return MergeResult{MergeEnd::blocked, *target, {}, why};
  }
  return MergeResult{MergeEnd::blocked, {}, {}, fmt::format("{} moves all the time", place_.into)};
}

std::string Merging::others_on(const std::string& commit, const std::string& files) const {
  std::vector<std::string> arguments{"--literal-pathspecs",
                                     "log",
                                     "--no-merges",
                                     "--format=%h %an: %s",
                                     fmt::format("--max-count={}", others_max),
                                     fmt::format("{}..refs/heads/{}", commit, place_.into),
                                     "--"};
  for (std::size_t from = 0; from < files.size();) {
    const std::size_t end = std::min(files.find('\n', from), files.size());
    if (end > from) arguments.push_back(files.substr(from, end - from));
    from = end + 1;
  }
  const Result<std::string> log = Git(path()).ask(arguments);  // its top: the names are relative to it
  return log ? *log : log.error().text;
}

}  // namespace bidboard
