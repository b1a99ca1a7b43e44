// Names that look like paths or contain deceptive characters are refused, or kept as plain text. None creates
// or changes a file.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "tests/support/connecting.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

namespace fs = std::filesystem;

const std::vector<std::string>& tricks() {
  static const std::vector<std::string> names{
      "../../x",
      "a/b",
      "/etc/passwd",
      ".",
      "..",
      ".hidden",
      "a\\b",
      "a:b",
      "a b",
      "a\nb",
      "a\x1b[31mb",
      "x'; touch pwned; '",
      "$(touch pwned)\"",
      std::string(65, 'n'),
      std::string(5000, 'n'),
      "",
      "caf\xc3",  // not UTF-8
      "a\xe2\x80\xae"
      "txt.b",  // turns the direction of what follows
      "a\xe2\x80\x8b"
      "b",  // an invisible space
      "a\xc2\x85"
      "b",  // a control character of two bytes
  };
  return names;
}

/// Every file outside the board's folder, with its content.
std::map<std::string, std::string> files_around(const TestBoard& board) {
  std::map<std::string, std::string> files;
  const fs::path top = fs::path(board.home()).parent_path();
  for (auto at = fs::recursive_directory_iterator(top); at != fs::recursive_directory_iterator(); ++at) {
    if (at->path() == board.directory().path) {
      at.disable_recursion_pending();
    } else if (at->is_regular_file()) {
      std::ifstream file(at->path(), std::ios::binary);
      files[at->path().string()] = std::string(std::istreambuf_iterator<char>(file), {});
    }
  }
  return files;
}

std::vector<std::string> file_names(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

}  // namespace

TEST_CASE("Agents' names with path tricks are refused at the shell and on the wire") {
  const TestBoard board;
  const Process controller = board.serve();
  const auto before = files_around(board);
  board.must({"post", "one"});
  const auto connection = connected(serving_writer(board.directory())->endpoint);
  std::vector<std::string> names = tricks();
  names.push_back(std::string("a\0b", 3));
  for (const std::string& name : names) {
    INFO("'" << name << "'");
    Register registration;
    registration.profile.name = name;
    registration.incarnation = 1;
    const RegistrationRefused refused = ask<RegistrationRefused>(*connection, registration);
    CHECK(refused.code == Errc::invalid);
    CHECK(contains(refused.text, "an agent's name has"));
    if (name.empty()) continue;
    Request claim;
    claim.number = 1;
    claim.as = name;
    claim.body = Claim{TaskId{1}, {}};
    CHECK(ask<Reply>(*connection, claim).code == Errc::invalid);
  }
  for (const char* name : {"../../x", "..", "a/b"}) {
    CHECK(board.run({"agent", "--name", name, "--simulate"}).exit_code == 2);
    CHECK(board.run({"claim", "t1", "--as", name}).exit_code == 2);
  }
  CHECK(board.value("SELECT count(*) FROM agents") == "0");
  CHECK(board.value("SELECT state FROM tasks") == "ready");
  // Unusual but harmless names are accepted.
  for (const std::string name : {"caf\xc3\xa9", "\xe4\xbb\xbb\xe5\x8a\xa1", "a.b-c_d@e", "t1"}) {
    const std::string task = board.must({"post", "one"});
    CHECK(board.run({"claim", task, "--as", name}).exit_code == 0);
  }
  CHECK(files_around(board) == before);
}

TEST_CASE("Keys' names with path tricks are refused and make no file") {
  const TestBoard board;
  board.must({"keys", "init"});
  const auto before = files_around(board);
  std::vector<std::string> names = tricks();
  for (const char* name : {"server", "-x", "caf\xc3\xa9", "a@b"}) names.push_back(name);
  for (const std::string& name : names) {
    INFO("'" << name << "'");
    CHECK(board.run({"keys", "add", "--", name}).exit_code == 2);
    CHECK(board.run({"keys", "import", "--", name, std::string(64, 'a')}).exit_code == 2);
    CHECK(board.run({"keys", "revoke", "--", name}).exit_code == 2);
  }
  CHECK(file_names(board.path(".bidboard/keys")) == std::vector<std::string>{"server.key"});
  CHECK(files_around(board) == before);
}

TEST_CASE("Path and shell tricks in a task's text stay text, and the task is done") {
  const TestBoard board;
  const Process controller = board.serve();
  const Process agent = board.agent("w", {"--exec", "cat > /dev/null; echo ok"});
  board.await_agents(1);
  const auto before = files_around(board);
  std::size_t posted = 0;
  for (const std::string& trick : tricks()) {
    if (trick.empty() || trick.size() > 1000) continue;
    INFO("'" << trick << "'");
    const std::string task = board.must(
        {"post", "--body=" + trick, "--kind=" + trick, "--project=" + trick, "--key=" + trick, "--", trick});
    CHECK(board.task_becomes(task, "done"));
    posted += 1;
  }
  CHECK(board.value("SELECT count(*) FROM tasks WHERE state = 'done'") == std::to_string(posted));
  CHECK(files_around(board) == before);
  for (const std::string& name : file_names(board.path(".bidboard/output"))) CHECK(name.starts_with("t"));
  CHECK(board.run({"tasks", "--json"}).exit_code == 0);
  CHECK(board.run({"doctor", "--deep"}).exit_code == 0);
  for (const char* path : {"../../x", "t1/../../x", "/etc/passwd"}) {
    CHECK(board.run({"output", path}).exit_code == 2);
    CHECK(board.run({"show", path}).exit_code == 2);
  }
}
