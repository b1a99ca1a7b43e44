// What commands get from their agent and their task: variables, secrets, folders; and that values of secrets
// stay inside.
#include "blackboard/fmt.hpp"
#include "tests/agents/command_fixture.hpp"

using namespace bidboard;

TEST_CASE("an execution gets the variables of its agent and its task, and secrets win") {
  setenv("INHERITED", "mine", 1);
  setenv("OVERRIDDEN", "mine", 1);
  CommandFixture fixture("echo $INHERITED $OVERRIDDEN $A $B $KEY; env | grep -c ^KEY=");
  fixture.options.place.env = {{"OVERRIDDEN", "agent"}, {"A", "agent"}, {"B", "agent"}};
  fixture.options.place.secrets = {{"KEY", "short"}};
  Assignment given = assignment();
  given.spec.env = {{"B", "task"}, {"KEY", "task"}};
  CHECK(fixture.run(given).result == "mine agent agent task short\n1");
  unsetenv("INHERITED");
  unsetenv("OVERRIDDEN");
}

TEST_CASE("secrets are hidden in all that a command leads to, also when they come in two writes") {
  CommandFixture fixture("");
  fixture.options.place.secrets = {
      {"KEY", "sesame-1234"}, {"LONG", "sesame-1234567"}, {"PEM", "first line\n\"second\" line"}};
  SECTION("output and result") {
    fixture.options.exec =
        "printf '%s' \"${KEY%34}\"; sleep 0.1; printf '34 %s %s|' \"$LONG\" \"$PEM\"; printf 'sesame'; exec "
        "printf 'x%s' \"$KEY\" >&2";
    const ExecutionEnded ended = fixture.run(assignment());
    CHECK(ended.ending == Ending::done);
    CHECK(ended.result == "[secret KEY] [secret LONG] [secret PEM]|sesame");
    CHECK(fixture.output().find("x[secret KEY]") != std::string::npos);
    CHECK(fixture.output().find("sesame-") == std::string::npos);
  }
  SECTION("the reason of a failure") {
    fixture.options.exec = "echo 'cannot use sesame-'1234 >&2; exit 3";
    CHECK(fixture.run(assignment()).reason == "exit 3: cannot use [secret KEY]");
  }
  SECTION("one line of a value that has several") {
    fixture.options.exec = "echo \"$PEM\" | head -n 1 >&2; exit 3";
    CHECK(fixture.run(assignment()).reason == "exit 3: [secret PEM]");
  }
  SECTION("a field of a JSON result") {
    fixture.options.exec = R"(printf '%s' '{"answer": "first line\n\"second\" line, \u0073esame-1234"}')";
    fixture.options.result_field = "answer";
    CHECK(fixture.run(assignment()).result == "[secret PEM], [secret KEY]");
  }
  SECTION("a result that is cut") {
    fixture.options.exec = "echo \"123456 $KEY\"";
    fixture.options.result_limit = 12;
    CHECK(fixture.run(assignment()).result == "123456 [secr");
  }
  SECTION("why it does not bid") {
    fixture.options.bid =
        R"(case $(cat) in *broken*) echo "$KEY" >&2; exit 1;; esac; echo "{\"refuse\": \"no $KEY\"}")";
    CommandExecutor executor(fixture.options);
    Driver driver(executor);
    executor.ask_bid(question(1), real_now());
    executor.ask_bid(question(2, "broken"), real_now());
    CHECK(std::get<Refusal>(driver.await_bid(1)).detail == "no [secret KEY]");
    CHECK(std::get<Refusal>(driver.await_bid(2)).detail == "its bid command failed: exit 1: [secret KEY]");
  }
}

TEST_CASE("a task is executed in its dir, and not outside of its agent's") {
  CommandFixture fixture("pwd -P");
  const std::string base = std::filesystem::canonical(fixture.dir.path()).string();
  std::filesystem::create_directories(base + "/place/sub/deep");
  std::filesystem::create_directory(base + "/place-not");
  std::filesystem::create_symlink("../place-not", base + "/place/out");
  std::filesystem::create_symlink("sub/deep", base + "/place/in");
  fixture.options.place.directory = base + "/place";
  Assignment given = assignment();
  for (const auto& [dir, where] : std::map<std::string, std::string>{
           {"", "/place"}, {"sub", "/place/sub"}, {"sub/../in/", "/place/sub/deep"}, {".", "/place"}}) {
    given.spec.dir = dir;
    CHECK(fixture.run(given).result == base + where);
  }
  CommandExecutor executor(fixture.options);
  for (const auto& [dir, why] :
       std::map<std::string, std::string>{{"out", "leads out of the agent's directory"},
                                          {"in/../../../..", "leads out of"},
                                          {"absent", "is no folder below"}}) {
    given.spec.dir = dir;
    const Result<void> started = executor.start(given, real_now());
    REQUIRE_FALSE(started.has_value());
    INFO(started.error().text);
    CHECK(started.error().text.find(why) != std::string::npos);
  }
}

TEST_CASE("what is begun after the board was moved has its needs, and leaves its output with the board") {
  CommandFixture fixture("cat $BIDBOARD_NEEDS; pwd -P; echo $BIDBOARD_DIR");
  const std::string base = std::filesystem::canonical(fixture.dir.path()).string();
  const std::string before = base + "/before", after = base + "/after";
  std::filesystem::create_directories(before + "/.bidboard");
  fixture.options.place.board = before + "/.bidboard";
  fixture.options.place.directory = before;
  CommandExecutor executor(fixture.options);
  Driver driver(executor);
  std::filesystem::rename(before, after);
  Assignment given = assignment();
  given.needs_json = "{\"scan\": 1}\n";
  REQUIRE(executor.start(given, real_now()));
  const ExecutionEnded ended = driver.await_end();
  CHECK(ended.reason.empty());
  CHECK(ended.result == "{\"scan\": 1}\n" + after + "\n" + after + "/.bidboard");
  CHECK(contents(after + "/.bidboard/" + output_name({1}, {1})) == ended.result + "\n");
  CHECK(std::filesystem::is_empty(after + "/.bidboard/run"));  // lock and needs are removed there
  CHECK_FALSE(std::filesystem::exists(before));
  std::filesystem::remove_all(after);
  CHECK_FALSE(executor.start(given, real_now()).has_value());
  CHECK_FALSE(std::filesystem::exists(before));
}
