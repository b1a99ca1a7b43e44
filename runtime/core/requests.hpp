// Client requests: who may make them, what they do, and the same reply when a request is repeated. Pure.
#pragma once

#include <string>

#include "runtime/core/core.hpp"

namespace bidboard {

/// Who makes a request, and with what rights.
/// How operators sign; no agent may be called so.
constexpr const char* operators_name = "operator";

struct Actor {
  Role role = Role::operator_;
  AgentId agent;     ///< acts as this agent; 0: as operator
  TaskId only_task;  ///< under a token: the only task that it may change
  Epoch token_epoch;
  std::string name = operators_name;  ///< for refusals and the audit
};

void on_request(Core& core, PeerId peer, const Request& request);

}  // namespace bidboard
