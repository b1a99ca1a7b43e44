// The rule by which a controller admits a connection or turns it away, and its notes about those it turned
// away, limited so that they do not flood the log. Pure; net/ asks, serve.cpp supplies the facts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "blackboard/time.hpp"
#include "runtime/home/curve_keys.hpp"

namespace bidboard {

/// A connection that asks to be admitted, as the transport verified it.
struct ConnectionRequest {
  bool remote = false;               ///< over TCP, with a key that it has proved to hold
  std::optional<std::uint32_t> uid;  ///< local: the peer's user, where the system reports it
  std::string from;                  ///< for people: "process 17 of user 1000", "10.0.0.7"
  std::string key;                   ///< remote: its public key, 32 bytes
  std::size_t open = 0;              ///< connections over this transport, including this one
};

struct AdmissionRules {
  std::uint32_t uid = 0;            ///< the controller's user
  std::size_t connections_max = 0;  ///< per transport
  std::vector<AllowedKey> keys;
};

struct Admission {
  enum class Verdict : std::uint8_t {
    welcome,
    refused,  ///< permanently
    full,     ///< may be tried again later
  };
  Verdict verdict = Verdict::refused;
  std::string key;        ///< welcome, remote: the name of its key
  bool operates = false;  ///< welcome: may do what operators may
  std::string why;        ///< otherwise: for people, begins after "refused a connection from ...: "
};

/// A local peer must be of the controller's own user, or root, who can read every file anyway. On a system
/// that does not report the user, the socket folder's mode decides. A remote peer must show an allowed key.
Admission admit(const ConnectionRequest& connection, const AdmissionRules& rules);

/// Sentences about refused connections, few enough to read: beyond a handful per minute they are only
/// counted, and the next sentence gives the number.
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
