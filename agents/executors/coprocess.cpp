#include "agents/executors/coprocess.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "agents/guard/task_lock.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/numbers.hpp"

namespace bidboard {
namespace {

constexpr Duration lock_retry = milliseconds(20);
/// More unread input than this means that the child does not read; new work is refused.
constexpr std::size_t unsent_limit = std::size_t{64} << 20;
constexpr std::size_t kept_errors = 4'096;

}  // namespace

/// What a line says in one of its members, without secrets.
std::string CoprocessExecutor::text_of(const Value* value) const {
  if (value == nullptr || value->is_null()) return {};
  return options_.place.redactor.clean(value->is_string() ? value->string() : to_json(*value));
}

struct CoprocessExecutor::Job {
  explicit Job(OutputLog its_log) : log(std::move(its_log)) {}

  Assignment assignment;
  OutputLog log;
  TaskLock lock;
  unsigned slot = 0;         ///< of its lock at the guard
  bool handed_over = false;  ///< the child has been sent it
  bool over = false;         ///< its end has been queued as an event
  Instant began;
  Instant deadline = never;  ///< of the attempt; before the hand-over: of the wait for the lock
  Instant next_lock_try;     ///< while it waits for the lock
  bool cancelled = false;
  Instant gives_up = never;         ///< cancelled: the child must answer by then
  Ending ending = Ending::unknown;  ///< cancelled: how it ends
  std::string reason;
};

CoprocessExecutor::CoprocessExecutor(CoprocessOptions options)
    : options_(std::move(options)),
      lines_(options_.line_limit),
      hidden_(options_.place.redactor),
      restart_pause_(options_.restart_least) {
  options_.place.open();
}

CoprocessExecutor::~CoprocessExecutor() = default;

Result<void> CoprocessExecutor::start(const Assignment& assignment, Now now) {
  const Key key{assignment.task, assignment.epoch};
  if (jobs_.contains(key)) return fail(Errc::conflict, fmt::format("{} runs here already", assignment.task));
  if (jobs_.size() >= guard_slots) return fail(Errc::unavailable, "the coprocess has too many tasks at once");
  if (child_ && child_->unsent() > unsent_limit)
    return fail(Errc::unavailable, "the coprocess does not read its input");
  if (!assignment.spec.run.empty())
    return fail(Errc::refused, "the task is a command, and coprocesses do not execute commands");
  if (const Result<void> there = check_directory(options_.place); !there) return there;
  Result<std::string> directory = task_directory(options_.place, assignment.spec);
  if (!directory) return fail(directory.error());
  const Folder& board = options_.place.folder;
  if (auto made = make_places(board); !made) return made;
  auto log = OutputLog::open(board, output_name(assignment.task, assignment.epoch), options_.output_limit);
  if (!log) return fail(log.error());

  auto job = std::make_unique<Job>(std::move(*log));
  job->assignment = assignment;
  if (!assignment.spec.dir.empty()) job->assignment.spec.dir = std::move(*directory);
  job->began = now.mono;
  job->deadline = now.mono + options_.lock_wait;
  std::array<bool, guard_slots> taken{};
  for (const auto& [its_key, other] : jobs_) taken[other->slot] = true;
  while (taken[job->slot]) ++job->slot;
  jobs_.emplace(key, std::move(job));
  begin_waiting_jobs(now);
  return {};
}

/// Returns whether the child runs; starts it if its pause is over.
bool CoprocessExecutor::child_ready(Now now) {
  if (child_) return true;
  if (now.mono < restart_at_) return false;
  GuardSpec spec;
  spec.argv = shell_argv(options_.exec);
  spec.environment = agent_environment(options_.place);
  work_in(options_.place, spec);
  spec.grace = options_.grace;
  if (make_places(options_.place.folder) && !child_log_) {
    auto log =
        OutputLog::open(options_.place.folder, fmt::format("output/agent-{}.log", options_.place.agent),
                        options_.output_limit);
    if (log) child_log_.emplace(std::move(*log));
  }
  if (child_log_) spec.log = child_log_->fd();
  auto child = PipedProcess::start(spec);
  if (!child) {
    tell_all("it could not be started: " + child.error().text);
    restart_at_ = now.mono + restart_pause_;
    restart_pause_ = std::min(restart_pause_ * 2, options_.restart_most);
    return false;
  }
  child_.emplace(std::move(*child));
  hidden_ = RedactedStream(options_.place.redactor);
  lines_ = LineSplitter(options_.line_limit);
  child_errors_.clear();
  return true;
}

void CoprocessExecutor::begin_waiting_jobs(Now now) {
  for (auto& [key, job] : jobs_) {
    if (job->handed_over || job->over || job->next_lock_try > now.mono) continue;
    const auto locked = job->lock.try_take(options_.place.folder, lock_name(key.first));
    if (locked && !*locked) job->next_lock_try = now.mono + lock_retry;
    if (!locked)
      end(*job, Ending::failed, locked.error().text, now);
    else if (*locked && child_ready(now))
      hand_over(*job, now);
  }
}

void CoprocessExecutor::hand_over(Job& job, Now now) {
  // Unless its guard holds the lock, the successor of a killed agent could begin the task while the child
  // still works on it.
  if (!child_->hold(job.slot, job.lock.descriptor())) return;
  Value line;
  line.set("type", "task");
  const Value fields = assignment_value(job.assignment);
  for (const Value::Member& member : fields.object()) line.set(member.key, member.value);
  child_->send(to_json(line) + "\n");
  job.handed_over = true;
  job.began = now.mono;
  job.deadline = now.mono + time_left(job.assignment, now);
  events_.push_back(ExecutionStarted{job.assignment.task, job.assignment.epoch, 0});
}

void CoprocessExecutor::stop(TaskId task, Epoch epoch, const std::string& reason, Now now) {
  const auto found = jobs_.find({task, epoch});
  if (found == jobs_.end() || found->second->over) return;
  Job& job = *found->second;
  const std::string why = reason.empty() ? "stopped" : reason;
  if (!job.handed_over)
    end(job, Ending::stopped, why, now);
  else if (!job.cancelled)
    cancel(job, Ending::stopped, why, now);
}

void CoprocessExecutor::cancel(Job& job, Ending ending, const std::string& reason, Now now) {
  job.cancelled = true;
  job.ending = ending;
  job.reason = reason;
  job.gives_up = now.mono + options_.cancel_grace;
  Value line;
  line.set("type", "cancel");
  line.set("task", to_string(job.assignment.task));
  line.set("epoch", job.assignment.epoch.value);
  line.set("reason", reason);
  if (child_) child_->send(to_json(line) + "\n");
}

void CoprocessExecutor::keep_deadlines(Now now) {
  for (auto& [key, job] : jobs_) {
    if (job->over) continue;
    if (job->gives_up <= now.mono) {
      job->gives_up = never;  // it is asked once; its end follows with the child's end
      job->log.note("coprocess: it did not answer the cancel message and is stopped");
      if (child_) child_->stop();
    }
    if (job->cancelled || job->deadline > now.mono) continue;
    if (job->handed_over)
      cancel(*job, Ending::unknown, fmt::format("timed out after {}", now.mono - job->began), now);
    else if (!job->lock.held())
      end(*job, Ending::failed, "an earlier execution of this task is still running on this machine", now);
  }
  for (auto at = inquiries_.begin(); at != inquiries_.end();) {
    const std::uint64_t request = at->first;
    const bool late = at->second.deadline <= now.mono;
    ++at;
    if (late) refuse(request, Refusal{RefusalReason::silent, "the coprocess did not answer in time"});
  }
}

void CoprocessExecutor::ask_bid(const BidQuestion& question, Now now) {
  const Instant deadline = std::min(question.deadline, now.mono + options_.bid_timeout);
  inquiries_[question.request] = {question.task, deadline};
  if (!child_ready(now))
    return refuse(question.request, Refusal{RefusalReason::silent, "the coprocess is not running"});
  if (child_->unsent() > unsent_limit)
    return refuse(question.request, Refusal{RefusalReason::silent, "the coprocess does not read its input"});
  Value line;
  line.set("type", "bid");
  line.set("request", question.request);
  line.set("task", task_value(question.task, question.spec, question.attempt, question.failures));
  line.set("related", related_value(question.related));
  child_->send(to_json(line) + "\n");
}

void CoprocessExecutor::refuse(std::uint64_t request, Refusal why) {
  const auto found = inquiries_.find(request);
  if (found == inquiries_.end()) return;
  events_.push_back(BidAnswered{request, found->second.task, std::move(why)});
  inquiries_.erase(found);
}

void CoprocessExecutor::add_poll(std::vector<PollItem>& items) const {
  if (child_) child_->add_poll(items);
}

std::vector<ExecutionEvent> CoprocessExecutor::pump(Now now) {
  if (child_) {
    PipedProcess::Traffic traffic = child_->pump();
    const std::string errors = hidden_.feed(std::move(traffic.errors), child_->over());
    if (child_log_) child_log_->append(errors);
    child_errors_.append(errors);
    if (child_errors_.size() > kept_errors) child_errors_.erase(0, child_errors_.size() - kept_errors);
    const LineSplitter::Lines lines = lines_.feed(traffic.output);
    for (const std::string& line : lines.whole) take_line(line, now);
    for (std::size_t i = 0; i < lines.too_long; ++i)
      complain(fmt::format("a line of more than {} bytes was dropped", options_.line_limit));
    if (child_->over()) child_ended(traffic.reports.back(), now);
  }
  keep_deadlines(now);
  begin_waiting_jobs(now);
  std::erase_if(jobs_, [](const auto& entry) { return entry.second->over; });
  return std::exchange(events_, {});
}

Instant CoprocessExecutor::next_wakeup() const {
  if (!events_.empty()) return Instant{};
  Instant first = never;
  for (const auto& [key, job] : jobs_) {
    if (job->cancelled)
      first = std::min(first, job->gives_up);
    else if (job->handed_over)
      first = std::min(first, job->deadline);
    else if (job->lock.held())
      first = std::min(first, restart_at_);
    else  // the release of a lock cannot be awaited; this wait is rare and short
      first = std::min({first, job->deadline, job->next_lock_try});
  }
  for (const auto& [request, inquiry] : inquiries_) first = std::min(first, inquiry.deadline);
  return first;
}

void CoprocessExecutor::take_line(const std::string& line, Now now) {
  if (line.find_first_not_of(" \t\r") == std::string::npos) return;
  const auto value = parse_json(line);
  const auto quote = [&] { return last_line(options_.place.redactor.clean(line)); };
  if (!value) return complain("not JSON: " + quote());
  const Value* type = value->find("type");
  if (type == nullptr || !type->is_string()) return complain("no \"type\": " + quote());
  const std::string& name = type->string();
  if (name == "bid" || name == "refuse")
    take_bid_line(name, *value);
  else if (name == "log")
    log_line(*value);
  else if (name == "progress" || name == "result" || name == "failed" || name == "unavailable")
    take_job_line(name, *value, now);
  else
    complain("unknown type: " + quote());
}

void CoprocessExecutor::take_bid_line(std::string_view type, const Value& line) {
  const Value* request = line.find("request");
  if (request == nullptr || !request->is_integer()) return complain("a bid without a request number");
  const auto number = static_cast<std::uint64_t>(request->integer());
  const auto found = inquiries_.find(number);
  if (found == inquiries_.end()) return;
  Value said = line;
  if (type == "refuse") said.set("refuse", text_of(line.find("reason")));
  BidAnswered answered = read_bid(number, found->second.task, said);
  if (auto* refusal = std::get_if<Refusal>(&answered.answer))
    refusal->detail = options_.place.redactor.clean(refusal->detail);
  events_.push_back(std::move(answered));
  inquiries_.erase(found);
}

/// The running job that the line is about, or none: a late line about a finished job is not an error.
void CoprocessExecutor::take_job_line(std::string_view type, const Value& line, Now now) {
  const Value* task = line.find("task");
  const Value* epoch = line.find("epoch");
  const auto id = task != nullptr && task->is_string() ? parse_id<TaskId>(task->string()) : std::nullopt;
  if (!id || epoch == nullptr || !epoch->is_integer())
    return complain(fmt::format("{} without a task and its epoch", type));
  const auto found = jobs_.find({*id, Epoch{static_cast<std::uint64_t>(epoch->integer())}});
  if (found == jobs_.end() || found->second->over || !found->second->handed_over) return;
  Job& job = *found->second;
  if (type == "progress") {
    ExecutionProgress progress{*id, job.assignment.epoch, fraction_untold, text_of(line.find("text"))};
    if (const Value* fraction = line.find("fraction"); fraction && fraction->is_number())
      progress.fraction = std::min(micros_of(fraction), one);
    events_.push_back(std::move(progress));
    return;
  }
  restart_pause_ = options_.restart_least;
  if (const std::string flaw = flaw_of_price(line.find("price")); !flaw.empty())
    complain(options_.place.redactor.clean("the price that it told does not count: " + flaw));
  if (type == "failed" || (type == "unavailable" && job.cancelled)) {
    // It has answered the cancel: a task that was cut off by its time limit has now ended in a known way.
    const Ending ending = job.cancelled && job.ending == Ending::stopped ? Ending::stopped : Ending::failed;
    std::string reason = job.cancelled ? job.reason : text_of(line.find("reason"));
    if (reason.empty()) reason = "failed without a reason";
    return end(job, ending, std::move(reason), now);
  }
  if (type == "unavailable") return cannot_work(job, line, now);
  end(job, Ending::done, {}, now);
  auto& ended = std::get<ExecutionEnded>(events_.back());
  ended.result = text_of(line.find("result"));
  ended.price = told_price(line.find("price"));
  ended.tokens = count_of(line.find("tokens"));
}

/// The attempt does not count, and the agent rests.
void CoprocessExecutor::cannot_work(Job& job, const Value& line, Now now) {
  const std::string named = text_of(line.find("class"));
  const Outage outage = outage_named(named).value_or(Outage::none);
  if (outage == Outage::none || outage == Outage::failures)
    return end(job, Ending::failed, fmt::format("it was unavailable, of the unknown class '{}'", named), now);
  std::string reason = text_of(line.find("reason"));
  if (reason.empty()) reason = fmt::format("unavailable: {}", named);
  end(job, Ending::unavailable, std::move(reason), now);
  auto& ended = std::get<ExecutionEnded>(events_.back());
  ended.outage = outage;
  ended.price = told_price(line.find("price"));
  ended.tokens = count_of(line.find("tokens"));
  if (const Micros wait = clamped(ranges::work_seconds, micros_of(line.find("retry_after"))); wait > 0)
    ended.until = now.wall + Duration{wait};
}

void CoprocessExecutor::log_line(const Value& line) {
  const std::string text = text_of(line.find("text")) + "\n";
  const Value* task = line.find("task");
  const auto id = task != nullptr && task->is_string() ? parse_id<TaskId>(task->string()) : std::nullopt;
  const auto found = std::ranges::find_if(
      jobs_, [&](const auto& entry) { return id ? entry.first.first == *id : jobs_.size() == 1; });
  if (found == jobs_.end()) {
    if (child_log_) child_log_->append(text);
    return;
  }
  found->second->log.append(text);
  events_.push_back(ExecutionOutput{found->first.first, found->first.second, text.size()});
}

/// Counts and reports a line that is not understood.
void CoprocessExecutor::complain(const std::string& what) {
  ++malformed_;
  tell_all(what);
}

/// Writes it where a reader will look: into the output of every task that it might concern.
void CoprocessExecutor::tell_all(const std::string& what) {
  const std::string line =
      fmt::format("[bidboard] coprocess: {}\n", what);  // appended: a flood of them must stay bounded
  if (child_log_) child_log_->append(line);
  for (auto& [key, job] : jobs_)
    if (!job->over) job->log.append(line);
}

void CoprocessExecutor::child_ended(const GuardReport& report, Now now) {
  const bool never_ran = report.word == GuardWord::exec_failed;
  std::string reason = "the coprocess ended: " + describe(report);
  if (const std::string said = last_line(child_errors_); !said.empty()) reason += ": " + said;
  child_.reset();
  restart_at_ = now.mono + restart_pause_;
  restart_pause_ = std::min(restart_pause_ * 2, options_.restart_most);
  for (auto& [key, job] : jobs_) {
    if (job->over || !job->handed_over) continue;
    if (job->cancelled) {
      end(*job, job->ending, job->reason, now);
      continue;
    }
    end(*job, never_ran ? Ending::unavailable : Ending::unknown, reason, now);
    if (never_ran) std::get<ExecutionEnded>(events_.back()).outage = Outage::environment;
  }
  while (!inquiries_.empty()) refuse(inquiries_.begin()->first, Refusal{RefusalReason::silent, reason});
}

void CoprocessExecutor::end(Job& job, Ending ending, std::string reason, Now now) {
  job.over = true;
  job.log.finish();
  job.lock.release();
  ExecutionEnded ended;
  ended.task = job.assignment.task;
  ended.epoch = job.assignment.epoch;
  ended.ending = ending;
  ended.reason = std::move(reason);
  ended.seconds = job.handed_over ? (now.mono - job.began).us : 0;
  events_.push_back(std::move(ended));
}

}  // namespace bidboard
