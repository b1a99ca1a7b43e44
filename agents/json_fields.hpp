// Fields of what programs print: JSON that follows no schema of ours. Pure.
#pragma once

#include <string>
#include <string_view>

#include "blackboard/text/document.hpp"

namespace bidboard {

/// A JSON number as micro-units: never negative; 0 if it is not a number.
Micros micros_of(const Value* value);
/// Why a price that a program told does not count: "-1 is not a price". Empty: it counts, or none was told.
std::string flaw_of_price(const Value* value);
/// The price; 0 if none was told, or what was told is not a price.
Micros told_price(const Value* value);
/// A count: never negative; 0 if it is not a number.
std::int64_t count_of(const Value* value);
/// A string as it is, nothing for null or a missing value, other values as JSON.
std::string text_of(const Value* value);
/// Follows a dotted path, "usage.output_tokens"; nullptr if it leads nowhere or is empty. A number picks from
/// a list, from its end when negative ("content.0.text", "steps.-1"); a key with dots stands in quotes
/// ("models.\"gpt-5.1\".tokens").
const Value* at_path(const Value& value, std::string_view path);

/// The last line that is not blank, without control characters, at most 300 bytes.
std::string last_line(std::string_view text);
/// All of it in one line, without control characters, at most 300 bytes.
std::string one_line(std::string_view text);

}  // namespace bidboard
