#include "runtime/home/curve_keys.hpp"

#include "blackboard/secrets.hpp"
#include "runtime/home/random_bytes.hpp"

namespace bidboard {

Result<KeyPair> make_key_pair() {
  Result<std::string> secret = random_bytes(curve_key_bytes);
  if (!secret) return fail(secret.error());
  return KeyPair{curve_public_key(*secret), std::move(*secret)};
}

}  // namespace bidboard
