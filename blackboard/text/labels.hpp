// Labels of tasks: words that people and queries sort tasks by. Pure.
#pragma once

#include <string_view>

namespace bidboard {

/// What a label is, for people. Lists of labels are separated by commas, and + and - add and remove labels in
/// `bidboard edit`. The length is bounded in task_limits.hpp.
constexpr std::string_view label_rule =
    "a label has no spaces, commas or control characters, and no + or - in front";
bool is_label(std::string_view text);

}  // namespace bidboard
