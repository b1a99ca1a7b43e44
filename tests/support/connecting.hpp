// Connections of tests to a controller, spoken to message by message.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "runtime/net/client.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/process.hpp"

namespace bidboard::testing {

/// A connection that is let in; REQUIREs it.
inline std::unique_ptr<Connection> connected(const std::string& endpoint,
                                             const std::optional<CurveKeys>& keys = {}) {
  auto connection = Connection::open(endpoint, keys);
  REQUIRE(connection.has_value());
  REQUIRE(eventually([&] { return (*connection)->wait(milliseconds(10)).connected; }, patience));
  return std::move(*connection);
}

/// Why a connection is not let in; REQUIREs that it is not.
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

/// The next message of a kind; what comes before it is dropped.
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

/// Says it and awaits the answer of a kind.
template <class Answer>
Answer ask(Connection& connection, const Message& message) {
  REQUIRE(connection.send(message));
  return await<Answer>(connection);
}

/// Whether a program has printed the text, or does so now.
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
