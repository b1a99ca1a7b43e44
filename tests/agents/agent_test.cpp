// The agent's state machine against messages that cross on the way.
#include "agents/agent.hpp"

#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

const Now start{Instant{1'000'000'000}, WallTime{1'000'000'000'000}};

template <class Kind>
std::vector<Kind> said(const AgentMachine::Actions& actions) {
  std::vector<Kind> out;
  for (const auto& action : actions)
    if (const auto* say = std::get_if<Say>(&action))
      if (const auto* message = std::get_if<Kind>(&say->message)) out.push_back(*message);
  return out;
}

std::size_t started(const AgentMachine::Actions& actions) {
  std::size_t count = 0;
  for (const auto& action : actions) count += std::holds_alternative<StartTask>(action);
  return count;
}

AgentMachine registered_agent() {
  AgentMachine::Options options;
  options.profile.name = "scout";
  options.incarnation = 7;
  AgentMachine agent(options);
  agent.on_connected(start.mono);
  agent.on_message(Registered{AgentId{1}, "secret", seconds(10), seconds(30), Term{1}}, start);
  return agent;
}

Awards award_of(TaskId task) {
  AwardItem item;
  item.offer.task = task;
  item.epoch = Epoch{1};
  item.capability = "capability";
  return {{item}};
}

ExecutionEnded end_of(TaskId task) {
  ExecutionEnded ended;
  ended.task = task;
  ended.epoch = Epoch{1};
  ended.ending = Ending::done;
  ended.result = "result";
  return ended;
}

}  // namespace

TEST_CASE("an award that is said again after the task has ended does not start it again") {
  AgentMachine agent = registered_agent();
  REQUIRE(started(agent.on_message(award_of(TaskId{1}), start)) == 1);
  agent.on_execution(end_of(TaskId{1}), start);

  // It crossed with our heartbeat, which did not know of the award yet.
  SECTION("before the result was sent") { CHECK(started(agent.on_message(award_of(TaskId{1}), start)) == 0); }
  SECTION("before the result was confirmed") {
    REQUIRE(said<Reports>(agent.on_time(start)).size() == 1);
    CHECK(started(agent.on_message(award_of(TaskId{1}), start)) == 0);
  }
}

TEST_CASE("a new award of a task that ended here before starts it") {
  AgentMachine agent = registered_agent();
  agent.on_message(award_of(TaskId{1}), start);
  agent.on_execution(end_of(TaskId{1}), start);
  Awards again = award_of(TaskId{1});
  again.awards[0].epoch = Epoch{2};
  CHECK(started(agent.on_message(again, start)) == 1);
}

TEST_CASE("a heartbeat on a new connection names what has ended and was not yet told") {
  AgentMachine agent = registered_agent();
  agent.on_message(award_of(TaskId{1}), start);
  agent.on_execution(end_of(TaskId{1}), start);
  const std::vector<Heartbeat> beats = said<Heartbeat>(agent.on_connected(start.mono));
  REQUIRE(beats.size() == 1);
  CHECK(beats[0].held == std::vector<Held>{{TaskId{1}, Epoch{1}}});
}
