// The floor: what any controller with this durability pays. A ROUTER socket and an LMDB file, the same bytes
// on the wire and the same durable transitions per task as Bidboard's own (recording.hpp), the same group
// commit, and no decision at all. Its figure is what Bidboard's dispatch is held against.
#pragma once

#include <string>

#include "blackboard/result.hpp"
#include "experiments/bench/recording.hpp"

namespace bidboard::bench {

/// Tasks per second, from the first award to the last commit, of `agents` processes with `capacity` tasks in
/// flight each. Starts a server process and the agents, with their files in `folder`; call from a process
/// with one thread. Errors: unavailable (processes, sockets), storage.
Result<double> run_floor(const Recording& recording, int agents, int capacity, const std::string& folder);

}  // namespace bidboard::bench
