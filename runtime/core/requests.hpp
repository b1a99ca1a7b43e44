// What clients ask for: who may, what follows, and the same answer again when they ask again. Pure.
#pragma once

#include <string>

#include "runtime/core/core.hpp"

namespace bidboard {

/// Who asks, and with what right.
struct Actor {
  Role role = Role::operator_;
  AgentId agent;     ///< acts as this agent; 0: as operator
  TaskId only_task;  ///< under a token: may touch this task only
  Epoch token_epoch;
  std::string name = "operator";  ///< for refusals and the audit
};

void on_request(Core& core, PeerId peer, const Request& request);

}  // namespace bidboard
