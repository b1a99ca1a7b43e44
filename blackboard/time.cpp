#include "blackboard/time.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>

#include "blackboard/checks/check.hpp"
#include "blackboard/fmt.hpp"

namespace bidboard {
namespace {

__extension__ using Int128 = __int128;

constexpr std::int64_t limit = 4'000'000'000'000'000'000;

Micros clamp(Int128 value) {
  if (value > limit) return limit;
  if (value < -limit) return -limit;
  return static_cast<Micros>(value);
}

constexpr double longest_seconds = 1e12;
constexpr std::string_view number_characters = "0123456789.";

/// 0: no unit.
double seconds_in(std::string_view unit) {
  if (unit == "us" || unit == "µs" || unit == "μs") return 1e-6;  // the micro sign, and the Greek letter
  if (unit == "ms") return 1e-3;
  if (unit == "s") return 1;
  if (unit == "m" || unit == "min") return 60;
  if (unit == "h") return 3'600;
  return unit == "d" ? 86'400 : 0;
}

std::string printf_string(const char* format, auto... args) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, format, args...);
  return buffer;
}

}  // namespace

Micros to_micros(double value) {
  if (std::isnan(value)) return 0;
  const double scaled = value * 1e6;
  if (scaled >= static_cast<double>(limit)) return limit;
  if (scaled <= -static_cast<double>(limit)) return -limit;
  return std::llround(scaled);
}

Micros mul_micros(Micros a, Micros b) {
  Micros product;  // dividing 128 bits takes ten times as long
  if (!__builtin_mul_overflow(a, b, &product)) return product / one;
  return clamp(static_cast<Int128>(a) * b / one);
}

Micros div_micros(Micros a, Micros b) {
  BB_CHECK(b > 0, "division by a non-positive micro value");
  Micros product;
  if (!__builtin_mul_overflow(a, one, &product)) return clamp(product / b);
  return clamp(static_cast<Int128>(a) * one / b);
}

std::string format_micros(Micros value) {
  const bool negative = value < 0;
  const std::uint64_t magnitude =
      negative ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  std::string text = (negative ? "-" : "") + std::to_string(magnitude / one);
  if (const auto fraction = magnitude % one; fraction != 0) {
    std::string digits = std::to_string(fraction);
    digits.insert(0, 6 - digits.size(), '0');
    digits.erase(digits.find_last_not_of('0') + 1);
    text += '.' + digits;
  }
  return text;
}

std::string format_duration(Duration d) {
  if (d.us < 0) return "-" + format_duration({-d.us});
  if (d.us == 0) return "0s";
  if (d.us < 1'000) return printf_string("%dµs", static_cast<int>(d.us));
  if (d.us < 1'000'000) return printf_string("%dms", static_cast<int>(d.us / 1'000));
  const auto whole_seconds = static_cast<long long>(d.us / 1'000'000);
  if (whole_seconds < 60) return printf_string("%.1fs", static_cast<double>(d.us) / 1e6);
  if (whole_seconds < 3'600) return printf_string("%lldm%02llds", whole_seconds / 60, whole_seconds % 60);
  return printf_string("%lldh%02lldm", whole_seconds / 3'600, whole_seconds % 3'600 / 60);
}

Result<Duration> parse_duration(std::string_view text) {
  const auto refused = [&] {
    return fail(Errc::invalid,
                fmt::format("'{}' is not a duration; write for example 250ms, 60s, 5m or 2h", text));
  };
  double sum = 0;
  double unit_before = INFINITY;  // units get smaller: "2h03m", never "3m2h"
  std::string_view rest = text;
  do {
    if (rest.empty() || number_characters.find(rest.front()) == rest.npos) return refused();
    double number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (error != std::errc()) return refused();
    const bool all_read = end == text.data() + text.size();
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const std::string_view unit = rest.substr(0, rest.find_first_of(number_characters));
    rest.remove_prefix(unit.size());
    const double scale = all_read && unit_before == INFINITY ? 1 : seconds_in(unit);
    if (scale == 0 || scale >= unit_before) return refused();
    unit_before = scale;
    sum += number * scale;
    if (!(sum <= longest_seconds)) return refused();
  } while (!rest.empty());
  return Duration{to_micros(sum)};
}

}  // namespace bidboard
