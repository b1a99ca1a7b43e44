// Live bids by a command: `--bid CMD` gets the task as JSON on its input, with the related tasks on offer as
// "related", and prints a bid or a refusal (read_bid in surroundings.hpp). Each command runs under a guard
// with a time limit; a few run at once, the others wait. For one thread.
#pragma once

#include <deque>
#include <list>
#include <string>
#include <vector>

#include "agents/executor.hpp"
#include "agents/executors/piped_process.hpp"
#include "agents/executors/surroundings.hpp"

namespace bidboard {

struct BidCommandOptions {
  Workplace place;  ///< open
  std::string command;
  Duration timeout = seconds(10);  ///< of one answer, counted from the command's start
  std::size_t at_once = 4;
};

class BidCommand {
 public:
  explicit BidCommand(BidCommandOptions options) : options_(std::move(options)) {}
  ~BidCommand();

  /// A BidAnswered follows: a command that fails, is too slow or prints no bid counts as a refusal.
  void ask(const BidQuestion& question, Now now);
  void add_poll(std::vector<PollItem>& items) const;
  std::vector<ExecutionEvent> pump(Now now);
  Instant next_wakeup() const;

 private:
  struct Inquiry {
    std::uint64_t request;
    TaskId task;
    PipedProcess process;
    RedactedStream hidden;
    std::string answer = {};
    std::string errors = {};
  };

  void begin_waiting(Now now);
  void begin(const BidQuestion& question, Now now);
  void refuse(std::uint64_t request, TaskId task, Refusal why);
  BidAnswered conclude(const Inquiry& inquiry, const GuardReport& report) const;
  BidAnswered answer_of(const Inquiry& inquiry, const GuardReport& report) const;

  BidCommandOptions options_;
  std::deque<BidQuestion> waiting_;
  std::list<Inquiry> running_;
  std::vector<ExecutionEvent> events_;
};

}  // namespace bidboard
