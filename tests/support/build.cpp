#include "tests/support/build.hpp"

namespace bidboard::testing {

const char* const bidboard_binary = BIDBOARD_BINARY;
const char* const failing_disk_library = BIDBOARD_FAILING_DISK;

}  // namespace bidboard::testing
