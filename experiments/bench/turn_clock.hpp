// Adds up the real time of a simulated controller's turns, its store included. Edge code: reads the clock.
#pragma once

#include "experiments/bench/support.hpp"
#include "runtime/sim/world.hpp"

namespace bidboard {

class TurnClock : public sim::Observer {
 public:
  void on_turn() override { begun_ = bench::Clock::now(); }
  void on_turn_over() override { seconds_ += bench::seconds_since(begun_); }
  double seconds() const { return seconds_; }

 private:
  bench::Clock::time_point begun_;
  double seconds_ = 0;
};

}  // namespace bidboard
