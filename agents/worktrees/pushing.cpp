#include "agents/worktrees/pushing.hpp"

#include "blackboard/fmt.hpp"

namespace bidboard {

Result<Pushing> Pushing::to(const std::string& folder, const std::string& remote, bool rehearses) {
  Git git(folder);
  const Result<GitRun> listed = git.run({"remote"});
  if (!listed) return fail(listed.error());
  if (listed->status != 0) return fail(Errc::not_found, fmt::format("{}: {}", folder, said(*listed)));
  if (("\n" + listed->output).find("\n" + remote + "\n") == std::string::npos)
    return fail(Errc::not_found,
                fmt::format("the repository of {} has no remote '{}'; `git -C {} remote` lists them", folder,
                            remote, folder));
  return Pushing(std::move(git), remote, rehearses);
}

std::string Pushing::mark_of(TaskId task) const {
  return fmt::format("refs/bidboard/pushed/{}/{}", remote_, task);
}

Result<bool> Pushing::was_pushed(TaskId task, const std::string& commit) const {
  const Result<std::string> mark = git_.commit_of(mark_of(task));
  if (!mark) return fail(mark.error());
  return *mark == commit;
}

Result<void> Pushing::push(TaskId task, const std::string& branch, const std::string& commit) const {
  std::vector<std::string> words{"push", "--quiet", "--porcelain", remote_,
                                 fmt::format("{}:refs/heads/{}", commit, branch)};
  if (rehearses_) words.insert(words.begin() + 1, "--dry-run");
  const Result<GitRun> done = git_.run(words);
  if (!done) return fail(done.error());
  if (done->status != 0) {
    // A line of --porcelain: "!", the refs, and why, with tabs between.
    if (done->output.find("[rejected]") != std::string::npos)
      return fail(
          Errc::conflict,
          fmt::format("{} of {} has commits that this work lacks; `git push --force {} {}:{}` replaces them",
                      branch, remote_, remote_, commit.substr(0, 12), branch));
    return fail(Errc::unavailable, fmt::format("{} does not take it: {}", remote_, said(*done)));
  }
  if (rehearses_) return {};
  const Result<std::string> marked = git_.ask({"update-ref", mark_of(task), commit});
  if (!marked) return fail(marked.error());
  return {};
}

}  // namespace bidboard
