// `bidboard mcp` as a client uses it: lines into its standard input, lines out of its standard output.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "agents/guard/descriptor.hpp"
#include "blackboard/fmt.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

std::string request(int id, const std::string& method, const std::string& params = "{}") {
  return fmt::format(R"({{"jsonrpc":"2.0","id":{},"method":"{}","params":{}}})", id, method, params);
}

std::string call(int id, const std::string& tool, const std::string& arguments = "{}") {
  return request(id, "tools/call", fmt::format(R"({{"name":"{}","arguments":{}}})", tool, arguments));
}

const std::string opening = request(0, "initialize",
                                    R"({"protocolVersion":"2025-11-25","capabilities":{},)"
                                    R"("clientInfo":{"name":"Test Client","version":"1"}})") +
                            "\n" + R"({"jsonrpc":"2.0","method":"notifications/initialized"})" + "\n";

const std::string meta = R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
                         R"("io.modelcontextprotocol/clientCapabilities":{}})";

/// What a session answers, by the number of the request; -1 for answers without one.
class Answers {
 public:
  explicit Answers(const Finished& finished) {
    INFO(finished.out << finished.err);
    CHECK(finished.exit_code == 0);
    CHECK(finished.err.empty());
    for (const std::string& line : lines_of(finished.out)) {
      const Result<Value> value = parse_json(line);
      REQUIRE(value.has_value());
      const Value* id = value->find("id");
      REQUIRE(id != nullptr);
      by_id_[id->is_integer() ? id->integer() : -1] = *value;
      ++count_;
    }
  }
  std::size_t count() const { return count_; }
  const Value& result(int id) const { return part(id, "result"); }
  std::string text(int id) const { return result(id).find("content")->array().at(0).find("text")->string(); }
  bool is_error(int id) const { return result(id).find("isError")->boolean(); }
  std::int64_t code(int id) const { return part(id, "error").find("code")->integer(); }
  std::string message(int id) const { return part(id, "error").find("message")->string(); }

 private:
  const Value& part(int id, const char* name) const {
    INFO("answer " << id);
    const auto found = by_id_.find(id);
    REQUIRE(found != by_id_.end());
    INFO(to_json(found->second));
    const Value* value = found->second.find(name);
    REQUIRE(value != nullptr);
    return *value;
  }
  std::map<std::int64_t, Value> by_id_;
  std::size_t count_ = 0;
};

Answers talk(const TestBoard& board, const std::vector<std::string>& lines,
             std::vector<std::string> words = {},
             const std::map<std::string, std::string>& environment = {}) {
  ProcessOptions options = board.surroundings();
  for (const auto& [name, value] : environment) options.environment[name] = value;
  for (const std::string& line : lines) options.input += line + (line.ends_with('\n') ? "" : "\n");
  words.insert(words.begin(), "mcp");
  return Answers(board.run(std::move(words), std::move(options)));
}

}  // namespace

TEST_CASE("A session speaks both eras of MCP, and its tools fit into 2,500 tokens") {
  const TestBoard board;
  const Answers legacy =
      talk(board, {opening, request(1, "tools/list"), request(2, "ping"), request(3, "resources/list")});
  CHECK(*legacy.result(0).find("protocolVersion") == Value("2025-11-25"));
  CHECK(legacy.result(2).object().empty());
  CHECK(legacy.code(3) == -32601);
  CHECK(legacy.count() == 4);
  const Value& tools = *legacy.result(1).find("tools");
  CHECK(tools.array().size() <= 10);
  CHECK(to_json(tools).size() / 4 <= 2500);
  const std::string instructions = legacy.result(0).find("instructions")->string();
  for (const Value& tool : tools.array()) {
    const std::string& name = tool.find("name")->string();
    INFO(name);
    CHECK(contains(instructions, "`" + name + "`"));
    const bool reads = name == "ready" || name == "show" || name == "search";
    CHECK(*tool.find("annotations")->find("readOnlyHint") == Value(reads));
  }

  const Answers modern = talk(
      board, {request(1, "server/discover", "{" + meta + "}"), request(2, "tools/list", "{" + meta + "}"),
              request(3, "tools/list"), request(4, "ping", "{" + meta + "}")});
  CHECK(*modern.result(1).find("resultType") == Value("complete"));
  CHECK(modern.result(1).find("supportedVersions")->array().at(0) == Value("2026-07-28"));
  CHECK(modern.result(2).find("ttlMs")->is_integer());
  CHECK(*modern.result(2).find("tools") == tools);
  CHECK(modern.code(3) == -32602);
}

TEST_CASE("A session takes a task, reports progress and delivers its result, as an agent of its own") {
  const TestBoard board;
  board.must({"post", "Fix the login", "--body", "All of it", "--skill", "cpp>=0.7", "--priority", "5"});
  board.must({"post", "Test it", "--need", "t1"});
  const Answers said = talk(
      board,
      {opening, call(1, "ready"), call(2, "claim"), call(3, "claim", R"({"skills":["cpp=0.9"]})"),
       call(4, "progress", R"({"fraction":0.5,"text":"half"})"), call(5, "done", R"({"result":"fixed"})"),
       call(6, "claim", R"({"task":"t2"})"), call(7, "note", R"({"text":"needs the network"})"),
       call(8, "post", R"({"title":"Clean up","needs":["t2:any"],"labels":["later"],"key":"clean"})"),
       call(9, "fail", R"({"reason":"no network"})"), call(10, "search", R"({"words":"NETWORK"})"),
       call(11, "show", R"({"task":"t2"})")});
  CHECK(said.text(1) == "t1 ready p5 Fix the login [cpp>=0.7]\n");
  CHECK(contains(said.text(2), "No task that you may take is ready"));
  CHECK_FALSE(said.is_error(2));
  CHECK(said.text(3).starts_with("t1 is yours, test-client-"));
  CHECK(contains(said.text(3), "All of it"));
  CHECK(said.text(4) == "noted; t1 stays yours");
  CHECK(said.text(5) == "t1 is done");
  CHECK(contains(said.text(6), "result of t1 (Fix the login):\nfixed\n"));
  CHECK(said.text(8) == "t3");
  CHECK(said.text(9) == "t2 is ready");
  CHECK(contains(said.text(10), "t2 ready c1: needs the network"));
  CHECK(contains(said.text(11), "no network"));

  CHECK(board.value("SELECT state, result FROM tasks WHERE id = 't1'") == "done|fixed");
  CHECK(board.value("SELECT body ->> '$.text' FROM log WHERE kind = 'task_progressed'") == "half");
  CHECK(board.value("SELECT title, labels, state FROM tasks WHERE id = 't3'") == "Clean up|later|blocked");
  CHECK(board.value("SELECT count(*) FROM agents WHERE name LIKE 'test-client-%'") == "1");
  CHECK(board.value("SELECT count(*) FROM agents") == "1");
  CHECK(board.value("SELECT count(*) FROM log WHERE kind = 'task_renewed'") == "1");
  check_whole(board.directory());
}
