// Hides the values of secrets in what a command says: each is replaced by [secret NAME]. Hidden are values of
// 8 bytes or more (shorter ones are too often part of other words), also with any characters escaped as in
// JSON strings, and each line of a value that has several. A value that a program encodes in another way is
// not recognised. For one thread.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "blackboard/records.hpp"

namespace bidboard {

constexpr std::size_t hidden_bytes_min = 8;

class Redactor {
 public:
  Redactor() = default;
  explicit Redactor(const std::vector<EnvVariable>& secrets);

  /// A text that is complete.
  std::string clean(std::string_view text) const;
  bool empty() const { return patterns_.empty(); }

 private:
  friend class RedactedStream;
  struct Pattern {
    std::string bytes;
    std::string shown;
  };
  /// Appends to `out` what is certain; returns how many bytes were dealt with. The rest could be the begin of
  /// a secret, unless the text `ends`: then there is none.
  std::size_t clean(std::string_view text, bool ends, std::string& out) const;

  std::vector<Pattern> patterns_;        ///< the longest first
  std::array<bool, 256> first_bytes_{};  ///< of the patterns, or of an escape
};

/// A text that comes in pieces. What could be the begin of a secret is held back until more is known.
class RedactedStream {
 public:
  /// `redactor` outlives it.
  explicit RedactedStream(const Redactor& redactor) : redactor_(&redactor) {}
  /// What can be shown by now. `ends`: nothing follows.
  std::string feed(std::string bytes, bool ends);

 private:
  const Redactor* redactor_;
  std::string held_;
};

}  // namespace bidboard
