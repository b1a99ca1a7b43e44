// Who may come in: the rule by which a controller lets a connection in or turns it away, and how it tells
// people of those it turned away without flooding its log. Pure; net/ asks, serve.cpp supplies what is known.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "blackboard/time.hpp"
#include "runtime/home/curve_keys.hpp"

namespace bidboard {

/// A connection that asks to come in, as the transport vouches for it.
struct Knock {
  bool remote = false;               ///< over TCP, by a key that it has proved to hold
  std::optional<std::uint32_t> uid;  ///< local: the peer's user, where the system tells
  std::string from;                  ///< for people: "process 17 of user 1000", "10.0.0.7"
  std::string key;                   ///< remote: its public key, 32 bytes
  std::size_t open = 0;              ///< connections on this way, this one included
};

struct AdmissionRules {
  std::uint32_t uid = 0;            ///< the controller's user
  std::size_t connections_max = 0;  ///< on each way
  std::vector<AllowedKey> keys;
};

struct Admission {
  enum class Verdict : std::uint8_t {
    welcome,
    refused,  ///< for good
    full,     ///< to be tried again later
  };
  Verdict verdict = Verdict::refused;
  std::string key;        ///< welcome, remote: the name of its key
  bool operates = false;  ///< welcome: may ask what operators may
  std::string why;        ///< otherwise: for people, begins after "refused a connection from ...: "
};

/// A local peer must be of the controller's own user, or root, from whom no file keeps anything. A system
/// that does not tell the user leaves that to the socket folder's mode. A remote peer must show an allowed
/// key.
Admission admit(const Knock& knock, const AdmissionRules& rules);

/// Sentences about refused connections, few enough to read: what comes beyond a handful a minute is counted
/// and told with the next one.
class RefusalNotes {
 public:
  /// What to print now; empty: nothing yet.
  std::string tell(const std::string& from, const std::string& why, Instant now);

 private:
  Instant minute_began_{INT64_MIN / 2};
  std::uint32_t told_ = 0;
  std::uint64_t kept_silent_ = 0;
};

}  // namespace bidboard
