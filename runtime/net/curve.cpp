#include "runtime/net/curve.hpp"

#include <zmq.h>

namespace bidboard {
namespace {

constexpr std::size_t key_bytes = 32;
/// As Z85 text, with a zero at the end.
constexpr std::size_t key_text_bytes = 41;

}  // namespace

Result<KeyPair> make_key_pair() {
  char public_text[key_text_bytes], secret_text[key_text_bytes];
  if (zmq_has("curve") == 0 || zmq_curve_keypair(public_text, secret_text) != 0)
    return fail(Errc::unsupported, "this ZeroMQ was built without CURVE: it cannot secure TCP");
  KeyPair pair{std::string(key_bytes, '\0'), std::string(key_bytes, '\0')};
  zmq_z85_decode(reinterpret_cast<std::uint8_t*>(pair.public_key.data()), public_text);
  zmq_z85_decode(reinterpret_cast<std::uint8_t*>(pair.secret_key.data()), secret_text);
  return pair;
}

}  // namespace bidboard
