// One process per task, under a guard: `--exec 'claude -p'` works unchanged. The task goes in on stdin, the
// result comes out on stdout, the exit status decides. Everything the command writes goes to
// <board>/output/t12.e1.log at once, up to a limit; output is always read to the end, so that a command that
// prints much never hangs.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agents/clients/client.hpp"
#include "agents/executor.hpp"
#include "agents/executors/bid_command.hpp"
#include "agents/executors/output_log.hpp"
#include "agents/executors/piped_process.hpp"
#include "agents/executors/surroundings.hpp"
#include "agents/token_price.hpp"

namespace bidboard {

enum class TaskInput : std::uint8_t {
  text,  ///< title, blank line, body
  json,  ///< assignment_value() in one line
};

/// Commands run in git worktrees (agents/worktrees/in_worktree.hpp).
struct WorktreeUse {
  std::string program;  ///< path of the shell tool
  bool per_agent = false;
};

struct CommandOptions {
  Workplace place;
  std::string exec;  ///< a shell command; empty: only tasks that bring their own `run`
  TaskInput input = TaskInput::text;
  const CodingClient* client =
      nullptr;             ///< `exec` runs this client of a coding agent, which reads what it prints
  bool allow_run = false;  ///< execute a task's own `run` command (its body on stdin)
  std::string bid;         ///< a shell command for live bids; empty: none
  // Dotted paths into a result that is JSON ("usage.output_tokens"); empty: not reported. With result_field,
  // that field becomes the result.
  std::string price_field;
  std::string tokens_field;
  std::string result_field;
  std::optional<TokenPrice> token_price;  ///< of what tells tokens and no price; none: that is charged 0
  std::uint64_t output_limit = std::uint64_t{16} << 20;
  std::size_t result_limit = std::size_t{1} << 20;
  Duration grace = seconds(1);
  Duration bid_timeout = seconds(10);
  std::optional<WorktreeUse> worktree;  ///< none: they run in the place's directory
};

class CommandExecutor final : public Executor {
 public:
  explicit CommandExecutor(CommandOptions options);
  /// Stops what runs and waits until it is gone.
  ~CommandExecutor() override;

  Result<void> start(const Assignment& assignment, Now now) override;
  void stop(TaskId task, Epoch epoch, const std::string& reason, Now now) override;
  void add_poll(std::vector<PollItem>& items) const override;
  std::vector<ExecutionEvent> pump(Now now) override;
  Instant next_wakeup() const override;
  std::size_t running() const override { return runs_.size(); }
  bool answers_bids() const override { return bids_.has_value(); }
  void ask_bid(const BidQuestion& question, Now now) override;

 private:
  using Key = std::pair<TaskId, Epoch>;
  struct Run;

  Result<std::string> command_for(const TaskSpec& spec) const;
  void serve(const Key& key, Run& run, Now now, std::vector<ExecutionEvent>& events);
  void show_line(Run& run, std::string_view line) const;
  void tell_what_it_does(const Key& key, Run& run, Now now, std::vector<ExecutionEvent>& events) const;
  void read(Run& run, std::string_view output) const;
  Result<void> enter_worktree(const Assignment& assignment, GuardSpec& spec) const;
  ExecutionEnded conclude(const Key& key, Run& run, const GuardReport& report, Now now) const;
  ExecutionEnded end_of(const Key& key, Run& run, const GuardReport& report, Now now) const;
  void take_fields(Run& run, ExecutionEnded& ended) const;
  void take_work(const GuardReport& report, ExecutionEnded& ended) const;
  Micros price_for(Micros told, const TokenUsage& usage) const;
  void judge(Run& run, const GuardReport& report, Now now, ExecutionEnded& ended) const;

  CommandOptions options_;
  std::map<Key, std::unique_ptr<Run>> runs_;
  std::optional<BidCommand> bids_;
};

}  // namespace bidboard
