#include "runtime/shell/own_work.hpp"

#include <cstdlib>

#include "agents/worktrees/in_worktree.hpp"

namespace bidboard {

Result<SavedWork> save_own_work(TaskId task) {
  const char* path = std::getenv(worktree_variable);
  const char* own = std::getenv("BIDBOARD_TASK");
  if (!path || !own || to_string(task) != own) return SavedWork{};
  return save_worktree(path);
}

}  // namespace bidboard
