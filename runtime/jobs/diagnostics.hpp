// What is wrong with a file that a person wrote: every finding with its place and how to correct it, reported
// all at once.
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
  std::string fix;  ///< what to write instead; may be empty
  bool operator==(const Finding&) const = default;
};

class Diagnostics {
 public:
  /// `file` is how the person named it; it begins every line of the report, with the place. Empty: what is
  /// wrong is not in a file, and no places are told.
  explicit Diagnostics(std::string file) : file_(std::move(file)) {}

  void add(Place place, std::string what, std::string fix = "");
  bool empty() const { return count_ == 0; }
  const std::string& file() const { return file_; }

  /// "did you mean 'needs'?" when a candidate is near, else `otherwise`. Looks only for the first hundred
  /// words: a broken file with a million tasks is refused in good time.
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
/// 'text', shortened when it is long.
std::string quoted(std::string_view text);

}  // namespace bidboard
