// Awaits a condition that another process brings about.
#pragma once

#include <poll.h>

#include <chrono>

namespace bidboard {

/// True as soon as the condition holds; false after the patience, which is long because only a failure uses
/// it up.
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
