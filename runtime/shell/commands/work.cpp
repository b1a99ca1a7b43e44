// claim, renew, done, fail, progress: doing a task from the shell, or from within a task's own process.
#include <cstdio>
#include <cstdlib>

#include "blackboard/format/codec.hpp"
#include "runtime/drivers/clock.hpp"
#include "runtime/drivers/stop_signal.hpp"
#include "runtime/net/client.hpp"
#include "runtime/shell/caller.hpp"
#include "runtime/shell/commands.hpp"
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
    std::puts(to_json(data).c_str());
    return Exit::ok;
  }
  const std::string epoch = std::to_string(claimed.epoch.value);
  std::puts(args.next ? (to_string(claimed.task) + " " + epoch).c_str() : epoch.c_str());
  if (is_terminal())
    std::fprintf(
        stderr,
        "%s is yours for %s (epoch %s): `bidboard done %s --as %s --result TEXT`, or `renew`, or `fail`\n",
        to_string(claimed.task).c_str(), format_duration(claimed.deadline - read_clocks().wall).c_str(),
        epoch.c_str(), to_string(claimed.task).c_str(), args.as.c_str());
  return Exit::ok;
}

/// Asks again whenever the board has changed, until there is a task to take.
Result<Claimed> claim_when_possible(const BoardDirectory& board, const Claim& request,
                                    const ClaimArgs& args) {
  const StopSignal stop;
  const Instant give_up = read_clocks().mono + args.wait_for;
  while (true) {
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
    if (left.us <= 0 || stop.requested())
      return fail(Errc::timed_out, "no task to take within " + format_duration(args.wait_for));
    if (!writer)
      return fail(
          Errc::unavailable,
          "--wait needs a controller that tells when something changes; start one with `bidboard up`");
    static_cast<void>(feed->wait(std::min(left, seconds(10))));
  }
}

Result<Exit> claim(const Globals& globals, const ClaimArgs& args) {
  if (args.task.empty() == !args.next) return fail(Errc::invalid, "say which task, or --next");
  if (args.as.empty()) return fail(Errc::invalid, "say who claims: --as NAME");
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
                "--wait watches the board's files, which are on another machine; run it there");
  const Result<Claimed> claimed = waits ? claim_when_possible(board->board, request, args)
                                        : call_for<Claimed>(*board, request, caller(args.as));
  if (!claimed) return fail(claimed.error());
  return print_claim(*claimed, args);
}

/// What done, fail, renew and progress have in common.
struct ReportArgs {
  std::string task;
  std::string as;
  std::int64_t epoch = 0;
  std::string text;
  Micros price = 0;
  std::int64_t tokens = 0;
  std::string fraction;

  /// Inside a task's process the task need not be named.
  Result<TaskId> id() const {
    const char* own = std::getenv("BIDBOARD_TASK");
    if (task.empty() && !own) return fail(Errc::invalid, "say which task");
    return read_task_id(task.empty() ? own : task);
  }
};

Result<Exit> send_report(const Globals& globals, const ReportArgs& args, RequestBody body, const char* verb) {
  const Result<Target> board = find_target(globals);
  if (!board) return fail(board.error());
  if (args.epoch < 0) return fail(Errc::invalid, "an epoch is a positive number");
  const Result<Changed> changed = call_for<Changed>(*board, std::move(body), caller(args.as));
  if (!changed) return fail(changed.error());
  if (verb)
    std::printf("%s is %s\n", to_string(changed->task).c_str(), std::string(name(changed->state)).c_str());
  return Exit::ok;
}

Result<Exit> finish(const Globals& globals, const ReportArgs& args, bool success) {
  const Result<TaskId> id = args.id();
  if (!id) return fail(id.error());
  Result<std::string> text = read_text(args.text);
  if (!text) return fail(text.error());
  Finish request{*id,        {static_cast<std::uint64_t>(args.epoch)}, success, std::move(*text), args.price,
                 args.tokens};
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
  char* end = nullptr;
  const double fraction = std::strtod(args.fraction.c_str(), &end);
  if (args.fraction.empty() || *end != '\0' || !(fraction >= 0 && fraction <= 1))
    return fail(Errc::invalid, "progress is a number from 0 to 1, not '" + args.fraction + "'");
  const Epoch epoch{static_cast<std::uint64_t>(args.epoch)};
  return send_report(globals, args, Progress{*id, epoch, to_micros(fraction), args.text}, nullptr);
}

void declare_report(Options& o, ReportArgs& args) {
  o.text("--as", args.as, "NAME", "Who holds the task");
  o.integer("--epoch", args.epoch, "E", "Refuse unless this is still the live award; 0: whichever is");
}

}  // namespace

Command claim_command() {
  return {"claim",
          "Work",
          "Take a task; prints the epoch of the award (--next: the task and the epoch)",
          "Of several that claim one task exactly one wins; the others exit with 5. The claim lasts for the "
          "task's timeout and can be\n"
          "renewed. The name is registered on first use.",
          {{"bidboard claim t3 --as me", "take this one"},
           {"bidboard claim --next --as me --skill cpp=0.8", "the next one that suits"},
           {"bidboard claim --next --wait --as me", "wait until there is one (a controller must serve)"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<ClaimArgs>();
            o.task("TASK", args->task, false);
            o.text("--as", args->as, "NAME", "Who claims");
            o.flag("--next", args->next, "The next ready task that the claimer may take");
            o.flag("--wait", args->wait, "With --next: wait for one");
            o.duration("--for", args->wait_for, "TIME", "With --wait: how long");
            o.texts("--skill,-s", args->skills, "NAME[=LEVEL]", "What the claimer can do, from now on");
            o.flag("--json", args->json, "Print an object with task and epoch");
            return [args](const Globals& globals) { return claim(globals, *args); };
          }};
}

Command renew_command() {
  return {"renew",
          "Work",
          "Prolong a claim by the task's timeout",
          "",
          {{"bidboard renew t3 --as me", "go on working"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<ReportArgs>();
            o.task("TASK", args->task, false);
            declare_report(o, *args);
            return [args](const Globals& globals) { return renew(globals, *args); };
          }};
}

Command done_command() {
  return {"done",
          "Work",
          "Deliver a task's result",
          "",
          {{"bidboard done t3 --as me --result '{\"files\": 3}'", "with a result"},
           {"make report | bidboard done t3 --as me --epoch 2 --result -",
            "only if epoch 2 is still the live award"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<ReportArgs>();
            o.task("TASK", args->task, false);
            declare_report(o, *args);
            o.text("--result,-r", args->text, "JSON|@FILE|-", "The result: JSON or any text");
            o.number("--price", args->price, "PRICE", "What it cost");
            o.integer("--tokens", args->tokens, "N", "Tokens it took");
            return [args](const Globals& globals) { return finish(globals, *args, true); };
          }};
}

Command fail_command() {
  return {"fail",
          "Work",
          "Give an attempt up; the task is tried again while attempts are left",
          "",
          {{"bidboard fail t3 --as me --reason \"no access\"", "the reason is handed to the next attempt"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<ReportArgs>();
            o.task("TASK", args->task, false);
            declare_report(o, *args);
            o.text("--reason,-r", args->text, "TEXT|@FILE|-", "Why");
            return [args](const Globals& globals) { return finish(globals, *args, false); };
          }};
}

Command progress_command() {
  return {"progress",
          "Work",
          "Say how far a task is",
          "Inside a task's process the task and its agent are known from the environment.",
          {{"bidboard progress 0.4 \"half of the files\"", "from within a task"},
           {"bidboard progress 0.4 --task t3 --as me", "from elsewhere"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<ReportArgs>();
            o.argument("FRACTION", args->fraction, "0 to 1");
            o.argument("TEXT", args->text, "A few words", false);
            o.text("--task,-t", args->task, "TASK", "Which task");
            declare_report(o, *args);
            return [args](const Globals& globals) { return progress(globals, *args); };
          }};
}

}  // namespace bidboard
