// The stand-in of `--rehearse`: works in the place of a client, without a model. It does what lines of the
// prompt say and prints what the client would print of such work. What it does is the same for the same
// prompt. Pure; runtime/shell/commands/stand_in.cpp carries it out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "blackboard/time.hpp"

namespace bidboard {

struct StandInStep {
  enum class Kind : std::uint8_t {
    write,     ///< `text` is all that is in the file `subject`
    append,    ///< `text` is added to it
    checkout,  ///< `git checkout --detach SUBJECT`
    merge,     ///< `git merge SUBJECT`; of lines in conflict both sides are kept
  };
  Kind kind = Kind::write;
  std::string subject;
  std::string text;
  bool operator==(const StandInStep&) const = default;
};

/// The lines `write FILE: TEXT` and `append FILE: TEXT` of a prompt, and, as merge tasks have them, the
/// indented lines `git checkout --detach REF` and `git merge REF`. Without any of them: the prompt, quoted,
/// is written to notes/TASK.md. Files stand below the folder that it works in: other lines are not followed.
std::vector<StandInStep> stand_in_steps(std::string_view prompt, std::string_view task);

/// "git merge 1a2b3c"; empty: the step edits a file.
std::string command_of(const StandInStep& step);

/// What was done, for CodingClient::printed to tell.
struct StandInWork {
  std::vector<StandInStep> steps;
  std::string answer;
  Micros price = 0;  ///< in USD
  std::int64_t tokens_in = 0;
  std::int64_t tokens_out = 0;
};
/// The price is a cent, and four bytes count as a token: so little that no budget minds, and yet not nothing.
StandInWork stand_in_work(std::vector<StandInStep> steps, std::string_view prompt);

}  // namespace bidboard
