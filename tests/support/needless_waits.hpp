// What must not wait: checks of a board after each batch of a random world.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "blackboard/board/board.hpp"

namespace bidboard::testing {

/// Under a push strategy no task waits while an agent that may have it is free.
std::vector<std::string> idle_agents(const Board& board, const std::set<AgentId>& connected);

/// While no attempt is under way, whose cost is only expected, no budget holds a task for which it has room.
std::vector<std::string> needless_holds(const Board& board, WallTime now);

}  // namespace bidboard::testing
