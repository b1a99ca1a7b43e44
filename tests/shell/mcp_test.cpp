// `bidboard mcp` as a client uses it: lines into its standard input, lines out of its standard output.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "agents/guard/descriptor.hpp"
#include "blackboard/fmt.hpp"
#include "tests/support/build.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/failing_disk.hpp"
#include "tests/support/test_board.hpp"

extern char** environ;

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

/// A server between two pipes, so that a client can be slow, silent or gone.
class Piped {
 public:
  explicit Piped(const TestBoard& board) {
    int in[2], out[2];
    REQUIRE(::pipe2(in, O_CLOEXEC) == 0);
    REQUIRE(::pipe2(out, O_CLOEXEC) == 0);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    const std::string home = board.home();
    std::vector<const char*> argv{bidboard_binary, "-C", home.c_str(), "mcp", "--as", "me", nullptr};
    REQUIRE(::posix_spawn(&pid_, bidboard_binary, &actions, nullptr, const_cast<char**>(argv.data()),
                          environ) == 0);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]);
    ::close(out[1]);
    to_ = Descriptor(in[1]);
    from_ = Descriptor(out[0]);
  }
  ~Piped() {
    if (pid_ > 0) ::kill(pid_, SIGKILL), ::waitpid(pid_, nullptr, 0);
  }
  Piped(const Piped&) = delete;
  Piped& operator=(const Piped&) = delete;

  void say(const std::string& text) const {
    REQUIRE(::write(to_.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  /// The next line that it says; empty at the end.
  std::string hear() {
    while (heard_.find('\n') == std::string::npos) {
      char buffer[65536];
      const ssize_t got = ::read(from_.get(), buffer, sizeof buffer);
      if (got <= 0) return {};
      heard_.append(buffer, static_cast<std::size_t>(got));
    }
    const std::size_t end = heard_.find('\n');
    const std::string line = heard_.substr(0, end);
    heard_.erase(0, end + 1);
    return line;
  }
  void close_input() { to_.reset(); }
  void close_output() { from_.reset(); }
  int output() const { return from_.get(); }
  void signal(int number) const { ::kill(pid_, number); }
  /// Its exit code; 128 + N after a signal.
  int wait() {
    int status = 0;
    REQUIRE(::waitpid(pid_, &status, 0) == pid_);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
  Descriptor to_, from_;
  std::string heard_;
};

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

TEST_CASE(
    "A session in a task's process acts as the task's agent, and what the token forbids stays forbidden") {
  const TestBoard board;
  const Process controller = board.serve();
  const Process worker = board.agent("w", {"--allow-run"});
  board.await_agents(1);
  board.write("in", opening + call(1, "claim") + "\n" + call(2, "claim", R"({"task":"t2"})") + "\n" +
                        call(3, "progress", R"({"fraction":0.5})") + "\n" +
                        call(4, "done", R"({"task":"t2","result":""})") + "\n" +
                        call(5, "post", R"({"title":"Found on the way"})") + "\n" +
                        call(6, "done", R"({"result":"by the session"})") + "\n");
  board.must({"post", "Held back", "--skill", "none"});
  board.must({"post", "Other", "--skill", "none"});
  board.must(
      {"post", "In", "--run",
       fmt::format(
           "'{0}' mcp < in > out; '{0}' mcp install claude 2> refused; echo \"$BIDBOARD_TOKEN\" > token; "
           "until [ -e go ]; do sleep 0.01; done",
           bidboard_binary)});
  REQUIRE(board.task_becomes("t3", "done"));
  REQUIRE(eventually([&] { return !board.read("token").empty(); }));
  const Answers said(Finished{0, board.read("out"), {}});
  CHECK(contains(said.result(0).find("instructions")->string(), "one task"));
  CHECK(said.is_error(1));
  CHECK(said.text(1).starts_with("refused: "));
  CHECK(said.text(2).starts_with("refused: "));
  CHECK(said.text(3) == "noted");
  CHECK(said.is_error(4));
  CHECK(said.text(5) == "t4");
  CHECK(said.text(6) == "t3 is done");
  CHECK(contains(board.read("refused"), "a task's process may not configure clients"));
  CHECK(board.read(".mcp.json").empty());
  CHECK(board.value("SELECT result FROM tasks WHERE id = 't3'") == "by the session");
  CHECK(board.value("SELECT count(*) FROM agents") == "1");

  // The same token from a file, or under the name by which Gemini passes it on.
  const std::vector<std::string> tries{opening, call(1, "claim"), call(2, "post", R"({"title":"More"})")};
  std::string token = board.read("token");
  token.pop_back();
  const Answers again = talk(board, tries, {"--token-file", board.path("token")});
  CHECK(again.text(1).starts_with("refused: "));
  CHECK(again.text(2) == "t5");
  const Answers passed_on = talk(board, tries, {}, {{"BIDBOARD_MCP_TOKEN", token}});
  CHECK(passed_on.text(1).starts_with("refused: "));
  CHECK(passed_on.text(2) == "t6");
  board.write("go", "");
  // None, where the client has removed it; and none is passed on outside of tasks.
  const std::vector<std::string> post{opening, call(1, "post", R"({"title":"More"})")};
  const Answers lost = talk(board, post, {}, {{"BIDBOARD_TASK", "t3"}, {"BIDBOARD_MCP_TOKEN", ""}});
  CHECK(contains(lost.text(1), "BIDBOARD_TOKEN did not reach it"));
  CHECK(talk(board, post, {}, {{"BIDBOARD_MCP_TOKEN", ""}}).text(1) == "t7");
  CHECK(talk(board, post, {}, {{"BIDBOARD_MCP_TOKEN", "$BIDBOARD_TOKEN"}}).text(1) == "t8");
}

TEST_CASE("Malformed input and a line of 100 MB are answered, and what follows them is done") {
  const TestBoard board;
  board.write("opening", opening);
  std::string rest;
  for (const std::string& line : std::vector<std::string>{
           call(1, "ready"), "{", "[]", "\xff", R"({"jsonrpc":"2.0"})", call(2, "nothing"),
           call(3, "show", R"({"task":"x"})"), call(4, "show", R"({"task":"t99"})"),
           call(5, "done", R"({"result":"x"})"), call(6, "search"), call(7, "search", R"({"state":"don"})"),
           call(8, "claim", R"({"wait":60})"), call(9, "claim", R"({"skills":["a b"]})"),
           call(10, "post", R"({"title":""})"), call(11, "post", R"({"title":"x","needs":["t99"]})")})
    rest += line + "\n";
  board.write("rest", rest);
  const Answers said(
      run_program({"sh", "-c",
                   fmt::format("{{ cat opening; head -c 100000000 /dev/zero; echo; cat rest; }} | '{}' mcp",
                               bidboard_binary)},
                  board.surroundings()));
  CHECK(said.count() == 17);
  CHECK(contains(said.text(1), "No task is ready"));
  CHECK(said.code(2) == -32602);
  CHECK(contains(said.text(3), "is not a task id; write t12"));
  CHECK(contains(said.text(4), "there is no task t99; `search`"));
  CHECK(contains(said.text(5), "this session holds none; `claim`"));
  CHECK(contains(said.text(7), "did you mean 'done'?"));
  CHECK(contains(said.text(8), "a whole number from 0 to 20"));
  for (int id = 3; id <= 11; ++id) CHECK(said.is_error(id));
  CHECK(board.value("SELECT count(*) FROM tasks") == "0");
}

TEST_CASE("A session whose folder has no board says so in each answer, and goes on") {
  const TestBoard board(false);
  const Answers said = talk(board, {opening, call(1, "ready"), call(2, "claim"), request(3, "tools/list")});
  CHECK(contains(said.text(1), "`bidboard init` makes one"));
  CHECK(contains(said.text(2), "`bidboard init` makes one"));
}

TEST_CASE("A claim waits for a task while other calls are answered, and ends when it is cancelled") {
  const TestBoard board;
  Piped server(board);
  server.say(opening);
  REQUIRE_FALSE(server.hear().empty());
  server.say(call(1, "claim", R"({"wait":20,"skills":["cpp"]})") + "\n" + call(2, "claim", R"({"wait":20})") +
             "\n" + R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}})" +
             "\n" + call(3, "ready") + "\n");
  CHECK(contains(server.hear(), R"("id": 3)"));
  board.must({"post", "one"});
  CHECK(contains(server.hear(), "t1 is yours, me"));
  CHECK(board.value("SELECT count(*) FROM log WHERE kind = 'agent_registered'") == "1");
  board.must({"post", "two"});
  server.say(call(4, "ready") + "\n");
  CHECK(contains(server.hear(), "t2 ready"));
  server.say(call(5, "claim", R"({"task":"t2"})") + "\n" + call(6, "claim", R"({"wait":20})") + "\n");
  CHECK(contains(server.hear(), "t2 is yours"));
  server.close_input();
  CHECK(server.wait() == 0);
  CHECK(server.hear().empty());
}

TEST_CASE("A session ends when its client is gone, and on SIGTERM also while the client reads nothing") {
  const TestBoard board;
  board.must({"post", "x", "--body", std::string(15'000, 'x')});
  {
    Piped gone(board);
    gone.close_output();
    gone.say(opening);
    CHECK(gone.wait() == 0);
  }
  Piped silent(board);
  silent.say(opening);
  for (int id = 1; id < 20; ++id) silent.say(call(id, "show", R"({"task":"t1"})") + "\n");
  // It has said as much as the pipe takes: there is more to come, and nobody takes it.
  int waiting = 0;
  REQUIRE(eventually([&] { return ::ioctl(silent.output(), FIONREAD, &waiting) == 0 && waiting > 50'000; }));
  silent.signal(SIGTERM);
  CHECK(silent.wait() == 0);
}

TEST_CASE("`mcp install` writes each client's configuration, keeps what else is in it, and undoes it") {
  const TestBoard board;
  std::filesystem::create_directory(board.path("codex"));
  std::filesystem::create_directory(board.path(".gemini"));
  ProcessOptions options = board.surroundings();
  options.environment["CODEX_HOME"] = board.path("codex");
  const std::pair<std::string, std::string> files[] = {{"claude", ".mcp.json"},
                                                       {"codex", "codex/config.toml"},
                                                       {"gemini", ".gemini/settings.json"},
                                                       {"opencode", "opencode.json"}};
  for (const auto& [client, file] : files) {
    INFO(client);
    const std::string before = client == "codex" ? "# mine\nmodel = \"m\"\n"
                                                 : "{\n  \"z\": 1,\n  \"a\": {\n    \"b\": null\n  }\n}\n";
    board.write(file, before);
    ::chmod(board.path(file).c_str(), 0600);
    CHECK(board.run({"mcp", "install", client, "--dry-run"}, options).exit_code == 0);
    CHECK(board.read(file) == before);
    const Finished done = board.run({"mcp", "install", client}, options);
    INFO(done.out << done.err);
    CHECK(done.exit_code == 0);
    CHECK(contains(done.out, file));
    CHECK(contains(done.out, "+ "));
    CHECK(contains(board.read(file), "bidboard"));
    CHECK(contains(board.run({"mcp", "install", client}, options).out, "nothing to change"));
    struct stat info {};
    CHECK((::stat(board.path(file).c_str(), &info) == 0 && (info.st_mode & 0777) == 0600));
    CHECK(board.run({"mcp", "install", client, "--remove"}, options).exit_code == 0);
    CHECK(board.read(file) == before);
  }
  // What it has made, it removes.
  std::filesystem::remove(board.path(".mcp.json"));
  board.must({"mcp", "install", "claude"});
  CHECK(contains(board.must({"mcp", "install", "claude", "--remove"}), "(deleted"));
  CHECK_FALSE(std::filesystem::exists(board.path(".mcp.json")));
}

TEST_CASE("`mcp install` refuses what it cannot read, and what belongs to others") {
  const TestBoard board;
  const auto refused = [&](int code, const std::string& text, std::vector<std::string> words) {
    const Finished finished = board.run(std::move(words));
    INFO(finished.err);
    CHECK(finished.exit_code == code);
    CHECK(contains(finished.err, text));
  };
  refused(2, "claude, codex, gemini, opencode", {"mcp", "install"});
  refused(2, "'emacs' is not a known client", {"mcp", "install", "emacs"});
  refused(2, "unknown action 'instal'", {"mcp", "instal", "claude"});
  board.write(".mcp.json", "{ // comment\n}");
  refused(2, "add by hand: \"mcpServers\"", {"mcp", "install", "claude"});
  CHECK(board.read(".mcp.json") == "{ // comment\n}");
  std::filesystem::remove(board.path(".mcp.json"));
  // One's own link is followed, and stays a link.
  board.write("elsewhere.json", "{}");
  std::filesystem::create_symlink("elsewhere.json", board.path(".mcp.json"));
  board.must({"mcp", "install", "claude"});
  CHECK(std::filesystem::is_symlink(board.path(".mcp.json")));
  CHECK(contains(board.read("elsewhere.json"), "bidboard"));
  if (::geteuid() != 0) {
    WARN("skipped: only root can give a link or a folder to another user");
    return;
  }
  REQUIRE(::lchown(board.path(".mcp.json").c_str(), 65534, 65534) == 0);
  refused(4, "is a link that belongs to user 65534", {"mcp", "install", "claude", "--remove"});
  CHECK(contains(board.read("elsewhere.json"), "bidboard"));
}

TEST_CASE("Below a board of another user, `mcp install` says whose it is, and not that there is none") {
  if (::geteuid() != 0) {
    WARN("skipped: only root can give a folder to another user");
    return;
  }
  const TestBoard board;
  std::filesystem::create_directory(board.path("mine"));
  REQUIRE(::chown(board.home().c_str(), 65534, 65534) == 0);
  ProcessOptions here = board.surroundings();
  here.directory = board.path("mine");
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"mcp", "install", "claude"}, {"prime", "--for", "claude"}}) {
    const Finished finished = board.run(words, here);
    INFO(finished.err);
    CHECK_FALSE(contains(finished.err, "There is no board here"));
    CHECK(contains(finished.err, board.home() + " belongs to user 65534"));
    CHECK(contains(finished.err, "`bidboard trust " + board.home() + "`"));
  }
}

TEST_CASE("In a sandbox that forbids sockets, commands and tools say so instead of waiting for an answer") {
  const TestBoard board;
  const Process controller = board.serve();
  ProcessOptions options = board.surroundings();
  const std::map<std::string, std::string> sandbox = on_failing_disk("FORBID_CONNECT", "1");
  for (const auto& [name, value] : sandbox) options.environment[name] = value;
  const Finished post = board.run({"post", "x"}, options);
  INFO(post.err);
  CHECK(post.exit_code == 4);
  CHECK(contains(post.err, "this process may not connect to"));
  CHECK(contains(post.err, "Operation not permitted"));
  const Answers said = talk(board, {opening, call(1, "ready"), call(2, "claim")}, {}, sandbox);
  CHECK_FALSE(said.is_error(1));
  CHECK(contains(said.text(2), "may not connect"));
}
