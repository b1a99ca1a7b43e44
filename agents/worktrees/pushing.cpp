#include "agents/worktrees/pushing.hpp"

#include <algorithm>

#include "agents/worktrees/worktree.hpp"
#include "blackboard/fmt.hpp"

namespace bidboard {
namespace {

/// A look at what waits must not hang where the network does.
constexpr Duration look_time_max = seconds(15);

/// What stands after "[remote rejected]", and what the remote said.
std::string refusal_in(const GitRun& run) {
  const std::size_t from = run.output.find("[remote rejected]");
  const std::size_t end = run.output.find('\n', from);
  return fmt::format("{}; {}", run.output.substr(from, end - from), said(run));
}

/// The remote's branch is chosen by what an agent reported: only names that belong to the task.
bool belongs_to(const std::string& branch, TaskId task) {
  if (branch == branch_of(task)) return true;
  const std::string kept = kept_branch_of(task, {});
  return branch.starts_with(kept) && branch.size() > kept.size() &&
         branch.find_first_not_of("0123456789abcdef", kept.size()) == std::string::npos;
}

}  // namespace

Result<Pushing> Pushing::to(const std::string& folder, const std::string& remote, bool rehearses) {
  Pushing pushing(Git(folder), remote, rehearses);
  const Result<GitRun> listed = pushing.git_.run({"remote"});
  if (!listed) return fail(listed.error());
  if (listed->status != 0) return fail(Errc::not_found, fmt::format("{}: {}", folder, said(*listed)));
  if (("\n" + listed->output).find("\n" + remote + "\n") == std::string::npos)
    return fail(Errc::not_found,
                fmt::format("the repository of {} has no remote '{}'; `git -C {} remote` lists them", folder,
                            remote, folder));
  const Result<GitRun> fits = pushing.git_.run({"check-ref-format", pushing.marks() + "t1"});
  if (!fits) return fail(fits.error());
  if (fits->status != 0)
    return fail(Errc::invalid,
                fmt::format("'{}' cannot be a part of a ref's name; `git remote rename` changes it", remote));
  const Result<std::string> marks =
      pushing.git_.ask({"for-each-ref", "--format=%(refname) %(objectname)", pushing.marks()});
  if (!marks) return fail(marks.error());
  pushing.pushed_ = "\n" + *marks + "\n";
  return pushing;
}

std::string Pushing::marks() const { return fmt::format("refs/bidboard/pushed/{}/tasks/", remote_); }

bool Pushing::was_pushed(TaskId task, const std::string& commit) const {
  return pushed_.find(fmt::format("\n{}{} {}\n", marks(), task, commit)) != std::string::npos;
}

Result<std::set<std::string>> Pushing::lacking(const std::vector<std::string>& commits) const {
  const std::set<std::string> all(commits.begin(), commits.end());
  if (all.empty()) return all;
  const Result<GitRun> told = git_.run({"ls-remote", "--", remote_, "HEAD"}, {}, look_time_max);
  if (!told) return all;
  const std::string head = told->output.substr(0, told->output.find('\t'));
  const Result<std::string> known =
      told->status == 0 && !head.empty() ? git_.commit_of(head) : Result<std::string>(std::string());
  if (!known) return fail(known.error());
  return known->empty() ? all : git_.lacking(commits, {*known});
}

Result<void> Pushing::push(TaskId task, const std::string& branch, const std::string& commit) {
  if (!belongs_to(branch, task))
    return fail(Errc::refused, fmt::format("its branch, '{}', is not one of {}", branch, task));
  const Result<std::string> known = git_.commit_of(commit);
  if (!known) return fail(known.error());
  if (*known != commit)
    return fail(
        Errc::not_found,
        fmt::format("its commit {} is not in this repository: it was done on another machine or in another "
                    "repository; push it there",
                    commit.substr(0, 12)));
  std::vector<std::string> words{"push",
                                 "--quiet",
                                 "--porcelain",
                                 "--no-follow-tags",
                                 "--recurse-submodules=no",
                                 "--",
                                 remote_,
                                 fmt::format("{}:refs/heads/{}", commit, branch)};
  if (rehearses_) words.insert(words.begin() + 1, "--dry-run");
  const Result<GitRun> done = git_.run(words);
  if (!done) return fail(done.error());
  // A line of --porcelain: "!", the refs, and why, with tabs between.
  const auto tells = [&](std::string_view word) { return done->output.find(word) != std::string::npos; };
  if (done->status != 0 && tells("[rejected]"))
    return fail(Errc::conflict, fmt::format("{} of {} has commits that this work lacks, and stays as it is; "
                                            "`git push --force {} {}:refs/heads/{}` would throw them away",
                                            branch, remote_, remote_, commit.substr(0, 12), branch));
  if (done->status != 0 && tells("[remote rejected]"))
    return fail(Errc::refused, fmt::format("{} does not take it: {}", remote_, refusal_in(*done)));
  if (done->status != 0)
    return fail(Errc::unavailable, fmt::format("{} cannot be reached: {}", remote_, said(*done)));
  const Result<std::string> marked = git_.ask({"update-ref", fmt::format("{}{}", marks(), task), commit});
  if (!marked) return fail(marked.error());
  pushed_ += fmt::format("{}{} {}\n", marks(), task, commit);
  return {};
}

}  // namespace bidboard
