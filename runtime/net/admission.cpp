#include "runtime/net/admission.hpp"

#include <algorithm>

#include "blackboard/checks/sabotage.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/secrets.hpp"

namespace bidboard {
namespace {

constexpr std::uint32_t told_per_minute = 6;

Admission refused(std::string why) { return {Admission::Verdict::refused, {}, false, std::move(why)}; }

}  // namespace

Admission admit(const ConnectionRequest& connection, const AdmissionRules& rules) {
  Admission in{Admission::Verdict::welcome, {}, true, {}};
  if (sabotaged("admission")) return in;
  if (connection.remote) {
    const auto key = std::ranges::find(rules.keys, connection.key, &AllowedKey::public_key);
    if (key == rules.keys.end())
      return refused(fmt::format("its key {} is not allowed here (`bidboard keys import` allows it)",
                                 to_hex(connection.key)));
    in.key = key->name;
    in.operates = key->operates;
  } else if (connection.uid && *connection.uid != rules.uid && *connection.uid != 0) {
    return refused(fmt::format("the board belongs to user {}", rules.uid));
  }
  if (connection.open > rules.connections_max)
    return {Admission::Verdict::full,
            {},
            false,
            fmt::format("there are {} connections already, the maximum", rules.connections_max)};
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
  std::string text = fmt::format("refused a connection from {}: {}", from, why);
  if (kept_silent_ > 0) text += fmt::format("; {} more were refused in the last minute", kept_silent_);
  kept_silent_ = 0;
  return text;
}

}  // namespace bidboard
