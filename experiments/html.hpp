// The frame of the pages that are written: self-contained HTML with the style of report/page.css. Pure.
#pragma once

#include <string>
#include <string_view>

namespace bidboard {

/// The text, escaped for HTML and for attributes in any quotes.
std::string html(std::string_view text);
/// From the doctype to the opening of the body.
std::string page_head(std::string_view title);

}  // namespace bidboard
