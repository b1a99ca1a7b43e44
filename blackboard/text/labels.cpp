#include "blackboard/text/labels.hpp"

#include "blackboard/text/utf8.hpp"

namespace bidboard {

bool is_label(std::string_view text) {
  return !text.empty() && is_plain_text(text) && text.find_first_of(" ,") == text.npos &&
         text.front() != '+' && text.front() != '-';
}

}  // namespace bidboard
