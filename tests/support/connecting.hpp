// A test's own connections to a controller, message by message.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "runtime/net/client.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/process.hpp"

namespace bidboard::testing {

/// A connection; REQUIREs that it is admitted.
inline std::unique_ptr<Connection> connected(const std::string& endpoint,
                                             const std::optional<CurveKeys>& keys = {}) {
  auto connection = Connection::open(endpoint, keys);
  REQUIRE(connection.has_value());
  REQUIRE(eventually([&] { return (*connection)->wait(milliseconds(10)).connected; }, patience));
  return std::move(*connection);
}

/// Why a connection is refused; REQUIREs that it is.
inline Error turned_away(Connection& connection) {
  std::optional<Error> trouble;
  REQUIRE(eventually(
      [&] {
        const Incoming incoming = connection.wait(milliseconds(10));
        REQUIRE_FALSE(incoming.connected);
        trouble = incoming.trouble;
        return trouble.has_value();
      },
      patience));
  return *trouble;
}

/// The next message of a kind; earlier ones are dropped.
template <class T>
T await(Connection& connection) {
  std::optional<T> found;
  REQUIRE(eventually(
      [&] {
        for (const Message& message : connection.wait(milliseconds(10)).messages)
          if (const auto* wanted = std::get_if<T>(&message); wanted && !found) found = *wanted;
        return found.has_value();
      },
      patience));
  return *found;
}

/// Sends the message and waits for a reply of a kind.
template <class Answer>
Answer ask(Connection& connection, const Message& message) {
  REQUIRE(connection.send(message));
  return await<Answer>(connection);
}

/// Waits until a program has printed the text; false after the patience.
inline bool says(const Process& process, const std::string& text, std::size_t times = 1) {
  return eventually(
      [&] {
        const std::string printed = process.err() + process.out();
        std::size_t count = 0;
        for (std::size_t at = printed.find(text); at != std::string::npos; at = printed.find(text, at + 1))
          ++count;
        return count >= times;
      },
      patience);
}

}  // namespace bidboard::testing
