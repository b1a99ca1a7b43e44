#include "blackboard/secrets.hpp"

#include <sodium.h>

#include "blackboard/big_endian.hpp"
#include "blackboard/checks/check.hpp"

namespace bidboard {
namespace {

constexpr std::size_t hash_bytes = 16;

std::string blake2b(std::string_view bytes, std::string_view key = {}) {
  std::string out(hash_bytes, '\0');
  const int failed = crypto_generichash(reinterpret_cast<unsigned char*>(out.data()), out.size(),
                                        reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                                        reinterpret_cast<const unsigned char*>(key.data()), key.size());
  BB_CHECK(failed == 0, "hashing needs a key of 16 to 64 bytes, or none");
  return out;
}

}  // namespace

Secrets::Secrets(std::string key) : key_(std::move(key)) {
  BB_CHECK(key_.size() == 32, "the key has 32 bytes");
}

std::string Secrets::derive(std::string_view purpose, std::uint64_t a, std::uint64_t b) const {
  std::string text(purpose);
  append_big_endian(text, a);
  append_big_endian(text, b);
  return to_hex(blake2b(text, key_));
}

std::string Secrets::capability(TaskId task, Epoch epoch) const {
  return derive("award", task.value, epoch.value);
}

std::string Secrets::registration(AgentId agent, std::uint64_t incarnation) const {
  return derive("agent", agent.value, incarnation);
}

std::string Secrets::between(AgentId from, std::uint64_t from_incarnation, AgentId to,
                             std::uint64_t to_incarnation) const {
  return derive("peer" + derive("peer from", from.value, from_incarnation), to.value, to_incarnation);
}

std::string secret_hash(std::string_view secret) { return blake2b(secret); }

bool matches(std::string_view secret, std::string_view hash) {
  if (hash.size() != hash_bytes) return false;
  const std::string actual = blake2b(secret);
  return sodium_memcmp(actual.data(), hash.data(), hash_bytes) == 0;
}

bool KnownSecret::matches(std::string_view secret, std::string_view hash) {
  const bool known = hash == hash_ && secret.size() == secret_.size() &&
                     sodium_memcmp(secret.data(), secret_.data(), secret.size()) == 0;
  if (known && !hash.empty()) return true;
  if (!bidboard::matches(secret, hash)) return false;
  secret_ = secret;
  hash_ = hash;
  return true;
}

std::string content_hash(std::string_view bytes) { return blake2b(bytes); }

std::string curve_public_key(std::string_view secret_key) {
  BB_CHECK(secret_key.size() == curve_key_bytes, "a secret key has 32 bytes");
  std::string out(curve_key_bytes, '\0');
  const int failed = crypto_scalarmult_base(reinterpret_cast<unsigned char*>(out.data()),
                                            reinterpret_cast<const unsigned char*>(secret_key.data()));
  BB_CHECK(failed == 0, "a secret key has a public one");
  return out;
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const unsigned char byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

}  // namespace bidboard
