#include "agents/executors/bid_command.hpp"
#include "blackboard/fmt.hpp"

#include <algorithm>
#include <utility>

namespace bidboard {
namespace {

constexpr std::size_t answer_limit = std::size_t{64} << 10;

void append_bounded(std::string& to, std::string_view bytes) {
  to.append(bytes.substr(0, answer_limit - std::min(answer_limit, to.size())));
}

}  // namespace

BidCommand::~BidCommand() {
  for (Inquiry& inquiry : running_) inquiry.process.stop();
}

void BidCommand::ask(const BidQuestion& question, Now now) {
  waiting_.push_back(question);
  begin_waiting(now);
}

void BidCommand::begin_waiting(Now now) {
  while (!waiting_.empty() && running_.size() < options_.at_once) {
    const BidQuestion question = std::move(waiting_.front());
    waiting_.pop_front();
    begin(question, now);
  }
}

void BidCommand::begin(const BidQuestion& question, Now now) {
  if (question.deadline <= now.mono)
    return refuse(question.request, question.task,
                  Refusal{RefusalReason::silent, "its bid command could not be started in time"});
  GuardSpec spec;
  spec.argv = shell_argv(options_.command);
  spec.environment = agent_environment(options_.place);
  spec.environment.push_back(fmt::format("BIDBOARD_TASK={}", question.task));
  work_in(options_.place, spec);
  const Duration left = question.deadline == never ? options_.timeout : question.deadline - now.mono;
  spec.timeout = std::min(options_.timeout, left);
  spec.grace = milliseconds(200);
  auto process = PipedProcess::start(spec);
  if (!process)
    return refuse(question.request, question.task, Refusal{RefusalReason::silent, process.error().text});
  Value task = task_value(question.task, question.spec, question.attempt, question.failures);
  task.set("related", related_value(question.related));
  process->send(to_json(task) + "\n");
  process->end_input();
  running_.push_back(
      Inquiry{question.request, question.task, std::move(*process), RedactedStream(options_.place.redactor)});
}

void BidCommand::refuse(std::uint64_t request, TaskId task, Refusal why) {
  events_.push_back(BidAnswered{request, task, std::move(why)});
}

BidAnswered BidCommand::conclude(const Inquiry& inquiry, const GuardReport& report) const {
  BidAnswered answered = answer_of(inquiry, report);
  if (auto* refusal = std::get_if<Refusal>(&answered.answer))
    refusal->detail = options_.place.redactor.clean(refusal->detail);
  return answered;
}

BidAnswered BidCommand::answer_of(const Inquiry& inquiry, const GuardReport& report) const {
  const auto refused = [&](RefusalReason reason, std::string why) {
    return BidAnswered{inquiry.request, inquiry.task, Refusal{reason, std::move(why)}};
  };
  if (report.word == GuardWord::timed_out || report.word == GuardWord::lost)
    return refused(RefusalReason::silent, "its bid command " + describe(report));
  if (report.word != GuardWord::exited || report.code != 0) {
    const std::string said = last_line(inquiry.errors);
    return refused(RefusalReason::invalid, fmt::format("its bid command failed: {}{}", describe(report),
                                                       (said.empty() ? "" : ": " + said)));
  }
  const auto value = parse_json(inquiry.answer);
  if (!value)
    return refused(RefusalReason::invalid, "its bid command printed no JSON: " + value.error().text);
  return read_bid(inquiry.request, inquiry.task, *value);
}

void BidCommand::add_poll(std::vector<PollItem>& items) const {
  for (const Inquiry& inquiry : running_) inquiry.process.add_poll(items);
}

std::vector<ExecutionEvent> BidCommand::pump(Now now) {
  for (auto at = running_.begin(); at != running_.end();) {
    PipedProcess::Traffic traffic = at->process.pump();
    append_bounded(at->answer, traffic.output);
    append_bounded(at->errors, at->hidden.feed(std::move(traffic.errors), at->process.over()));
    if (!at->process.over()) {
      ++at;
      continue;
    }
    events_.push_back(conclude(*at, traffic.reports.back()));
    at = running_.erase(at);
  }
  begin_waiting(now);
  return std::exchange(events_, {});
}

// The guards enforce the time limits; only questions that were answered without a guard wait for the next
// call.
Instant BidCommand::next_wakeup() const { return events_.empty() ? never : Instant{}; }

}  // namespace bidboard
