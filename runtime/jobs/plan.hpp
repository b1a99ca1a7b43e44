// The content of a job file or a trace, resolved and checked: ready to be posted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/token_price.hpp"
#include "blackboard/records.hpp"
#include "blackboard/task_graph.hpp"
#include "blackboard/text/document.hpp"
#include "runtime/jobs/diagnostics.hpp"

namespace bidboard {

/// How an agent does its tasks (agents/executors/).
enum class ExecutorKind : std::uint8_t {
  command,    ///< one process per task
  coprocess,  ///< one long-lived child that speaks JSON lines
  simulated,  ///< waits size / speed
};
std::string_view name(ExecutorKind kind);

/// Whether an agent works in a git worktree of its own instead of the folder itself (agents/worktrees/).
enum class WorktreeMode : std::uint8_t {
  none,
  task,   ///< one for each attempt, removed when its work is in a branch
  agent,  ///< one for the agent, which goes from task to task
};
std::string_view name(WorktreeMode mode);

/// Where an agent finds the value of a secret. One of the two is given.
struct SecretSource {
  std::string name;  ///< under which executions get it, and tasks require it
  std::string env;   ///< a variable of the agent's env_file or environment
  std::string file;  ///< a file whose content is the value, without the newline at its end
  bool operator==(const SecretSource&) const = default;
};

/// What tokens of a model cost.
struct ModelPrice {
  std::string model;  ///< as agents name it
  TokenPrice price;
  bool operator==(const ModelPrice&) const = default;
};

/// An agent to be started; agent_entry.hpp reads and prints it. `count: 3` has become three of these.
struct PlannedAgent {
  AgentProfile profile;  ///< pid and host are not set
  ExecutorKind executor = ExecutorKind::command;
  std::string exec;  ///< command of the executor; may be empty when it only takes `run` tasks or is simulated
  std::string
      preset;         ///< the coding agent's client that `exec` runs (agents/clients/client.hpp); empty: none
  std::string model;  ///< of the preset; empty: its default
  std::string permission;    ///< of the preset, in its own words; empty: to change files
  bool json_input = false;   ///< the task reaches the command as JSON instead of text
  std::string bid;           ///< command that answers announcements; not empty: profile.bids is live
  bool answers_bids = true;  ///< a coprocess: it answers bid lines; else its bids are standard or by formula
  // Dotted paths into a result that is JSON; empty: none (agents/executors/command.hpp).
  std::string price_field;
  std::string tokens_field;
  std::string result_field;
  std::optional<TokenPrice> token_price;  ///< of a client that tells tokens and no price; none: not known
  // Of a simulated agent (agents/executors/simulated.hpp).
  Micros noise = 0;
  Micros failure_rate = 0;
  std::uint64_t seed = 1;
  Duration bid_timeout = seconds(10);  ///< of `bid`
  bool restart = true;                 ///< its supervisor starts it again when it dies
  bool serves_board = false;           ///< of a job: does the board's other tasks too
  std::string dir;                     ///< where its commands run; empty: the usual folder
  std::vector<EnvVariable> env;        ///< variables of its commands
  std::string env_file;                ///< a dotenv file with more of them; empty: none
  std::vector<SecretSource> secrets;   ///< profile.secrets are their names
  WorktreeMode worktree = WorktreeMode::none;
  Place place;  ///< in the file; not part of its description
  bool operator==(const PlannedAgent&) const = default;
};

struct PlannedNeed {
  std::uint32_t task = 0;  ///< position in Plan::tasks
  bool any = false;        ///< satisfied however that task ends
  bool operator==(const PlannedNeed&) const = default;
};

struct PlannedTask {
  TaskSpec spec;  ///< without needs, parent and workflow; spec.name is its name in the file
  std::vector<PlannedNeed> needs;
  Place place;
};

struct Plan {
  std::string name;
  std::string source;                ///< the file
  std::string project;               ///< empty: the board's
  bool traced = false;               ///< a trace: its tasks are done by simulated agents
  std::string strategy;              ///< empty: the board's
  std::string mechanism;             ///< empty: the board's
  std::vector<PlannedAgent> agents;  ///< empty: the board's own agents do it
  bool shared = false;               ///< although it has agents, the board's other agents may do its tasks
  std::vector<PlannedTask> tasks;    ///< in the order of the file; never empty
  Micros total_work = 0;             ///< sum of the sizes
  Micros critical_path = 0;          ///< the heaviest chain of needs: no schedule at speed 1 is shorter
};

/// The names that a file may use.
struct KnownNames {
  std::vector<std::string> strategies;
  std::vector<std::string> mechanisms;
};

/// A job file (YAML or JSON, job_file.hpp), a trace (JSON, trace.hpp) or a task graph (DOT or STG,
/// graph_file.hpp), distinguished by its content and its name. Errors: invalid, each finding on its own line
/// (Diagnostics::error).
Result<Plan> read_plan(std::string_view text, std::string file, const KnownNames& known);

/// Adds a finding for every cycle among the needs (ten at most), spelled out. True: there is no cycle.
bool check_cycles(const Plan& plan, Diagnostics& diagnostics);
/// Adds a finding for every task that the controller would refuse (blackboard/task_limits.hpp).
void check_limits(const Plan& plan, Diagnostics& diagnostics);
/// The dependency graph: the task at position i is TaskId{i + 1} and has weights[i].
TaskGraph graph_of(const std::vector<PlannedTask>& tasks, const std::vector<Micros>& weights);
/// Positions of the tasks, each after all it needs. REQUIRES: no cycle.
std::vector<std::size_t> needs_first(const Plan& plan);
/// Fills in total_work and critical_path. REQUIRES: no cycle.
void measure(Plan& plan);

}  // namespace bidboard
