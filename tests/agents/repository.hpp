// A git repository in a test's own folder, and attempts at tasks in worktrees of it.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "agents/worktrees/worktree.hpp"
#include "blackboard/fmt.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

namespace bidboard::testing {

namespace fs = std::filesystem;

inline void write(const std::string& path, const std::string& content) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

inline std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return in ? text.str() : "(no such file)";
}

/// A repository with one commit, in a folder whose name is not a plain one. Nobody's own configuration
/// counts.
struct Repository {
  TempDir dir;
  std::string top = dir.path() + "/some work, größer";

  Repository() {
    ::setenv("HOME", dir.path().c_str(), 1);
    ::setenv("XDG_CONFIG_HOME", dir.path().c_str(), 1);
    fs::create_directories(top);
    ask({"init", "-q", "-b", "main"});
    write(top + "/shared.txt", "one\n");
    write(top + "/.gitignore", "*.o\n.bidboard/\n");
    Git(top).ask({"add", "-A"}).value();
    Git(top).commit({"commit", "-q", "-m", "begin"}).value();
  }

  std::string ask(const std::vector<std::string>& arguments) const {
    const Result<std::string> answer = Git(top).ask(arguments);
    INFO((answer ? "" : answer.error().text));
    REQUIRE(answer.has_value());
    return *answer;
  }
  std::string place() const { return top + "/.bidboard/worktrees"; }

  WorktreeOrder order(std::uint64_t task, std::uint64_t epoch = 1) const {
    WorktreeOrder order;
    order.mark = {top + "/.bidboard", TaskId{task}, Epoch{epoch}, "ann", fmt::format("Do part {}", task), {}};
    order.place = place();
    order.directory = top;
    return order;
  }
  OpenWorktree open(const WorktreeOrder& order) const {
    Result<OpenWorktree> opened = open_worktree(order);
    INFO((opened ? "" : opened.error().text));
    REQUIRE(opened.has_value());
    return std::move(*opened);
  }
  SavedWork save(const OpenWorktree& opened) const {
    const Result<SavedWork> saved = save_worktree(opened.path);
    INFO((saved ? "" : saved.error().text));
    REQUIRE(saved.has_value());
    return *saved;
  }
  void close(const OpenWorktree& opened) const {
    std::string why;
    const Result<bool> closed = close_worktree(opened.path, why);
    INFO((closed ? why : closed.error().text));
    REQUIRE(closed.value_or(false));
    CHECK_FALSE(fs::exists(opened.path));
  }
  void user_commits(const std::string& name, const std::string& content) const {
    write(top + "/" + name, content);
    ask({"add", "-A"});
    Git(top).commit({"commit", "-q", "-m", "by the user"}).value();
  }
  /// The branches of ours that have the commit; empty: it can get lost.
  std::string branches_with(const std::string& commit) const {
    return ask({"for-each-ref", "--contains", commit, "--format=%(refname:short)", "refs/heads/bidboard"});
  }
  /// An attempt that writes these files; its commit.
  std::string attempt(const WorktreeOrder& given,
                      const std::vector<std::pair<std::string, std::string>>& files) {
    OpenWorktree opened = open(given);
    for (const auto& [name, content] : files) write(opened.directory + "/" + name, content);
    const std::string commit = save(opened).commit;
    if (!given.per_agent) close(opened);
    return commit;
  }
};

}  // namespace bidboard::testing
