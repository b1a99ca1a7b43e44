// Waits for a condition that another process fulfils.
#pragma once

#include <poll.h>

#include <algorithm>
#include <chrono>

namespace bidboard {

/// True as soon as the condition holds; false after the patience, which is long because it runs out only in a
/// failing test.
template <class Condition>
bool eventually(Condition&& condition, std::chrono::seconds patience = std::chrono::seconds(30)) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + patience;
  for (auto before = Clock::now(); !condition(); before = Clock::now()) {
    const auto now = Clock::now();
    if (now > end) return false;
    // As long as the look took: an expensive one, often repeated, would take the time of what it waits for.
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(now - before).count();
    ::poll(nullptr, 0, static_cast<int>(std::clamp<long long>(took, 2, 50)));
  }
  return true;
}

}  // namespace bidboard
