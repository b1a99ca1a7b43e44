// Log lines of long-running commands, on stderr.
#pragma once

#include "runtime/core/controller.hpp"

namespace bidboard {

/// "12:30:01 warning agent scout1 (a3) is gone: its process 4711 ended"
void print_note(const Note& note);

}  // namespace bidboard
