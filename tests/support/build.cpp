#include "tests/support/build.hpp"

namespace bidboard::testing {

const char* const bidboard_binary = BIDBOARD_BINARY;
const char* const failing_disk_library = BIDBOARD_FAILING_DISK;
const bool is_sanitized = BIDBOARD_SANITIZED;

}  // namespace bidboard::testing
