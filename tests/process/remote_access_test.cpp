// A board whose controller listens over TCP: a key admits its holder with its rights; without a key, with a
// wrong or a revoked one, a connection is refused with the reason, and others are not disturbed.
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>

#include "blackboard/fmt.hpp"
#include "runtime/home/key_directory.hpp"
#include "tests/support/connecting.hpp"
#include "tests/support/silent_peer.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

/// A board that listens, and a folder without a board that stands for another machine.
class TwoMachines {
 public:
  TwoMachines() {
    board.must({"keys", "init"});
    controller = std::make_unique<Process>(board.serve({"--listen", "tcp://127.0.0.1:*"}));
    address = serving_writer(board.directory())->tcp;
    REQUIRE(address.starts_with("tcp://127.0.0.1:"));
  }

  /// Makes a key and copies it; returns the file on the other machine.
  std::string key(const std::string& name, bool operates = false) const {
    std::vector<std::string> words{"keys", "add", name};
    if (operates) words.push_back("--operator");
    const std::string made = board.must(words);
    const std::string there = elsewhere.path(name + ".key");
    std::filesystem::rename(made, there);
    return there;
  }
  ProcessOptions there(const std::string& key_file) const {
    ProcessOptions options = elsewhere.surroundings();
    options.environment["BIDBOARD_CONNECT"] = address;
    if (!key_file.empty()) options.environment["BIDBOARD_KEY"] = key_file;
    return options;
  }
  Finished run(const std::string& key_file, std::vector<std::string> words) const {
    return elsewhere.run(std::move(words), there(key_file));
  }
  Process agent(const std::string& key_file, const std::string& name) const {
    return elsewhere.start({"agent", "--connect", address, "--key", key_file, "--name", name, "--allow-run"});
  }

  const TestBoard board;
  const TestBoard elsewhere{false};
  std::unique_ptr<Process> controller;
  std::string address;
};

}  // namespace

TEST_CASE("A controller without keys does not listen for other machines, and says why") {
  const TestBoard board;
  const Finished refused = board.run({"controller", "--listen", "tcp://127.0.0.1:*"});
  CHECK(refused.exit_code == 3);
  CHECK(contains(refused.err,
                 "cannot listen at tcp://127.0.0.1:*: this board has no keys; `bidboard keys init`"));
  const Finished wrong = board.run({"controller", "--listen", "127.0.0.1:7070"});
  CHECK(wrong.exit_code == (contains(wrong.err, "no keys") ? 3 : 2));
  board.must({"keys", "init"});
  CHECK(board.run({"controller", "--listen", "127.0.0.1:7070"}).exit_code == 2);
}

TEST_CASE("An agent on another machine works with its key, and its tasks can reach the controller") {
  const TwoMachines two;
  const std::string key = two.key("laptop");
  const Process far = two.agent(key, "far");
  two.board.await_agents(1);
  CHECK(*two.board.data({"status", "--json"}).find("listens") == Value(two.address));
  CHECK(two.board.value("SELECT name FROM agents") == "far");
  const Finished posted = two.run(
      key, {"post", "from afar", "--run", "bidboard progress 0.5 half && echo \"$PWD\"; echo $BIDBOARD_DIR"});
  REQUIRE(posted.exit_code == 0);
  REQUIRE(two.board.task_becomes("t1", "done"));
  CHECK(two.board.value("SELECT result FROM tasks") ==
        std::filesystem::canonical(two.elsewhere.home()).string());
  CHECK(two.board.value("SELECT count(*) FROM log WHERE kind = 'task_progressed'") == "1");
  const Finished output = two.board.run({"output", "t1"});
  CHECK(output.exit_code == 3);
  CHECK(contains(output.err, "far ran it on another machine"));
  const Finished tasks = two.run(key, {"tasks"});
  CHECK(tasks.exit_code == 6);
  CHECK(contains(tasks.err, "run it there"));
  CHECK(two.run(key, {"claim", "--next", "--wait", "--as", "me"}).exit_code == 6);
}

TEST_CASE(
    "Without a key, with a wrong one, or with another board's, a connection is refused with the reason") {
  const TwoMachines two;
  const std::string good = two.key("good");
  const Process worker = two.agent(good, "worker");
  two.board.await_agents(1);

  // A valid key pair that this board has not allowed.
  const TestBoard other;
  other.must({"keys", "init"});
  const std::string foreign = other.must({"keys", "add", "foreign"});
  const auto allowed_there = read_client_keys(foreign);
  REQUIRE(allowed_there.has_value());
  CurveKeys unknown = *allowed_there;
  unknown.server = read_client_keys(good)->server;
  const auto knocking = Connection::open(two.address, unknown);
  const Error refused = turned_away(**knocking);
  CHECK(refused.code == Errc::refused);
  CHECK(contains(refused.text, "does not allow our key"));
  CHECK(says(*two.controller, "is not allowed here (`bidboard keys import` allows it)"));
  // The feed is closed too.
  const std::string feed = serving_writer(two.board.directory())->tcp_feed;
  const auto deaf = Feed::open(feed, unknown);
  REQUIRE(deaf.has_value());
  CHECK(says(*two.controller, "is not allowed here", 2));

  const Finished without = two.run("", {"post", "x"});
  CHECK(without.exit_code == 2);
  CHECK(contains(without.err, "requires a key"));
  SilentPeer plain = SilentPeer::client(two.address);  // one without encryption
  // Its address may be unknown: the connection may be gone already.
  CHECK(says(*two.controller, "it did not show a key made for this board"));

  // A key of another board.
  const Finished lost = two.run(foreign, {"post", "x"});
  CHECK(lost.exit_code == 4);
  CHECK(contains(lost.err, "the key file was made for another board"));
  Process agent = two.agent(foreign, "lost");
  CHECK(agent.wait() == 4);
  CHECK(contains(agent.err(), "the key file was made for another board"));

  // The others were not disturbed.
  const auto hears = Feed::open(feed, *read_client_keys(good));
  REQUIRE(hears.has_value());
  CHECK(eventually([&] { return (*hears)->wait(milliseconds(10)).has_value(); }, patience));
  const std::string task = two.board.must({"post", "goes on", "--run", "echo fine"});
  CHECK(two.board.task_becomes(task, "done"));
  CHECK(eventually([&] { return (*hears)->wait(milliseconds(10)).has_value(); }, patience));
  CHECK_FALSE((*deaf)->wait(milliseconds(10)).has_value());
}

TEST_CASE("An agent gives up when no controller answers at its address") {
  const TwoMachines two;
  const std::string key = two.key("laptop");
  const Finished nowhere = two.elsewhere.run(
      {"agent", "--connect", "tcp://127.0.0.1:1", "--key", key, "--simulate", "--patience", "300ms"});
  CHECK(nowhere.exit_code == 6);
  CHECK(contains(nowhere.err, "no controller answers at tcp://127.0.0.1:1"));
}

TEST_CASE("A revoked key is disconnected at once; the others reconnect and go on with what they held") {
  const TwoMachines two;
  Config config;
  config.project = "revoked";
  config.heartbeat = milliseconds(200);
  config.lease = seconds(2);
  config.backoff = milliseconds(10);
  two.board.configure(config);
  const std::string lost = two.key("lost"), kept = two.key("kept");
  Process first = two.agent(lost, "first");
  two.board.await_agents(1);
  const std::string wait = "until [ -e go ]; do sleep 0.02; done; echo $BIDBOARD_AGENT";
  const std::string held = two.board.must({"post", "held", "--run", wait});
  REQUIRE(two.board.task_becomes(held, "running"));
  const Process second = two.agent(kept, "second");
  two.board.await_agents(2);
  const std::string other = two.board.must({"post", "other", "--run", wait});
  REQUIRE(two.board.task_becomes(other, "running"));

  two.board.must({"keys", "revoke", "lost"});
  CHECK(first.wait() == 4);
  CHECK(contains(first.err(), "it does not allow our key"));
  CHECK(two.run(lost, {"post", "x"}).exit_code == 4);
  two.elsewhere.write("go", "");
  REQUIRE(two.board.task_becomes(held, "done"));
  REQUIRE(two.board.task_becomes(other, "done"));
  CHECK(two.board.value(fmt::format("SELECT result FROM tasks WHERE id = '{}'", held)) == "second");
  CHECK(two.board.value(fmt::format("SELECT epoch FROM tasks WHERE id = '{}'", other)) == "1");
  CHECK(two.board.value("SELECT count(*) FROM log WHERE kind = 'agent_left' AND agent = 'second'") == "0");
  CHECK(two.board.run({"doctor", "--deep"}).exit_code == 0);
}

TEST_CASE("A key gives an agent's rights; with --operator, an operator's") {
  const TwoMachines two;
  const std::string agents = two.key("agents"), operators = two.key("operators", true);
  REQUIRE(two.run(agents, {"post", "one"}).exit_code == 0);
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"cancel", "t1"}, {"reassign", "t1", "x"}, {"done", "t1"}, {"fail", "t1"}}) {
    const Finished refused = two.run(agents, words);
    INFO(words[0] << " " << refused.err);
    CHECK(refused.exit_code == 4);
    CHECK(contains(refused.err, "key agents: it may not"));
  }
  auto connection = connected(two.address, *read_client_keys(agents));
  for (const RequestBody& body : {RequestBody{Shutdown{}}, RequestBody{Configure{}}}) {
    Request request;
    request.number = 1;
    request.body = body;
    CHECK(ask<Reply>(*connection, request).code == Errc::refused);
  }
  CHECK(two.board.value("SELECT count(*) FROM log WHERE kind = 'request_refused'") == "6");
  CHECK(two.run(agents, {"claim", "t1", "--as", "me"}).exit_code == 0);
  CHECK(two.run(operators, {"done", "t1", "--as", "me"}).exit_code == 0);
  REQUIRE(two.run(agents, {"post", "two"}).exit_code == 0);
  CHECK(two.run(operators, {"cancel", "t2"}).exit_code == 0);
  CHECK(two.board.value("SELECT state FROM tasks WHERE id = 't2'") == "cancelled");
}

TEST_CASE("Agents' names belong to the key that registered them; another key is refused") {
  const TwoMachines two;
  const std::string one = two.key("one"), another = two.key("another");
  Process far = two.agent(one, "far");
  two.board.await_agents(1);
  Process thief = two.agent(another, "far");
  CHECK(thief.wait() == 4);
  CHECK(contains(thief.err(), "the name 'far' belongs to another key"));
  CHECK(two.run(another, {"claim", "--next", "--as", "far"}).exit_code == 4);
  far.signal(SIGTERM);
  REQUIRE(far.wait() == 0);
  Process later = two.agent(another, "far");
  CHECK(later.wait() == 4);
  // A remote agent may pretend to be a process of the controller's machine: that process's end ends nothing.
  CHECK(two.board.value("SELECT count(*) FROM log WHERE kind = 'request_refused'") == "3");
  const Process again = two.agent(one, "far");
  two.board.await_agents(1);
}

TEST_CASE("Keys are files that only their owner can read, made, listed and revoked by name") {
  const TestBoard board;
  CHECK(board.run({"keys"}).exit_code == 3);
  const std::string server = board.must({"keys", "init"});
  CHECK(board.must({"keys", "init"}) == server);
  const std::string file = board.must({"keys", "add", "ann"});
  struct stat info {};
  for (const auto& [path, mode] : {std::pair(board.path(".bidboard/keys"), 0700), std::pair(file, 0600),
                                   std::pair(board.path(".bidboard/keys/server.key"), 0600)}) {
    REQUIRE(::stat(path.c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == static_cast<mode_t>(mode));
  }
  CHECK(board.run({"keys", "add", "ann"}).exit_code == 5);
  CHECK(board.run({"keys", "import", "bob", "12"}).exit_code == 2);
  CHECK(board.must({"keys", "import", "bob", std::string(64, 'a'), "--operator"}) == server);
  CHECK(board.run({"keys", "import", "eve", std::string(64, 'a')}).exit_code == 5);
  const Value list = board.data({"keys", "--json"});
  REQUIRE(list.array().size() == 2);
  CHECK(*list.array()[0].find("name") == Value("ann"));
  CHECK(*list.array()[0].find("rights") == Value("agent"));
  CHECK(*list.array()[1].find("rights") == Value("operator"));
  board.must({"keys", "revoke", "ann"});
  CHECK(::stat(file.c_str(), &info) != 0);
  CHECK(board.run({"keys", "revoke", "ann"}).exit_code == 3);
  ProcessOptions task = board.surroundings();
  task.environment["BIDBOARD_TOKEN"] = "a1:t1:1:x";
  CHECK(board.run({"keys", "add", "mine"}, task).exit_code == 4);

  REQUIRE(::chmod(board.path(".bidboard/keys/server.key").c_str(), 0644) == 0);
  const Finished doctor = board.run({"doctor"});
  CHECK(doctor.exit_code == 1);
  CHECK(contains(doctor.out, "server.key must belong to you and be readable only by you"));
  const Finished open = board.run({"controller", "--listen", "tcp://127.0.0.1:*"});
  CHECK(open.exit_code == 4);
  CHECK(contains(open.err, "readable only by you"));
}

TEST_CASE("bidboard.yaml sets where to listen") {
  const TestBoard board;
  board.must({"keys", "init"});
  board.write("bidboard.yaml", "project: far\nlisten: tcp://127.0.0.1:*\n");
  Process up = board.start({"up"});
  REQUIRE(
      eventually([&] { return serving_writer(board.directory()).has_value() || !up.running(); }, patience));
  CHECK(serving_writer(board.directory())->tcp.starts_with("tcp://127.0.0.1:"));
  up.signal(SIGTERM);
  CHECK(up.wait() == 0);
}
