// A board whose folder is a git repository.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "blackboard/fmt.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/test_board.hpp"

namespace bidboard::testing {

struct Project {
  TestBoard board;

  Project() {
    git({"init", "-q", "-b", "main"});
    board.write(".git/info/exclude", "*.yaml\n*.sh\n/begun\n/go\n");
    board.write("shared.txt", "one\n");
    commit("begin");
  }
  std::string git(std::vector<std::string> words) const {
    words.insert(words.begin(), {"git", "-C", board.home(), "-c", "user.name=U", "-c", "user.email=u@x"});
    const Finished done = run_program(std::move(words), board.surroundings());
    INFO(done.err);
    REQUIRE(done.exit_code == 0);
    return done.out.substr(0, done.out.find_last_not_of('\n') + 1);
  }
  void commit(const std::string& message) const {
    git({"add", "-A"});
    git({"commit", "-q", "-m", message});
  }
  std::string files(const std::string& commit) const { return git({"ls-tree", "-r", "--name-only", commit}); }
  /// An agent whose work on each task is a file of its own.
  Process worker() const {
    return board.agent("hand",
                       {"--worktree", "task", "--exec", "cat > /dev/null; echo x > $BIDBOARD_TASK.txt"});
  }
  bool no_worktrees() const {
    const std::filesystem::path place = board.home() + "/.bidboard/worktrees";
    return !std::filesystem::exists(place) || std::filesystem::is_empty(place);
  }
};

}  // namespace bidboard::testing
