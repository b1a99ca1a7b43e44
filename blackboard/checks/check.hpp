// BB_CHECK: an assertion that stays on in release builds. It guards against our own mistakes, never against
// input: bad input is a Result (result.hpp). Tripping it prints the place and aborts; the board on disk stays
// whole, because nothing uncommitted survives. (The name CHECK belongs to the test framework.)
#pragma once

namespace bidboard {

[[noreturn]] void check_failed(const char* condition, const char* why, const char* file, int line);

}  // namespace bidboard

#define BB_CHECK(condition, why) \
  ((condition) ? void(0) : ::bidboard::check_failed(#condition, why, __FILE__, __LINE__))
