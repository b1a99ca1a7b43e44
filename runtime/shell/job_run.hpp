// `bidboard run`: posts a plan and follows it until every task has ended, on a serving board or with a
// controller and agents of its own.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "runtime/fleet/supervisor.hpp"
#include "runtime/jobs/plan.hpp"
#include "runtime/jobs/posting.hpp"
#include "runtime/shell/command.hpp"

namespace bidboard {

struct JobOptions {
  std::string file;         ///< as typed
  std::int64_t agents = 0;  ///< started when the plan names none; 0: four
  std::string strategy;     ///< overrides the plan's
  std::string mechanism;
  std::optional<Micros> scale;  ///< seconds per traced second; nothing: the critical path takes 5 s
  bool keep = false;            ///< keep a temporary board even if every task is done
  bool fresh = false;           ///< cancel what is left of an earlier run
  bool rehearse = false;        ///< stand-ins play the clients of agents with a preset
  bool wait = false;            ///< for agents that can do the tasks which no agent can do yet
  bool quiet = false;
  bool json = false;
  Duration time_limit{};  ///< 0: none
};

/// Exit::ok when every task is done.
Result<Exit> run_job(const Globals& globals, Plan plan, const JobOptions& options);

}  // namespace bidboard
