#include "blackboard/numbers.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "blackboard/fmt.hpp"

namespace bidboard {
namespace {

tl::unexpected<Error> out_of(const NumberRange& range, bool whole, std::string_view given) {
  constexpr std::size_t shown = 40;
  return fail(Errc::invalid, fmt::format("must be {}, not '{}{}'", in_words(range, whole),
                                         given.substr(0, shown), given.size() > shown ? "..." : ""));
}

bool holds_whole(const NumberRange& range, std::int64_t value) {
  const auto number = static_cast<double>(value);
  return number <= range.high && (range.above ? number > range.low : number >= range.low);
}

}  // namespace

std::optional<double> parse_number(std::string_view text) {
  // from_chars reads "inf" and "nan" as well, and no plus sign.
  const std::string_view digits = text.substr(text.starts_with('-') || text.starts_with('+') ? 1 : 0);
  if (digits.empty() || digits.find_first_of("0123456789.") != 0) return {};
  if (text.starts_with('+')) text = digits;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) return {};
  return number;
}

std::string in_words(const NumberRange& range, bool whole) {
  const auto plain = [](double value) { return format_micros(to_micros(value)); };
  return fmt::format("a {}number {} {} to {}", whole ? "whole " : "", range.above ? "above" : "from",
                     plain(range.low), plain(range.high));
}

bool holds(const NumberRange& range, Micros value) {
  const Micros low = to_micros(range.low);
  return value <= to_micros(range.high) && (range.above ? value > low : value >= low);
}

Micros clamped(const NumberRange& range, Micros value) {
  return std::clamp(value, to_micros(range.low), to_micros(range.high));
}

std::int64_t clamped_count(std::int64_t value) {
  return std::clamp(value, static_cast<std::int64_t>(ranges::count.low),
                    static_cast<std::int64_t>(ranges::count.high));
}

Result<Micros> read_number(std::string_view text, const NumberRange& range) {
  const std::optional<double> number = parse_number(text);
  // Compared before rounding too: 1.0000001 is not 1.
  if (!number || *number > range.high || *number < range.low || !holds(range, to_micros(*number)))
    return out_of(range, false, text);
  return to_micros(*number);
}

Result<std::int64_t> read_whole(std::string_view text, const NumberRange& range) {
  const std::string_view digits = text.substr(text.starts_with('+') ? 1 : 0);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool read =
      error == std::errc() && end == digits.data() + digits.size() && !(text.starts_with('+') && number < 0);
  if (!read || !holds_whole(range, number)) return out_of(range, true, text);
  return number;
}

Result<void> check_number(std::string_view what, Micros value, const NumberRange& range) {
  if (holds(range, value)) return {};
  return fail(Errc::invalid,
              fmt::format("{} must be {}, not {}", what, in_words(range), format_micros(value)));
}

Result<void> check_whole(std::string_view what, std::int64_t value, const NumberRange& range) {
  if (holds_whole(range, value)) return {};
  return fail(Errc::invalid, fmt::format("{} must be {}, not {}", what, in_words(range, true), value));
}

}  // namespace bidboard
