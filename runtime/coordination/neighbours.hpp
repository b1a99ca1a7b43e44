// Which agents talk to each other where agents agree among themselves. Pure.
#pragma once

#include <cstddef>
#include <vector>

namespace bidboard {

/// The positions, of `count` in a ring, that the agent at `place` talks to; ascending. Up to seventeen agents
/// all talk to each other. In larger rings each agent talks to those one, two, four, ... positions before and
/// after it, so that the number of connections grows as n log n and news reaches all agents after log n
/// steps.
std::vector<std::size_t> neighbours(std::size_t place, std::size_t count);

}  // namespace bidboard
