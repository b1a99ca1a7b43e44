// The one error type. A bug trips BB_CHECK (check.hpp); an outcome of the domain is a value; a failing
// environment, bad bytes or a refused request is a Result<T>.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace bidboard {

/// Stored and sent over the wire: never change a number.
enum class Errc : std::uint8_t {
  ok = 0,
  invalid = 1,      ///< malformed input: a usage error
  not_found = 2,    ///< no such task, agent, board, file
  refused = 3,      ///< a rule forbids it: role, token, eligibility
  conflict = 4,     ///< another request was faster, or the state does not allow it
  unavailable = 5,  ///< no agent or controller can do it
  timed_out = 6,
  storage = 7,       ///< the store could not make it durable; nothing was done
  corrupt = 8,       ///< bytes that do not decode, or fail their checksum
  stale = 9,         ///< the epoch or capability is not the live one
  too_old = 10,      ///< a repeated request whose reply is no longer kept
  unsupported = 11,  ///< a version or feature this build does not know
  failed = 12,       ///< anything else that did not work
};

std::string_view name(Errc code);

struct Error {
  Errc code = Errc::failed;
  std::string text;  ///< what, why, and what to do next; one or more full lines, no trailing newline
  bool operator==(const Error&) const = default;
};

template <class T>
using Result = tl::expected<T, Error>;

/// `return fail(Errc::not_found, "no task t12");`
[[nodiscard]] inline tl::unexpected<Error> fail(Errc code, std::string text) {
  return tl::unexpected<Error>(Error{code, std::move(text)});
}
[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

/// The same error with `context: ` before its text.
[[nodiscard]] inline tl::unexpected<Error> fail_in(std::string_view context, Error error) {
  return tl::unexpected<Error>(Error{error.code, std::string(context) + ": " + std::move(error.text)});
}

}  // namespace bidboard
