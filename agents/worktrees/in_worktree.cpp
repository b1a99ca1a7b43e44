#include "agents/worktrees/in_worktree.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "agents/guard/platform.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/text/document.hpp"

extern char** environ;

namespace bidboard {
namespace {

constexpr int cannot_run = 127;

std::string word(const Value& value, std::string_view key) {
  const Value* member = value.find(key);
  return member && member->is_string() ? member->string() : std::string();
}
bool flag(const Value& value, std::string_view key) {
  const Value* member = value.find(key);
  return member && member->is_bool() && member->boolean();
}

/// Git's own variables must not lead the command to another repository than that of its worktree.
std::vector<std::string> environment_in(const std::string& path) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    if (name != "GIT_DIR" && name != "GIT_WORK_TREE" && name != "GIT_INDEX_FILE" && name != "GIT_PREFIX" &&
        name != "GIT_COMMON_DIR" && name != "PWD" && name != worktree_variable)
      result.emplace_back(text);
  }
  result.push_back(fmt::format("{}={}", worktree_variable, path));
  return result;
}

Outage outage_of(const Error& error) {
  if (error.code == Errc::unavailable) return Outage::missing_binary;
  return error.code == Errc::not_found ? Outage::environment : Outage::none;
}

/// -1: it could not be started.
pid_t start(const std::vector<std::string>& argv, const OpenWorktree& place) {
  std::vector<std::string> variables = environment_in(place.path);
  std::vector<char*> arguments, entries;
  for (const std::string& text : argv) arguments.push_back(const_cast<char*>(text.c_str()));
  for (std::string& text : variables) entries.push_back(text.data());
  arguments.push_back(nullptr);
  entries.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  die_with_parent();
  ::signal(SIGTERM, SIG_DFL);
  // The worktree stays locked while anything of the command lives, also when this process is killed.
  ::fcntl(place.lock.descriptor().get(), F_SETFD, 0);
  if (::chdir(place.directory.c_str()) == 0) ::execve(argv.front().c_str(), arguments.data(), entries.data());
  ::_exit(cannot_run);
}

void tell(const WorktreeOutcome& outcome, const std::string& file) {
  const std::string next = file + ".new";
  std::ofstream out(next, std::ios::binary);
  out << outcome_text(outcome) << "\n";
  out.close();
  std::error_code error;
  if (out) std::filesystem::rename(next, file, error);
  if (!outcome.error.empty())
    static_cast<void>(std::fprintf(stderr, "bidboard: %s\n", outcome.error.c_str()));
}

WorktreeOutcome save_and_close(const WorktreeOrder& order, const OpenWorktree& place) {
  WorktreeOutcome outcome;
  Result<SavedWork> saved = save_worktree(place.path);
  if (!saved) {
    outcome.error =
        fmt::format("its work could not be committed: {}; it is in {}", saved.error().text, place.path);
    return outcome;
  }
  outcome.work = std::move(*saved);
  if (order.per_agent) {
    forget_task(place.path);
    return outcome;
  }
  std::string why;
  const Result<bool> closed = close_worktree(place.path, why);
  if (!closed) why = closed.error().text;
  if (!why.empty())
    static_cast<void>(
        std::fprintf(stderr, "bidboard: the worktree %s stays: %s\n", place.path.c_str(), why.c_str()));
  return outcome;
}

}  // namespace

std::string run_text(const WorktreeRun& run) {
  const WorktreeOrder& order = run.order;
  Value value;
  value.set("board", order.mark.board);
  value.set("task", to_string(order.mark.task));
  value.set("epoch", order.mark.epoch.value);
  value.set("agent", order.mark.agent);
  value.set("title", order.mark.title);
  value.set("place", order.place);
  value.set("directory", order.directory);
  value.set("below", order.below);
  value.set("per_agent", order.per_agent);
  Value works{Value::Array{}};
  for (const NeedWork& work : order.works) {
    Value item;
    item.set("task", to_string(work.task));
    item.set("commit", work.commit);
    works.push(std::move(item));
  }
  value.set("works", std::move(works));
  Value argv{Value::Array{}};
  for (const std::string& argument : run.argv) argv.push(Value(argument));
  value.set("argv", std::move(argv));
  value.set("outcome_file", run.outcome_file);
  return to_json(value);
}

Result<WorktreeRun> read_run(std::string_view text) {
  const Result<Value> value = parse_json(text);
  const Error wrong{Errc::invalid, "this is no order for a worktree"};
  if (!value || !value->is_object()) return fail(wrong);
  WorktreeRun run;
  WorktreeOrder& order = run.order;
  order.mark.board = word(*value, "board");
  order.mark.agent = word(*value, "agent");
  order.mark.title = word(*value, "title");
  order.place = word(*value, "place");
  order.directory = word(*value, "directory");
  order.below = word(*value, "below");
  order.per_agent = flag(*value, "per_agent");
  const auto task = parse_id<TaskId>(word(*value, "task"));
  const Value* epoch = value->find("epoch");
  const Value* works = value->find("works");
  const Value* argv = value->find("argv");
  if (!task || !epoch || !epoch->is_number() || !works || !works->is_array() || !argv || !argv->is_array())
    return fail(wrong);
  order.mark.task = *task;
  order.mark.epoch = Epoch{static_cast<std::uint64_t>(epoch->number())};
  for (const Value& item : works->array()) {
    const auto needed = item.is_object() ? parse_id<TaskId>(word(item, "task")) : std::nullopt;
    if (!needed) return fail(wrong);
    order.works.push_back({*needed, word(item, "commit")});
  }
  for (const Value& item : argv->array())
    if (item.is_string()) run.argv.push_back(item.string());
  run.outcome_file = word(*value, "outcome_file");
  if (run.argv.empty() || run.outcome_file.empty()) return fail(wrong);
  return run;
}

std::string outcome_text(const WorktreeOutcome& outcome) {
  Value value;
  value.set("branch", outcome.work.branch);
  value.set("commit", outcome.work.commit);
  value.set("error", outcome.error);
  value.set("outage", name(outcome.outage));
  value.set("begun", outcome.begun);
  return to_json(value);
}

Result<WorktreeOutcome> read_outcome(std::string_view text) {
  const Result<Value> value = parse_json(text);
  if (!value || !value->is_object()) return fail(Errc::invalid, "this tells nothing of a worktree");
  return WorktreeOutcome{{word(*value, "branch"), word(*value, "commit")},
                         word(*value, "error"),
                         outage_named(word(*value, "outage")).value_or(Outage::none),
                         flag(*value, "begun")};
}

int work_in_worktree(const WorktreeRun& run) {
  ::signal(SIGTERM, SIG_IGN);
  const Result<OpenWorktree> place = open_worktree(run.order);
  if (!place) {
    tell({{}, place.error().text, outage_of(place.error()), false}, run.outcome_file);
    return 1;
  }
  if (!place->note.empty()) static_cast<void>(std::fprintf(stderr, "bidboard: %s\n", place->note.c_str()));
  const pid_t child = start(run.argv, *place);
  int status = cannot_run << 8;
  if (child < 0)
    static_cast<void>(std::fprintf(stderr, "bidboard: cannot start: %s\n", std::strerror(errno)));
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  tell(save_and_close(run.order, *place), run.outcome_file);
  if (!WIFSIGNALED(status)) return WEXITSTATUS(status);
  ::signal(WTERMSIG(status), SIG_DFL);
  ::kill(::getpid(), WTERMSIG(status));
  return 128 + WTERMSIG(status);
}

}  // namespace bidboard
