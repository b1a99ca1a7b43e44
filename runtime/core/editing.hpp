// Editing a posted task: its title, body, priority, time limit, skills, needs and labels. Pure.
#pragma once

#include "runtime/core/core.hpp"
#include "runtime/core/requests.hpp"

namespace bidboard {

/// All of the edit or nothing, under the rules of posting. While an agent holds the task, only title,
/// priority and labels can change; once it has ended, only labels. What agents were told of the task before
/// is withdrawn. Errors: not_found; invalid; conflict (too late); storage (the board is nearly full).
Result<Edited> edit_task(Core& core, const Actor& actor, const Edit& request);

}  // namespace bidboard
