// What the build of these tests made. All that differs from build to build is in build.cpp, so that a
// compiler cache shares everything else between a build with sanitizers and one without.
#pragma once

namespace bidboard::testing {

extern const char* const bidboard_binary;       ///< the program on trial
extern const char* const failing_disk_library;  ///< failing_disk.hpp
extern const bool is_sanitized;                 ///< the product: it is slower, and keeps freed memory

}  // namespace bidboard::testing
