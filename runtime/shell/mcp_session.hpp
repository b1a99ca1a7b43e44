// One MCP session: which board it is on, and who it is. Inside a task's process it acts as the task's agent
// (BIDBOARD_TOKEN), and what the token forbids stays forbidden; otherwise it becomes an agent of its own when
// it first claims or comments.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "runtime/drivers/call.hpp"
#include "runtime/shell/board_view.hpp"
#include "runtime/shell/caller.hpp"
#include "runtime/shell/command.hpp"

namespace bidboard {

struct McpIdentity {
  std::string name;                 ///< --as; empty: made from the client's name on first use
  std::vector<std::string> skills;  ///< NAME or NAME=LEVEL, set with each claim
};

class McpSession {
 public:
  McpSession(Globals globals, McpIdentity identity)
      : globals_(std::move(globals)), identity_(std::move(identity)), token_(caller().token) {}

  /// `client`: what the client calls itself, asked when the session needs a name.
  void meet(std::function<std::string()> client) { client_ = std::move(client); }

  /// The board as it is now. Errors: as BoardView::open.
  Result<BoardView> look() const { return BoardView::open(globals_); }
  /// Whether there is a board to send requests to. Errors: as find_target.
  Result<void> find() const;
  /// May be called for each write. `command`: the shell's word for what the request does. Errors: refused
  /// (the token forbids it, or the token of the session's task did not arrive); those of call().
  template <class Expected>
  Result<Expected> ask(std::string_view command, RequestBody body) {
    if (const Result<void> may = may_write(command); !may) return fail(may.error());
    const Result<Target> target = find_target(globals_);
    if (!target) return fail(target.error());
    return call_for<Expected>(*target, std::move(body), caller(token_.empty() ? name() : std::string()));
  }

  /// A session that has not claimed or commented yet is no agent: it posts without a name. Errors: as ask().
  Result<Posted> post(Post request);

  /// Whether another attempt to claim can have another outcome than the last one: the board has changed, or
  /// two seconds are over, after which a back-off may have ended. Notes the attempt.
  bool may_try_again();

  bool has_token() const { return !token_.empty(); }
  /// The agent of the session. REQUIRES: no token.
  const std::string& name();
  const std::vector<std::string>& skills() const { return identity_.skills; }

  /// A task that this session claimed, until it has given it back.
  struct Held {
    TaskId task;
    Epoch epoch;
  };
  void hold(TaskId task, Epoch epoch);
  void release(TaskId task);
  /// The task that is meant: the one named, else the token's, else the only one that is held. Its epoch is 0
  /// if it was not claimed here. Errors: invalid, with what to do.
  Result<Held> meant(const std::string& task) const;

 private:
  Result<void> may_write(std::string_view command) const;

  Globals globals_;
  McpIdentity identity_;
  std::string token_;
  std::function<std::string()> client_;
  std::vector<Held> held_;
  Seq tried_at_;  ///< the board's last event before the last attempt to claim
  Instant tried_when_;
};

}  // namespace bidboard
