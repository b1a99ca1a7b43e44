#include "agents/worktrees/branches.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "blackboard/fmt.hpp"

namespace bidboard {
namespace {

namespace fs = std::filesystem;

/// The words of a file, or of its first line; none: there is no such file.
std::vector<std::string> words_in(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(std::move(word));
  return words;
}

bool has_word(const fs::path& file, const std::string& word) {
  const std::vector<std::string> words = words_in(file);
  return std::ranges::find(words, word) != words.end();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(std::move(line));
  return lines;
}

/// What git keeps of a worktree: .git of the first one, .git/worktrees/NAME of the others.
struct GitFolder {
  fs::path state;
  fs::path folder;
};
Result<std::vector<GitFolder>> git_folders(const Git& git) {
  const Result<std::string> common = git.ask({"rev-parse", "--path-format=absolute", "--git-common-dir"});
  if (!common) return fail(common.error());
  std::vector<GitFolder> found{{*common, fs::path(*common).parent_path()}};
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(fs::path(*common) / "worktrees", error)) {
    std::ifstream in(entry.path() / "gitdir", std::ios::binary);
    std::string link;
    if (std::getline(in, link)) found.push_back({entry.path(), fs::path(link).parent_path()});
  }
  return found;
}

/// HEAD of a worktree in which the branch is rebased or bisected is at a commit, so that git does not list
/// the branch as checked out there, and yet refuses to move it (`git branch -f`).
std::string doing_with(const fs::path& state, const std::string& branch) {
  const std::string ref = "refs/heads/" + branch;
  for (const char* file : {"rebase-merge/head-name", "rebase-apply/head-name", "rebase-merge/update-refs"})
    if (has_word(state / file, ref)) return "rebased";
  return has_word(state / "BISECT_START", branch) ? "bisected" : "";
}

Result<fs::path> state_of(const Git& git) {
  const Result<std::string> state = git.ask({"rev-parse", "--absolute-git-dir"});
  if (!state) return fail(state.error());
  return fs::path(*state);
}

/// Commits at which HEAD was, the latest first, without those that were amended.
Result<std::vector<std::string>> way_of_head(const Git& git) {
  const Result<std::string> log = git.ask({"log", "--walk-reflogs", "--format=%H %gs", "HEAD", "--"});
  if (!log) return fail(log.error());
  std::vector<std::string> way;
  bool amended = false;
  for (const std::string& line : lines_of(*log)) {
    const std::size_t end = line.find(' ');
    if (!amended) way.push_back(line.substr(0, end));
    amended = line.compare(end + 1, 14, "commit (amend)") == 0;
  }
  return way;
}

}  // namespace

Result<Checkout> checkout_of(const Git& git, const std::string& branch) {
  const Result<std::string> list = git.ask({"worktree", "list", "--porcelain", "-z"});
  if (!list) return fail(list.error());
  std::string folder;
  for (const std::string& line : split_zeros(*list)) {
    if (line.starts_with("worktree ")) folder = line.substr(9);
    if (line == "branch refs/heads/" + branch) return Checkout{folder, {}};
  }
  const Result<std::vector<GitFolder>> all = git_folders(git);
  if (!all) return fail(all.error());
  for (const GitFolder& at : *all)
    if (std::string doing = doing_with(at.state, branch); !doing.empty())
      return Checkout{at.folder.string(), std::move(doing)};
  return Checkout{};
}

Result<bool> is_ancestor(const Git& git, const std::string& older, const std::string& newer) {
  return git.holds({"merge-base", "--is-ancestor", older, newer});
}

Result<std::string> branch_with(const Git& git, const std::string& commit) {
  return git.ask({"for-each-ref", "--contains", commit, "--format=%(refname:short)", "--sort=refname",
                  "--count=1", "refs/heads/"});
}

Result<std::string> unfinished_in(const Git& git) {
  const Result<fs::path> state = state_of(git);
  if (!state) return fail(state.error());
  struct Sign {
    const char* file;
    const char* words;
  };
  constexpr Sign signs[] = {
      {"rebase-merge", "a rebase is under way in it: end it with `git rebase --continue` or `--abort`"},
      {"rebase-apply/applying", "`git am` is under way in it: end it with `git am --continue` or `--abort`"},
      {"rebase-apply", "a rebase is under way in it: end it with `git rebase --continue` or `--abort`"},
      {"sequencer",
       "a cherry-pick or revert of several commits is under way in it: end it with `git cherry-pick "
       "--continue` or `git revert --continue`, or with `--abort`"},
      {"BISECT_LOG", "a bisection is under way in it: end it with `git bisect reset`"},
  };
  std::error_code error;
  for (const Sign& sign : signs)
    if (fs::exists(*state / sign.file, error)) return std::string(sign.words);
  return std::string();
}

Result<std::vector<std::string>> left_behind(const Git& git) {
  const Result<fs::path> state = state_of(git);
  if (!state) return fail(state.error());
  Result<std::vector<std::string>> seen = way_of_head(git);
  if (!seen) return fail(seen.error());
  // Where a rebase began, and what `--autostash` has put aside.
  for (const char* file :
       {"rebase-merge/orig-head", "rebase-apply/orig-head", "rebase-merge/autostash",
        "rebase-apply/autostash", "MERGE_AUTOSTASH", "ORIG_HEAD", "sequencer/head", "BISECT_START"})
    for (const std::string& word : words_in(*state / file)) seen->push_back(word);
  std::string names;
  for (const std::string& commit : *seen)
    if ((commit.size() == 40 || commit.size() == 64) &&
        commit.find_first_not_of("0123456789abcdef") == std::string::npos)
      names += commit + "\n";
  if (names.empty()) return std::vector<std::string>();
  const Result<std::string> lost = git.ask(
      {"rev-list", "--ignore-missing", "--parents", "--stdin", "--not", "--branches", "--tags", "--remotes"},
      names);
  if (!lost) return fail(lost.error());
  std::vector<std::string> tips;
  std::set<std::string> parents;
  for (const std::string& line : lines_of(*lost)) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    tips.push_back(word);
    while (words >> word) parents.insert(word);
  }
  std::erase_if(tips, [&](const std::string& commit) { return parents.contains(commit); });
  return tips;
}

Result<void> forget_what_was_left(const Git& git) {
  const Result<fs::path> state = state_of(git);
  if (!state) return fail(state.error());
  // It would become an entry of `git stash`, which all worktrees share with the user.
  std::error_code error;
  for (const char* aside : {"rebase-merge/autostash", "rebase-apply/autostash"})
    fs::remove(*state / aside, error);
  for (const char* what : {"rebase", "cherry-pick", "revert", "am"})
    static_cast<void>(git.run({what, "--quit"}));  // fails if it is not under way
  static_cast<void>(git.run({"bisect", "reset", "HEAD"}));
  if (auto gone = git.ask({"update-ref", "-d", "ORIG_HEAD"}); !gone) return fail(gone.error());
  if (auto gone = git.ask({"reflog", "expire", "--expire=all", "HEAD"}); !gone) return fail(gone.error());
  return {};
}

}  // namespace bidboard
