// The environment of a task's process: its files in the board's folder, its environment variables, and the
// task as text. Every executor uses these, so that a task looks the same to all of them.
#pragma once

#include <string>
#include <vector>

#include "agents/executor.hpp"
#include "agents/guard/guard.hpp"
#include "agents/json_fields.hpp"
#include "blackboard/text/document.hpp"
#include "blackboard/text/redaction.hpp"

namespace bidboard {

/// Where an agent works.
struct Workplace {
  std::string board;           ///< the board's directory, absolute
  std::string agent;           ///< the agent's name
  std::string directory = {};  ///< where commands run; empty: the agent's working directory
  std::string tools = {};      ///< the folder of the shell tool, put first on the PATH; empty: PATH as it is
  std::string connect =
      {};  ///< not empty: endpoint of the controller on another machine; `board` is then used for files only
  std::string key_file = {};              ///< the access key for it
  std::vector<EnvVariable> env = {};      ///< besides those of this program
  std::vector<EnvVariable> secrets = {};  ///< variables too; their values are hidden in all that is written

  // Made by open().
  Redactor redactor = {};
  Folder folder = {};  ///< the board's: files are made in it wherever it is moved
  Folder home = {};    ///< the folder that holds it, if that is the directory; else the directory is a path

  void open();
};
/// The command works in the place's directory.
void work_in(const Workplace& place, GuardSpec& command);

// Names in the board's folder.
// output/t12.e1.log: what the attempt wrote; appended by the agent and its guard.
std::string output_name(TaskId task, Epoch epoch);
// run/t12.lock: held while anything of the task runs on this machine (guard.hpp).
std::string lock_name(TaskId task);
// run/t12.e1.needs.json and .failures.jsonl: given to the attempt, removed with it.
std::string needs_name(TaskId task, Epoch epoch);
std::string failures_name(TaskId task, Epoch epoch);
// run/t12.e1.worktree.json and .work.json: for a command in a worktree, what to do and what became of it.
std::string worktree_order_name(TaskId task, Epoch epoch);
std::string work_name(TaskId task, Epoch epoch);

/// Makes output and run in the board's folder if they are missing.
Result<void> make_places(const Folder& board);
/// Replaces a file of ours, readable by its owner only.
Result<void> write_private_file(const Folder& board, const std::string& name, std::string_view bytes);

/// This program's environment, in which the place's variables, then those of the task, then the secrets
/// replace what has the same name, and every BIDBOARD_ variable is replaced by: BIDBOARD_AGENT;
/// BIDBOARD_SECRETS, their names, by which the shell tool hides them in what it sends; BIDBOARD_DIR, or, when
/// the controller is elsewhere, BIDBOARD_CONNECT and BIDBOARD_KEY; and PATH, so that tasks find the shell
/// tool.
std::vector<std::string> agent_environment(const Workplace& place,
                                           const std::vector<EnvVariable>& of_task = {});
/// The same for a task, plus BIDBOARD_TASK, _EPOCH, _TOKEN, _ATTEMPT, _IDEMPOTENCY_KEY, _NEEDS and _FAILURES
/// (paths), and, where money is bounded, _BUDGET: what the attempt may cost.
std::vector<std::string> task_environment(const Workplace& place, const Assignment& assignment);

/// Before a task is begun. Errors: unavailable (the agent's directory is gone).
Result<void> check_directory(const Workplace& place);
/// spec.dir below the place's directory, as an absolute path; empty: it has none. Errors: failed (there is
/// none, or links lead out of the place's directory).
Result<std::string> task_directory(const Workplace& place, const TaskSpec& spec);

/// Title, blank line, body, newline. Then the comments, if there are any: quoted, with their authors, and
/// marked as what others wrote.
std::string task_text(const TaskSpec& spec, const std::vector<SignedComment>& comments);
/// The task as commands and coprocesses see it: every field of its spec, plus "task", "attempt", "failures".
Value task_value(TaskId task, const TaskSpec& spec, std::uint32_t attempt,
                 const std::vector<AttemptFailure>& failures);
/// The same for an awarded task, plus "epoch", "token", "idempotency_key", "results" (of the needed tasks),
/// "comments" ([{"author": "ann", "at": 1700000000.5, "text": "..."}]), "budget_left" (or null).
Value assignment_value(const Assignment& assignment);
/// One JSON object per line: {"epoch": 1, "agent": "a2", "reason": "exit 3"}.
std::string failures_text(const std::vector<AttemptFailure>& failures);

/// The related tasks of a bid question, each as task_value gives it without failures.
Value related_value(const std::vector<RelatedTask>& related);

/// {"seconds": 12, "price": 0.1, "confidence": 0.9} (price 0 and confidence 1 if missing) or {"refuse":
/// "why"}; with either, "bundles": [{"with": ["t2"], "seconds": 20, "price": 0.1}] bids for the task together
/// with others. Anything else gives a Refusal with reason invalid that says what is wrong, and no bundle.
BidAnswered read_bid(std::uint64_t request, TaskId task, const Value& answer);

/// How long an attempt may take from now on; at least a millisecond.
Duration time_left(const Assignment& assignment, Now now);

}  // namespace bidboard
