#include "blackboard/result.hpp"

namespace bidboard {

std::string_view name(Errc code) {
  switch (code) {
    case Errc::ok:
      return "ok";
    case Errc::invalid:
      return "invalid";
    case Errc::not_found:
      return "not_found";
    case Errc::refused:
      return "refused";
    case Errc::conflict:
      return "conflict";
    case Errc::unavailable:
      return "unavailable";
    case Errc::timed_out:
      return "timed_out";
    case Errc::storage:
      return "storage";
    case Errc::corrupt:
      return "corrupt";
    case Errc::stale:
      return "stale";
    case Errc::too_old:
      return "too_old";
    case Errc::unsupported:
      return "unsupported";
    case Errc::failed:
      return "failed";
  }
  return "unknown";
}

}  // namespace bidboard
