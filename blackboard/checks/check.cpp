#include "blackboard/checks/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace bidboard {

void check_failed(const char* condition, const char* why, const char* file, int line) {
  std::fprintf(stderr, "bidboard: internal error at %s:%d: %s (%s)\n", file, line, why, condition);
  std::abort();
}

}  // namespace bidboard
