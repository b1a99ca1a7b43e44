// Keys of CURVE (curvecp.org; ZeroMQ RFC 26), by which both ends of a TCP connection prove who they are and
// encrypt what they say. All are 32 bytes.
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

/// A fresh pair. Errors: unsupported (this ZeroMQ was built without CURVE).
Result<KeyPair> make_key_pair();

}  // namespace bidboard
