// A manager's choices from its members' summaries.
#include "agents/manager.hpp"

#include "agents/agent.hpp"
#include "blackboard/fmt.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

Member specialist(AgentId id, std::uint32_t slots, std::uint32_t free, std::vector<Skill> skills = {}) {
  Agent agent;
  agent.id = id;
  agent.profile.name = fmt::format("w{}", id.value);
  agent.profile.capacity = slots;
  agent.profile.skills = std::move(skills);
  return member_of(agent, slots - free);
}

Member subtree(AgentId id, std::vector<Member> of) {
  std::map<AgentId, Member> members;
  for (Member& member : of) members.emplace(member.agent, std::move(member));
  return {id, fmt::format("m{}", id.value), true, in_sum(members)};
}

DelegatedTask task(TaskId id, const std::string& skill = {}, Micros level = 0) {
  DelegatedTask task;
  task.offer.task = id;
  if (!skill.empty()) task.offer.spec.skills.push_back({skill, level});
  return task;
}

Delegation asked(std::uint64_t number, std::vector<Member> members, std::vector<DelegatedTask> tasks) {
  Delegation delegation;
  delegation.number = number;
  delegation.members = std::move(members);
  delegation.tasks = std::move(tasks);
  return delegation;
}

AgentId member_for(Manager& manager, std::uint64_t number, DelegatedTask what) {
  const std::optional<Choices> choices = manager.on_delegation(asked(number, {}, {std::move(what)}));
  REQUIRE(choices);
  REQUIRE(choices->chosen.size() == 1);
  return choices->chosen[0].member;
}

}  // namespace

TEST_CASE("a task goes to the least loaded member that can take it, and the choice counts as load at once") {
  Manager manager;
  const auto choices = manager.on_delegation(
      asked(1, {specialist({1}, 4, 2), specialist({2}, 4, 3), specialist({3}, 1, 1, {{"cpp", one}})},
            {task({1}), task({2}, "cpp"), task({3}), task({4}), task({5}), task({6}), task({7})}));
  REQUIRE(choices);
  std::vector<AgentId> members;
  for (const ChosenMember& chosen : choices->chosen) members.push_back(chosen.member);
  // The idle one first; then it is full, and no other has the skill.
  CHECK(members == std::vector<AgentId>{{3}, {}, {2}, {1}, {2}, {1}, {2}});
  CHECK(choices->chosen[1].why == "all who can take it are busy");
  CHECK(choices->chosen[2].why == "least loaded of those who can: 1 of 4 slots taken");
}

TEST_CASE("of equally loaded members the fastest at the task gets it, then the one registered first") {
  Manager manager;
  Member fast = specialist({7}, 1, 1, {{"cpp", one / 10}});
  fast.crews[0].speed = 3 * one;
  Member good = specialist({8}, 1, 1, {{"cpp", one}});
  const auto choices =
      manager.on_delegation(asked(1, {fast, good, specialist({9}, 1, 1), specialist({5}, 1, 1)},
                                  {task({1}, "cpp"), task({2}), task({3})}));
  REQUIRE(choices);
  CHECK(choices->chosen[0].member == AgentId{8});
  CHECK(choices->chosen[1].member == AgentId{7});
  CHECK(choices->chosen[2].member == AgentId{5});
}

TEST_CASE("a task that no member of the subtree can take is handed back with the reason") {
  Manager manager;
  DelegatedTask dear = task({2});
  dear.offer.spec.budget = one;
  dear.offer.spec.size = 3 * one;
  DelegatedTask command = task({3});
  command.offer.spec.run = "true";
  DelegatedTask foreign = task({4});
  foreign.offer.spec.project = "other";
  DelegatedTask failed = task({5});
  failed.not_for = {{1}};
  Member member = specialist({1}, 1, 1, {{"cpp", one / 2}});
  member.crews[0].price_per_second = one;
  member.crews[0].project = "this";
  for (DelegatedTask* ours : {&dear, &command, &failed}) ours->offer.spec.project = "this";
  const auto choices =
      manager.on_delegation(asked(1, {member}, {task({1}, "cpp", one), dear, command, foreign, failed}));
  REQUIRE(choices);
  for (const ChosenMember& chosen : choices->chosen) {
    INFO(to_string(chosen.task));
    CHECK_FALSE(chosen.member);
    CHECK(chosen.why == "nobody in its subtree can take it");
  }
}

TEST_CASE(
    "a subtree's summary has the slots of all members, and the best level, speed and price of each kind") {
  Member a = specialist({1}, 2, 1, {{"cpp", one / 2}});
  Member b = specialist({2}, 3, 3, {{"cpp", one}});
  b.crews[0].speed = 2 * one;
  a.crews[0].price_per_second = b.crews[0].price_per_second = one;
  b.crews[0].price_per_second = 2 * one;
  const Member sum = subtree({9}, {a, b, specialist({3}, 1, 0)});
  REQUIRE(sum.crews.size() == 2);
  CHECK(sum.crews[0] == Crew{{}, "", false, one, 0, 1, 0, false, {}, {}});
  CHECK(sum.crews[1] == Crew{{{"cpp", one}}, "", false, 2 * one, one, 5, 4, false, {}, {}});
  // Members that are full do not make the subtree look loaded for other members' tasks.
  const auto fit = fitness(sum, task({1}, "cpp").offer.spec);
  REQUIRE(fit);
  CHECK(fit->taken == 1);
  CHECK(fit->slots == 5);
}

TEST_CASE("an executive chooses between managers by their subtrees' summaries") {
  Manager boss;
  const Member left = subtree({1}, {specialist({11}, 1, 0), specialist({12}, 1, 1)});
  const Member right = subtree({2}, {specialist({21}, 4, 3), specialist({22}, 1, 1, {{"cpp", one}})});
  const auto choices = boss.on_delegation(
      asked(1, {left, right}, {task({1}), task({2}, "cpp"), task({3}), task({4}), task({5}), task({6})}));
  REQUIRE(choices);
  std::vector<AgentId> members;
  for (const ChosenMember& chosen : choices->chosen) members.push_back(chosen.member);
  CHECK(members == std::vector<AgentId>{{2}, {2}, {1}, {2}, {2}, {}});
}

TEST_CASE("members come, change and leave; a delegation that comes late or twice changes nothing") {
  Manager manager;
  CHECK_FALSE(member_for(manager, 1, task({1})));
  REQUIRE(manager.on_delegation(asked(2, {specialist({1}, 1, 1)}, {})));
  CHECK(member_for(manager, 3, task({1})) == AgentId{1});
  CHECK_FALSE(member_for(manager, 4, task({2})));  // it is taken
  CHECK_FALSE(manager.on_delegation(asked(4, {specialist({1}, 1, 1)}, {})));
  CHECK_FALSE(manager.on_delegation(asked(3, {specialist({1}, 1, 1)}, {})));
  CHECK_FALSE(member_for(manager, 5, task({2})));
  REQUIRE(manager.on_delegation(asked(6, {specialist({1}, 1, 1), specialist({2}, 1, 1)}, {})));
  Delegation left = asked(7, {}, {task({3})});
  left.left = {{1}};
  CHECK(manager.on_delegation(left)->chosen[0].member == AgentId{2});
  Delegation anew = asked(8, {specialist({3}, 1, 1)}, {task({4}), task({5})});
  anew.anew = true;
  const auto choices = manager.on_delegation(anew);
  CHECK(choices->chosen[0].member == AgentId{3});
  CHECK_FALSE(choices->chosen[1].member);
  CHECK(choices->crews.size() == 1);
}

TEST_CASE("an agent's process answers delegations only in a role that leads") {
  const Now now{Instant{1'000'000}, WallTime{1'000'000}};
  for (const Role role : {Role::specialist, Role::manager, Role::executive}) {
    AgentMachine::Options options;
    options.profile.role = role;
    AgentMachine agent(options);
    agent.on_connected(now.mono);
    agent.on_message(Registered{AgentId{5}, "secret", seconds(10), seconds(30), Term{1}}, now);
    std::vector<Choices> said;
    const auto hear = [&](std::uint64_t number) {
      for (const AgentAction& action : agent.on_message(asked(number, {}, {task({1})}), now))
        if (const auto* say = std::get_if<Say>(&action))
          if (const auto* choices = std::get_if<Choices>(&say->message)) said.push_back(*choices);
    };
    hear(3);
    CHECK(said.size() == (leads(role) ? 1 : 0));
    if (!leads(role)) continue;
    CHECK(said[0].agent == AgentId{5});
    CHECK(said[0].secret == "secret");
    CHECK(said[0].number == 3);
    // Another board, or a restored one, numbers from the start.
    agent.on_message(Registered{AgentId{5}, "other", seconds(10), seconds(30), Term{1}}, now);
    hear(1);
    REQUIRE(said.size() == 2);
    CHECK(said[1].secret == "other");
  }
}

TEST_CASE("a summary keeps apart who offers which secrets and who takes variables") {
  const auto with = [](AgentId id, std::vector<std::string> secrets, bool allow_env) {
    Agent agent;
    agent.id = id;
    agent.profile.secrets = std::move(secrets);
    agent.profile.allow_env = allow_env;
    return member_of(agent, 0);
  };
  Manager manager;
  const Member left = subtree({8}, {with({1}, {"KEY"}, false), with({2}, {}, true)});
  const Member right = subtree({9}, {with({3}, {"OTHER", "KEY"}, true)});
  REQUIRE(manager.on_delegation(asked(1, {left, right}, {})));
  DelegatedTask both = task({1});
  both.offer.spec.secrets = {"KEY"};
  both.offer.spec.env = {{"MODEL", "big"}};
  CHECK(member_for(manager, 2, both) == AgentId{9});
  CHECK(member_for(manager, 3, both) == AgentId{});  // the one who could is taken
  DelegatedTask one_of_them = task({2});
  one_of_them.offer.spec.secrets = {"KEY"};
  CHECK(member_for(manager, 4, one_of_them) == AgentId{8});
  one_of_them.offer.spec.secrets = {"NOBODY"};
  CHECK(member_for(manager, 5, one_of_them) == AgentId{});
}
