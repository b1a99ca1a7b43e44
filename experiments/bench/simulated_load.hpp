// A simulated world under plain load: so many agents, so many independent tasks, nothing goes wrong; and what
// it costs in real time. Edge code: reads the clock.
#pragma once

#include <string>

#include "blackboard/records.hpp"

namespace bidboard::bench {

struct Load {
  std::string strategy = "fifo";
  std::string mechanism = "sequential";
  std::uint32_t agents = 10;
  std::uint64_t tasks = 1'000;
  bool live_bids = false;          ///< agents are asked; else the controller works bids out
  std::uint32_t invite_max = 0;    ///< Config::invite_max
  Duration task_min = seconds(5);  ///< the work in a task, uniformly up to task_max
  Duration task_max = seconds(15);
  std::uint64_t seed = 1;
};

struct LoadCost {
  double seconds = 0;             ///< of real time, for everything
  double controller_seconds = 0;  ///< of them, inside the controller and its store
  double messages_per_task = 0;   ///< heartbeats left out: they depend on how long it takes
  std::uint64_t done = 0;
  Duration took;  ///< of virtual time
};
LoadCost simulate_load(const Load& load);

}  // namespace bidboard::bench
