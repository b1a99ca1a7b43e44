// Addresses at which a controller listens for other machines, as people write them.
#pragma once

#include <string>
#include <utility>

#include "blackboard/result.hpp"

namespace bidboard {

/// tcp://ADDRESS:PORT, and the same for the feed: one port higher, or any port (*) as well. Errors: invalid.
Result<std::pair<std::string, std::string>> tcp_endpoints(const std::string& listen);

}  // namespace bidboard
