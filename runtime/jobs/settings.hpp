// bidboard.yaml: how a board is run and which agents `bidboard up` starts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "blackboard/records.hpp"
#include "blackboard/result.hpp"
#include "runtime/jobs/plan.hpp"

namespace bidboard {

/// A supervisor restarts its agents; after more than `intensity` restarts within `period` it
/// stops everything and exits with an error.
struct RestartLimit {
  std::uint32_t intensity = 5;
  Duration period = seconds(30);
  bool operator==(const RestartLimit&) const = default;
};

/// How finished work reaches a branch (`bidboard merge`, and `up` if it is automatic).
struct MergeSettings {
  std::string into;        ///< a branch; empty: the one that is checked out
  std::string check;       ///< a shell command that must succeed on the merged files; empty: none
  std::int64_t batch = 1;  ///< works that are checked together
  std::string push;        ///< a remote that gets the branches instead: others merge them; empty: none
  bool automatic = false;
  bool operator==(const MergeSettings&) const = default;
};

struct Settings {
  Config config;        ///< project is empty when the file names none: the directory's name
  bool durable = true;  ///< durability: commit
  std::string listen;   ///< for other machines; empty: not
  RestartLimit restart;
  MergeSettings merge;
  std::vector<ModelPrice> prices;
  std::vector<PlannedAgent> agents;  ///< with the prices of their models
};

/// An empty text gives the defaults. Errors: invalid, all findings at once (Diagnostics::error).
Result<Settings> read_settings(std::string_view text, std::string file, const KnownNames& known);

/// What is probably meant otherwise, in words: work that is merged by itself while nobody leaves any, an
/// account that is nearly called like one with limits or budgets that no agent has.
std::vector<std::string> doubts(const Settings& settings);

/// The file that `bidboard init` writes: every key with its meaning and default, as comments, but for the
/// project, and the strategy and mechanism that differ from the default.
std::string default_settings_file(const Config& config);
/// The keys in Markdown.
std::string settings_reference();

}  // namespace bidboard
