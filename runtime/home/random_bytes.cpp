#include "runtime/home/random_bytes.hpp"

#include <sys/random.h>

#include "blackboard/big_endian.hpp"

namespace bidboard {

Result<std::string> random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  if (::getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(count)) return bytes;
  return fail(Errc::failed, "the system provides no random bytes");
}

Result<std::uint64_t> random_number() {
  const Result<std::string> bytes = random_bytes(sizeof(std::uint64_t));
  if (!bytes) return fail(bytes.error());
  return read_big_endian(*bytes, 0);
}

}  // namespace bidboard
