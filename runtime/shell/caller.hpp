// On whose behalf a command speaks: --as NAME, or, inside a task's process, that task's agent by its token.
#pragma once

#include "runtime/call.hpp"

namespace bidboard {

CallOptions caller(const std::string& as = {});

}  // namespace bidboard
