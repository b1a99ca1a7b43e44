// Options that say what a task needs or which tasks are meant, alike in every command that has them.
#pragma once

#include <string>
#include <vector>

#include "blackboard/records.hpp"
#include "blackboard/result.hpp"

namespace bidboard {

/// "t12" or "t12:any". Errors: invalid.
Result<std::vector<Need>> read_needs(const std::vector<std::string>& texts);
/// "cpp", "cpp>=0.7"; "cpp=0.7" as well, because a shell takes an unquoted > for a redirection. Errors:
/// invalid.
Result<std::vector<SkillNeed>> read_skill_needs(const std::vector<std::string>& texts);
/// A misspelt state would list nothing, which looks like a valid answer. Empty is any state. Errors: invalid.
Result<void> check_state(const std::string& state);

}  // namespace bidboard
