// Time as parameters. Pure rooms read no clock: drivers read both clocks once per batch and pass
// `Now` in.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "blackboard/result.hpp"

namespace bidboard {

/// A span of time, microseconds.
struct Duration {
  std::int64_t us = 0;
  auto operator<=>(const Duration&) const = default;
};
constexpr Duration microseconds(std::int64_t n) { return {n}; }
constexpr Duration milliseconds(std::int64_t n) { return {n * 1'000}; }
constexpr Duration seconds(std::int64_t n) { return {n * 1'000'000}; }
constexpr Duration minutes(std::int64_t n) { return {n * 60'000'000}; }
constexpr Duration operator+(Duration a, Duration b) { return {a.us + b.us}; }
constexpr Duration operator-(Duration a, Duration b) { return {a.us - b.us}; }
constexpr Duration operator*(Duration a, std::int64_t n) { return {a.us * n}; }

/// Monotonic time, microseconds since an arbitrary start. Liveness deadlines (leases, bids) live here; never
/// stored.
struct Instant {
  std::int64_t us = 0;
  auto operator<=>(const Instant&) const = default;
};
/// Wall time, microseconds since 1970-01-01 UTC. Calendar deadlines (timeouts, back-off) live here and are
/// stored.
struct WallTime {
  std::int64_t us = 0;
  auto operator<=>(const WallTime&) const = default;
};
constexpr Instant operator+(Instant t, Duration d) { return {t.us + d.us}; }
constexpr Instant operator-(Instant t, Duration d) { return {t.us - d.us}; }
constexpr Duration operator-(Instant a, Instant b) { return {a.us - b.us}; }
constexpr WallTime operator+(WallTime t, Duration d) { return {t.us + d.us}; }
constexpr WallTime operator-(WallTime t, Duration d) { return {t.us - d.us}; }
constexpr Duration operator-(WallTime a, WallTime b) { return {a.us - b.us}; }

/// Later than every time that occurs: "no deadline".
constexpr Instant never{INT64_MAX};

struct Now {
  Instant mono;
  WallTime wall;
};

/// A cost, score, size, speed, level or price in millionths of its unit: no floating point decides anything.
using Micros = std::int64_t;
constexpr Micros one = 1'000'000;

/// Nearest micro-unit; NaN gives 0, what does not fit is clamped to ±4e18.
Micros to_micros(double value);
constexpr double from_micros(Micros value) { return static_cast<double>(value) / 1e6; }
/// a × b and a / b in micro-units, rounded toward zero, through 128 bits and clamped; b > 0 in div.
Micros mul_micros(Micros a, Micros b);
Micros div_micros(Micros a, Micros b);

/// "1.5" for 1'500'000: the shortest decimal, at most six places.
std::string format_micros(Micros value);
/// "850ms", "12.3s", "4m10s", "2h03m": for people.
std::string format_duration(Duration d);
/// Accepts "250ms", "60s", "1.5m", "2h", "1d", "2h03m" and whatever format_duration prints of a span that is
/// not negative, or a bare number of seconds. Errors: invalid (negative, garbage).
Result<Duration> parse_duration(std::string_view text);

}  // namespace bidboard
