#include "auction/eligibility.hpp"

#include <algorithm>
#include <type_traits>

#include "auction/bid.hpp"
#include "blackboard/fields.hpp"
#include "blackboard/fmt.hpp"

#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

Task task() {
  Task t;
  t.id = TaskId{1};
  t.spec.project = "compiler";
  t.spec.skills = {{"cpp", 7 * one / 10}};
  return t;
}

Agent agent() {
  Agent a;
  a.id = AgentId{3};
  a.profile.skills = {{"cpp", 7 * one / 10}, {"search", one}};
  return a;
}

template <class T>
void change(T& value) {
  if constexpr (std::is_same_v<T, bool>)
    value = !value;
  else if constexpr (std::is_same_v<T, Role>)
    value = Role::manager;
  else if constexpr (std::is_same_v<T, BidStyle>)
    value = BidStyle::formula;
  else if constexpr (std::is_same_v<T, WorkflowId>)
    value = WorkflowId{7};
  else if constexpr (std::is_arithmetic_v<T>)
    value += 1'000'000;
  else if constexpr (std::is_same_v<T, std::string>)
    value += "compiler";
  else if constexpr (std::is_same_v<T, std::vector<Skill>>)
    value.push_back({"cpp", one});
  else
    value.push_back("KEY");
}

}  // namespace

TEST_CASE("Agents that differ in what they may do were judged as one: a task with a secret waited for ever") {
  std::vector<TaskSpec> tasks(7);
  tasks[1].project = "compiler";
  tasks[2].skills = {{"cpp", one}};
  tasks[3].run = "true";
  tasks[4].secrets = {"KEY"};
  tasks[5].env = {{"LEVEL", "3"}};
  tasks[6].workflow = WorkflowId{7};
  tasks[6].exclusive = true;
  for (const bool allow_run : {false, true}) {
    AgentProfile agent;
    agent.allow_run = allow_run;
    std::size_t fields = 0;
    AgentProfile other = agent;
    for_each_field(other, [&](const char* name, auto& value) {
      ++fields;
      INFO(name);
      change(value);
      REQUIRE(other != agent);
      const bool alike = abilities(agent) == abilities(other);
      for (const TaskSpec& task : tasks) {
        if (!alike) break;
        CHECK(unable(task, agent).has_value() == unable(task, other).has_value());
        CHECK(standard_bid(task, agent) == standard_bid(task, other));
      }
      other = agent;
    });
    CHECK(fields == 20);
  }
}

TEST_CASE("an agent with role, project, skill and permission may bid") {
  CHECK_FALSE(ineligible(task(), agent()));
  Agent of_project = agent();
  of_project.profile.project = "compiler";
  CHECK_FALSE(ineligible(task(), of_project));
}

TEST_CASE("the first rule that excludes an agent is named, in words") {
  Task t = task();
  Agent a = agent();
  const auto expect = [&](RefusalReason reason, std::string_view detail) {
    const auto refusal = ineligible(t, a);
    REQUIRE(refusal);
    CHECK(refusal->reason == reason);
    CHECK(refusal->detail == detail);
  };
  SECTION("role") {
    a.profile.role = Role::manager;
    a.profile.project = "other";
    expect(RefusalReason::role, "is manager, which takes no tasks");
  }
  SECTION("project") {
    a.profile.project = "other";
    a.profile.skills.clear();
    expect(RefusalReason::project, "works for project other, the task belongs to compiler");
  }
  SECTION("a skill it lacks") {
    t.spec.skills = {{"cpp", 0}, {"rust", 0}};
    t.spec.run = "make";
    expect(RefusalReason::skill, "needs rust, has cpp and search");
  }
  SECTION("no skills at all") {
    a.profile.skills.clear();
    expect(RefusalReason::skill, "needs cpp, has no skills");
  }
  SECTION("a skill below its level") {
    a.profile.skills = {{"cpp", 699'999}};
    expect(RefusalReason::skill, "needs cpp>=0.7, has cpp 0.699999");
  }
  SECTION("a command") {
    t.spec.run = "make";
    t.reserved_for = AgentId{9};
    expect(RefusalReason::run, "does not run commands of tasks (see --allow-run)");
  }
  SECTION("a task without a command, for an agent that only executes commands") {
    a.profile.only_commands = true;
    expect(RefusalReason::run, "only does tasks that have a command of their own (--run)");
  }
  SECTION("an agent of another workflow") {
    a.profile.workflow = WorkflowId{4};
    expect(RefusalReason::workflow, "works for w4 only");
  }
  SECTION("a task that is left to the agents of its workflow") {
    t.spec.workflow = WorkflowId{4};
    t.spec.exclusive = true;
    expect(RefusalReason::workflow, "the task is left to the agents of w4");
  }
  SECTION("a secret that it does not offer") {
    t.spec.secrets = {"KEY", "OTHER"};
    a.profile.secrets = {"KEY"};
    expect(RefusalReason::environment, "offers no secret OTHER (see --secret)");
  }
  SECTION("variables for another command than the task's") {
    t.spec.env = {{"MODEL", "big"}};
    expect(RefusalReason::environment, "takes no variables from tasks (see --allow-env)");
  }
  SECTION("reserved for another") {
    t.reserved_for = AgentId{9};
    expect(RefusalReason::reserved, "the task is reserved for a9");
  }
}

TEST_CASE("special cases in which an agent is eligible") {
  Task t = task();
  Agent a = agent();
  t.spec.run = "make";
  SECTION("commands, when the agent allows them") { a.profile.allow_run = true; }
  SECTION("commands, when the agent only pretends") { a.profile.simulated = true; }
  SECTION("a task reserved for this very agent") {
    a.profile.allow_run = true;
    t.reserved_for = a.id;
  }
  SECTION("commands, when the agent does nothing else") {
    a.profile.allow_run = a.profile.only_commands = true;
  }
  SECTION("a task of the workflow that the agent works for") {
    a.profile.allow_run = true;
    t.spec.exclusive = true;
    t.spec.workflow = a.profile.workflow = WorkflowId{4};
  }
  SECTION("a task that is left to a workflow's agents, for a person") {
    a.profile.allow_run = true;
    a.state = AgentState::shell;
    t.spec.exclusive = true;
    t.spec.workflow = WorkflowId{4};
  }
  SECTION("a task that requires secrets, when the agent offers them") {
    a.profile.allow_run = true;
    t.spec.secrets = {"KEY"};
    a.profile.secrets = {"OTHER", "KEY"};
  }
  SECTION("a task that requires secrets, for a person") {
    a.profile.allow_run = true;
    a.state = AgentState::shell;
    t.spec.secrets = {"KEY"};
  }
  SECTION("variables of a command that the task brings") {
    a.profile.allow_run = true;
    t.spec.env = {{"MODEL", "big"}};
  }
  SECTION("variables of the agent's command, when it allows them") {
    t.spec.run.clear();
    t.spec.env = {{"MODEL", "big"}};
    a.profile.allow_env = true;
  }
  SECTION("a skill declared twice counts at its best") {
    a.profile.allow_run = true;
    a.profile.skills = {{"cpp", one / 10}, {"cpp", one}, {"cpp", one / 5}};
  }
  CHECK_FALSE(ineligible(t, a));
}

TEST_CASE("a price above the budget is refused; without a budget any price is allowed") {
  TaskSpec spec;
  CHECK_FALSE(over_budget(spec, {one, 1'000 * one, one}));
  spec.budget = 5 * one;
  CHECK_FALSE(over_budget(spec, {one, 5 * one, one}));
  const auto refusal = over_budget(spec, {one, 5 * one + 1, one});
  REQUIRE(refusal);
  CHECK(refusal->reason == RefusalReason::budget);
  CHECK(refusal->detail == "asks 5.000001, the budget is 5");
}

TEST_CASE("the skill level is the lowest among the needed ones") {
  TaskSpec spec;
  AgentProfile profile;
  profile.skills = {{"a", one / 4}, {"b", one / 2}, {"c", one / 8}};
  CHECK(skill_level(spec, profile) == one);
  spec.skills = {{"b", 0}, {"a", 0}};
  CHECK(skill_level(spec, profile) == one / 4);
  spec.skills = {{"b", 0}, {"unknown", 0}};
  CHECK(skill_level(spec, profile) == one / 2);
  spec.skills = {{"unknown", 0}};
  CHECK(skill_level(spec, profile) == one);
}

TEST_CASE("long lists of skills are matched as short ones are") {
  TaskSpec spec;
  AgentProfile profile;
  for (std::int64_t i = 0; i < 1'000; ++i) {
    const std::string name = fmt::format("s{}", i * 7 % 1'000);
    profile.skills.push_back({name, one / (i % 9 + 1)});
    profile.skills.push_back({name, one / (i % 5 + 1)});
    spec.skills.push_back({name, 0});
  }
  CHECK_FALSE(unable(spec, profile).has_value());
  Micros lowest = one;
  for (std::int64_t i = 0; i < 1'000; ++i)
    lowest = std::min(lowest, std::max(one / (i % 9 + 1), one / (i % 5 + 1)));
  CHECK(skill_level(spec, profile) == lowest);
  spec.skills.push_back({"s1001", 0});
  CHECK(skill_level(spec, profile) == lowest);
  CHECK(unable(spec, profile)->detail.starts_with("needs s1001, has s0, s0, s7, s7, "));
  CHECK(unable(spec, profile)->detail.ends_with(" more"));
  CHECK(unable(spec, profile)->detail.size() < 500);
  spec.skills.back() = {"s7", one};
  CHECK(unable(spec, profile)->detail == "needs s7>=1, has s7 0.5");
}
