// Connections without permission are refused, admitted ones cannot exceed their rights, and others are not
// disturbed.
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "blackboard/fmt.hpp"
#include "runtime/net/door.hpp"
#include "tests/support/connecting.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

namespace fs = std::filesystem;

constexpr uid_t nobody = 65534;

std::string folder_of_sockets(const TestBoard& board) {
  const std::string endpoint = serving_writer(board.directory())->endpoint;
  return endpoint.substr(6, endpoint.rfind('/') - 6);
}

/// Runs a function as another user in a child process; returns its exit code.
class Stranger {
 public:
  explicit Stranger(const std::function<int()>& does) : pid_(::fork()) {
    REQUIRE(pid_ >= 0);
    if (pid_ > 0) return;
    if (::setgroups(0, nullptr) != 0 || ::setgid(nobody) != 0 || ::setuid(nobody) != 0) ::_exit(99);
    ::_exit(does());
  }
  ~Stranger() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  int wait() {
    int status = 0;
    ::waitpid(std::exchange(pid_, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_;
};

/// The outcome of an attempt to connect: 0 admitted, 1 refused, 2 no answer.
int connect_outcome(const std::string& endpoint) {
  const auto connection = Connection::open(endpoint);
  if (!connection) return 2;
  for (int i = 0; i < 600; ++i) {
    const Incoming incoming = (*connection)->wait(milliseconds(100));
    if (incoming.connected) return 0;
    if (incoming.trouble) return incoming.trouble->code == Errc::refused ? 1 : 2;
  }
  return 2;
}

}  // namespace

TEST_CASE("Another user is kept out by the socket folder, and by the controller when the folder is open") {
  if (::getuid() != 0) {
    WARN("not run as root: cannot become another user; skipped");
    return;
  }
  const TestBoard board;
  const Process controller = board.serve();
  const Writer writer = *serving_writer(board.directory());
  const std::string folder = folder_of_sockets(board);
  struct stat info {};
  REQUIRE(::stat(folder.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0700);
  const std::string socket = folder + "/c";
  CHECK(Stranger([&] { return ::access(socket.c_str(), F_OK) != 0 && errno == EACCES ? 0 : 1; }).wait() == 0);

  for (const std::string& path : {folder, fs::path(board.home()).parent_path().string()})
    REQUIRE(::chmod(path.c_str(), 0711) == 0);
  for (const char* name : {"/c", "/f"}) REQUIRE(::chmod((folder + name).c_str(), 0777) == 0);
  CHECK(Stranger([&] { return connect_outcome(writer.endpoint); }).wait() == 1);
  CHECK(says(controller, "of user 65534: the board belongs to user 0"));

  // Nor may it subscribe. A closed pipe ends it; its exit code says whether it received anything.
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  Stranger listener([&] {
    ::close(ends[1]);
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    const auto feed = Feed::open(writer.feed);
    char byte = 0;
    while (feed && ::read(ends[0], &byte, 1) < 0)
      if ((*feed)->wait(milliseconds(50))) return 1;
    return feed ? 0 : 2;
  });
  ::close(ends[0]);
  CHECK(says(controller, "of user 65534", 2));
  const auto own = Feed::open(writer.feed);
  REQUIRE(own.has_value());
  CHECK(eventually([&] { return (*own)->wait(milliseconds(10)).has_value(); }, patience));
  CHECK(board.must({"post", "meanwhile"}) == "t1");
  CHECK(eventually(
      [&] {
        const auto piece = (*own)->wait(milliseconds(10));
        return piece && !piece->events.empty();
      },
      patience));
  ::close(ends[1]);
  CHECK(listener.wait() == 0);
}

TEST_CASE("Where others may enter the socket folder, or another process listens, another folder is taken") {
  const TestBoard board;
  Process first = board.serve();
  const std::string folder = folder_of_sockets(board);
  first.signal(SIGTERM);
  REQUIRE(first.wait() == 0);
  REQUIRE(::mkdir(folder.c_str(), 0755) == 0);
  REQUIRE(::chmod(folder.c_str(), 0755) == 0);
  std::string second_folder;
  {
    Process second = board.serve();
    second_folder = folder_of_sockets(board);
    CHECK(second_folder != folder);
    CHECK(board.must({"post", "here"}) == "t1");
    second.signal(SIGTERM);
    REQUIRE(second.wait() == 0);
  }
  REQUIRE(::chmod(folder.c_str(), 0700) == 0);
  Result<std::unique_ptr<Door>> other = Door::open(
      {"ipc://" + folder + "/c", {}, {}, [](const ConnectionRequest&) { return Admission{}; }, {}});
  REQUIRE(other.has_value());
  {
    const Process third = board.serve();
    CHECK(folder_of_sockets(board) == second_folder);
    CHECK(board.must({"post", "here"}) == "t2");
  }
  other->reset();
  fs::remove_all(folder);
}

TEST_CASE("Where another user has made the socket folder first, another folder is taken") {
  if (::getuid() != 0) {
    WARN("skipped: only root can give a folder to another user");
    return;
  }
  const TestBoard board;
  Process first = board.serve();
  const std::string folder = folder_of_sockets(board);
  first.signal(SIGTERM);
  REQUIRE(first.wait() == 0);
  // Private, and still not ours: the other user could put sockets of his own into it.
  REQUIRE(::mkdir(folder.c_str(), 0700) == 0);
  REQUIRE(::chown(folder.c_str(), nobody, nobody) == 0);
  const Process second = board.serve();
  CHECK(folder_of_sockets(board) != folder);
  CHECK(fs::is_empty(folder));
  CHECK(board.must({"post", "here"}) == "t1");
  fs::remove_all(folder);
}

TEST_CASE("An agent finds a controller that had to take another folder for its sockets") {
  const TestBoard board;
  std::optional<Process> controller(board.serve());
  const std::string folder = folder_of_sockets(board);
  Process agent = board.agent("loyal", {"--simulate"});
  board.await_agents(1);
  controller->signal(SIGTERM);
  REQUIRE(controller->wait() == 0);
  fs::create_directory(folder);
  REQUIRE(::chmod(folder.c_str(), 0755) == 0);
  controller.emplace(board.serve());
  CHECK(folder_of_sockets(board) != folder);
  board.must({"post", "for whom it knew", "--size", "0.01"});
  CHECK(board.task_becomes("t1", "done"));
  CHECK(agent.running());
  fs::remove_all(folder);
}

TEST_CASE("A board that was moved while it was served is not confused with a new one in its place") {
  const TestBoard board;
  const Process old_one = board.serve();
  CHECK(board.must({"post", "old"}) == "t1");
  const std::string moved = fs::path(board.home()).parent_path().string() + "/moved";
  fs::rename(board.home(), moved);
  fs::create_directory(board.home());
  board.must({"init"});
  const Process new_one = board.serve();
  CHECK(board.must({"-C", moved, "post", "old"}) == "t2");
  CHECK(board.must({"post", "new"}) == "t1");
  CHECK(board.value("SELECT count(*) FROM tasks") == "1");
  // Nor does one take the other's word for it.
  const std::string endpoint = serving_writer(board.directory())->endpoint;
  auto lost = Connection::open(endpoint, {}, *board_id({moved + "/.bidboard"}));
  REQUIRE(lost.has_value());
  std::optional<Error> refused;
  REQUIRE(
      eventually([&] { return (refused = (*lost)->wait(milliseconds(10)).trouble).has_value(); }, patience));
  CHECK(refused->code == Errc::refused);
  CHECK(contains(refused->text, "this controller serves another board"));
  const auto home = Connection::open(endpoint, {}, *board_id(board.directory()));
  REQUIRE(home.has_value());
  CHECK(eventually([&] { return (*home)->wait(milliseconds(10)).connected; }, patience));
}

TEST_CASE("A connection above the limit waits, and the others go on undisturbed") {
  const TestBoard board;
  const Process controller = board.serve({"--max-connections", "3"});
  const std::string endpoint = serving_writer(board.directory())->endpoint;
  std::vector<std::unique_ptr<Connection>> in;
  for (int i = 0; i < 3; ++i) in.push_back(connected(endpoint));
  auto fourth = Connection::open(endpoint);
  REQUIRE(fourth.has_value());
  const Error trouble = turned_away(**fourth);
  CHECK(trouble.code == Errc::unavailable);
  CHECK(contains(trouble.text, "has reached its connection limit"));
  CHECK(says(controller, "there are 3 connections already, the maximum"));
  for (const auto& connection : in) CHECK(ask<Welcome>(*connection, Hello{}).version == protocol_version);
  in.pop_back();
  CHECK(eventually([&] { return (*fourth)->wait(milliseconds(10)).connected; }, patience));
  CHECK(ask<Welcome>(**fourth, Hello{}).version == protocol_version);
  for (const auto& connection : in) CHECK(ask<Welcome>(*connection, Hello{}).version == protocol_version);
}

TEST_CASE("A frame that is too large closes only the connection it came on") {
  const TestBoard board;
  const Process controller = board.serve();
  const std::string endpoint = serving_writer(board.directory())->endpoint;
  const auto other = connected(endpoint);
  const auto loud = connected(endpoint);
  Request request;
  request.number = 1;
  request.body = Finish{TaskId{1}, {}, true, std::string(9 << 20, 'x'), 0, 0};
  REQUIRE(loud->send(request));
  CHECK(eventually([&] { return loud->wait(milliseconds(10)).connected; }, patience));  // connected again
  CHECK(ask<Welcome>(*loud, Hello{}).version == protocol_version);
  CHECK(ask<Welcome>(*other, Hello{}).version == protocol_version);
  CHECK(board.must({"post", "meanwhile"}) == "t1");
}

TEST_CASE("Closed connections no longer count") {
  const TestBoard board;
  const Process controller = board.serve({"--max-connections", "2"});
  for (int i = 1; i <= 12; ++i) CHECK(board.must({"post", "again"}) == fmt::format("t{}", i));
}

TEST_CASE("Under a task's token a process can do what a token may, and nothing else, served or not") {
  const TestBoard board;
  const bool served = GENERATE(false, true);
  std::optional<Process> controller;
  if (served) controller.emplace(board.serve());
  board.must({"post", "first"});
  ProcessOptions task = board.surroundings();
  task.environment["BIDBOARD_TOKEN"] = "a1:t1:1:x";
  const std::string copy = fs::path(board.home()).parent_path().string() + "/copy";
  const std::vector<std::vector<std::string>> refused{
      {"backup", copy}, {"compact"},         {"agent", "--name", "sneaky"},
      {"up"},           {"run", "job.yaml"}, {"down"},
      {"init"},         {"controller"},      {"keys", "add", "mine"},
      {"bench"}};
  for (const std::vector<std::string>& words : refused) {
    const Finished done = board.run(words, task);
    INFO(words.front() << ": " << done.err);
    CHECK(done.exit_code == 4);
    CHECK(contains(done.err, "a task's process may not run `" + words.front() + "`"));
  }
  CHECK_FALSE(fs::exists(copy));
  CHECK(board.run({"tasks"}, task).exit_code == 0);
  CHECK(board.run({"cancel", "t1"}, task).exit_code == 4);
  CHECK(board.value("SELECT state FROM tasks") == "ready");
  task.environment["BIDBOARD_TOKEN"] = "";
  const Finished empty = board.run({"cancel", "t1"}, task);
  CHECK(empty.exit_code == 2);
  CHECK(contains(empty.err, "BIDBOARD_TOKEN is set, but empty; unset it to act as yourself"));
}

TEST_CASE("A backup holds no secret of its board unless asked to") {
  const TestBoard board;
  const std::string beside = fs::path(board.home()).parent_path().string();
  const std::string secret = board.read(".bidboard/secret.key");
  REQUIRE(secret.size() == 32);
  board.must({"backup", beside + "/plain"});
  CHECK(*secret_key({beside + "/plain/.bidboard"}) != secret);
  board.must({"backup", "--secrets", beside + "/whole"});
  CHECK(*secret_key({beside + "/whole/.bidboard"}) == secret);
}

TEST_CASE("A board that another user made or can change is refused until it is trusted") {
  const TestBoard board;
  const std::string inner = board.home() + "/mine";
  fs::create_directory(inner);
  ProcessOptions here = board.surroundings();
  here.directory = inner;
  CHECK(board.run({"tasks"}, here).exit_code == 0);
  const auto refused = [&](const std::string& why) {
    const Finished done = board.run({"post", "x"}, here);
    CHECK(done.exit_code == 4);
    CHECK(contains(done.err, why));
    CHECK(contains(done.err, "`bidboard trust " + board.home() + "`"));
    CHECK(board.run({"up"}, here).exit_code == 4);
  };
  REQUIRE(::chmod(board.home().c_str(), 0777) == 0);
  refused("other users can change " + board.home());
  REQUIRE(::chmod(board.home().c_str(), 0755) == 0);
  REQUIRE(::chmod(board.path("bidboard.yaml").c_str(), 0666) == 0);
  refused("other users can change " + board.path("bidboard.yaml"));
  if (::getuid() == 0) {
    REQUIRE(::chmod(board.path("bidboard.yaml").c_str(), 0644) == 0);
    REQUIRE(::chown(board.path("bidboard.yaml").c_str(), nobody, nobody) == 0);
    refused(board.path("bidboard.yaml") + " belongs to user 65534");
    REQUIRE(::chown(board.directory().path.c_str(), nobody, nobody) == 0);
    refused(board.directory().path + " belongs to user 65534");
  }
  CHECK(board.run({"trust", "."}, board.surroundings()).exit_code == 0);
  CHECK(board.run({"tasks"}, here).exit_code == 0);
}

TEST_CASE("`init` uses no board folder that somebody else has prepared") {
  const TestBoard board(false);
  const std::string folder = board.directory().path;
  const auto refused = [&](const std::string& why) {
    const Finished done = board.run({"init"});
    CHECK(done.exit_code == 4);
    CHECK(contains(done.err, why));
  };
  fs::create_directory(folder);
  fs::create_symlink("/dev/null", folder + "/secret.key");
  refused(folder + "/secret.key is a link");
  fs::remove(folder + "/secret.key");
  REQUIRE(::chmod(folder.c_str(), 0777) == 0);
  refused("other users can change " + folder);
  REQUIRE(::chmod(folder.c_str(), 0700) == 0);
  if (::getuid() == 0) {
    REQUIRE(::chown(folder.c_str(), nobody, nobody) == 0);
    refused(folder + " belongs to user 65534");
    REQUIRE(::chown(folder.c_str(), 0, 0) == 0);
  }
  fs::rename(folder, folder + ".away");
  fs::create_directory_symlink(folder + ".away", folder);
  refused(folder + " is not a folder");
  fs::remove(folder);
  board.must({"init"});
}
