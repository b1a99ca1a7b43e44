// A new configuration: checked, stored, and made known to the agents. Pure.
#pragma once

#include "runtime/core/core.hpp"

namespace bidboard {

/// Replaces the board's configuration. Errors: invalid, naming the value.
Result<Nothing> configure(Core& core, const Configure& request);

}  // namespace bidboard
