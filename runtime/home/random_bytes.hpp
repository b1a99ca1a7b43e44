// The system's entropy. Edge code: code that decides uses a seeded generator (blackboard/random.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "blackboard/result.hpp"

namespace bidboard {

/// Unpredictable bytes. Errors: failed. REQUIRES: at most 256.
Result<std::string> random_bytes(std::size_t count);
/// A number that was never drawn before. Errors: as for random_bytes.
Result<std::uint64_t> random_number();

}  // namespace bidboard
