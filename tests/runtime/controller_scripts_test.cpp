// Runs a script of tests/runtime/scripts: blocks of command lines, a line "----", and the expected effects.
// After every command the indexes are derived again; at the end of the script the log is folded again.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "blackboard/board/verify.hpp"
#include "blackboard/fmt.hpp"
#include "tests/runtime/script_cases.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/script_runner.hpp"

namespace bidboard::script {
namespace {

/// Runs the script; returns it with the actual effects in place of the expected ones.
std::string replayed(const std::string& script) {
  ScriptRunner runner;
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
      for (const std::string& broken : check_invariants(runner.store()))
        outputs += fmt::format("BROKEN {}\n", broken);
    }
  }
  end_block();
  for (const std::string& finding : verify(runner.store()))
    out += fmt::format("NOT THE FOLD OF ITS LOG: {}\n", finding);
  return out;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::filesystem::path folder() { return fmt::format("{}/tests/runtime/scripts", BIDBOARD_SOURCE_DIR); }

}  // namespace

void check_script(const std::string& name) {
  const std::filesystem::path path = folder() / (name + ".txt");
  const std::string expected = read_file(path);
  REQUIRE(!expected.empty());
  const std::string actual = replayed(expected);
  if (std::getenv("BIDBOARD_REWRITE")) std::ofstream(path) << actual;
  CHECK(actual == expected);
  CHECK(actual.find("ERROR") == std::string::npos);
  CHECK(actual.find("BROKEN") == std::string::npos);
  CHECK(actual.find("NOT THE FOLD") == std::string::npos);
}

}  // namespace bidboard::script

TEST_CASE("every controller script is a test case and has a unique number") {
  std::vector<std::string> names;
  std::set<std::string> numbers;
  for (const auto& entry : std::filesystem::directory_iterator(bidboard::script::folder()))
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  CHECK(names.size() > 15);
  CHECK(names == bidboard::script::script_cases());
  for (const std::string& name : names) {
    INFO(name);
    CHECK(numbers.insert(name.substr(0, name.find('_'))).second);
  }
}
