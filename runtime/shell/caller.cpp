#include "runtime/shell/caller.hpp"

#include <cstdlib>

namespace bidboard {

CallOptions caller(const std::string& as) {
  CallOptions options;
  options.as = as;
  if (const char* token = std::getenv("BIDBOARD_TOKEN")) options.token = token;
  return options;
}

}  // namespace bidboard
