// The frames of pages and pictures that are written: self-contained HTML with the style of report/page.css,
// and SVG. Pure.
#pragma once

#include <string>
#include <string_view>

namespace bidboard {

/// The text on one line, readable (blackboard/text/readable.hpp), escaped for HTML and for attributes in any
/// quotes.
std::string html(std::string_view text);
/// From the doctype to the opening of the body.
std::string page_head(std::string_view title);
/// The beginning of an SVG file of that size, in pixels, with colours of its own for light and dark: classes
/// axis, work, odd, lost, open and interval.
std::string svg_head(std::string_view title, double width, double height);

}  // namespace bidboard
