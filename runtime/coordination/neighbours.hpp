// Which agents talk to each other where agents agree among themselves. Pure.
#pragma once

#include <cstddef>
#include <vector>

namespace bidboard {

/// The places, of `count` in a ring, that the agent at `place` talks to; ascending. Up to seventeen agents
/// all talk to each other; of more, each one to those one, two, four, ... places before and behind it, so
/// that connections grow with n log n and news is everywhere after log n steps.
std::vector<std::size_t> neighbours(std::size_t place, std::size_t count);

}  // namespace bidboard
