#include "blackboard/checks/sabotage.hpp"

#ifdef BIDBOARD_SABOTAGE
#include <cstdlib>
#include <string>

namespace bidboard {

bool sabotaged(std::string_view guarantee) {
  static const std::string off = [] {
    const char* text = std::getenv("SABOTAGE_BIDBOARD");
    return std::string(text ? text : "");
  }();
  return off.find(guarantee) != std::string::npos;
}

}  // namespace bidboard
#endif
