// Looks, before agents are given work, whether they can do any: whether the program of each is there, which
// version it is and, if that is asked for, whether its provider answers. Everything runs as tasks of the
// agent would: in its directory, with its variables, under a guard. Edge code; blocks.
#pragma once

#include <string>
#include <vector>

#include "blackboard/time.hpp"
#include "runtime/drivers/stop_signal.hpp"
#include "runtime/jobs/plan.hpp"

namespace bidboard {

struct Preflight {
  std::vector<std::string> agents;  ///< the names of those that are alike in all but the name
  std::string program;              ///< with which its command begins; empty: that cannot be told
  std::string version;              ///< what the program says of it; empty: nothing
  std::string answer;               ///< to the small call
  Micros price = 0;                 ///< of the call, if the client tells
  std::string problem;              ///< and what to do about it; empty: none
};

enum class PreflightDepth {
  program,  ///< whether it is there: some milliseconds
  version,  ///< and which one: a second for each client
  call,     ///< and one small prompt for each preset, which costs what a short answer costs
};

/// `home`: where agents without a directory work. Errors: storage (there is no folder for temporary files),
/// failed (a stop was requested).
Result<std::vector<Preflight>> check_agents(const std::vector<PlannedAgent>& agents, const std::string& home,
                                            PreflightDepth depth, const StopSignal& stop);

}  // namespace bidboard
