// Waits for a condition that another process fulfils.
#pragma once

#include <poll.h>

#include <chrono>

namespace bidboard {

/// True as soon as the condition holds; false after the patience, which is long because it runs out only in a
/// failing test.
template <class Condition>
bool eventually(Condition&& condition, std::chrono::seconds patience = std::chrono::seconds(30)) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    ::poll(nullptr, 0, 2);
  }
  return true;
}

}  // namespace bidboard
