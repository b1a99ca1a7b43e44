// Messages and capabilities that are recorded or guessed and then sent by another process; and a search for
// secrets in all files and outputs.
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "blackboard/fmt.hpp"
#include "blackboard/format/codec.hpp"
#include "tests/support/connecting.hpp"
#include "tests/support/faulty_link.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

namespace fs = std::filesystem;

template <class T>
std::vector<T> of_kind(const std::vector<Message>& messages) {
  std::vector<T> found;
  for (const Message& message : messages)
    if (const auto* one_of_them = std::get_if<T>(&message)) found.push_back(*one_of_them);
  return found;
}

/// A board with a controller whose connections are all recorded from now on.
class Tapped {
 public:
  Tapped()
      : controller_(board.serve()),
        endpoint_(serving_writer(board.directory())->endpoint),
        link(endpoint_, {}, 1) {
    Config config;
    config.project = "tapped";
    config.heartbeat = milliseconds(200);
    config.lease = seconds(2);
    config.backoff = milliseconds(10);
    board.configure(config);
    board.write_script("hold.sh", "#!/bin/sh\nuntil [ -e go ]; do sleep 0.02; done\necho $BIDBOARD_AGENT\n");
  }
  /// A connection that is not recorded.
  std::unique_ptr<Connection> thief() const { return connected(endpoint_ + "0"); }
  const Process& controller() const { return controller_; }

  const TestBoard board;

 private:
  Process controller_;
  std::string endpoint_;

 public:
  FaultyLink link;
};

std::string held_task(const TestBoard& board) {
  const std::string task = board.must({"post", "held", "--run", "./hold.sh"});
  REQUIRE(board.task_becomes(task, "running"));
  return task;
}

/// The secrets that the controller sent to one peer alone.
std::set<std::string> secrets_told(const FaultyLink& link) {
  std::set<std::string> secrets;
  const std::vector<Message> said = link.recorded(false);
  for (const Registered& registered : of_kind<Registered>(said)) secrets.insert(registered.secret);
  for (const Awards& awards : of_kind<Awards>(said))
    for (const AwardItem& item : awards.awards) secrets.insert(item.capability);
  for (const Reply& reply : of_kind<Reply>(said))
    if (const auto* claimed = std::get_if<Claimed>(&reply.body)) secrets.insert(claimed->capability);
  REQUIRE(secrets.size() >= 3);
  for (const std::string& secret : secrets) REQUIRE(secret.size() == 32);
  return secrets;
}

/// The output of every command that shows something, by command line.
std::map<std::string, std::string> all_outputs(const TestBoard& board) {
  std::map<std::string, std::string> places;
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"log"},
                                             {"log", "--json"},
                                             {"tasks", "--json"},
                                             {"show", "t1", "--json"},
                                             {"show", "t1"},
                                             {"agents", "--all", "--json"},
                                             {"explain", "t1"},
                                             {"explain", "t1", "--json"},
                                             {"bids", "t1", "--json"},
                                             {"status", "--json"},
                                             {"doctor", "--deep"},
                                             {"output", "t1"},
                                             {"keys"},
                                             {"keys", "--json"},
                                             {"prime"},
                                             {"query", "SELECT * FROM tasks", "--json"},
                                             {"query", "SELECT * FROM agents", "--json"},
                                             {"query", "SELECT * FROM log", "--json"},
                                             {"backup", board.path("copy")}}) {
    const Finished finished = board.run(words);
    std::string name;
    for (const std::string& word : words) name += word + " ";
    INFO(name << finished.err);
    CHECK(finished.exit_code == 0);
    places[name] = finished.out + finished.err;
  }
  return places;
}

void add_files(const TestBoard& board, std::map<std::string, std::string>& places) {
  const std::string key_file = board.path(".bidboard/keys/laptop.key");
  for (const auto& entry : fs::recursive_directory_iterator(board.home()))
    if (entry.is_regular_file() && entry.path() != key_file) {
      std::ifstream file(entry.path(), std::ios::binary);
      places[entry.path().string()] = std::string(std::istreambuf_iterator<char>(file), {});
    }
}

}  // namespace

TEST_CASE("A recorded registration that is replayed is refused, without effect on the agent") {
  const Tapped tapped;
  const TestBoard& board = tapped.board;
  const Process agent = board.agent("ann", {"--allow-run"});
  board.await_agents(1);
  const std::string task = held_task(board);  // so it has sent its secret
  const std::vector<Register> recorded = of_kind<Register>(tapped.link.recorded(true));
  REQUIRE(recorded.size() == 1);
  const auto thief = tapped.thief();
  const RegistrationRefused refused = ask<RegistrationRefused>(*thief, recorded[0]);
  CHECK(refused.code == Errc::conflict);
  CHECK(contains(refused.text, "has registered already"));
  board.write("go", "");
  REQUIRE(board.task_becomes(task, "done"));
  CHECK(board.value("SELECT count(*) FROM log WHERE kind = 'agent_registered'") == "1");
  // The next task reaches the agent, not the thief.
  CHECK(board.task_becomes(board.must({"post", "next", "--run", "true"}), "done"));
  for (const Message& message : thief->wait(milliseconds(10)).messages)
    CHECK(std::string(kind(message)) == "registration_refused");
}

TEST_CASE("Replaying all messages of an agent after it left changes nothing") {
  const Tapped tapped;
  const TestBoard& board = tapped.board;
  Process agent = board.agent("ann", {"--allow-run"});
  board.await_agents(1);
  board.write("go", "");
  const std::string task = board.must({"post", "once", "--run", "./hold.sh"});
  REQUIRE(board.task_becomes(task, "done"));
  agent.signal(SIGTERM);
  REQUIRE(agent.wait() == 0);
  REQUIRE(board.becomes("SELECT count(*) FROM agents WHERE state = 'live'", "0"));
  const auto thief = tapped.thief();
  const std::string tasks = fmt::format("SELECT count(*) FROM log WHERE task = '{}'", task);
  const std::string before = board.value(tasks);
  for (const Message& message : tapped.link.recorded(true)) REQUIRE(thief->send(message));
  CHECK(ask<Welcome>(*thief, Hello{}).version == protocol_version);  // all messages were processed
  CHECK(board.value(tasks) == before);
  // Its registration names a process that has ended.
  CHECK(board.becomes("SELECT count(*) FROM agents WHERE state = 'live'", "0"));
  CHECK(board.run({"doctor", "--deep"}).exit_code == 0);
}

TEST_CASE(
    "A message with another agent's id but not its secret is answered with a request to register, and "
    "changes nothing") {
  const Tapped tapped;
  const TestBoard& board = tapped.board;
  const Process agent = board.agent("ann", {"--allow-run"});
  board.await_agents(1);
  const std::string task = held_task(board);
  const auto thief = tapped.thief();
  Register registration;
  registration.profile.name = "thief";
  registration.incarnation = 7;
  const Registered own = ask<Registered>(*thief, registration);
  const AgentId victim{1};
  REQUIRE(own.agent != victim);
  static_cast<void>(ask<WhoAreYou>(*thief, Heartbeat{victim, own.secret, {}}));
  static_cast<void>(ask<WhoAreYou>(*thief, Bids{victim, own.secret, {}}));
  static_cast<void>(ask<WhoAreYou>(*thief, Take{victim, std::string(32, '0'), {}}));
  ReportItem item;
  item.what = ReportItem::What::finished;
  item.task = *parse_id<TaskId>(task);
  item.epoch = Epoch{1};
  item.capability = own.secret;
  item.text = "forged";
  static_cast<void>(ask<WhoAreYou>(*thief, Reports{victim, own.secret, 1, {item}}));
  REQUIRE(thief->send(Leave{victim, own.secret, "forged"}));
  // Under its own id it is told that the award is not its own.
  const Revocations over = ask<Revocations>(*thief, Reports{own.agent, own.secret, 1, {item}});
  REQUIRE(over.items.size() == 1);
  CHECK(over.items[0].reason == "this award was never yours");
  board.write("go", "");
  REQUIRE(board.task_becomes(task, "done"));
  CHECK(board.value("SELECT result FROM tasks") == "ann");
  CHECK(board.value("SELECT count(*) FROM discoveries") == "0");
  CHECK(board.value("SELECT epoch FROM tasks") == "1");
}

TEST_CASE("A stolen capability is refused once the task is awarded again") {
  const Tapped tapped;
  const TestBoard& board = tapped.board;
  Process first = board.agent("first", {"--allow-run"});
  board.await_agents(1);
  const std::string task = held_task(board);
  const std::vector<Awards> awards = of_kind<Awards>(tapped.link.recorded(false));
  REQUIRE(!awards.empty());  // an award that a heartbeat crossed on its way is sent once more
  const AwardItem stolen = awards[0].awards.at(0);
  first.kill();
  const Process second = board.agent("second", {"--allow-run"});
  REQUIRE(board.becomes("SELECT epoch || state FROM tasks", "2running"));

  // At the shell, as the token of a task's process.
  ProcessOptions shell = board.surroundings();
  shell.environment["BIDBOARD_TOKEN"] = fmt::format("a1:{}:1:{}", task, stolen.capability);
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"progress", "0.5", "--task", task}, {"done", task, "--result", "stolen"}, {"renew", task}}) {
    const Finished refused = board.run(words, shell);
    INFO(words[0] << refused.err);
    CHECK(refused.exit_code != 0);
  }
  shell.environment["BIDBOARD_TOKEN"] = fmt::format("a2:{}:2:{}", task, stolen.capability);
  const Finished forged = board.run({"done", task, "--result", "stolen"}, shell);
  CHECK(forged.exit_code == 4);
  CHECK(contains(forged.err, "is not a token of this board"));
  CHECK(board.value("SELECT count(*) FROM log WHERE kind = 'request_refused'") == "1");

  // On the wire, as a report of another agent.
  const auto thief = tapped.thief();
  Register registration;
  registration.profile.name = "thief";
  registration.incarnation = 7;
  const Registered own = ask<Registered>(*thief, registration);
  for (const std::uint64_t epoch : {1, 2}) {
    ReportItem item;
    item.what = ReportItem::What::finished;
    item.task = stolen.offer.task;
    item.epoch = Epoch{epoch};
    item.capability = stolen.capability;
    item.text = "stolen";
    static_cast<void>(ask<Revocations>(*thief, Reports{own.agent, own.secret, epoch, {item}}));
  }
  CHECK(board.value("SELECT epoch || state FROM tasks") == "2running");
  board.write("go", "");
  REQUIRE(board.task_becomes(task, "done"));
  CHECK(board.value("SELECT result FROM tasks") == "second");
}

TEST_CASE("No secret is in a file of the board, an output, a log or a backup") {
  const Tapped tapped;
  const TestBoard& board = tapped.board;
  Process agent = board.agent("ann", {"--allow-run"});
  board.await_agents(1);
  board.write("go", "");
  board.must({"post", "the needle is found", "--run",
              "bidboard progress 0.5 half; bidboard post below --run true; ./hold.sh"});
  REQUIRE(board.task_becomes("t1", "done"));
  const std::string by_hand = board.must({"post", "by hand", "--skill", "rust"});
  board.must({"claim", by_hand, "--as", "bob", "--skill", "rust"});
  board.must({"done", by_hand, "--as", "bob"});
  board.must({"keys", "add", "laptop"});

  std::set<std::string> secrets = secrets_told(tapped.link);
  std::map<std::string, std::string> places = all_outputs(board);
  agent.signal(SIGTERM);
  REQUIRE(agent.wait() == 0);
  places["agent"] = agent.out() + agent.err();
  places["controller"] = tapped.controller().out() + tapped.controller().err();
  add_files(board, places);
  // Check that the search covers what it should.
  CHECK(contains(places.at(board.path(".bidboard/data.mdb")), "the needle is found"));
  CHECK(contains(places.at(board.path("copy/.bidboard/data.mdb")), "the needle is found"));
  CHECK(contains(places.at("log --json "), "the needle is found"));
  const std::string client_secret = board.read(".bidboard/keys/laptop.key");
  secrets.insert(client_secret.substr(client_secret.find("secret: \"") + 9, 64));
  for (const auto& [place, content] : places)
    for (const std::string& secret : secrets) {
      INFO(place);
      CHECK_FALSE(contains(content, secret));
    }
}
