// Negative controls: builds with tests can switch a guarantee off, to see that the suite notices. The
// environment variable SABOTAGE_BIDBOARD names what is off ("fencing guard"). In other builds there is
// nothing to switch.
//
//   commit    what was decided is sent although it could not be made durable
//   dedupe    a request that comes again is done again
//   fencing   a write under an outdated epoch is taken for one under the live one
//   core      posting a task called "crash the core" does
//   lock      the writer lock is not taken
//   guard     a task's guard lets its processes go on
//   admission every connection is let in, with every right
//   outages   an attempt that an outage has ended counts
//   billing   what such an attempt has cost is not charged
//   identity  a peer with any key may speak for every agent, and a registration may be played again
#pragma once

#include <string_view>

namespace bidboard {

#ifdef BIDBOARD_SABOTAGE
bool sabotaged(std::string_view guarantee);
#else
constexpr bool sabotaged(std::string_view) { return false; }
#endif

}  // namespace bidboard
