#include "experiments/html.hpp"

#include "blackboard/fmt.hpp"
#include "blackboard/text/readable.hpp"
#include "experiments/report.hpp"

namespace bidboard {
namespace {

constexpr const char* style_of_file =
    "<style>svg{background:#fff;font:12px system-ui,sans-serif}text{fill:#1d1f24}.axis{stroke:#d9d7d0}"
    ".work{fill:#2457c5;fill-opacity:.85}.odd{fill-opacity:.6}.lost{fill:#b3261e}.open{fill:#8a8f99}."
    "interval{stroke:#2457c5;stroke-width:6;stroke-opacity:.35;stroke-linecap:round}"
    "@media(prefers-color-scheme:dark){svg{background:#14161a}text{fill:#e8e6e1}.axis{stroke:#33373f}"
    ".work{fill:#7aa2ff}.lost{fill:#ff8a80}}</style>";

}  // namespace

std::string html(std::string_view text) {
  std::string out;
  for (const char c : readable(text)) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  return out;
}

std::string page_head(std::string_view title) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\">\n<link rel=\"icon\" "
      "href=\"data:,\">\n<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n",
      html(title), report_css);
}

std::string svg_head(std::string_view title, double width, double height) {
  return fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' width='{}' height='{}' role='img'><title>{}</title>{}\n",
      width, height, html(title), style_of_file);
}

}  // namespace bidboard
