// Errors in a file that a person wrote: each finding has its place and a fix, and all are reported together.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "blackboard/result.hpp"
#include "blackboard/text/document.hpp"

namespace bidboard {

struct Finding {
  Place place;
  std::string what;
  std::string fix;  ///< what to write instead; can be empty
  bool operator==(const Finding&) const = default;
};

class Diagnostics {
 public:
  /// `file`: as the person named it; every line of the report begins with it and the place. Empty: the text
  /// is not from a file, and the report has no places.
  explicit Diagnostics(std::string file) : file_(std::move(file)) {}

  void add(Place place, std::string what, std::string fix = "");
  bool empty() const { return count_ == 0; }
  const std::string& file() const { return file_; }

  /// "did you mean 'needs'?" if a candidate is near, else `otherwise`. Searches for the first hundred words
  /// only, so that a broken file with a million tasks is refused quickly.
  std::string suggest(std::string_view word, const std::vector<std::string>& candidates,
                      std::string otherwise);

  /// Errors: invalid; a line "file:line:column: what; fix" for each finding in the order of the file, at most
  /// a hundred, then how many more there are. REQUIRES: not empty.
  Error error() const;

 private:
  std::string file_;
  std::vector<Finding> findings_;
  std::size_t count_ = 0;
  std::size_t suggestions_ = 0;
};

/// "a, b and c".
std::string list_in_words(const std::vector<std::string>& words);
/// "dir/audit.yaml" → "audit".
std::string stem(std::string_view file);
/// 'text', on one line, shortened when it is long.
std::string quoted(std::string_view text);

}  // namespace bidboard
