// What an edit does to what was asked for: the difference between two specs, what it leads to, and how it is
// told. Pure.
#pragma once

#include <string>
#include <vector>

#include "blackboard/records.hpp"
#include "blackboard/requests.hpp"

namespace bidboard {

/// Gives the spec the values that the edit has.
void apply(const TaskEdit& edit, TaskSpec& spec);
/// The edit without the values that the spec has already.
TaskEdit without_unchanged(TaskEdit edit, const TaskSpec& spec);
/// Whether it changes what an agent bids for or does: anything but labels.
bool changes_work(const TaskEdit& edit);

/// Each field that the edit changes, before and after: {"priority", "0", "5"}. Long texts are cut, and of a
/// body only the length is told.
std::vector<FieldChange> told(const TaskEdit& edit, const TaskSpec& before);
/// "priority from 0 to 5; labels from none to urgent", about 500 bytes at most.
std::string in_words(const std::vector<FieldChange>& changes);

}  // namespace bidboard
