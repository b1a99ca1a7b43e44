// The protocol and the configuration files of `bidboard mcp`, without a process.
#include "blackboard/fmt.hpp"
#include "runtime/mcp/client_config.hpp"
#include "runtime/mcp/server.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;
using namespace bidboard::mcp;

namespace {

/// `echo` answers with its argument; `patient` answers once it has waited for three seconds.
Server small_server() {
  Tool echo{"echo",
            "Says it again",
            {{"text", Parameter::Type::text, "", true}, {"times", Parameter::Type::integer, "", false, 1, 3}},
            true,
            [](const Value& arguments, Duration) -> std::optional<Said> {
              return Said{text_argument(arguments, "text")};
            }};
  Tool patient{
      "patient", "Takes its time", {}, false, [](const Value&, Duration waited) -> std::optional<Said> {
        if (waited < seconds(3)) return {};
        return Said{"now"};
      }};
  return Server({"small", "1", "`echo` and `patient`"}, {echo, patient});
}

std::string ask(Server& server, const std::string& line, Instant now = {}) {
  return server.take({line, false}, now).value_or("");
}

const std::string open_2025 =
    R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}})";
const std::string open_batches =
    R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-03-26"}})";
const std::string meta = R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
                         R"("io.modelcontextprotocol/clientCapabilities":{}})";

/// The code of the error that answers; 0: no error.
std::int64_t code_of(const std::string& answer) {
  const Result<Value> value = parse_json(answer);
  REQUIRE(value.has_value());
  const Value* error = value->find("error");
  return error ? error->find("code")->integer() : 0;
}

std::string id_of(const std::string& answer) { return to_json(*parse_json(answer).value().find("id")); }

}  // namespace

TEST_CASE("Each malformed line is answered by the protocol") {
  struct Row {
    const char* line;
    int code;
    const char* id;
  };
  const Row rows[] = {
      {"{", -32700, "null"},
      {"\xff\xfe", -32700, "null"},
      {R"({"a":1,"a":2})", -32700, "null"},
      {"17", -32600, "null"},
      {"null", -32600, "null"},
      {"{}", -32600, "null"},
      {R"({"jsonrpc":"1.0","id":1,"method":"ping"})", -32600, "1"},
      {R"({"jsonrpc":"2.0","id":1})", -32600, "1"},
      {R"({"jsonrpc":"2.0","id":1,"method":7})", -32600, "1"},
      {R"({"jsonrpc":"2.0","id":null,"method":"ping"})", -32600, "null"},
      {R"({"jsonrpc":"2.0","id":{},"method":"ping"})", -32600, "null"},
      {R"({"jsonrpc":"2.0","id":"x","method":"ping","params":[1]})", -32602, "\"x\""},
      {R"({"jsonrpc":"2.0","id":2,"method":"nothing"})", -32601, "2"},
      {R"({"jsonrpc":"2.0","id":2,"method":"server/discover"})", -32601, "2"},
      {R"({"jsonrpc":"2.0","id":3,"method":"tools/call"})", -32602, "3"},
      {R"({"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":1}})", -32602, "3"},
      {R"({"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"eco"}})", -32602, "3"},
      {R"({"jsonrpc":"2.0","id":4,"method":"tools/list","params":{"cursor":"x"}})", -32602, "4"},
      {R"({"jsonrpc":"2.0","id":5,"method":"initialize"})", -32602, "5"},
      {R"({"jsonrpc":"2.0","id":5,"method":"initialize","params":{"protocolVersion":3}})", -32602, "5"},
      {"[]", -32600, "null"},
      {R"([{"jsonrpc":"2.0","id":1,"method":"ping"}])", -32600, "null"},
  };
  for (const Row& row : rows) {
    INFO(row.line);
    Server server = small_server();
    ask(server, open_2025);
    const std::string answer = ask(server, row.line);
    CHECK(code_of(answer) == row.code);
    CHECK(id_of(answer) == row.id);
  }
  Server server = small_server();
  CHECK(code_of(server.take({{}, true}, {}).value()) == -32600);
}

TEST_CASE("Notifications and answers are not answered, whatever is in them") {
  Server server = small_server();
  ask(server, open_2025);
  for (const char* line :
       {R"({"jsonrpc":"2.0","method":"notifications/initialized"})",
        R"({"jsonrpc":"2.0","method":"nothing","params":[1]})",
        R"({"jsonrpc":"2.0","method":"tools/call","params":{"name":"echo"}})",
        R"({"jsonrpc":"2.0","id":7,"result":{}})", R"({"jsonrpc":"2.0","id":7,"error":{}})",
        R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{}})"})
    CHECK(ask(server, line).empty());
}

TEST_CASE("Arguments that do not fit are an error that the model reads, with what would fit") {
  Server server = small_server();
  ask(server, open_2025);
  const auto said = [&](const std::string& arguments) {
    const std::string answer =
        ask(server, R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":)" +
                        arguments + "}}");
    const Value result = *parse_json(answer).value().find("result");
    return fmt::format("{}{}", result.find("isError")->boolean() ? "error: " : "",
                       result.find("content")->array().at(0).find("text")->string());
  };
  CHECK(said(R"({"text":"hi"})") == "hi");
  CHECK(said(R"({"text":"hi","times":null})") == "hi");
  CHECK(said("{}") == "error: echo needs the argument 'text': text");
  CHECK(said("null") == "error: echo needs the argument 'text': text");
  CHECK(said("[]") == "error: the arguments of echo must be an object");
  CHECK(said(R"({"text":7})") == "error: 'text' of echo must be text, not 7");
  CHECK(said(R"({"text":"","times":4})") ==
        "error: 'times' of echo must be a whole number from 1 to 3, not 4");
  CHECK(said(R"({"text":"","times":1.5})").starts_with("error: 'times' of echo must be a whole number"));
  CHECK(said(R"({"text":"","time":1})") == "error: echo has no argument 'time'; did you mean 'times'?");
}

TEST_CASE("initialize agrees on a version of the legacy era, and the stateless one says it per request") {
  for (const char* version : {"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"}) {
    Server server = small_server();
    const std::string answer = ask(
        server,
        fmt::format(R"({{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{"protocolVersion":"{}"}}}})",
                    version));
    CHECK(*parse_json(answer).value().find("result")->find("protocolVersion") == Value(version));
  }
  Server legacy = small_server();
  const std::string answer = ask(
      legacy, R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2026-07-28"}})");
  CHECK(*parse_json(answer).value().find("result")->find("protocolVersion") == Value("2025-11-25"));

  Server modern = small_server();
  CHECK(code_of(ask(modern, R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})")) == -32602);
  CHECK(code_of(ask(modern, R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":)"
                            R"({"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}})")) == -32602);
  const std::string other = ask(modern, R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":)"
                                        R"({"io.modelcontextprotocol/protocolVersion":"1900-01-01"}}})");
  CHECK(code_of(other) == -32022);
  const Value data = *parse_json(other).value().find("error")->find("data");
  CHECK(data.find("supported")->array().at(0) == Value("2026-07-28"));
  CHECK(*data.find("requested") == Value("1900-01-01"));
  // A client that knows both eras finds out by it, before it gives metadata.
  CHECK(code_of(ask(modern, R"({"jsonrpc":"2.0","id":1,"method":"server/discover"})")) == 0);
  const Value list =
      parse_json(ask(modern, R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{)" + meta + "}}"))
          .value();
  CHECK(*list.find("result")->find("resultType") == Value("complete"));
  CHECK(list.find("result")->find("_meta")->find("io.modelcontextprotocol/serverInfo") != nullptr);
  CHECK(code_of(ask(modern, R"({"jsonrpc":"2.0","id":1,"method":"ping","params":{)" + meta + "}}")) ==
        -32601);
}

TEST_CASE("Batches are answered in the versions that have them") {
  Server server = small_server();
  ask(server, open_batches);
  const std::string answer = ask(
      server, R"([{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"x"},7,)"
              R"({"jsonrpc":"2.0","id":2,"method":"initialize","params":{"protocolVersion":"2025-03-26"}},)"
              R"({"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"patient"}}])");
  const Value answers = parse_json(answer).value();
  REQUIRE(answers.is_array());
  CHECK(answers.array().size() == 4);
  CHECK_FALSE(server.waits());
  CHECK(ask(server, R"([{"jsonrpc":"2.0","method":"x"}])").empty());
}

TEST_CASE("A call that waits is answered later, or not at all once it is cancelled") {
  Server server = small_server();
  ask(server, open_2025);
  const auto patient = [&](int id, Instant now) {
    return ask(
        server,
        fmt::format(R"({{"jsonrpc":"2.0","id":{},"method":"tools/call","params":{{"name":"patient"}}}})", id),
        now);
  };
  const Instant start{1'000'000};
  CHECK(patient(1, start).empty());
  CHECK(patient(2, start + seconds(1)).empty());
  CHECK(server.look_again(start + seconds(2)).empty());
  CHECK_FALSE(ask(server, R"({"jsonrpc":"2.0","id":9,"method":"ping"})", start).empty());
  CHECK(ask(server, R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})")
            .empty());
  const std::vector<std::string> answers = server.look_again(start + seconds(4));
  REQUIRE(answers.size() == 1);
  CHECK(id_of(answers[0]) == "2");
  CHECK_FALSE(server.waits());
  for (int id = 10; id < 18; ++id) CHECK(patient(id, start).empty());
  CHECK_FALSE(patient(18, start).empty());
}

TEST_CASE("A line that is too long is told once, and kept nowhere") {
  Lines lines(10);
  lines.feed("0123456789\n  \r\n01234");
  CHECK(lines.next()->text == "0123456789");
  CHECK_FALSE(lines.next().has_value());
  for (int i = 0; i < 100; ++i) lines.feed("0123456789");
  CHECK(lines.pending_bytes() == 0);
  CHECK(lines.next()->too_long);
  CHECK_FALSE(lines.next().has_value());
  lines.feed("rest\nnext\nlast");
  CHECK(lines.next()->text == "next");
  lines.end();
  CHECK(lines.next()->text == "last");
}

TEST_CASE("A client's JSON keeps what else is in it, in its order, and loses our server again") {
  const Client& claude = *find_client("claude");
  const std::string before =
      "{\n    \"zeta\": 1.5,\n    \"mcpServers\": {\n        \"other\": {\n            \"command\": \"x\"\n"
      "        }\n    },\n    \"alpha\": [\n        true\n    ]\n}\n";
  const std::string after = with_server(claude, before, "bidboard").value();
  const Value value = parse_json(after).value();
  CHECK(value.object()[0].key == "zeta");
  CHECK(value.object()[2].key == "alpha");
  CHECK(value.find("mcpServers")->object()[0].key == "other");
  CHECK(*value.find("mcpServers")->find("bidboard")->find("command") == Value("bidboard"));
  CHECK(with_server(claude, after, "bidboard").value() == after);
  CHECK(without_server(claude, after).value() == before);
  CHECK(without_server(claude, with_server(claude, "", "bidboard").value()).value().empty());
  for (const Client& client : clients()) {
    INFO(client.name);
    CHECK(without_server(client, with_server(client, "", "/opt/bidboard").value()).value().empty());
    CHECK(without_server(client, "").value().empty());
  }
}

TEST_CASE("A client's configuration that does not parse is left alone, with what to add by hand") {
  const Client& gemini = *find_client("gemini");
  for (const char* text : {"{", "[]", "// comment\n{}", R"({"mcpServers": []})", R"({"a":1,"a":2})"}) {
    INFO(text);
    const Result<std::string> refused = with_server(gemini, text, "bidboard");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().text.find("add by hand: \"mcpServers\"") != std::string::npos);
  }
  const Client& codex = *find_client("codex");
  for (const char* text :
       {"a = \"\"\"\n[x]\n", "a = [\n1,\n", "a = ]\n", "a = \"x\n", "mcp_servers = {}\n",
        "mcp_servers.bidboard.x = 1\n", "[mcp_servers]\nbidboard = { command = \"x\" }\n"}) {
    INFO(text);
    CHECK_FALSE(with_server(codex, text, "bidboard").has_value());
  }
}

TEST_CASE("A table of a TOML file is added, replaced and removed; the rest stays as it is written") {
  const Client& codex = *find_client("codex");
  const std::string before =
      "model = \"x\" # [mcp_servers.bidboard]\nlist = [\n  [\"a\"],\n[\"b\"]\n]\ntext = '''\n"
      "[mcp_servers.bidboard]\n'''\n\n# of other\n[mcp_servers.other]\ncommand = \"y\"\n";
  const std::string after = with_server(codex, before, "bidboard").value();
  CHECK(after.starts_with(before + "\n[mcp_servers.bidboard]\ncommand = \"bidboard\"\n"));
  CHECK(with_server(codex, after, "bidboard").value() == after);
  CHECK(without_server(codex, after).value() == before);
  const std::string old =
      "[mcp_servers.\"bidboard\"]\ncommand = \"old\"\n[mcp_servers.bidboard.env]\nA = \"1\"\n\n# next\n[b]\n";
  const std::string fresh = with_server(codex, old, "new").value();
  CHECK(fresh.find("old") == std::string::npos);
  CHECK(fresh.find("A = ") == std::string::npos);
  CHECK(fresh.ends_with("\n\n# next\n[b]\n"));
  CHECK(without_server(codex, old).value() == "\n# next\n[b]\n");
}

TEST_CASE("The lines that change are shown with those around them") {
  CHECK(changed_lines("a\nb\nc\nd\ne\n", "a\nb\nc\nx\ne\n") == "  b\n  c\n- d\n+ x\n  e\n");
  CHECK(changed_lines("", "a\n") == "+ a\n");
  CHECK(changed_lines("a\n", "a\n").empty());
}
