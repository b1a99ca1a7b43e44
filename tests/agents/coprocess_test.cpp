#include "agents/executors/coprocess.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include "agents/guard/task_lock.hpp"
#include "blackboard/fmt.hpp"
#include "tests/agents/executor_driver.hpp"

using namespace bidboard;

namespace {

/// A child in Python: `body` is run for each message `m`; say() writes a line.
std::string python(const std::string& body) {
  return fmt::format(
      "exec python3 -u -c '\nimport json, os, sys, time\ndef say(**line): print(json.dumps(line), "
      "flush=True)\ndef of(m): return {{\"task\": m[\"task\"], \"epoch\": m[\"epoch\"]}}\nfor text in "
      "sys.stdin:\n  m = json.loads(text)\n{}'",
      body);
}

struct Fixture {
  TempDir dir;
  CoprocessOptions options;

  explicit Fixture(const std::string& exec) {
    options.place = {dir.path(), "worker", ""};
    options.exec = exec;
    options.restart_least = milliseconds(1);
  }
  std::string output(TaskId task = {1}, Epoch epoch = {1}) const {
    return contents(dir.path() + "/" + output_name(task, epoch));
  }
};

Assignment numbered(std::uint64_t task, const std::string& body = "The body.") {
  Assignment given = assignment("A title", body);
  given.task = {task};
  return given;
}

}  // namespace

TEST_CASE("a coprocess in Python does tasks, reports progress, and delivers price and tokens") {
  Fixture fixture(python(R"(
  say(type="progress", fraction=0.5, text="half", **of(m))
  say(type="log", text="working on " + m["title"], task=m["task"])
  say(type="result", result={"upper": m["body"].upper(), "from": m["results"]}, price=0.25, tokens=12, **of(m))
)"));
  CoprocessExecutor executor(fixture.options);
  Driver driver(executor);
  Assignment given = assignment();
  given.needs_json = "{\"scan\": [1]}";
  REQUIRE(executor.start(given, real_now()));
  const ExecutionEnded ended = driver.await_end();
  CHECK(ended.ending == Ending::done);
  CHECK(ended.result == "{\"upper\": \"THE BODY.\", \"from\": {\"scan\": [1]}}");
  CHECK(ended.price == 250'000);
  CHECK(ended.tokens == 12);
  const auto progress = driver.await<ExecutionProgress>({1});
  CHECK(progress.fraction == 500'000);
  CHECK(progress.text == "half");
  CHECK(driver.await<ExecutionOutput>({1}).bytes == 19);
  CHECK(fixture.output() == "working on A title\n");
  CHECK(executor.running() == 0);
  CHECK(executor.malformed_lines() == 0);
  CHECK_FALSE(std::filesystem::exists(fixture.dir.path() + "/" + lock_name({1})));
}

TEST_CASE("what a coprocess tells as a negative price does not count, and the output says so") {
  Fixture fixture(python(R"(
  say(type="result", result="fine", price=-1, **of(m))
)"));
  CoprocessExecutor executor(fixture.options);
  Driver driver(executor);
  REQUIRE(executor.start(assignment(), real_now()));
  const ExecutionEnded ended = driver.await_end();
  CHECK(ended.ending == Ending::done);
  CHECK(ended.price == 0);
  CHECK(fixture.output().find("the price that it told does not count: -1 is not a price") !=
        std::string::npos);
}

TEST_CASE("a coprocess can be a shell script, and a text result stays text") {
  Fixture fixture(
      "while read -r line; do echo '{\"type\":\"result\",\"task\":\"t1\",\"epoch\":1,\"result\":\"fine\"}'; "
      "done");
  CoprocessExecutor executor(fixture.options);
  Driver driver(executor);
  REQUIRE(executor.start(assignment(), real_now()));
  CHECK(driver.await_end().result == "fine");
}

TEST_CASE("one coprocess does several tasks at once, in any order") {
  Fixture fixture(python(R"(
  waiting = globals().setdefault("waiting", [])
  waiting.append(m)
  if len(waiting) == 3:
    for other in reversed(waiting): say(type="result", result=os.getpid(), **of(other))
)"));
  CoprocessExecutor executor(fixture.options);
  Driver driver(executor);
  for (std::uint64_t task = 1; task <= 3; ++task) REQUIRE(executor.start(numbered(task), real_now()));
  CHECK(executor.start(numbered(3), real_now()).error().code == Errc::conflict);
  driver.until([&] { return executor.running() == 0; });
  CHECK(driver.await_end({1}).result == driver.await_end({3}).result);
}

TEST_CASE("a coprocess bids, refuses, or is too slow") {
  Fixture fixture(python(R"(
  t = m["task"]
  if t["body"] == "slow": continue
  if t["body"] == "no": say(type="refuse", request=m["request"], reason="no GPU")
  elif t["body"] == "bad": say(type="bid", request=m["request"], seconds="soon")
  else: say(type="bid", request=m["request"], seconds=len(t["body"]), price=0.5, confidence=0.5)
)"));
  fixture.options.bid_timeout = seconds(100);  // so that a busy machine is not the one that is too slow
  CoprocessExecutor executor(fixture.options);
  REQUIRE(executor.answers_bids());
  Driver driver(executor);
  const std::vector<std::string> bodies{"four", "no", "bad"};
  for (std::uint64_t i = 0; i < bodies.size(); ++i) {
    BidQuestion asked = question(i, bodies[i]);
    asked.task = {i + 1};
    executor.ask_bid(asked, real_now());
  }
  CHECK(std::get<BidVector>(driver.await_bid(0)) == BidVector{4 * one, 500'000, 500'000});
  CHECK(std::get<Refusal>(driver.await_bid(1)) == Refusal{RefusalReason::declined, "no GPU"});
  CHECK(std::get<Refusal>(driver.await_bid(2)).reason == RefusalReason::invalid);

  fixture.options.bid_timeout = milliseconds(50);
  CoprocessExecutor impatient(fixture.options);
  Driver its_driver(impatient);
  impatient.ask_bid(question(3, "slow"), real_now());
  CHECK(std::get<Refusal>(its_driver.await_bid(3)).reason == RefusalReason::silent);
}

TEST_CASE("a coprocess gets related tasks and offers some of them together") {
  Fixture fixture(python(R"(
  with_them = [other["task"] for other in m["related"] if other["title"] != "left out"]
  say(type=m["task"]["body"], request=m["request"], seconds=9, reason="only together",
      bundles=[{"with": with_them, "seconds": 12, "price": 0.5}])
)"));
  CoprocessExecutor executor(fixture.options);
  Driver driver(executor);
  BidQuestion asked = question(7, "bid");
  asked.related = {{TaskId{3}, asked.spec}, {TaskId{4}, asked.spec}, {TaskId{9}, asked.spec}};
  asked.related[1].spec.title = "left out";
  executor.ask_bid(asked, real_now());
  asked.request = 8;
  asked.spec.body = "refuse";
  executor.ask_bid(asked, real_now());
  const std::vector<BundleBid> together{{{TaskId{3}, TaskId{7}, TaskId{9}}, {12 * one, one / 2, one}}};
  const BidAnswered bid = driver.await_answer(7);
  CHECK(std::get<BidVector>(bid.answer).seconds == 9 * one);
  CHECK(bid.bundles == together);
  const BidAnswered refusal = driver.await_answer(8);
  CHECK(std::get<Refusal>(refusal.answer) == Refusal{RefusalReason::declined, "only together"});
  CHECK(refusal.bundles == together);
}

TEST_CASE("lines that are not understood are counted and logged, never fatal") {
  Fixture fixture(python(R"(
  print("not json")
  print("[1, 2]")
  print(json.dumps({"type": "dance"}))
  print(json.dumps({"type": "result", "task": "t1"}))
  print(json.dumps({"type": "result", "task": 1, "epoch": 1}))
  print(json.dumps({"type": "bid", "seconds": 1}))
  print("x" * 3000)
  print("")
  say(type="result", result=0, task="t1", epoch=9)
  say(type="progress", fraction="far", text=7, **of(m))
  say(type="result", result=1, **of(m))
)"));
  fixture.options.line_limit = 2'000;
  CoprocessExecutor executor(fixture.options);
  Driver driver(executor);
  REQUIRE(executor.start(assignment(), real_now()));
  CHECK(driver.await_end().result == "1");
  CHECK(executor.malformed_lines() == 7);
  CHECK(fixture.output().find("[bidboard] coprocess: not JSON: not json\n") != std::string::npos);
  CHECK(fixture.output().find("unknown type: {\"type\": \"dance\"}\n") != std::string::npos);
}

TEST_CASE("when a coprocess dies its tasks end as unknown, and it is started again for the next one") {
  Fixture fixture(python(R"(
  if m["body"] == "die":
    print("out of memory", file=sys.stderr)
    sys.exit(7)
  if m["body"] != "wait": say(type="result", result="alive", **of(m))
)"));
  CoprocessExecutor executor(fixture.options);
  Driver driver(executor);
  REQUIRE(executor.start(numbered(1, "wait"), real_now()));
  REQUIRE(executor.start(numbered(2, "die"), real_now()));
  executor.ask_bid(question(5), real_now());
  CHECK(driver.await_end({1}).ending == Ending::unknown);
  CHECK(driver.await_end({1}).reason == "the coprocess ended: exit 7: out of memory");
  CHECK(driver.await_end({2}).ending == Ending::unknown);
  CHECK(std::get<Refusal>(driver.await_bid(5)).reason == RefusalReason::silent);
  REQUIRE(executor.start(numbered(3), real_now()));
  CHECK(driver.await_end({3}).result == "alive");
  CHECK(contents(fixture.dir.path() + "/output/agent-worker.log") == "out of memory\n");
}

TEST_CASE("a coprocess that keeps dying is started after growing pauses") {
  Fixture fixture("read line; exit 1");
  fixture.options.restart_least = seconds(1);
  fixture.options.restart_most = seconds(3);
  CoprocessExecutor executor(fixture.options);
  Driver driver(executor);
  Now now = real_now();
  // Time is a parameter: the pauses pass without waiting.
  for (const std::int64_t pause : {1, 2, 3, 3}) {
    const std::uint64_t task = static_cast<std::uint64_t>(driver.events.size()) + 1;
    REQUIRE(executor.start(numbered(task), now));
    const std::size_t before = driver.events.size();
    REQUIRE(eventually([&] {
      for (ExecutionEvent& event : executor.pump(now)) driver.events.push_back(std::move(event));
      return executor.running() == 0;
    }));
    CHECK(driver.events.size() > before);
    REQUIRE(executor.start(numbered(100), now));
    CHECK(executor.pump(now).empty());
    CHECK(executor.next_wakeup() == now.mono + seconds(pause));
    executor.stop({100}, {1}, "enough", now);
    CHECK(executor.pump(now).size() == 1);
    now.mono = now.mono + seconds(pause);
  }
}

TEST_CASE("a coprocess gets a cancel line and answers it") {
  const std::string polite = python(R"(
  if m["type"] == "cancel": say(type="failed", reason="as you wish", **of(m))
)");
  SECTION("cancelled") {
    Fixture fixture(polite);
    CoprocessExecutor executor(fixture.options);
    Driver driver(executor);
    REQUIRE(executor.start(assignment(), real_now()));
    driver.await<ExecutionStarted>({1});
    executor.stop({1}, {1}, "lease lost", real_now());
    CHECK(driver.await_end().ending == Ending::stopped);
    CHECK(driver.await_end().reason == "lease lost");
  }
  SECTION("over its time") {
    Fixture fixture(polite);
    CoprocessExecutor executor(fixture.options);
    Driver driver(executor);
    Assignment given = assignment();
    given.spec.timeout = milliseconds(20);
    REQUIRE(executor.start(given, real_now()));
    CHECK(driver.await_end().ending == Ending::failed);
    CHECK(driver.await_end().reason.starts_with("timed out after "));
  }
  SECTION("done before it heard") {
    Fixture fixture(python(R"(
  if m["type"] == "cancel": say(type="result", result="too late", **of(m))
)"));
    CoprocessExecutor executor(fixture.options);
    Driver driver(executor);
    REQUIRE(executor.start(assignment(), real_now()));
    executor.stop({1}, {1}, "cancelled", real_now());
    CHECK(driver.await_end().ending == Ending::done);
    CHECK(driver.await_end().result == "too late");
  }
}

TEST_CASE("a coprocess that ignores a cancel is stopped, with all its tasks") {
  Fixture fixture("trap '' TERM; cat >/dev/null; while :; do sleep 1; done");
  fixture.options.cancel_grace = milliseconds(20);
  fixture.options.grace = milliseconds(20);
  CoprocessExecutor executor(fixture.options);
  Driver driver(executor);
  REQUIRE(executor.start(numbered(1), real_now()));
  REQUIRE(executor.start(numbered(2), real_now()));
  driver.await<ExecutionStarted>({2});
  executor.stop({1}, {1}, "cancelled", real_now());
  CHECK(driver.await_end({1}).ending == Ending::stopped);
  CHECK(driver.await_end({1}).reason == "cancelled");
  CHECK(driver.await_end({2}).ending == Ending::unknown);
  CHECK(fixture.output().find("it did not answer the cancel message and is stopped") != std::string::npos);
}

TEST_CASE("a coprocess begins no task that is still executed elsewhere") {
  Fixture fixture(python("  say(type=\"result\", result=\"mine\", **of(m))\n"));
  REQUIRE(make_places(Folder(fixture.dir.path())));
  TaskLock other;
  REQUIRE(*other.try_take(Folder(fixture.dir.path()), lock_name({1})));
  CoprocessExecutor executor(fixture.options);
  Driver driver(executor);
  REQUIRE(executor.start(numbered(1), real_now()));
  REQUIRE(executor.start(numbered(2), real_now()));
  CHECK(driver.await_end({2}).result == "mine");
  CHECK(executor.running() == 1);
  const int rounds = driver.rounds;
  SECTION("until that is over") {
    other.release();
    CHECK(driver.await_end({1}).result == "mine");
  }
  SECTION("or has lasted too long") {
    Now later = real_now();
    later.mono = later.mono + fixture.options.lock_wait;
    const auto events = executor.pump(later);
    REQUIRE(events.size() == 1);
    CHECK(std::get<ExecutionEnded>(events[0]).ending == Ending::failed);
  }
  SECTION("or it is cancelled") {
    executor.stop({1}, {1}, "cancelled", real_now());
    CHECK(driver.await_end({1}).ending == Ending::stopped);
  }
  CHECK(driver.rounds - rounds < 1'000);  // it waits, it does not spin
}

TEST_CASE("the tasks of a killed agent's coprocess stay locked until the coprocess is gone") {
  Fixture fixture("trap '' TERM; read line; echo > $BIDBOARD_DIR/up; while :; do sleep 0.01; done");
  fixture.options.grace = seconds(1);
  const std::string lock = fixture.dir.path() + "/" + lock_name({1});
  const pid_t agent = fork();
  REQUIRE(agent >= 0);
  if (agent == 0) {
    CoprocessExecutor executor(fixture.options);
    if (!executor.start(assignment(), real_now())) _exit(1);
    for (;;) {
      executor.pump(real_now());
      poll(nullptr, 0, 5);
    }
  }
  REQUIRE(eventually([&] { return !contents(fixture.dir.path() + "/up").empty(); }));
  kill(agent, SIGKILL);
  waitpid(agent, nullptr, 0);
  // The child ignores TERM, so that it lives through the whole grace period.
  CHECK(try_lock_file(AT_FDCWD, lock.c_str()).fd < 0);
  CHECK(eventually([&] {
    const LockTry attempt = try_lock_file(AT_FDCWD, lock.c_str());
    if (attempt.fd >= 0) close(attempt.fd);
    return attempt.fd >= 0;
  }));
  CHECK(contents(fixture.dir.path() + "/output/agent-worker.log")
            .find("[guard] agent gone: stopped process group") == 0);
}

TEST_CASE("the example agent in Python counts, bids and reports progress") {
  Fixture fixture("exec python3 " BIDBOARD_SOURCE_DIR "/examples/python_agent.py");
  CoprocessExecutor executor(fixture.options);
  Driver driver(executor);
  executor.ask_bid(question(1, std::string(900, 'x')), real_now());
  CHECK(std::get<BidVector>(driver.await_bid(1)) == BidVector{one, 0, 990'000});
  executor.ask_bid(question(2, ""), real_now());
  CHECK(std::get<Refusal>(driver.await_bid(2)).detail == "there is no text to count");
  REQUIRE(executor.start(assignment("Count", "To be, or not\nto be."), real_now()));
  const ExecutionEnded ended = driver.await_end();
  CHECK(ended.ending == Ending::done);
  const auto result = parse_json(ended.result);
  REQUIRE(result);
  CHECK(result->find("lines")->integer() == 2);
  CHECK(result->find("words")->integer() == 6);
  CHECK(result->find("most_common")->array().front().string() == "be");
  CHECK(driver.await<ExecutionProgress>({1}).fraction == one);
  CHECK(executor.malformed_lines() == 0);
}

TEST_CASE("secrets are hidden in all lines of a coprocess, and in what it says on stderr") {
  Fixture fixture(python(R"(
  key = os.environ["KEY"]
  if m["type"] == "bid":
    say(type="refuse", request=m["request"], reason="no " + key)
    continue
  say(type="progress", fraction=0.5, text="half of " + key, **of(m))
  say(type="log", text="log " + key, task=m["task"])
  print("not json " + key, flush=True)
  sys.stderr.write(key[:5]); sys.stderr.flush()
  time.sleep(0.05)
  sys.stderr.write(key[5:] + "\n"); sys.stderr.flush()
  if m["body"] == "die": os._exit(3)
  say(type="failed" if m["body"] == "fail" else "result", result=dict(key=key), reason="because " + key, **of(m))
)"));
  fixture.options.place.secrets = {{"KEY", "open \"sesame\" 1234"}};
  CoprocessExecutor executor(fixture.options);
  Driver driver(executor);
  REQUIRE(executor.start(numbered(1), real_now()));
  CHECK(driver.await_end({1}).result == R"({"key": "[secret KEY]"})");
  CHECK(driver.await<ExecutionProgress>({1}).text == "half of [secret KEY]");
  CHECK(fixture.output() == "log [secret KEY]\n[bidboard] coprocess: not JSON: not json [secret KEY]\n");
  executor.ask_bid(question(7), real_now());
  CHECK(std::get<Refusal>(driver.await_bid(7)).detail == "no [secret KEY]");
  REQUIRE(executor.start(numbered(2, "fail"), real_now()));
  CHECK(driver.await_end({2}).reason == "because [secret KEY]");
  REQUIRE(executor.start(numbered(3, "die"), real_now()));
  CHECK(driver.await_end({3}).reason == "the coprocess ended: exit 3: [secret KEY]");
  CHECK(contents(fixture.dir.path() + "/output/agent-worker.log").find("sesame") == std::string::npos);
}

TEST_CASE("a coprocess is told where a task is executed and which variables it sets") {
  Fixture fixture(python(R"(
  say(type="result", result=[m["dir"], m["env"][0]["name"], os.environ.get("LEVEL")], **of(m))
)"));
  const std::string base = std::filesystem::canonical(fixture.dir.path()).string();
  std::filesystem::create_directory(base + "/sub");
  fixture.options.place.directory = base;
  CoprocessExecutor executor(fixture.options);
  Driver driver(executor);
  Assignment given = assignment();
  given.spec.dir = "../..";
  CHECK_FALSE(executor.start(given, real_now()).has_value());
  given.spec.dir = "sub";
  given.spec.env = {{"LEVEL", "3"}};
  REQUIRE(executor.start(given, real_now()));
  CHECK(driver.await_end().result == "[\"" + base + "/sub\", \"LEVEL\", null]");
}

TEST_CASE("a coprocess and its output move with the board") {
  Fixture fixture(python(R"(
  say(type="log", text="done in " + os.getcwd(), **of(m))
  say(type="result", result="ok", **of(m))
)"));
  const std::string base = std::filesystem::canonical(fixture.dir.path()).string();
  const std::string before = base + "/before", after = base + "/after";
  std::filesystem::create_directories(before + "/.bidboard");
  fixture.options.place.board = before + "/.bidboard";
  fixture.options.place.directory = before;
  CoprocessExecutor executor(fixture.options);
  Driver driver(executor);
  std::filesystem::rename(before, after);
  REQUIRE(executor.start(assignment(), real_now()));
  CHECK(driver.await_end().result == "ok");
  CHECK(contents(after + "/.bidboard/" + output_name({1}, {1})) == "done in " + after + "\n");
  CHECK_FALSE(std::filesystem::exists(before));
}
