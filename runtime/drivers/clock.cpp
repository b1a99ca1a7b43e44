#include "runtime/drivers/clock.hpp"

#include <chrono>

namespace bidboard {

Now read_clocks() {
  using std::chrono::duration_cast;
  using std::chrono::microseconds;
  return {{duration_cast<microseconds>(std::chrono::steady_clock::now().time_since_epoch()).count()},
          {duration_cast<microseconds>(std::chrono::system_clock::now().time_since_epoch()).count()}};
}

}  // namespace bidboard
