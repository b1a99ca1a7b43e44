// claim, renew, done, fail, progress: work on a task from the shell, or from inside a task's process.
#include <cstdlib>

#include "blackboard/fmt.hpp"
#include "blackboard/format/codec.hpp"
#include "runtime/drivers/clock.hpp"
#include "runtime/drivers/stop_signal.hpp"
#include "runtime/home/board_place.hpp"
#include "runtime/net/client.hpp"
#include "runtime/shell/caller.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/own_work.hpp"
#include "runtime/shell/print.hpp"

namespace bidboard {
namespace {

struct ClaimArgs {
  std::string task;
  std::string as;
  std::vector<std::string> skills;
  bool next = false;
  bool wait = false;
  Duration wait_for = minutes(60);
  bool json = false;
};

Result<Exit> print_claim(const Claimed& claimed, const ClaimArgs& args) {
  if (args.json) {
    Value data{Value::Object{}};
    data.set("schema", "bidboard/1");
    data.set("task", to_string(claimed.task));
    data.set("epoch", claimed.epoch.value);
    data.set("agent", to_string(claimed.agent));
    data.set("deadline", static_cast<double>(claimed.deadline.us) / 1e6);
    print_json_line(data);
    return Exit::ok;
  }
  if (args.next)
    say("{} {}", claimed.task, claimed.epoch);
  else
    say("{}", claimed.epoch);
  if (is_terminal())
    hint(
        "{} is yours for {} (epoch {}). Next: `bidboard done {} --as {} --result TEXT`; also `renew`, `fail`",
        claimed.task, claimed.deadline - read_clocks().wall, claimed.epoch, claimed.task, args.as);
  return Exit::ok;
}

/// Tries again after each change of the board, until it gets a task.
Result<Claimed> claim_when_possible(const BoardDirectory& board, const Claim& request,
                                    const ClaimArgs& args) {
  const StopSignal stop;
  const Instant give_up = read_clocks().mono + args.wait_for;
  const BoardPlace place(board);
  while (true) {
    if (stop.requested()) return fail(Errc::failed, "interrupted; nothing was claimed");
    if (const Result<void> there = place.check(); !there) return fail(there.error());
    const auto writer = serving_writer(board);
    std::unique_ptr<Feed> feed;
    if (writer) {
      Result<std::unique_ptr<Feed>> opened = Feed::open(writer->feed);
      if (!opened) return fail(opened.error());
      feed = std::move(*opened);
    }
    Result<Claimed> claimed = call_for<Claimed>(board, request, caller(args.as));
    if (claimed || claimed.error().code != Errc::not_found) return claimed;
    const Duration left = give_up - read_clocks().mono;
    if (left.us <= 0)
      return fail(Errc::timed_out, fmt::format("no suitable task became ready within {}", args.wait_for));
    if (!writer)
      return fail(Errc::unavailable,
                  "--wait needs a controller, which announces changes; start one with `bidboard up`");
    // Without news it asks again after ten seconds, and looks for its board in between.
    const Instant again = read_clocks().mono + std::min(left, seconds(10));
    for (Duration rest = again - read_clocks().mono; rest.us > 0 && !stop.requested();
         rest = again - read_clocks().mono) {
      if (feed->wait(std::min(rest, BoardPlace::look_interval))) break;
      if (const Result<void> there = place.check(); !there) return fail(there.error());
    }
  }
}

Result<Exit> claim(const Globals& globals, const ClaimArgs& args) {
  if (args.task.empty() == !args.next) return fail(Errc::invalid, "name a task, or use --next");
  if (args.as.empty()) return fail(Errc::invalid, "name the agent that claims: --as NAME");
  const Result<Target> board = find_target(globals);
  if (!board) return fail(board.error());
  Claim request;
  if (!args.next) {
    const Result<TaskId> id = read_task_id(args.task);
    if (!id) return fail(id.error());
    request.task = *id;
  }
  for (const std::string& text : args.skills) {
    const Result<NamedLevel> skill = read_skill(text, "=");
    if (!skill) return fail(skill.error());
    request.skills.push_back({skill->name, skill->level.value_or(one)});
  }
  const bool waits = args.next && args.wait;
  if (waits && !board->endpoint.empty())
    return fail(Errc::unavailable,
                "--wait needs the board's files, which are on another machine; run it there");
  const Result<Claimed> claimed = waits ? claim_when_possible(board->board, request, args)
                                        : call_for<Claimed>(*board, request, caller(args.as));
  if (!claimed) return fail(claimed.error());
  return print_claim(*claimed, args);
}

/// Arguments of done, fail, renew and progress.
struct ReportArgs {
  std::string task;
  std::string as;
  std::int64_t epoch = 0;
  std::string text;
  Micros price = 0;
  std::int64_t tokens = 0;
  std::string fraction;
  std::string outage;
  Duration retry_after{};

  /// Inside a task's process, BIDBOARD_TASK names the task.
  Result<TaskId> id() const {
    const char* own = std::getenv("BIDBOARD_TASK");
    if (task.empty() && !own) return fail(Errc::invalid, "name the task");
    return read_task_id(task.empty() ? own : task);
  }
};

Result<Exit> send_report(const Globals& globals, const ReportArgs& args, RequestBody body, const char* verb) {
  const Result<Target> board = find_target(globals);
  if (!board) return fail(board.error());
  const Result<Changed> changed = call_for<Changed>(*board, std::move(body), caller(args.as));
  if (!changed) return fail(changed.error());
  if (verb) say("{} is {}", changed->task, changed->state);
  return Exit::ok;
}

Result<Exit> finish(const Globals& globals, const ReportArgs& args, bool success) {
  const Result<TaskId> id = args.id();
  if (!id) return fail(id.error());
  Result<std::string> text = read_text(args.text);
  if (!text) return fail(text.error());
  Finish request{*id,        {static_cast<std::uint64_t>(args.epoch)}, success, std::move(*text), args.price,
                 args.tokens};
  if (args.outage.empty() && args.retry_after.us > 0)
    return fail(Errc::invalid, "--retry-after is for an outage: add --unavailable CLASS");
  if (!args.outage.empty()) {
    const auto outage = outage_named(args.outage);
    if (!outage || *outage == Outage::none || *outage == Outage::failures)
      return fail(Errc::invalid,
                  fmt::format("--unavailable '{}' is not one of rate_limit, quota, overload, authentication, "
                              "credit, network, missing_binary, environment, crash",
                              args.outage));
    request.outage = *outage;
    if (args.retry_after.us > 0) request.until = read_clocks().wall + args.retry_after;
  }
  if (success) {
    Result<SavedWork> saved = save_own_work(*id);
    if (!saved) return fail(saved.error());
    request.work = std::move(*saved);
  }
  return send_report(globals, args, std::move(request), "is");
}

Result<Exit> renew(const Globals& globals, const ReportArgs& args) {
  const Result<TaskId> id = args.id();
  if (!id) return fail(id.error());
  return send_report(globals, args, Renew{*id, {static_cast<std::uint64_t>(args.epoch)}}, "is");
}

Result<Exit> progress(const Globals& globals, const ReportArgs& args) {
  const Result<TaskId> id = args.id();
  if (!id) return fail(id.error());
  const Result<Micros> fraction = read_number(args.fraction, ranges::progress);
  if (!fraction) return fail(Errc::invalid, "progress " + fraction.error().text);
  const Epoch epoch{static_cast<std::uint64_t>(args.epoch)};
  return send_report(globals, args, Progress{*id, epoch, *fraction, args.text}, nullptr);
}

void declare_report(Options& o, ReportArgs& args) {
  o.text("--as", args.as, "NAME", "The agent that holds the task");
  o.integer("--epoch", args.epoch, "E", "Refuse unless this is the current epoch; 0: do not check");
}

}  // namespace

Command claim_command() {
  return {
      "claim",
      "Work",
      "Take a task; prints the epoch of the award (with --next: task and epoch)",
      "Exactly one of several claimers wins; the others exit with 5. The epoch is the number of the award: 1 "
      "for the "
      "first, 2 for\n"
      "the next. A result for an ended epoch is refused. A claim lasts for the task's timeout; `bidboard "
      "renew` "
      "extends it.\n"
      "The name is registered on first use.",
      {{"bidboard claim t3 --as me", "take this task"},
       {"bidboard claim --next --as me --skill cpp=0.8", "the next ready task for an agent with this skill"},
       {"bidboard claim --next --wait --as me", "wait for such a task (needs a controller)"}},
      [](Options& o) -> Action0 {
        auto args = std::make_shared<ClaimArgs>();
        o.task("TASK", args->task, false);
        o.text("--as", args->as, "NAME", "The agent that claims");
        o.flag("--next", args->next, "The next ready task that the agent may take");
        o.flag("--wait", args->wait, "With --next: wait for one");
        o.duration("--for", args->wait_for, "TIME", "With --wait: at most this long");
        o.texts("--skill,-s", args->skills, "NAME[=LEVEL]", "Set the skills of the agent");
        o.flag("--json", args->json, "Print an object with task and epoch");
        return [args](const Globals& globals) { return claim(globals, *args); };
      }};
}

Command renew_command() {
  return {"renew",
          "Work",
          "Extend a claim by the task's timeout",
          "",
          {{"bidboard renew t3 --as me", "when the work takes longer than the timeout"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<ReportArgs>();
            o.task("TASK", args->task, false);
            declare_report(o, *args);
            return [args](const Globals& globals) { return renew(globals, *args); };
          }};
}

Command done_command() {
  return {
      "done",
      "Work",
      "Deliver a task's result",
      "",
      {{"bidboard done t3 --as me --result '{\"files\": 3}'", "with a result"},
       {"make report | bidboard done t3 --as me --epoch 2 --result -", "only if epoch 2 is still current"}},
      [](Options& o) -> Action0 {
        auto args = std::make_shared<ReportArgs>();
        o.task("TASK", args->task, false);
        declare_report(o, *args);
        o.text("--result,-r", args->text, "JSON|@FILE|-", "The result: JSON or any text");
        o.number("--price", args->price, "PRICE", "Its price", ranges::price);
        o.integer("--tokens", args->tokens, "N", "Tokens spent");
        return [args](const Globals& globals) { return finish(globals, *args, true); };
      }};
}

Command fail_command() {
  return {"fail",
          "Work",
          "Report a failed attempt; the task is retried while attempts are left",
          "With --unavailable the task is not at fault: the attempt does not count, and the agent rests, "
          "with all\n"
          "that share its account where the class concerns the account: rate_limit, quota, overload,\n"
          "authentication, credit. The others concern the agent alone: network, missing_binary, environment, "
          "crash.\n"
          "A name that claims at the shell has no process and does not rest.",
          {{"bidboard fail t3 --as me --reason \"no access\"", "the next attempt is given the reason"},
           {"bidboard fail --unavailable rate_limit --retry-after 1h", "inside a task's process"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<ReportArgs>();
            o.task("TASK", args->task, false);
            declare_report(o, *args);
            o.text("--reason,-r", args->text, "TEXT|@FILE|-", "Why");
            o.text("--unavailable", args->outage, "CLASS",
                   "The agent could not work; the attempt does not count");
            o.duration("--retry-after", args->retry_after, "TIME",
                       "With --unavailable: how long, as the provider says");
            return [args](const Globals& globals) { return finish(globals, *args, false); };
          }};
}

Command progress_command() {
  return {"progress",
          "Work",
          "Report progress",
          "Inside a task's process neither --task nor --as is needed.",
          {{"bidboard progress 0.4 \"half of the files\"", "inside a task's process"},
           {"bidboard progress 0.4 --task t3 --as me", "from elsewhere"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<ReportArgs>();
            o.argument("FRACTION", args->fraction, "0 to 1");
            o.argument("TEXT", args->text, "A short description", false);
            o.text("--task,-t", args->task, "TASK", "Which task");
            declare_report(o, *args);
            return [args](const Globals& globals) { return progress(globals, *args); };
          }};
}

}  // namespace bidboard
