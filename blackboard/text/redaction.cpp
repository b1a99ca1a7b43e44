#include "blackboard/text/redaction.hpp"

#include <algorithm>
#include <utility>

#include "blackboard/fmt.hpp"
#include "blackboard/text/document.hpp"

namespace bidboard {

Redactor::Redactor(const std::vector<EnvVariable>& secrets) {
  const auto add = [this](std::string_view bytes, const std::string& name) {
    if (bytes.size() < hidden_bytes_min) return;
    patterns_.push_back({std::string(bytes), fmt::format("[secret {}]", name)});
    first_bytes_[static_cast<unsigned char>(bytes.front())] = true;
  };
  for (const auto& [name, value] : secrets) {
    add(value, name);
    const std::string quoted = to_json(Value(value));
    const std::string_view in_json = std::string_view(quoted).substr(1, quoted.size() - 2);
    if (in_json != value) add(in_json, name);
    std::string_view rest = value;
    while (rest.size() < value.size() || rest.find('\n') != std::string_view::npos) {
      std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      if (line.ends_with('\r')) line.remove_suffix(1);
      add(line, name);
      if (rest.empty()) break;
    }
  }
  std::ranges::stable_sort(patterns_, std::ranges::greater{},
                           [](const Pattern& p) { return p.bytes.size(); });
}

std::size_t Redactor::clean(std::string_view text, bool ends, std::string& out) const {
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t plain = at;
    while (plain < text.size() && !first_bytes_[static_cast<unsigned char>(text[plain])]) ++plain;
    out.append(text.substr(at, plain - at));
    at = plain;
    if (at == text.size()) break;
    const std::string_view rest = text.substr(at);
    const auto could_begin = [&](const Pattern& p) {
      return rest.size() < p.bytes.size() && std::string_view(p.bytes).starts_with(rest);
    };
    // Even if a shorter one is there already: the longer one would hide more.
    if (!ends && std::ranges::any_of(patterns_, could_begin)) return at;
    const auto found =
        std::ranges::find_if(patterns_, [&](const Pattern& p) { return rest.starts_with(p.bytes); });
    out += found == patterns_.end() ? rest.substr(0, 1) : std::string_view(found->shown);
    at += found == patterns_.end() ? 1 : found->bytes.size();
  }
  return at;
}

std::string Redactor::clean(std::string_view text) const {
  if (empty()) return std::string(text);
  std::string out;
  clean(text, true, out);
  return out;
}

std::string RedactedStream::feed(std::string bytes, bool ends) {
  if (redactor_->empty()) return bytes;
  held_ += bytes;
  std::string out;
  held_.erase(0, redactor_->clean(held_, ends, out));
  return out;
}

}  // namespace bidboard
