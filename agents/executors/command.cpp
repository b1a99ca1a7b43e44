#include "agents/executors/command.hpp"
#include "agents/executors/line_splitter.hpp"
#include "agents/worktrees/in_worktree.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/text/utf8.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

namespace bidboard {
namespace {

/// How much of the latest output is kept for the reason of a failure.
constexpr std::size_t tail_bytes = 4'096;
/// A line of a client's stream.
constexpr std::size_t line_bytes_max = std::size_t{8} << 20;
/// Between TERM and KILL: the work is committed after the command has ended.
constexpr Duration worktree_grace = seconds(5);
/// What a client's model says is progress at most this often: each is an event of the board.
constexpr Duration tell_interval = minutes(1);

void keep_tail(std::string& tail, std::string_view bytes) {
  tail.append(bytes.substr(bytes.size() - std::min(bytes.size(), tail_bytes)));
  if (tail.size() > tail_bytes) tail.erase(0, tail.size() - tail_bytes);
}

void trim_newlines(std::string& text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
}

}  // namespace

struct CommandExecutor::Run {
  Run(PipedProcess its_process, OutputLog its_log, const Redactor& redactor)
      : process(std::move(its_process)),
        log(std::move(its_log)),
        output(redactor),
        errors(redactor),
        readable(redactor) {}

  PipedProcess process;
  OutputLog log;
  RedactedStream output;
  RedactedStream errors;
  RedactedStream readable;  ///< what a client's lines mean: a secret can be spread over several
  Duration allowed;
  std::string result;  ///< stdout, up to the limit
  bool result_cut = false;
  std::string remark;  ///< on the result, for people
  std::string output_tail;
  std::string error_tail;
  std::string stop_reason;
  std::unique_ptr<ClientReader> reader;  ///< of a client's output; null: its exit status decides
  std::string readable_tail;
  std::string said;  ///< by the client's model, the last line, not told yet
  Instant tell_at;   ///< not before
  LineSplitter lines{line_bytes_max};
};

CommandExecutor::CommandExecutor(CommandOptions options) : options_(std::move(options)) {
  options_.place.open();
  if (!options_.bid.empty())
    bids_.emplace(BidCommandOptions{options_.place, options_.bid, options_.bid_timeout});
}

CommandExecutor::~CommandExecutor() {
  // All at once, so that their grace periods overlap.
  for (auto& [key, run] : runs_) run->process.stop();
}

Result<std::string> CommandExecutor::command_for(const TaskSpec& spec) const {
  if (!spec.run.empty()) {
    if (!options_.allow_run)
      return fail(Errc::refused, "the task is a command and this agent was not started with --allow-run");
    return spec.run;
  }
  if (options_.exec.empty())
    return fail(Errc::refused, "this agent only does tasks with a command of their own (run)");
  return options_.exec;
}

Result<void> CommandExecutor::start(const Assignment& assignment, Now now) {
  const Key key{assignment.task, assignment.epoch};
  if (runs_.contains(key)) return fail(Errc::conflict, fmt::format("{} runs here already", assignment.task));
  const auto command = command_for(assignment.spec);
  if (!command) return fail(command.error());

  if (const Result<void> there = check_directory(options_.place); !there) return there;
  const bool apart = options_.worktree.has_value();
  Result<std::string> directory = apart ? std::string() : task_directory(options_.place, assignment.spec);
  if (!directory) return fail(directory.error());

  const Folder& board = options_.place.folder;
  GuardSpec spec;
  spec.argv = shell_argv(*command);
  spec.environment = task_environment(options_.place, assignment);
  work_in(options_.place, spec);
  if (!directory->empty()) spec.directory = std::move(*directory);
  spec.folder = board;
  spec.lock_path = lock_name(assignment.task);
  spec.scratch = {needs_name(assignment.task, assignment.epoch),
                  failures_name(assignment.task, assignment.epoch)};
  spec.timeout = time_left(assignment, now);
  spec.grace = options_.grace;

  if (auto made = make_places(board); !made) return made;
  auto log = OutputLog::open(board, output_name(assignment.task, assignment.epoch), options_.output_limit);
  if (!log) return fail(log.error());
  spec.log = log->fd();
  auto written = write_private_file(board, spec.scratch[0], assignment.needs_json);
  if (written) written = write_private_file(board, spec.scratch[1], failures_text(assignment.failures));
  if (written && apart) written = enter_worktree(assignment, spec);
  auto process = written ? PipedProcess::start(spec) : fail(written.error());
  if (!process) {
    for (const std::string& name : spec.scratch) unlinkat(board.fd(), name.c_str(), 0);
    return fail(process.error());
  }

  if (!assignment.spec.run.empty())
    process->send(assignment.spec.body);
  else if (options_.input == TaskInput::json)
    process->send(to_json(assignment_value(assignment)) + "\n");
  else if (options_.client)
    process->send(prompt_of(assignment, options_.client->has_tools));
  else
    process->send(task_text(assignment.spec, assignment.comments));
  process->end_input();
  auto run = std::make_unique<Run>(std::move(*process), std::move(*log), options_.place.redactor);
  if (options_.client && assignment.spec.run.empty()) run->reader = options_.client->reader();
  run->allowed = spec.timeout;
  runs_.emplace(key, std::move(run));
  return {};
}

void CommandExecutor::stop(TaskId task, Epoch epoch, const std::string& reason, Now) {
  const auto found = runs_.find({task, epoch});
  if (found == runs_.end()) return;
  if (found->second->stop_reason.empty()) found->second->stop_reason = reason.empty() ? "stopped" : reason;
  found->second->process.stop();
}

void CommandExecutor::add_poll(std::vector<PollItem>& items) const {
  for (const auto& [key, run] : runs_) run->process.add_poll(items);
  if (bids_) bids_->add_poll(items);
}

std::vector<ExecutionEvent> CommandExecutor::pump(Now now) {
  std::vector<ExecutionEvent> events;
  for (auto at = runs_.begin(); at != runs_.end();) {
    serve(at->first, *at->second, now, events);
    at = at->second->process.over() ? runs_.erase(at) : std::next(at);
  }
  if (bids_) std::ranges::move(bids_->pump(now), std::back_inserter(events));
  return events;
}

void CommandExecutor::serve(const Key& key, Run& run, Now now, std::vector<ExecutionEvent>& events) {
  const auto [task, epoch] = key;
  PipedProcess::Traffic traffic = run.process.pump();
  const std::uint64_t bytes = traffic.output.size() + traffic.errors.size();
  // From here on nothing has a secret in it: not the log, the result, or the reason of a failure.
  const std::string errors = run.errors.feed(std::move(traffic.errors), run.process.over());
  const std::string output = run.output.feed(std::move(traffic.output), run.process.over());
  run.log.append(errors);
  keep_tail(run.error_tail, errors);
  read(run, output);

  for (const GuardReport& report : traffic.reports) {
    if (report.word != GuardWord::started) continue;
    events.push_back(ExecutionStarted{task, epoch, report.code});
  }
  if (bytes > 0) events.push_back(ExecutionOutput{task, epoch, bytes});
  if (run.reader && !run.process.over()) tell_what_it_does(key, run, now, events);
  if (run.process.over()) events.push_back(conclude(key, run, traffic.reports.back(), now));
}

void CommandExecutor::tell_what_it_does(const Key& key, Run& run, Now now,
                                        std::vector<ExecutionEvent>& events) const {
  if (run.said.empty() || now.mono < run.tell_at) return;
  run.tell_at = now.mono + tell_interval;
  events.push_back(ExecutionProgress{key.first, key.second, fraction_untold, std::exchange(run.said, {})});
}

/// What was hidden in the output can stand there as JSON escapes it in another way ("\/", "\u0041"), so what
/// was decoded is looked through again.
void CommandExecutor::show_line(Run& run, std::string_view line) const {
  const std::string readable = run.readable.feed(run.reader->on_line(line), false);
  run.log.append(readable);
  keep_tail(run.readable_tail, readable);
  // Without its control characters a line can have a secret in it that it had not before.
  if (run.reader->take_sign() && !readable.empty())
    run.said = options_.place.redactor.clean(last_line(run.readable_tail));
}

/// What a client prints is shown as it reads it; other output as it is.
void CommandExecutor::read(Run& run, std::string_view output) const {
  if (run.reader) {
    const LineSplitter::Lines lines = run.lines.feed(output);
    for (const std::string& line : lines.whole) show_line(run, line);
    if (lines.too_long > 0) run.log.note("a line of the client was too long and was left out");
    return;
  }
  run.log.append(output);
  keep_tail(run.output_tail, output);
  const std::size_t room = options_.result_limit - run.result.size();
  run.result_cut = run.result_cut || output.size() > room;
  run.result.append(output, 0, room);
}

/// A price that is told counts.
Micros CommandExecutor::price_for(Micros told, const TokenUsage& usage) const {
  return told > 0 || !options_.token_price ? told : price_of(usage, *options_.token_price);
}

/// How a client that ended by itself, or was ended, did its task. What it spent counts in any case.
void CommandExecutor::judge(Run& run, const GuardReport& report, Now now, ExecutionEnded& ended) const {
  if (const auto last = run.lines.take_rest(); !last.empty()) show_line(run, last);
  run.log.append(run.readable.feed({}, true));
  ClientVerdict verdict = run.reader->conclude({static_cast<int>(report.code), run.error_tail, now.wall});
  verdict.result = options_.place.redactor.clean(verdict.result);
  verdict.reason = options_.place.redactor.clean(verdict.reason);
  ended.price = price_for(verdict.price, verdict.usage);
  ended.tokens = total_of(verdict.usage);
  if (report.word != GuardWord::exited) return;
  ended.ending = verdict.ending;
  run.result_cut = verdict.result.size() > options_.result_limit;
  ended.result = utf8_prefix(verdict.result, options_.result_limit);
  ended.reason = std::move(verdict.reason);
  ended.outage = verdict.outage;
  ended.until = verdict.until;
}

/// The command is not started itself, but by a process that opens its worktree first.
Result<void> CommandExecutor::enter_worktree(const Assignment& assignment, GuardSpec& spec) const {
  const Workplace& place = options_.place;
  const std::string board = place.folder.path() + "/";
  WorktreeRun run;
  run.order.mark = {board, assignment.task, assignment.epoch, place.agent, assignment.spec.title, {}};
  run.order.place = board + "worktrees";
  run.order.directory = place.home ? place.home.path() : place.directory.empty() ? "." : place.directory;
  run.order.below = assignment.spec.dir;
  run.order.per_agent = options_.worktree->per_agent;
  run.order.works = assignment.works;
  run.outcome_file = board + work_name(assignment.task, assignment.epoch);
  run.argv = std::move(spec.argv);
  const std::string order = worktree_order_name(assignment.task, assignment.epoch);
  spec.scratch.push_back(order);
  spec.argv = {options_.worktree->program, "in-worktree", board + order};
  spec.grace = std::max(spec.grace, worktree_grace);
  return write_private_file(place.folder, order, run_text(run));
}

/// The commit that the attempt left; or why there is none, which is a failure of one that did its task, and
/// the only thing that counts of one that could not begin. What else ended an attempt (an outage) still does.
void CommandExecutor::take_work(const GuardReport& report, ExecutionEnded& ended) const {
  const Folder& board = options_.place.folder;
  const std::string name = work_name(ended.task, ended.epoch);
  std::ifstream in(board.path() + "/" + name, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  unlinkat(board.fd(), name.c_str(), 0);
  const Result<WorktreeOutcome> outcome = read_outcome(text.str());
  if (outcome) ended.work = outcome->work;
  if (report.word != GuardWord::exited || (outcome && outcome->error.empty())) return;
  const std::string trouble = outcome ? outcome->error : "what became of its worktree was not told";
  if (ended.ending != Ending::done && (!outcome || outcome->begun)) {
    ended.reason += "; " + trouble;
    return;
  }
  ended.ending = Ending::failed;
  ended.reason = trouble;
  ended.outage = Outage::none;
  ended.until = {};
  if (!outcome || outcome->outage == Outage::none) return;
  ended.ending = Ending::unavailable;
  ended.outage = outcome->outage;
}

ExecutionEnded CommandExecutor::conclude(const Key& key, Run& run, const GuardReport& report, Now now) const {
  ExecutionEnded ended = end_of(key, run, report, now);
  if (options_.worktree) take_work(report, ended);
  return ended;
}

/// Also of a failed attempt: its costs are real.
void CommandExecutor::take_fields(Run& run, ExecutionEnded& ended) const {
  trim_newlines(run.result);
  const auto value = parse_json(run.result);
  if (!value) return;
  ended.tokens = count_of(at_path(*value, options_.tokens_field));
  const Value* price = at_path(*value, options_.price_field);
  // Not told apart: all of them count as written, which is the dearest kind.
  ended.price = price_for(told_price(price), {0, 0, ended.tokens});
  if (const std::string flaw = flaw_of_price(price); !flaw.empty()) {
    run.remark = options_.place.redactor.clean(
        fmt::format("the price that it told in {} does not count: {}", options_.price_field, flaw));
    run.log.note(run.remark);
  }
  if (const Value* field = at_path(*value, options_.result_field))
    run.result = options_.place.redactor.clean(field->is_string() ? field->string() : to_json(*field));
}

ExecutionEnded CommandExecutor::end_of(const Key& key, Run& run, const GuardReport& report, Now now) const {
  ExecutionEnded ended;
  ended.task = key.first;
  ended.epoch = key.second;
  ended.ending = Ending::failed;
  ended.seconds = report.wall_us;
  if (run.result_cut) run.log.note(fmt::format("the result was cut at {} bytes", options_.result_limit));
  if (run.reader)
    judge(run, report, now, ended);
  else
    take_fields(run, ended);
  run.log.finish();
  if (run.reader && report.word == GuardWord::exited) return ended;

  if (report.word == GuardWord::exited && report.code == 0) {
    ended.ending = Ending::done;
    ended.result = std::move(run.result);
    ended.reason = std::move(run.remark);
    if (run.result_cut)
      ended.reason += fmt::format("{}the result was cut; the output file has more of it",
                                  ended.reason.empty() ? "" : "; ");
    return ended;
  }
  std::string said = last_line(run.error_tail);
  if (said.empty()) said = last_line(run.output_tail);
  ended.reason = describe(report);
  switch (report.word) {
    case GuardWord::stopped:
      ended.ending = run.stop_reason.empty() ? Ending::unknown : Ending::stopped;
      if (!run.stop_reason.empty()) ended.reason = run.stop_reason;
      return ended;
    case GuardWord::timed_out:
      ended.reason += fmt::format(" after {}", run.allowed);
      [[fallthrough]];
    case GuardWord::signalled:
    case GuardWord::agent_gone:
    case GuardWord::lost:
      ended.ending = Ending::unknown;
      break;
    case GuardWord::exec_failed:
      ended.ending = Ending::unavailable;
      ended.outage = Outage::environment;
      break;
    default:
      break;
  }
  if (!said.empty()) ended.reason += ": " + said;
  return ended;
}

Instant CommandExecutor::next_wakeup() const { return bids_ ? bids_->next_wakeup() : never; }

void CommandExecutor::ask_bid(const BidQuestion& question, Now now) {
  if (bids_) bids_->ask(question, now);
}

}  // namespace bidboard
