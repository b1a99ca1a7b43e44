// One long-lived child, in any language, that does tasks and answers bid questions over JSON lines;
// docs/coprocess.md is its side of the contract. It runs under a guard for as long as it lives and is started
// when first needed. When it dies, its tasks end as `unknown`, and it is started again, after a growing
// pause, when there is work. Lines that are not understood are counted and logged, never fatal.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agents/executor.hpp"
#include "agents/executors/line_splitter.hpp"
#include "agents/executors/output_log.hpp"
#include "agents/executors/piped_process.hpp"
#include "agents/executors/surroundings.hpp"

namespace bidboard {

struct CoprocessOptions {
  Workplace place;
  std::string exec;  ///< a shell command
  bool bids = true;  ///< it answers bid requests
  Duration bid_timeout = seconds(10);
  Duration cancel_grace =
      seconds(5);  ///< a child that has not answered a cancel by then is stopped, with all its tasks
  Duration lock_wait = seconds(30);  ///< for an earlier execution of the same task on this machine
  Duration restart_least = seconds(1);
  Duration restart_most = minutes(1);
  Duration grace = seconds(1);  ///< between TERM and KILL
  std::size_t line_limit = std::size_t{1} << 20;
  std::uint64_t output_limit = std::uint64_t{16} << 20;
};

class CoprocessExecutor final : public Executor {
 public:
  explicit CoprocessExecutor(CoprocessOptions options);
  /// Stops the child and waits until it is gone.
  ~CoprocessExecutor() override;

  Result<void> start(const Assignment& assignment, Now now) override;
  void stop(TaskId task, Epoch epoch, const std::string& reason, Now now) override;
  void add_poll(std::vector<PollItem>& items) const override;
  std::vector<ExecutionEvent> pump(Now now) override;
  Instant next_wakeup() const override;
  std::size_t running() const override { return jobs_.size(); }
  bool answers_bids() const override { return options_.bids; }
  void ask_bid(const BidQuestion& question, Now now) override;

  /// How many lines were not understood, in total.
  std::uint64_t malformed_lines() const { return malformed_; }

 private:
  using Key = std::pair<TaskId, Epoch>;
  struct Job;
  struct Inquiry {
    TaskId task;
    Instant deadline;
  };

  std::string text_of(const Value* value) const;
  bool child_ready(Now now);
  void begin_waiting_jobs(Now now);
  void hand_over(Job& job, Now now);
  void cancel(Job& job, Ending ending, const std::string& reason, Now now);
  void keep_deadlines(Now now);
  void take_line(const std::string& line, Now now);
  void take_job_line(std::string_view type, const Value& line, Now now);
  void cannot_work(Job& job, const Value& line, Now now);
  void take_bid_line(std::string_view type, const Value& line);
  void log_line(const Value& line);
  void complain(const std::string& what);
  void tell_all(const std::string& what);
  void child_ended(const GuardReport& report, Now now);
  void end(Job& job, Ending ending, std::string reason, Now now);
  void refuse(std::uint64_t request, Refusal why);

  CoprocessOptions options_;
  LineSplitter lines_;
  std::optional<PipedProcess> child_;
  RedactedStream hidden_;               ///< its stderr
  std::optional<OutputLog> child_log_;  ///< its stderr, and lines that belong to no task
  std::string child_errors_;            ///< the end of its stderr
  Instant restart_at_{};                ///< not restarted before then
  Duration restart_pause_{};            ///< the next pause; grows with each death, is reset by each result
  std::map<Key, std::unique_ptr<Job>> jobs_;
  std::map<std::uint64_t, Inquiry> inquiries_;
  std::vector<ExecutionEvent> events_;
  std::uint64_t malformed_ = 0;
};

}  // namespace bidboard
