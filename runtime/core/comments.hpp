// Comments on tasks: who said what about a task, for people and for the agent that gets it next. Pure.
#pragma once

#include <vector>

#include "runtime/core/core.hpp"
#include "runtime/core/requests.hpp"

namespace bidboard {

/// Errors: not_found; invalid (no text, or too long); conflict (the task has as many as it may have);
/// storage (the board is nearly full).
Result<Commented> add_comment(Core& core, const Actor& actor, const AddComment& request);

/// Of a task's comments the latest are handed to the agent that gets it, this many bytes of text together at
/// most. The others are on the board.
constexpr std::size_t comment_bytes_in_award = 64 * 1024;
/// Oldest first.
std::vector<SignedComment> latest_comments(const Core& core, const Task& task);

}  // namespace bidboard
