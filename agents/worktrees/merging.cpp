#include "agents/worktrees/merging.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <sstream>

#include "agents/guard/guard.hpp"
#include "agents/worktrees/branches.hpp"
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

/// Names of files, for a message.
std::string in_a_line(std::string names) {
  constexpr std::size_t most = 400;
  if (names.size() > most) names = names.substr(0, names.rfind('\n', most)) + "\n...";
  std::ranges::replace(names, '\n', ' ');
  return names;
}

struct Checked {
  bool passed = false;
  int status = -1;  ///< of the exit, if it ended by itself
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
      if (report->word == GuardWord::exited) checked.status = report->code;
      if (report->word == GuardWord::timed_out)
        checked.output += fmt::format("\n(the check was ended after {})", time);
    }
  }
  for (Descriptor* rest : {&process.output, &process.errors}) {
    errno = 0;
    while (*rest && read_some(*rest, checked.output) && errno == 0) continue;
  }
  if (checked.output.empty() && !checked.passed)
    checked.output = fmt::format("(it printed nothing; exit {})", checked.status);
  return checked;
}

/// Where the board's folder is below the top of each worktree of this repository; empty: it is in none.
Result<std::string> board_in(const Git& repository, const std::string& board) {
  const Git there(board);
  const Result<GitRun> place =
      there.run({"rev-parse", "--path-format=absolute", "--git-common-dir", "--show-prefix"});
  if (!place) return fail(place.error());
  const Result<std::string> own = repository.ask({"rev-parse", "--path-format=absolute", "--git-common-dir"});
  if (!own) return fail(own.error());
  const std::size_t end = place->output.find('\n');
  if (place->status != 0 || place->output.substr(0, end) != *own) return std::string();
  return place->output.substr(end + 1, place->output.rfind('\n') - end - 1);
}

}  // namespace

Result<Merging> Merging::look_at(MergePlace place) {
  const Git git(place.repository);
  const Result<GitRun> repository = git.run({"rev-parse", "--git-dir"});
  if (!repository) return fail(repository.error());
  if (repository->status != 0)
    return fail(Errc::not_found,
                fmt::format("{} is in no git repository ({})", place.repository, said(*repository)));
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
  return Merging(std::move(place), {});
}

Result<Merging> Merging::begin(MergePlace wanted) {
  Result<Merging> merging = look_at(std::move(wanted));
  if (!merging) return merging;
  const std::string& place = merging->place_.place;
  std::error_code error;
  fs::create_directories(place, error);
  if (error) return fail(Errc::failed, fmt::format("cannot make {}: {}", place, error.message()));
  const Result<bool> taken = merging->lock_.try_take(Folder(place), "merge.lock");
  if (!taken) return fail(taken.error());
  if (!*taken) return fail(Errc::conflict, "another `bidboard merge` of this board is under way");
  return merging;
}

Merging::~Merging() {
  if (lock_.held()) static_cast<void>(repository().run({"worktree", "remove", "--force", "--force", path()}));
}

Result<std::set<std::string>> Merging::lacking(const std::vector<std::string>& commits) const {
  return repository().lacking(commits, {"refs/heads/" + place_.into});
}

Result<bool> Merging::contains(const std::string& newer, const std::string& older) const {
  for (const std::string& commit : {newer, older}) {
    if (commit.empty()) return false;
    const Result<std::string> known = repository().commit_of(commit);
    if (!known) return fail(known.error());
    if (known->empty()) return false;
  }
  return is_ancestor(repository(), older, newer);
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

/// The files in the board's folder that the merged commit would replace, or add: a branch that is checked out
/// where the board is would bring them there, and git asks nobody about files that it ignores.
Result<std::string> Merging::in_board(const std::string& from, const std::string& to) const {
  const Result<std::string> prefix = board_in(repository(), fs::path(place_.place).parent_path().string());
  if (!prefix) return fail(prefix.error());
  if (prefix->empty()) return std::string();
  std::string folder = prefix->substr(0, prefix->find_last_not_of('/') + 1);
  // Without regard to case: some file systems have none.
  return repository().ask(
      {"diff", "--name-only", "--no-renames", from, to, "--", ":(top,icase,literal)" + folder});
}

/// A check that fails: it is the commit's fault only if the check passes without it.
Result<MergeResult> Merging::failing(MergeResult with) {
  if (without_.commit != with.target) {
    if (auto made = make_worktree(with.target); !made) return fail(made.error());
    Result<Checked> checked = check(place_.check, path(), place_.check_time);
    if (!checked) return fail(checked.error());
    without_ = {with.target, checked->passed, checked->output};
  }
  if (without_.passed) {
    with.end = MergeEnd::check_failed;
    return with;
  }
  constexpr std::size_t most = 400;
  std::string said = without_.output.substr(without_.output.size() - std::min(without_.output.size(), most));
  said.resize(said.find_last_not_of('\n') + 1);
  with.output = fmt::format(
      "the check fails on {} already, without this work, so that it decides nothing: {}; correct the branch "
      "or the command",
      place_.into, in_a_line(said));
  return with;
}

/// One more in the temporary worktree; unless it is merged, the worktree is as before.
Result<MergeResult> Merging::add(const MergeWork& work) const {
  MergeResult result;
  const Git git(path());
  const Result<std::string> before = git.commit_of("HEAD");
  if (!before) return fail(before.error());
  const Result<bool> there = is_ancestor(git, work.commit, *before);
  if (!there) return fail(there.error());
  result.end = MergeEnd::already;
  if (*there) return result;
  const Result<GitRun> merged =
      git.run_as_someone({"merge", "--quiet", "--no-ff", "--no-verify", "--no-edit", "-m",
                          fmt::format("Merge {}: {}\n\nBidboard-Task: {}\n", work.task,
                                      work.title.substr(0, work.title.find('\n')), work.task),
                          work.commit});
  if (!merged) return fail(merged.error());
  if (merged->status != 0) {
    const Result<std::string> files = git.ask({"diff", "--name-only", "--diff-filter=U"});
    if (!files) return fail(files.error());
    result.end = files->empty() ? MergeEnd::blocked : MergeEnd::conflict;
    result.files = *files;
    if (files->empty()) result.output = fmt::format("git merge failed: {}", said(*merged));
  } else {
    const Result<std::string> made = git.commit_of("HEAD");
    if (!made) return fail(made.error());
    const Result<std::string> ours = in_board(*before, *made);
    if (!ours) return fail(ours.error());
    result.end = ours->empty() ? MergeEnd::merged : MergeEnd::blocked;
    if (!ours->empty())
      result.output = fmt::format(
          "its commit has files in the board's folder, which a merge would put in place of the live ones: "
          "{}; merge it by hand in another worktree without them (git worktree add, git merge --no-commit "
          "{}, git rm --cached)",
          in_a_line(*ours), work.commit);
  }
  if (result.end == MergeEnd::merged) return result;
  const Result<std::string> reset = git.ask({"reset", "--quiet", "--hard", *before});
  if (!reset) return fail(reset.error());
  return result;
}

/// The merged commit, checked, is `target` of the result; the branch has not moved yet.
Result<MergeResult> Merging::attempt(const std::vector<MergeWork>& works, const std::string& target) {
  if (auto made = make_worktree(target); !made) return fail(made.error());
  MergeResult result;
  for (const MergeWork& work : works) {
    Result<MergeResult> added = add(work);
    if (!added) return fail(added.error());
    const bool in = added->end == MergeEnd::merged || added->end == MergeEnd::already;
    if (!in && result.taken > 0) break;
    result.taken += 1;
    if (in) continue;
    added->taken = 1;
    added->target = target;
    return added;
  }
  result.target = target;
  // Now: the check may leave another commit there.
  Result<std::string> made = Git(path()).commit_of("HEAD");
  if (!made) return fail(made.error());
  if (!place_.check.empty()) {
    Result<Checked> checked = check(place_.check, path(), place_.check_time);
    if (!checked) return fail(checked.error());
    result.output = std::move(checked->output);
    if (!checked->passed) return failing(std::move(result));
  }
  result.end = MergeEnd::merged;
  result.target = std::move(*made);
  return result;
}

Result<std::string> Merging::obstacle() const {
  const Result<Checkout> checkout = checkout_of(repository(), place_.into);
  if (!checkout) return fail(checkout.error());
  return obstacle(*checkout);
}

Result<std::string> Merging::obstacle(const Checkout& checkout) const {
  const std::string& folder = checkout.folder;
  if (folder.empty()) return std::string();
  if (!checkout.doing.empty())
    return fmt::format("{} is being {} in {}: end that first (`git -C {} status` says how)", place_.into,
                       checkout.doing, folder, folder);
  const Result<std::string> changes =
      Git(folder).ask({"status", "--porcelain", "-z", "--untracked-files=no"});
  if (!changes) return fail(changes.error());
  if (changes->empty()) return std::string();
  return fmt::format(
      "{} is checked out in {}, which has changes: commit or stash them, or check out another branch there",
      place_.into, folder);
}

/// False: the branch has moved meanwhile, or `why` it may not move.
Result<bool> Merging::advance(const std::string& from, const std::string& to, std::string& why) const {
  const Result<Checkout> checkout = checkout_of(repository(), place_.into);
  if (!checkout) return fail(checkout.error());
  const std::string& folder = checkout->folder;
  if (folder.empty()) {
    const Result<GitRun> moved =
        repository().run({"update-ref", "-m", "bidboard merge", "refs/heads/" + place_.into, to, from});
    if (!moved) return fail(moved.error());
    return moved->status == 0;
  }
  Result<std::string> in_the_way = obstacle(*checkout);
  if (!in_the_way) return fail(in_the_way.error());
  why = std::move(*in_the_way);
  if (!why.empty()) return false;
  const Git there(folder);
  const Result<std::string> now = there.commit_of("refs/heads/" + place_.into);
  if (!now) return fail(now.error());
  if (*now != from) return false;
  const Result<GitRun> moved = there.run({"merge", "--quiet", "--ff-only", "--no-overwrite-ignore", to});
  if (!moved) return fail(moved.error());
  if (moved->status != 0) why = fmt::format("{} cannot follow in {}: {}", place_.into, folder, said(*moved));
  return moved->status == 0;
}

Result<MergeResult> Merging::merge(const std::vector<MergeWork>& works) {
  const auto blocked = [](std::string why) {
    return MergeResult{MergeEnd::blocked, 1, {}, {}, std::move(why)};
  };
  std::vector<MergeWork> known;
  for (const MergeWork& work : works) {
    const Result<std::string> commit = repository().commit_of(work.commit);
    if (!commit) return fail(commit.error());
    if (commit->empty()) break;
    known.push_back(work);
  }
  if (known.empty())
    return blocked(fmt::format("commit {} is not in this repository: fetch it", works.front().commit));
  for (int i = 0; i < tries_max; ++i) {
    const Result<std::string> begins_at = target();
    if (!begins_at) return fail(begins_at.error());
    const Result<bool> already = is_ancestor(repository(), known.front().commit, *begins_at);
    if (!already) return fail(already.error());
    if (*already) return MergeResult{MergeEnd::already, 1, *begins_at, {}, {}};
    // Before a check that may take long.
    Result<std::string> in_the_way = obstacle();
    if (!in_the_way) return fail(in_the_way.error());
    if (!in_the_way->empty()) return blocked(std::move(*in_the_way));
    Result<MergeResult> result = attempt(known, *begins_at);
    if (!result || result->end != MergeEnd::merged) return result;
    std::string why;
    const Result<bool> moved = advance(*begins_at, result->target, why);
    if (!moved) return fail(moved.error());
    if (*moved) {
      without_ = {result->target, true, {}};
      return result;
    }
    if (!why.empty()) return blocked(std::move(why));
  }
  return blocked(fmt::format("{} moves all the time", place_.into));
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
