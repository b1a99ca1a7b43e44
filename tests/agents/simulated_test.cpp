#include "agents/simulated.hpp"

#include <string>

#include "blackboard/fmt.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

constexpr Now at(std::int64_t us) { return {{us}, {us}}; }

Assignment sized(std::uint64_t task, Micros size) {
  Assignment given;
  given.task = {task};
  given.epoch = {1};
  given.spec.size = size;
  return given;
}

/// Runs until nothing is left, jumping from wake-up to wake-up, and records what happened when.
std::string run(SimulatedExecutor& executor) {
  std::string story;
  std::int64_t time = 0;
  do {
    for (const ExecutionEvent& event : executor.pump(at(time))) {
      if (const auto* ended = std::get_if<ExecutionEnded>(&event))
        story += fmt::format("{}:{}{}", time, ended->task, (ended->ending == Ending::done ? "+ " : "- "));
    }
    time = executor.next_wakeup().us;
  } while (executor.running() > 0);
  return story;
}

}  // namespace

TEST_CASE("a simulated task takes its size by speed and skill, scaled") {
  SimulatedOptions options;
  options.agent.speed = 2 * one;
  options.agent.skills = {{"cpp", 500'000}};
  options.agent.price_per_second = 3 * one;
  options.scale = 10'000;
  SimulatedExecutor executor(options);
  Assignment given = sized(1, 8 * one);
  given.spec.skills = {{"cpp", 0}};
  REQUIRE(executor.start(given, at(1'000)));
  CHECK(executor.start(given, at(1'000)).error().code == Errc::conflict);

  const auto first = executor.pump(at(1'000));
  REQUIRE(first.size() == 1);
  CHECK(std::holds_alternative<ExecutionStarted>(first[0]));
  CHECK(executor.next_wakeup() == Instant{81'000});
  CHECK(executor.pump(at(80'999)).empty());
  const auto last = executor.pump(at(81'000));
  REQUIRE(last.size() == 1);
  const auto& ended = std::get<ExecutionEnded>(last[0]);
  CHECK(ended.ending == Ending::done);
  CHECK(ended.result == "{\"simulated\":true,\"seconds\":8}");
  CHECK(ended.seconds == 8 * one);
  CHECK(ended.price == 24 * one);
  CHECK(executor.next_wakeup() == never);
}

TEST_CASE("the same seed gives the same outcomes, whatever the order of the starts") {
  SimulatedOptions options;
  options.noise = 300'000;
  options.failure_rate = 400'000;
  const auto story = [&](std::uint64_t seed, bool backwards) {
    options.seed = seed;
    SimulatedExecutor executor(options);
    for (std::uint64_t i = 1; i <= 20; ++i)
      REQUIRE(executor.start(sized(backwards ? 21 - i : i, one), at(0)));
    return run(executor);
  };
  const std::string once = story(7, false);
  CHECK(story(7, true) == once);
  CHECK(story(8, false) != once);
  CHECK(once.find('+') != std::string::npos);
  CHECK(once.find('-') != std::string::npos);
}

TEST_CASE("noise stays within its share and failures come at the declared rate") {
  SimulatedOptions options;
  options.noise = 200'000;
  options.failure_rate = 250'000;
  SimulatedExecutor executor(options);
  for (std::uint64_t i = 1; i <= 2'000; ++i) REQUIRE(executor.start(sized(i, one), at(0)));
  int failures = 0;
  for (const ExecutionEvent& event : executor.pump(at(2 * one))) {
    const auto* ended = std::get_if<ExecutionEnded>(&event);
    if (ended == nullptr) continue;
    if (ended->ending == Ending::failed)
      ++failures;
    else
      CHECK((ended->seconds >= 800'000 && ended->seconds <= 1'200'000));
  }
  CHECK(executor.running() == 0);
  CHECK((failures > 400 && failures < 600));
}

TEST_CASE("a stopped simulated task ends once, as stopped") {
  SimulatedExecutor executor({});
  REQUIRE(executor.start(sized(1, one), at(0)));
  executor.stop({1}, {2}, "another epoch", at(0));
  CHECK(executor.running() == 1);
  executor.stop({1}, {1}, "cancelled", at(0));
  const auto events = executor.pump(at(10 * one));
  REQUIRE(events.size() == 2);
  CHECK(std::get<ExecutionEnded>(events[1]).ending == Ending::stopped);
  CHECK(std::get<ExecutionEnded>(events[1]).reason == "cancelled");
}

TEST_CASE("a task related to the previous one needs no set-up") {
  SimulatedOptions options;
  options.agent.set_up = 4 * one;
  SimulatedExecutor executor(options);
  std::uint64_t next = 1;
  const auto seconds_of = [&](const std::string& kind, Micros size) {
    Assignment given = sized(next++, size);
    given.spec.kind = kind;
    REQUIRE(executor.start(given, at(0)));
    std::int64_t due = 0;
    for (executor.pump(at(0)); executor.running() > 0; executor.pump(at(due)))
      due = executor.next_wakeup().us;
    return due / one;
  };
  CHECK(seconds_of("paint", 10 * one) == 10);
  CHECK(seconds_of("paint", 10 * one) == 6);
  CHECK(seconds_of("paint", 3 * one) == 0);
  CHECK(seconds_of("build", 10 * one) == 10);
  CHECK(seconds_of("paint", 10 * one) == 10);
}
