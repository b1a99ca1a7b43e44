// Numbers that people and programs give: one reader of their text, and one range for each, for options, files
// and messages alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "blackboard/result.hpp"
#include "blackboard/time.hpp"

namespace bidboard {

/// In the number's own unit: seconds, a price, a count.
struct NumberRange {
  double low = 0;
  double high = 0;
  bool above = false;  ///< low itself is not in it
};

namespace ranges {
inline constexpr NumberRange count{0, 1e15};                 ///< rows, events, tokens
inline constexpr NumberRange work_seconds{0, 366 * 86'400};  ///< a year, as in bids
inline constexpr NumberRange price{0, 1e9};
inline constexpr NumberRange priority{-1e6, 1e6};
inline constexpr NumberRange attempts{1, 1'000};
inline constexpr NumberRange progress{0, 1};
inline constexpr NumberRange needed_level{0, 1'000};
inline constexpr NumberRange level{0, 1'000, true};
inline constexpr NumberRange speed{0, 1e6, true};
inline constexpr NumberRange price_per_second{0, 1e6};
inline constexpr NumberRange capacity{1, 10'000};
}  // namespace ranges

/// Decimal digits, perhaps with a sign, a point and an exponent, and finite: no "nan", "inf", "0x10" or
/// spaces.
std::optional<double> parse_number(std::string_view text);
/// "a number from 0 to 1000", "a whole number above 0 to 1000".
std::string in_words(const NumberRange& range, bool whole = false);
/// Errors: invalid, "must be a number from 0 to 1, not 'nan'".
Result<Micros> read_number(std::string_view text, const NumberRange& range);
Result<std::int64_t> read_whole(std::string_view text, const NumberRange& range);
/// The same of a number that came as one. Errors: invalid, "its size must be a number from 0 to 1, not -5".
Result<void> check_number(std::string_view what, Micros value, const NumberRange& range);
Result<void> check_whole(std::string_view what, std::int64_t value, const NumberRange& range);

/// Whether a number lies in the range, compared in millionths.
bool holds(const NumberRange& range, Micros value);
/// The nearest number in the range, for what must not be lost because of it. REQUIRES: low itself is in it.
Micros clamped(const NumberRange& range, Micros value);
/// Into ranges::count.
std::int64_t clamped_count(std::int64_t value);

/// The sum, at most what the number can hold: programs report what they like. REQUIRES: neither is negative.
constexpr std::int64_t add_saturated(std::int64_t a, std::int64_t b) {
  return a > INT64_MAX - b ? INT64_MAX : a + b;
}

}  // namespace bidboard
