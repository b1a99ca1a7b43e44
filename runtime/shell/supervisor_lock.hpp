// The lock that `bidboard up` holds on its board: one at a time, and others see that it runs. Edge code.
#pragma once

#include <sys/types.h>

#include "agents/guard/descriptor.hpp"
#include "blackboard/result.hpp"
#include "runtime/home/board_directory.hpp"

namespace bidboard {

/// Held while it is open; holds the process id, and whether `up` rehearses. Errors: conflict (`up` runs
/// already), storage.
Result<Descriptor> take_supervisor_lock(const BoardDirectory& board, bool rehearses);
/// The process id of the running `up`; 0: none.
pid_t supervisor_pid(const BoardDirectory& board);
/// Whether `up --rehearse` runs.
bool rehearses(const BoardDirectory& board);

}  // namespace bidboard
