#include "runtime/jobs/diagnostics.hpp"

#include <algorithm>

#include "blackboard/checks/check.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/text/readable.hpp"
#include "blackboard/text/utf8.hpp"

namespace bidboard {
namespace {

constexpr std::size_t max_kept = 10'000;
constexpr std::size_t max_shown = 100;
constexpr std::size_t max_suggestions = 100;

}  // namespace

void Diagnostics::add(Place place, std::string what, std::string fix) {
  ++count_;
  if (findings_.size() < max_kept) findings_.push_back({place, std::move(what), std::move(fix)});
}

std::string Diagnostics::suggest(std::string_view word, const std::vector<std::string>& candidates,
                                 std::string otherwise) {
  if (++suggestions_ > max_suggestions) return otherwise;
  const std::string candidate = nearest(word, candidates);
  return candidate.empty() ? otherwise : fmt::format("did you mean {}?", quoted(candidate));
}

Error Diagnostics::error() const {
  BB_CHECK(!empty(), "an error without a finding");
  std::vector<Finding> sorted = findings_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Finding& a, const Finding& b) {
    return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
  });
  const std::size_t shown = std::min(sorted.size(), max_shown);
  std::string text;
  for (std::size_t i = 0; i < shown; ++i) {
    const Finding& finding = sorted[i];
    if (i > 0) text += '\n';
    if (!file_.empty()) text += fmt::format("{}:{}:{}: ", file_, finding.place.line, finding.place.column);
    text += finding.what;
    if (!finding.fix.empty()) text += "; " + finding.fix;
  }
  if (count_ > shown)
    text += fmt::format("\n{}and {} more", file_.empty() ? "" : file_ + ": ", count_ - shown);
  return {Errc::invalid, std::move(text)};
}

std::string list_in_words(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " and " : ", ";
    text += words[i];
  }
  return text;
}

std::string stem(std::string_view file) {
  if (const auto slash = file.rfind('/'); slash != file.npos) file.remove_prefix(slash + 1);
  if (const auto dot = file.rfind('.'); dot != file.npos && dot > 0) file = file.substr(0, dot);
  return std::string(file);
}

std::string quoted(std::string_view text) {
  constexpr std::size_t shown = 80;
  return fmt::format("'{}{}", readable(utf8_prefix(text, shown)), (text.size() > shown ? "...'" : "'"));
}

}  // namespace bidboard
