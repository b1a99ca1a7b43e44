// A board in its own folder, on which the shell tool runs as processes, as it does for people. The destructor
// removes everything, sockets included.
#pragma once

#include <string>
#include <vector>

#include "blackboard/records.hpp"
#include "blackboard/text/document.hpp"
#include "runtime/home/board_directory.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace bidboard::testing {

class TestBoard {
 public:
  /// `made`: false leaves the folder empty, without a board.
  explicit TestBoard(bool made = true);
  ~TestBoard();

  std::string home() const { return dir_.path() + "/board"; }
  BoardDirectory directory() const { return {home() + "/.bidboard"}; }
  std::string path(const std::string& name) const { return home() + "/" + name; }
  void write(const std::string& name, const std::string& content) const;
  /// The same, as an executable file.
  void write_script(const std::string& name, const std::string& content) const;
  /// Empty when there is no such file.
  std::string read(const std::string& name) const;

  /// The tool's surroundings: the board's folder, with its own home, runtime and temporary folder.
  ProcessOptions surroundings() const;
  Finished run(std::vector<std::string> words, const std::string& input = {}) const;
  Finished run(std::vector<std::string> words, ProcessOptions options) const;
  /// REQUIREs exit code 0; what it printed, without the last newline.
  std::string must(std::vector<std::string> words, const std::string& input = {}) const;
  /// REQUIREs exit code 0 and JSON.
  Value json(std::vector<std::string> words) const;
  /// The same for lists: the data in the envelope.
  Value data(std::vector<std::string> words) const;
  Process start(std::vector<std::string> words) const;
  Process start(std::vector<std::string> words, const ProcessOptions& options) const;

  /// A controller that serves, with further options; REQUIREs that it came up.
  Process serve(std::vector<std::string> options = {}) const;
  Process agent(const std::string& name, std::vector<std::string> words) const;
  /// REQUIREs that this many agents are live.
  void await_agents(int count) const;
  void configure(const Config& config) const;
  /// One task for each spec; their ids.
  std::vector<TaskId> post(std::vector<TaskSpec> specs) const;

  /// Rows of a SELECT, columns separated by '|', read by this process.
  std::vector<std::string> rows(const std::string& sql) const;
  /// The one row of a SELECT.
  std::string value(const std::string& sql) const;
  /// Waits until the SELECT answers this one row.
  bool becomes(const std::string& sql, const std::string& expected) const;
  /// becomes() for a task's state.
  bool task_becomes(const std::string& id, const std::string& state) const;
  /// The number of the first event for which the condition holds; -1: none.
  std::int64_t seq_of(const std::string& condition) const;

 private:
  TempDir dir_;
};

/// `doctor --deep` finds no problem.
void check_whole(const BoardDirectory& board);
/// Lines without their newlines.
std::vector<std::string> lines_of(const std::string& text);
bool contains(const std::string& text, const std::string& part);

}  // namespace bidboard::testing
