// The agent's state machine with messages that cross on the way.
#include "agents/agent.hpp"

#include <algorithm>

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

std::size_t stopped(const AgentMachine::Actions& actions) {
  return static_cast<std::size_t>(std::ranges::count_if(
      actions, [](const auto& each) { return std::holds_alternative<StopTask>(each); }));
}

Awards award_of(TaskId task, bool repeatable = true) {
  AwardItem item;
  item.offer.spec.repeatable = repeatable;
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

TEST_CASE("an award that is repeated after the task has ended does not start it again") {
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

TEST_CASE("among thousands of tasks, the one begun last is not forgotten, however old it is") {
  AgentMachine agent = registered_agent();
  const auto does = [&](TaskId task) {
    REQUIRE(started(agent.on_message(award_of(task), start)) == 1);
    agent.on_execution(end_of(task), start);
    for (const Reports& reports : said<Reports>(agent.on_time(start)))
      agent.on_message(ReportsKept{reports.number}, start);
  };
  for (std::uint64_t task = 2; task <= 10'001; ++task) does(TaskId{task});
  does(TaskId{1});
  CHECK(started(agent.on_message(award_of(TaskId{1}), start)) == 0);
  CHECK(started(agent.on_message(award_of(TaskId{10'001}), start)) == 0);
}

TEST_CASE("a late copy of an award, after its end was kept, does not start the task again") {
  AgentMachine agent = registered_agent();
  agent.on_message(award_of(TaskId{1}), start);
  agent.on_execution(end_of(TaskId{1}), start);
  const std::vector<Reports> reports = said<Reports>(agent.on_time(start));
  REQUIRE(reports.size() == 1);
  agent.on_message(ReportsKept{reports[0].number}, start);
  const AgentMachine::Actions actions = agent.on_message(award_of(TaskId{1}), start);
  CHECK(started(actions) == 0);
  // If the controller believes that the task still runs, this tells it otherwise.
  const std::vector<Reports> told = said<Reports>(actions);
  REQUIRE(told.size() == 1);
  REQUIRE(told[0].items.size() == 1);
  CHECK(told[0].items[0].what == ReportItem::What::unknown);
}

TEST_CASE("a late copy of an award that was given back, or revoked before it had begun, was executed") {
  AgentMachine agent = registered_agent();  // one slot
  const auto keep_all = [&] {
    for (const Reports& reports : said<Reports>(agent.on_time(start)))
      agent.on_message(ReportsKept{reports.number}, start);
  };
  const auto answer_to = [&](const Awards& awards) {
    const AgentMachine::Actions actions = agent.on_message(awards, start);
    CHECK(started(actions) == 0);
    const std::vector<Reports> told = said<Reports>(actions);
    REQUIRE(told.size() == 1);
    REQUIRE(told[0].items.size() == 1);
    agent.on_message(ReportsKept{told[0].number}, start);
    return told[0].items[0].what;
  };

  SECTION("given back for want of a slot") {
    REQUIRE(started(agent.on_message(award_of(TaskId{1}), start)) == 1);
    REQUIRE(answer_to(award_of(TaskId{2})) == ReportItem::What::declined);
    agent.on_execution(end_of(TaskId{1}), start);
    keep_all();
    CHECK(answer_to(award_of(TaskId{2})) == ReportItem::What::declined);
  }
  SECTION("given back while an earlier attempt was being stopped") {
    REQUIRE(started(agent.on_message(award_of(TaskId{1}), start)) == 1);
    agent.on_message(Revocations{{{{TaskId{1}, Epoch{1}}, "cancelled"}}}, start);
    Awards again = award_of(TaskId{1});
    again.awards[0].epoch = Epoch{2};
    REQUIRE(answer_to(again) == ReportItem::What::declined);
    ExecutionEnded stopped = end_of(TaskId{1});
    stopped.ending = Ending::failed;
    agent.on_execution(stopped, start);
    keep_all();
    CHECK(answer_to(again) == ReportItem::What::declined);
  }
  SECTION("revoked while it waited for the confirmation of its start") {
    const std::vector<Reports> start_of = said<Reports>(agent.on_message(award_of(TaskId{1}, false), start));
    REQUIRE(start_of.size() == 1);
    agent.on_message(Revocations{{{{TaskId{1}, Epoch{1}}, "cancelled"}}}, start);
    agent.on_message(ReportsKept{start_of[0].number}, start);
    CHECK(answer_to(award_of(TaskId{1}, false)) == ReportItem::What::declined);
  }
  SECTION("revoked before it arrived, while an earlier attempt was being stopped") {
    REQUIRE(started(agent.on_message(award_of(TaskId{1}), start)) == 1);
    agent.on_message(Revocations{{{{TaskId{1}, Epoch{2}}, "cancelled"}}}, start);
    agent.on_execution(end_of(TaskId{1}), start);
    keep_all();
    Awards again = award_of(TaskId{1});
    again.awards[0].epoch = Epoch{2};
    CHECK(answer_to(again) == ReportItem::What::declined);
  }
  SECTION("given back when the controller asked who it is") {
    agent.on_message(award_of(TaskId{1}, false), start);
    agent.on_message(WhoAreYou{}, start);
    const Registered known{AgentId{1}, "secret", seconds(10), seconds(30), Term{1}};
    const std::vector<Reports> told = said<Reports>(agent.on_message(known, start));
    REQUIRE(told.size() == 1);
    REQUIRE(told[0].items.size() == 1);
    CHECK(told[0].items[0].what == ReportItem::What::declined);
  }
  SECTION("revoked before it arrived") {
    agent.on_message(Revocations{{{{TaskId{1}, Epoch{1}}, "cancelled"}}}, start);
    CHECK(answer_to(award_of(TaskId{1})) == ReportItem::What::declined);
  }
  CHECK(agent.holding() == 0);
}

TEST_CASE("a late question who an agent is, to an earlier message of its own, ended its work") {
  AgentMachine agent = registered_agent();
  REQUIRE(started(agent.on_message(award_of(TaskId{1}), start)) == 1);
  const Now later{start.mono + seconds(5), start.wall};
  const AgentMachine::Actions asked = agent.on_message(WhoAreYou{}, later);
  CHECK(stopped(asked) == 0);
  const std::vector<Register> answer = said<Register>(asked);
  REQUIRE(answer.size() == 1);
  CHECK(answer[0].secret == "secret");
  CHECK(said<Register>(agent.on_message(WhoAreYou{}, start)).empty());

  const auto answered = [&] {
    agent.on_message(Registered{AgentId{1}, "secret", seconds(10), seconds(30), Term{1}}, start);
    // What is over by now is told in answer to a heartbeat.
    const std::vector<Heartbeat> beats = said<Heartbeat>(agent.on_time(start));
    REQUIRE(beats.size() == 1);
    CHECK(beats[0].held == std::vector<Held>{{TaskId{1}, Epoch{1}}});
  };
  SECTION("its lease is as it was") {
    answered();
    agent.on_execution(end_of(TaskId{1}), start);
    const std::vector<Reports> reports = said<Reports>(agent.on_time(start));
    REQUIRE(reports.size() == 1);
    CHECK(reports[0].items[0].what == ReportItem::What::finished);
  }
  SECTION("its lease was lost") {
    answered();
    CHECK(stopped(agent.on_message(Revocations{{{{TaskId{1}, Epoch{1}}, "the award is over"}}}, start)) == 1);
  }
  SECTION("until then nothing is said, and nothing begun") {
    agent.on_execution(end_of(TaskId{1}), start);
    CHECK(said<Reports>(agent.on_time(start)).empty());
    CHECK(agent.on_message(award_of(TaskId{2}), start).empty());
    const Registered known{AgentId{1}, "secret", seconds(10), seconds(30), Term{1}};
    CHECK(said<Reports>(agent.on_message(known, start)).size() == 1);
  }
  SECTION("asked again and again, it believes that its lease was lost") {
    Now now = start;
    std::size_t registrations = 0, ended = 0;
    for (int i = 0; i < 3; ++i) {
      agent.on_message(Registered{AgentId{1}, "secret", seconds(10), seconds(30), Term{1}}, now);
      const AgentMachine::Actions again = agent.on_message(WhoAreYou{}, now);
      registrations += said<Register>(again).size();
      ended += stopped(again);
      now = {agent.next_wakeup(), now.wall};
      registrations += said<Register>(agent.on_time(now)).size();
    }
    CHECK(ended == 1);
    // With a pause each time.
    CHECK(registrations == 3);
    CHECK(now.mono >= start.mono + seconds(4));
  }
  SECTION("another process has its name by now") {
    const AgentMachine::Actions refused =
        agent.on_message(RegistrationRefused{Errc::conflict, "taken"}, start);
    REQUIRE(refused.size() == 1);
    CHECK(std::holds_alternative<GiveUp>(refused[0]));
  }
}

TEST_CASE("an agent whose registration was not answered yet took tasks, and was asked who it is") {
  AgentMachine agent({});
  agent.on_connected(start.mono);
  Announcement come{{award_of(TaskId{1}).awards[0].offer}, true};
  CHECK(agent.on_message(come, start).empty());
  come.pull = false;
  CHECK(agent.on_message(come, start).empty());
  CHECK(agent.on_message(award_of(TaskId{1}), start).empty());
  CHECK(agent.on_message(WhoAreYou{}, start).empty());
  agent.on_message(Registered{AgentId{1}, "secret", seconds(10), seconds(30), Term{1}}, start);
  CHECK(started(agent.on_message(award_of(TaskId{1}), start)) == 1);
}

TEST_CASE("a lost registration is repeated until it is answered") {
  AgentMachine agent({});
  REQUIRE(said<Register>(agent.on_connected(start.mono)).size() == 1);
  CHECK(said<Register>(agent.on_time(start)).empty());
  const Instant next = agent.next_wakeup();
  REQUIRE(next < start.mono + minutes(1));
  CHECK(said<Register>(agent.on_time({next, start.wall})).size() == 1);
  agent.on_message(Registered{AgentId{1}, "secret", seconds(10), seconds(30), Term{1}}, start);
  CHECK(said<Register>(agent.on_time({next + minutes(1), start.wall})).empty());
}

TEST_CASE("a new award of a task that ended here before starts it") {
  AgentMachine agent = registered_agent();
  agent.on_message(award_of(TaskId{1}), start);
  agent.on_execution(end_of(TaskId{1}), start);
  Awards again = award_of(TaskId{1});
  again.awards[0].epoch = Epoch{2};
  CHECK(started(agent.on_message(again, start)) == 1);
}

TEST_CASE("a heartbeat on a new connection reports tasks that ended and were not yet reported") {
  AgentMachine agent = registered_agent();
  agent.on_message(award_of(TaskId{1}), start);
  agent.on_execution(end_of(TaskId{1}), start);
  const std::vector<Heartbeat> beats = said<Heartbeat>(agent.on_connected(start.mono));
  REQUIRE(beats.size() == 1);
  CHECK(beats[0].held == std::vector<Held>{{TaskId{1}, Epoch{1}}});
}

TEST_CASE("a task that may not be repeated begins once its start is kept") {
  AgentMachine agent = registered_agent();
  const AgentMachine::Actions awarded = agent.on_message(award_of(TaskId{1}, false), start);
  CHECK(started(awarded) == 0);
  const std::vector<Reports> reports = said<Reports>(awarded);
  REQUIRE(reports.size() == 1);
  REQUIRE(reports[0].items.size() == 1);
  CHECK(reports[0].items[0].what == ReportItem::What::started);

  SECTION("once, however often that is said") {
    CHECK(started(agent.on_message(ReportsKept{reports[0].number}, start)) == 1);
    CHECK(started(agent.on_message(ReportsKept{reports[0].number}, start)) == 0);
  }
  SECTION("not when its award is over by then: the slot is free again") {
    const auto revoked = agent.on_message(Revocations{{{{TaskId{1}, Epoch{1}}, "cancelled"}}}, start);
    CHECK(revoked.empty());
    CHECK(started(agent.on_message(ReportsKept{reports[0].number}, start)) == 0);
    CHECK(agent.holding() == 0);
  }
  SECTION("not when the lease was lost") {
    agent.on_message(WhoAreYou{}, start);
    CHECK(started(agent.on_message(ReportsKept{reports[0].number}, start)) == 0);
    CHECK(agent.holding() == 0);
  }
  SECTION("the report is said again until then") {
    const std::vector<Reports> again = said<Reports>(agent.on_time({start.mono + seconds(3), start.wall}));
    REQUIRE(again.size() == 1);
    CHECK(again[0].number == reports[0].number);
    CHECK(agent.holding() == 1);
  }
}

TEST_CASE("a slow start was reported as silence, and once more when the execution had begun") {
  AgentMachine agent = registered_agent();
  Awards awards = award_of(TaskId{1});
  awards.awards[0].offer.spec.stall_after = seconds(1);
  REQUIRE(started(agent.on_message(awards, start)) == 1);
  const auto stalls_after = [&](Duration time) {
    std::size_t count = 0;
    const Now now{start.mono + time, start.wall + time};
    for (const Reports& reports : said<Reports>(agent.on_time(now))) {
      count += std::ranges::count(reports.items, ReportItem::What::stalled, &ReportItem::what);
      agent.on_message(ReportsKept{reports.number}, now);
    }
    return count;
  };
  CHECK(stalls_after(seconds(2)) == 0);
  agent.on_execution(ExecutionStarted{TaskId{1}, Epoch{1}, 99}, {start.mono + seconds(2), start.wall});
  CHECK(agent.next_wakeup() <= start.mono + seconds(3));
  CHECK(stalls_after(seconds(3)) == 1);
  CHECK(stalls_after(seconds(5)) == 0);
}
