// The one place where drivers read the clocks. Edge code: pure rooms get `Now` as a parameter.
#pragma once

#include "blackboard/time.hpp"

namespace bidboard {

Now read_clocks();

}  // namespace bidboard
