// Runs the scripts in tests/runtime/traces: blocks of command lines, a line "----", and what must follow.
// After every command the indexes are derived again; at the end of a script the log is folded again.
// BIDBOARD_REWRITE=1 writes what follows into the scripts instead of comparing: read the difference before
// you commit it.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "blackboard/board/verify.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/trace_runner.hpp"

using namespace bidboard;

namespace {

/// Runs the script; answers it with the outputs put in the place of the expectations.
std::string replayed(const std::string& script) {
  trace::TraceRunner runner;
  std::istringstream in(script);
  std::string out, line, outputs;
  bool expecting = false;
  const auto end_block = [&] {
    if (expecting) out += "----\n" + outputs;
    outputs.clear();
    expecting = false;
  };
  while (std::getline(in, line)) {
    if (line == "----") {
      expecting = true;
    } else if (line.empty()) {
      end_block();
      out += "\n";
    } else if (!expecting) {
      out += line + "\n";
      if (line.starts_with('#')) continue;
      outputs += runner.run(line);
      if (runner.damaged()) continue;
      for (const std::string& broken : check_invariants(runner.store())) outputs += "BROKEN " + broken + "\n";
    }
  }
  end_block();
  for (const std::string& finding : verify(runner.store()))
    out += "NOT THE FOLD OF ITS LOG: " + finding + "\n";
  return out;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("the controller does what the trace scripts say") {
  std::vector<std::filesystem::path> scripts;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(BIDBOARD_SOURCE_DIR) + "/tests/runtime/traces"))
    if (entry.path().extension() == ".txt") scripts.push_back(entry.path());
  std::sort(scripts.begin(), scripts.end());
  CHECK(scripts.size() > 15);
  for (const std::filesystem::path& path : scripts) {
    const std::string expected = read_file(path);
    const std::string actual = replayed(expected);
    if (std::getenv("BIDBOARD_REWRITE")) std::ofstream(path) << actual;
    INFO(path.filename().string());
    CHECK(actual == expected);
    CHECK(actual.find("ERROR") == std::string::npos);
    CHECK(actual.find("BROKEN") == std::string::npos);
    CHECK(actual.find("NOT THE FOLD") == std::string::npos);
  }
}
