// The prompt of `bidboard query`, as people know it from sqlite3: a statement goes on over lines until its
// `;`, Ctrl-C drops what is typed, Tab completes, and lines are remembered between sessions. Reads from a
// pipe too, then without a prompt. For one thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "runtime/shell/command.hpp"

namespace bidboard {

struct SqlPrompt {
  /// A whole statement without its `;`, or a line that begins with a point. Its error is printed, and the
  /// prompt goes on.
  std::function<Result<void>(const std::string& statement)> run;
  /// What Tab completes.
  std::vector<std::string> words;
  std::string greeting;
  std::string history_file;  ///< empty: nothing is remembered
};

/// Until `.quit` or the end of input. From a pipe, the first statement that fails ends it. Errors: that
/// statement's.
Result<Exit> run_sql_prompt(const SqlPrompt& prompt);

/// Ctrl-C since the last call, while a statement ran.
bool take_interrupt();

}  // namespace bidboard
