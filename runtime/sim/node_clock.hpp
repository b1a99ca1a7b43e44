// One machine's clocks as functions of the world's time: each starts at a value of its own, runs a little
// fast or slow, and the wall clock can be set. For one thread.
#pragma once

#include "blackboard/time.hpp"

namespace bidboard::sim {

/// The world's time is an Instant that begins at 0.
class NodeClock {
 public:
  NodeClock() = default;
  /// `drift_ppm`: microseconds that it gains in a second of the world, at most ±100,000.
  NodeClock(Instant mono_at_zero, WallTime wall_at_zero, std::int64_t drift_ppm)
      : mono_at_zero_(mono_at_zero), wall_at_zero_(wall_at_zero), drift_ppm_(drift_ppm) {}

  Now read(Instant world) const {
    const Duration passed = elapsed(world);
    return {mono_at_zero_ + passed, wall_at_zero_ + passed};
  }
  /// The first moment of the world at which the monotonic clock shows `mono` or later. never stays never.
  Instant when(Instant mono) const {
    if (mono == never) return never;
    const std::int64_t shown = (mono - mono_at_zero_).us;
    Instant world{static_cast<std::int64_t>(Wide{shown} * 1'000'000 / (1'000'000 + drift_ppm_))};
    while (elapsed(world).us < shown) world.us += 1;
    return world;
  }
  /// Sets the wall clock.
  void set_wall(Duration forward) { wall_at_zero_ = wall_at_zero_ + forward; }
  std::int64_t drift_ppm() const { return drift_ppm_; }

 private:
  __extension__ using Wide = __int128;
  Duration elapsed(Instant world) const {
    return {world.us + static_cast<std::int64_t>(Wide{world.us} * drift_ppm_ / 1'000'000)};
  }

  Instant mono_at_zero_{1'000'000'000};
  WallTime wall_at_zero_{1'700'000'000'000'000};
  std::int64_t drift_ppm_ = 0;
};

}  // namespace bidboard::sim
