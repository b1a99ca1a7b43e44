// Posting tasks, the dependencies between them, and the order that follows from those. Pure.
#pragma once

#include "runtime/core/core.hpp"
#include "runtime/core/requests.hpp"

namespace bidboard {

/// Posts all tasks of the request or none. Errors: invalid, not_found, conflict, storage (the board is nearly
/// full).
Result<Posted> post_tasks(Core& core, const Actor& actor, const Post& post);
/// Adds or removes a dependency. Errors: not_found, conflict (too late), invalid (it would close a cycle).
Result<Changed> change_need(Core& core, const Depend& request);
/// Recomputes the bottom levels of all unfinished tasks, or sets them to zero.
void relevel_all(Core& core, bool by_bottom_level);

}  // namespace bidboard
