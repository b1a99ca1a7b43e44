// Keys of CURVE (curvecp.org; ZeroMQ RFC 26), by which both ends of a TCP connection prove their identity and
// encrypt their messages. All are 32 bytes.
#pragma once

#include <string>

#include "blackboard/result.hpp"

namespace bidboard {

struct KeyPair {
  std::string public_key;
  std::string secret_key;
};
/// What a client needs to connect: its own pair and the controller's public key.
struct CurveKeys {
  KeyPair own;
  std::string server;
};

/// A public key that may connect over TCP.
struct AllowedKey {
  std::string name;
  std::string public_key;  ///< 32 bytes
  bool operates = false;   ///< its holder may do what operators may; else only what agents may
  bool operator==(const AllowedKey&) const = default;
};

/// A new pair. Errors: failed (no random bytes available).
Result<KeyPair> make_key_pair();

}  // namespace bidboard
