#include "agents/worktrees/worktree.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "agents/worktrees/branches.hpp"
#include "blackboard/fmt.hpp"

namespace bidboard {
namespace {

namespace fs = std::filesystem;

/// How long the worktree of an agent may take to become free: as for a task's lock.
constexpr std::chrono::seconds lock_wait(30);
constexpr std::chrono::milliseconds lock_look(20);
constexpr int publish_tries = 5;

/// Whether the folder itself is a worktree, not just a folder somewhere inside of one.
bool is_worktree(const std::string& path) {
  std::error_code error;
  if (!fs::is_regular_file(fs::path(path) / ".git", error)) return false;
  const Result<std::string> top = Git(path).ask({"rev-parse", "--show-toplevel"});
  return top && fs::equivalent(*top, path, error) && !error;
}

Result<bool> has_changes(const Git& git) {
  const Result<std::string> status =
      git.ask({"status", "--porcelain", "-z", "--untracked-files=normal", "--ignore-submodules=none"});
  if (!status) return fail(status.error());
  return !status->empty();
}

/// Files in which the attempt was to resolve a conflict, and in which the markers still are.
Result<std::string> with_markers(const Git& git) {
  const Result<std::string> list = git.ask({"diff", "--name-only", "--diff-filter=U", "-z"});
  if (!list) return fail(list.error());
  std::string found;
  for (const std::string& name : split_zeros(*list)) {
    std::ifstream in(fs::path(git.folder()) / name, std::ios::binary);
    for (std::string line; std::getline(in, line);) {
      if (!line.starts_with("<<<<<<< ") && !line.starts_with(">>>>>>> ")) continue;
      found += (found.empty() ? "" : ", ") + name;
      break;
    }
  }
  return found;
}

/// A repository inside the worktree is not work that a commit can hold: it would be stored as a link to
/// nowhere, and git refuses one without a commit. It stays where it is, and so does the worktree.
Result<void> add_all(const Git& git) {
  const Result<std::string> untracked =
      git.ask({"ls-files", "--others", "--exclude-standard", "--full-name", "-z", "--", ":/"});
  if (!untracked) return fail(untracked.error());
  std::vector<std::string> arguments{"add", "--all", "--", ":/"};
  for (const std::string& name : split_zeros(*untracked))
    if (name.ends_with('/')) arguments.push_back(":(exclude,top,literal)" + name);
  if (auto added = git.ask(arguments); !added) return fail(added.error());

  // Those that the attempt has added itself.
  const Result<std::string> list =
      git.ask({"diff", "--cached", "--raw", "-z", "--no-renames", "--diff-filter=A", "HEAD"});
  if (!list) return fail(list.error());
  const std::vector<std::string> parts = split_zeros(*list);
  for (std::size_t i = 0; i + 1 < parts.size(); i += 2) {
    if (!parts[i].starts_with(":000000 160000")) continue;
    const Result<std::string> removed =
        git.ask({"--literal-pathspecs", "rm", "--cached", "-q", "-f", "--", parts[i + 1]});
    if (!removed) return fail(removed.error());
  }
  return {};
}

Result<void> commit_all(const Git& git, const WorktreeMark& mark) {
  if (auto added = add_all(git); !added) return added;
  const Result<bool> same = git.holds({"diff", "--cached", "--quiet", "HEAD"});
  if (!same) return fail(same.error());
  const Result<std::string> merging = git.commit_of("MERGE_HEAD");
  if (!merging) return fail(merging.error());
  if (*same && merging->empty()) return {};
  const auto made = git.commit({"commit", "--quiet", "--no-verify", "--file=-"}, message_of(mark));
  if (!made) return fail(made.error());
  return {};
}

Result<std::string> keep(const Git& git, TaskId task, const std::string& commit) {
  std::string branch = kept_branch_of(task, commit);
  const auto made = git.ask({"update-ref", "refs/heads/" + branch, commit});
  if (!made) return fail(made.error());
  return branch;
}

/// What the attempt has committed and moved away from.
Result<void> keep_what_was_left(const Git& git, TaskId task) {
  const Result<std::vector<std::string>> commits = left_behind(git);
  if (!commits) return fail(commits.error());
  for (const std::string& commit : *commits)
    if (auto kept = keep(git, task, commit); !kept) return fail(kept.error());
  return {};
}

/// Moves the task's branch to the commit, by compare-and-swap; what it was at is kept if it would be lost.
Result<SavedWork> publish(const Git& git, TaskId task, const std::string& commit) {
  const std::string branch = branch_of(task);
  const std::string ref = "refs/heads/" + branch;
  std::string trouble;
  for (int i = 0; i < publish_tries; ++i) {
    const Result<std::string> old = git.commit_of(ref);
    if (!old) return fail(old.error());
    if (*old == commit) return SavedWork{branch, commit};
    const Result<Checkout> there = checkout_of(git, branch);
    if (!there) return fail(there.error());
    if (!there->folder.empty()) {
      Result<std::string> kept = keep(git, task, commit);
      if (!kept) return fail(kept.error());
      return SavedWork{std::move(*kept), commit};
    }
    if (!old->empty()) {
      const Result<bool> goes_on = is_ancestor(git, *old, commit);
      if (!goes_on) return fail(goes_on.error());
      if (!*goes_on)
        if (auto kept = keep(git, task, *old); !kept) return fail(kept.error());
    }
    const std::string expected = old->empty() ? std::string(commit.size(), '0') : *old;
    const Result<GitRun> moved = git.run({"update-ref", "-m", "bidboard", ref, commit, expected});
    if (!moved) return fail(moved.error());
    if (moved->status == 0) return SavedWork{branch, commit};
    trouble = said(*moved);
  }
  return fail(Errc::failed, fmt::format("branch {} cannot be moved: {}", branch, trouble));
}

Result<TaskLock> lock_of(const std::string& path, bool wait) {
  const fs::path at(path);
  const Folder folder(at.parent_path().string());
  const std::string name = at.filename().string() + ".lock";
  const auto until = std::chrono::steady_clock::now() + lock_wait;
  TaskLock lock;
  while (true) {
    const Result<bool> taken = lock.try_take(folder, name);
    if (!taken) return fail(taken.error());
    if (*taken) return lock;
    if (!wait || std::chrono::steady_clock::now() >= until)
      return fail(Errc::conflict, fmt::format("another process works in {}", path));
    std::this_thread::sleep_for(lock_look);
  }
}

/// Left by a git command that was killed; nobody works in the worktree, since its lock is ours.
void remove_stale_locks(const Git& git) {
  for (const char* name : {"index.lock", "HEAD.lock", "MERGE_HEAD.lock"}) {
    const Result<std::string> file = git.ask({"rev-parse", "--path-format=absolute", "--git-path", name});
    std::error_code error;
    if (file) fs::remove(*file, error);
  }
}

/// Saves and removes what earlier attempts of the task have left. What cannot be saved stays.
void take_up_leftovers(const WorktreeOrder& order) {
  const std::string prefix = to_string(order.mark.task) + ".e";
  std::error_code error;
  std::vector<std::string> paths;
  for (const fs::directory_entry& entry : fs::directory_iterator(order.place, error))
    if (entry.is_directory(error) && entry.path().filename().string().starts_with(prefix))
      paths.push_back(entry.path().string());
  for (const std::string& path : paths) {
    const Result<TaskLock> lock = lock_of(path, false);
    if (!lock || !is_worktree(path)) continue;
    remove_stale_locks(Git(path));
    std::string why;
    if (rescue_worktree(path)) static_cast<void>(close_worktree(path, why));
  }
}

/// The agent's worktree goes from its last task to the next one. What the last one left is saved first.
Result<void> go_on_in(const std::string& path, const std::string& base) {
  const Git git(path);
  if (!is_worktree(path))
    return fail(Errc::failed, fmt::format("{} is in the way: git knows no worktree there", path));
  remove_stale_locks(git);
  if (read_mark(git))
    if (const auto saved = rescue_worktree(path); !saved) return fail(saved.error());
  const Result<bool> dirty = has_changes(git);
  if (!dirty) return fail(dirty.error());
  if (*dirty)
    return fail(Errc::conflict,
                fmt::format("it has changes that cannot be committed: see `git -C {} status`", path));
  if (auto gone = forget_what_was_left(git); !gone) return gone;
  const auto there = git.ask({"checkout", "--quiet", "--detach", base});
  if (!there) return fail(there.error());
  return {};
}

/// Of an agent whose worktree could not go on there are several: agent-ann, agent-ann.2, ... Its last one.
std::uint64_t number_of_last(const std::string& path) {
  const std::string prefix = fs::path(path).filename().string() + ".";
  std::uint64_t last = 1;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(fs::path(path).parent_path(), error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix) || !entry.is_directory(error)) continue;
    std::uint64_t number = 0;
    const auto read = std::from_chars(name.data() + prefix.size(), name.data() + name.size(), number);
    if (read.ptr == name.data() + name.size()) last = std::max(last, number);
  }
  return last;
}

/// Locked, at the commit, without the work of needs. An agent's worktree that cannot go on stays as it is,
/// for people, and a fresh one is opened.
Result<OpenWorktree> enter(const WorktreeOrder& order, const Git& repository, const std::string& base) {
  const std::string first = (fs::path(order.place) / worktree_name(order)).string();
  std::uint64_t number = order.per_agent ? number_of_last(first) : 1;
  for (std::string note;; ++number) {
    const std::string path = number == 1 ? first : fmt::format("{}.{}", first, number);
    Result<TaskLock> lock = lock_of(path, true);
    if (!lock) return fail(lock.error());
    std::error_code error;
    if (!fs::exists(path, error) || fs::is_empty(path, error)) {
      // Twice --force: an earlier worktree of this name was deleted by hand, and git still knows it.
      const auto made =
          repository.ask({"worktree", "add", "--quiet", "--force", "--force", "--detach", path, base});
      if (!made) return fail(made.error());
      return OpenWorktree{path, {}, std::move(*lock), std::move(note)};
    }
    const Result<void> ready = go_on_in(path, base);
    if (ready) return OpenWorktree{path, {}, std::move(*lock), {}};
    if (!order.per_agent || ready.error().code == Errc::unavailable) return fail(ready.error());
    note = fmt::format("the worktree {} stays, and a fresh one is used: {}", path, ready.error().text);
  }
}

Result<void> merge_needs(const Git& git, const WorktreeOrder& order) {
  for (const NeedWork& need : order.works) {
    const Result<std::string> known = git.commit_of(need.commit);
    if (!known) return fail(known.error());
    if (known->empty())
      return fail(Errc::failed, fmt::format("commit {} of {} is not in this repository: {} was done on "
                                            "another machine or in another repository; fetch its branch",
                                            need.commit, need.task, need.task));
    const Result<GitRun> merged = git.run_as_someone(
        {"merge", "--quiet", "--ff", "--no-verify", "--no-edit", "-m",
         fmt::format("{} begins with the work of {}", order.mark.task, need.task), need.commit});
    if (!merged) return fail(merged.error());
    if (merged->status == 0) continue;
    const Result<std::string> names = git.ask({"diff", "--name-only", "--diff-filter=U"});
    static_cast<void>(git.run({"merge", "--abort"}));
    std::string files = names ? *names : "";
    std::ranges::replace(files, '\n', ' ');
    return fail(Errc::conflict,
                files.empty()
                    ? fmt::format("the work of {} cannot be merged: {}", need.task, said(*merged))
                    : fmt::format("the work of {} conflicts with that of the other needed tasks, or with "
                                  "the present commit, in {}; merge bidboard/{} by hand, then retry",
                                  need.task, files, need.task));
  }
  return {};
}

/// The folder in the worktree in which the command runs. It may not lead out of it.
Result<std::string> directory_in(const std::string& path, const std::string& prefix,
                                 const std::string& below) {
  std::error_code error;
  const fs::path top = fs::canonical(path, error);
  const fs::path there = fs::canonical(top / prefix / below, error);
  if (error || !fs::is_directory(there, error))
    // The agent's own folder, for every task alike.
    return fail(below.empty() ? Errc::not_found : Errc::failed,
                fmt::format("{} is no folder in the worktree: is it in a commit?",
                            (fs::path(prefix) / below).string()));
  if (std::ranges::mismatch(top, there).in1 != top.end())
    return fail(Errc::failed, fmt::format("dir {} leads out of the worktree, to {}", below, there.string()));
  return there.string();
}

Result<std::string> base_of(const Git& repository) {
  const Result<GitRun> inside = repository.run({"rev-parse", "--is-inside-work-tree"});
  if (!inside) return fail(inside.error());
  if (inside->status != 0 || inside->output != "true\n")
    return fail(Errc::not_found,
                fmt::format("{} is in no git repository ({}); `worktree:` needs one: git init, or dir: ...",
                            repository.folder(), said(*inside)));
  Result<std::string> base = repository.commit_of("HEAD");
  if (base && base->empty())
    return fail(
        Errc::not_found,
        fmt::format("the repository of {} has no commit yet: a worktree begins at one", repository.folder()));
  return base;
}

}  // namespace

std::string kept_branch_of(TaskId task, const std::string& commit) {
  return fmt::format("bidboard/kept/{}-{}", task, commit.substr(0, 12));
}

std::string branch_of(TaskId task) { return fmt::format("bidboard/{}", task); }

std::string worktree_name(const WorktreeOrder& order) {
  if (!order.per_agent) return fmt::format("{}.e{}", order.mark.task, order.mark.epoch.value);
  // Not a name that an attempt's worktree has, and none that means something to a file system.
  std::string name = "agent-";
  for (const char c : order.mark.agent)
    name += std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_'
                ? std::string(1, c)
                : fmt::format("%{:02x}", static_cast<unsigned char>(c));
  return name;
}

Result<OpenWorktree> open_worktree(const WorktreeOrder& order) {
  const Git repository(order.directory);
  const Result<std::string> base = base_of(repository);
  if (!base) return fail(base.error());
  const Result<std::string> prefix = repository.ask({"rev-parse", "--show-prefix"});
  if (!prefix) return fail(prefix.error());

  std::error_code error;
  fs::create_directories(order.place, error);
  if (error) return fail(Errc::failed, fmt::format("cannot make {}: {}", order.place, error.message()));
  if (!order.per_agent) take_up_leftovers(order);
  Result<OpenWorktree> entered = enter(order, repository, *base);
  if (!entered) return entered;
  OpenWorktree& opened = *entered;
  const Git git(opened.path);
  WorktreeMark mark = order.mark;
  mark.start = *base;
  if (auto written = write_mark(git, mark); !written) return fail(written.error());
  if (auto merged = merge_needs(git, order); !merged) {
    std::string why;
    if (!order.per_agent) static_cast<void>(close_worktree(opened.path, why));
    opened.lock.release();
    return fail(merged.error());
  }
  Result<std::string> directory = directory_in(opened.path, *prefix, order.below);
  if (!directory) return fail(directory.error());
  opened.directory = std::move(*directory);
  return entered;
}

Result<SavedWork> save_worktree(const std::string& path) {
  const Git git(path);
  const std::optional<WorktreeMark> mark = read_mark(git);
  if (!mark) return fail(Errc::failed, fmt::format("{} is no worktree of a task", path));
  const Result<std::string> markers = with_markers(git);
  if (!markers) return fail(markers.error());
  if (!markers->empty())
    return fail(Errc::conflict, fmt::format("conflict markers are left in {}", *markers));
  const Result<std::string> unfinished = unfinished_in(git);
  if (!unfinished) return fail(unfinished.error());
  if (!unfinished->empty()) return fail(Errc::conflict, *unfinished);
  if (auto made = commit_all(git, *mark); !made) return fail(made.error());
  const Result<std::string> head = git.commit_of("HEAD");
  if (!head) return fail(head.error());
  Result<SavedWork> saved = publish(git, mark->task, *head);
  if (!saved) return saved;
  if (auto kept = keep_what_was_left(git, mark->task); !kept) return fail(kept.error());
  return saved;
}

Result<std::string> rescue_worktree(const std::string& path) {
  const Git git(path);
  const std::optional<WorktreeMark> mark = read_mark(git);
  if (!mark) return fail(Errc::failed, fmt::format("{} is no worktree of a task", path));
  if (auto made = commit_all(git, *mark); !made) return fail(made.error());
  const Result<std::string> head = git.commit_of("HEAD");
  if (!head) return fail(head.error());
  const Result<std::string> branch = branch_with(git, *head);
  if (!branch) return fail(branch.error());
  std::string kept;
  if (branch->empty()) {
    Result<std::string> made = keep(git, mark->task, *head);
    if (!made) return made;
    kept = std::move(*made);
  }
  if (auto rest = keep_what_was_left(git, mark->task); !rest) return fail(rest.error());
  return kept;
}

Result<bool> close_worktree(const std::string& path, std::string& why) {
  const Git git(path);
  const Result<bool> dirty = has_changes(git);
  if (!dirty) return fail(dirty.error());
  const Result<std::string> head = git.commit_of("HEAD");
  if (!head) return fail(head.error());
  const Result<std::string> branch = branch_with(git, *head);
  if (!branch) return fail(branch.error());
  const Result<std::vector<std::string>> left = left_behind(git);
  if (!left) return fail(left.error());
  if (*dirty) why = "it has changes that are in no commit";
  if (!left->empty()) why = fmt::format("its commit {} is in no branch", left->front().substr(0, 12));
  if (branch->empty()) why = fmt::format("its commit {} is in no branch", head->substr(0, 12));
  if (!why.empty()) return false;
  // From outside: git refuses again if a file has changed meanwhile.
  const Result<std::string> common = git.ask({"rev-parse", "--path-format=absolute", "--git-common-dir"});
  if (!common) return fail(common.error());
  const Result<GitRun> removed = Git(*common).run({"worktree", "remove", path});
  if (!removed) return fail(removed.error());
  if (removed->status != 0) why = said(*removed);
  return removed->status == 0;
}

Result<std::vector<FoundWorktree>> list_worktrees(const std::string& place) {
  std::error_code error;
  std::vector<FoundWorktree> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(place, error)) {
    // That of a merge is made anew by each one (merging.hpp).
    if (!entry.is_directory(error) || entry.path().filename() == "merge") continue;
    FoundWorktree item;
    item.path = entry.path().string();
    item.in_use = !lock_of(item.path, false).has_value();
    const Git git(item.path);
    if (is_worktree(item.path)) {
      item.mark = read_mark(git);
      const Result<bool> dirty = has_changes(git);
      const Result<std::string> head = git.commit_of("HEAD");
      const Result<std::string> branch = head ? branch_with(git, *head) : head;
      if (dirty) item.dirty = *dirty;
      if (head) item.commit = *head;
      if (branch) item.branch = *branch;
      const Result<std::vector<std::string>> left = left_behind(git);
      if (left) item.unsafe = *left;
      for (const Error* flaw : {dirty ? nullptr : &dirty.error(), branch ? nullptr : &branch.error(),
                                left ? nullptr : &left.error()})
        if (flaw) item.trouble = flaw->text;
    } else {
      item.trouble = "it is no worktree of a repository that git knows";
    }
    found.push_back(std::move(item));
  }
  std::ranges::sort(found, {}, &FoundWorktree::path);
  return found;
}

Result<bool> clean_worktree(const FoundWorktree& found, std::string& why) {
  const Result<TaskLock> lock = lock_of(found.path, false);
  if (!lock) {
    why = "a process works in it";
    return false;
  }
  if (!found.trouble.empty()) {
    why = found.trouble;
    return false;
  }
  remove_stale_locks(Git(found.path));
  if (found.mark)
    if (const auto saved = rescue_worktree(found.path); !saved) return fail(saved.error());
  return close_worktree(found.path, why);
}

}  // namespace bidboard
