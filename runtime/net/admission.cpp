#include "runtime/net/admission.hpp"

#include <algorithm>

#include "blackboard/checks/sabotage.hpp"
#include "blackboard/secrets.hpp"

namespace bidboard {
namespace {

constexpr std::uint32_t told_per_minute = 6;

Admission refused(std::string why) { return {Admission::Verdict::refused, {}, false, std::move(why)}; }

}  // namespace

Admission admit(const Knock& knock, const AdmissionRules& rules) {
  Admission in{Admission::Verdict::welcome, {}, true, {}};
  if (sabotaged("admission")) return in;
  if (knock.remote) {
    const auto key = std::ranges::find(rules.keys, knock.key, &AllowedKey::public_key);
    if (key == rules.keys.end())
      return refused("its key " + to_hex(knock.key) +
                     " is not allowed here (`bidboard keys import` allows it)");
    in.key = key->name;
    in.operates = key->operates;
  } else if (knock.uid && *knock.uid != rules.uid && *knock.uid != 0) {
    return refused("the board belongs to user " + std::to_string(rules.uid));
  }
  if (knock.open > rules.connections_max)
    return {
        Admission::Verdict::full,
        {},
        false,
        "there are " + std::to_string(rules.connections_max) + " connections already, as many as allowed"};
  return in;
}

std::string RefusalNotes::tell(const std::string& from, const std::string& why, Instant now) {
  if (now - minute_began_ >= minutes(1)) {
    minute_began_ = now;
    told_ = 0;
  }
  if (told_ == told_per_minute) {
    kept_silent_ += 1;
    return {};
  }
  told_ += 1;
  std::string text = "refused a connection from " + from + ": " + why;
  if (kept_silent_ > 0) text += "; " + std::to_string(kept_silent_) + " more were refused in the last minute";
  kept_silent_ = 0;
  return text;
}

}  // namespace bidboard
