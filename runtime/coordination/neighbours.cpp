#include "runtime/coordination/neighbours.hpp"

#include <set>

namespace bidboard {
namespace {

/// Up to this many agents, each talks to all others.
constexpr std::size_t mesh_max = 17;

}  // namespace

std::vector<std::size_t> neighbours(std::size_t place, std::size_t count) {
  std::set<std::size_t> found;
  if (count <= mesh_max)
    for (std::size_t i = 0; i < count; ++i) found.insert(i);
  else
    for (std::size_t step = 1; step <= count / 2; step *= 2)
      found.insert({(place + step) % count, (place + count - step) % count});
  found.erase(place);
  return {found.begin(), found.end()};
}

}  // namespace bidboard
