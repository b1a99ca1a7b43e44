// Secrets that fence and identify: award capabilities and registration secrets, and the hashes under which
// they are kept. BLAKE2b (RFC 7693) by libsodium. Pure: the key is a parameter, drawn by the driver from the
// system's entropy.
#pragma once

#include <string>
#include <string_view>

#include "blackboard/ids.hpp"

namespace bidboard {

class Secrets {
 public:
  /// REQUIRES: 32 secret bytes.
  explicit Secrets(std::string key);

  /// 32 hexadecimal digits: what the holder of a task's award must show.
  std::string capability(TaskId task, Epoch epoch) const;
  /// 32 hexadecimal digits: what a registered agent must show.
  std::string registration(AgentId agent, std::uint64_t incarnation) const;
  /// 32 hexadecimal digits: what one agent's process shows another's to prove who it is.
  std::string between(AgentId from, std::uint64_t from_incarnation, AgentId to,
                      std::uint64_t to_incarnation) const;

 private:
  std::string derive(std::string_view purpose, std::uint64_t a, std::uint64_t b) const;
  std::string key_;
};

/// 16 bytes; what the board keeps of a secret.
std::string secret_hash(std::string_view secret);
/// Compares in constant time; an empty hash matches nothing.
bool matches(std::string_view secret, std::string_view hash);

/// The secret that last matched: who shows it again, as an agent does with each message, is recognized
/// without hashing. For one agent; in memory only.
class KnownSecret {
 public:
  /// As matches(), in constant time.
  bool matches(std::string_view secret, std::string_view hash);

 private:
  std::string secret_;
  std::string hash_;
};
/// 16 bytes that name a blob by its content.
std::string content_hash(std::string_view bytes);
constexpr std::size_t curve_key_bytes = 32;
/// The public key (X25519) that belongs to a secret one, as ZeroMQ's CURVE uses them. REQUIRES: 32 bytes.
std::string curve_public_key(std::string_view secret_key);
/// Lower-case hexadecimal digits.
std::string to_hex(std::string_view bytes);

}  // namespace bidboard
