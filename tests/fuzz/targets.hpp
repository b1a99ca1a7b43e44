// Fuzz targets: each takes arbitrary bytes and fails a BB_CHECK, or a sanitizer's check, when they are
// handled wrongly. The same functions are driven by libFuzzer (`./dev fuzz`) and by a replay of the kept
// corpus in every test run.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace bidboard::fuzz {

using Bytes = std::span<const std::uint8_t>;

/// Frames of the protocol and of the feed: what decodes is encoded to bytes that decode to the same.
void wire_frames(Bytes bytes);
/// Records and events, the first byte choosing the kind; and a log of such events, replayed.
void stored_records(Bytes bytes);
/// Job files in YAML and bidboard.yaml.
void job_files(Bytes bytes);
/// Recorded workflows in JSON, and task graphs in DOT and STG.
void workflow_traces(Bytes bytes);
/// SELECTs over a small board.
void sql(Bytes bytes);
/// Formulas over scalars.
void expressions(Bytes bytes);
/// Files of `auction solve`, through every mechanism: no agent gets more than its capacity or a task that it
/// did not bid for.
void auction_files(Bytes bytes);
/// Lines to an MCP server, and configuration files of its clients.
void mcp_lines(Bytes bytes);
/// A sequence of inputs to a controller, whose guarantees are checked after every batch.
void controller_inputs(Bytes bytes);

struct Target {
  std::string_view name;
  void (*run)(Bytes);
};
inline constexpr Target targets[] = {{"wire_frames", wire_frames},
                                     {"stored_records", stored_records},
                                     {"job_files", job_files},
                                     {"workflow_traces", workflow_traces},
                                     {"sql", sql},
                                     {"expressions", expressions},
                                     {"auction_files", auction_files},
                                     {"mcp_lines", mcp_lines},
                                     {"controller_inputs", controller_inputs}};

inline std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// BIDBOARD_PLANTED_BUG is set: one target has a bug, so that it can be shown that fuzzing finds bugs.
bool bug_is_planted();

}  // namespace bidboard::fuzz
