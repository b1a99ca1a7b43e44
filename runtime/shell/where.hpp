// --where: an SQL condition over the columns of `bidboard query`.
#pragma once

#include <string>
#include <vector>

#include "blackboard/result.hpp"
#include "blackboard/store.hpp"

namespace bidboard {

/// The ids of the table's rows for which the condition holds. Errors: invalid, with SQL's own words.
Result<std::vector<std::string>> ids_where(const Snapshot& snapshot, const std::string& table, const std::string& condition);

}  // namespace bidboard
