// A board with at least one record of each kind.
#pragma once

#include "blackboard/board/board.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/secrets.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/flaky_store.hpp"

namespace bidboard {

/// Applies the events of the sample, uncommitted.
inline void apply_sample(Board& board, const std::string& content) {
  const auto apply = [&](EventBody body) { board.apply(Event{WallTime{1'000}, std::move(body)}); };
  Agent agent;
  agent.id = {1};
  agent.profile.name = "ann";
  Workflow flow;
  flow.id = {1};
  flow.tasks = flow.open = 3;
  Task first, second, third;
  first.id = {1}, second.id = {2}, third.id = {3};
  first.spec.workflow = second.spec.workflow = third.spec.workflow = {1};
  first.state = second.state = TaskState::ready;
  second.spec.key = "key";
  third.spec.needs = {{{1}, false}, {{2}, false}};
  third.state = TaskState::blocked;
  third.open_needs = 2;
  apply(TermStarted{{1}, 7});
  apply(AgentRegistered{agent});
  apply(WorkflowPosted{flow});
  for (const Task& task : {first, second, third}) apply(TaskPosted{task});
  Auction decision;
  decision.id = {1};
  for (std::uint64_t id = 1; id <= 2; ++id, decision.id.value += 1)
    apply(TaskAwarded{{id}, {1}, {1}, "0123456789abcdef", false, WallTime{9'000}, decision});
  board.stage_blob(content_hash(content), content);
  apply(TaskFinished{{1}, {1}, {1}, "", content_hash(content), 0, 0, {}});
  apply(Calibrated{{{1}, "task", 1, one, one, one}});
  apply(DiscoveryPosted{{{1}, {1}, {1}, {1}, "kind", "title", "body", "", {}}});
  apply(CommentPosted{{{1}, {1}, {1}, WallTime{1'000}, "look here"}});
  Breaker breaker;
  breaker.name = "team";
  breaker.failed = {{1}};
  apply(BreakerMoved{breaker});
  apply(BudgetRaised{"board", {one, 0}});
  apply(Replied{{5}, 1, "bytes"});
  Config config;
  config.project = "sample";
  apply(ConfigSet{config});
}

struct Sample {
  FlakyStore store;
  std::string content = std::string(2'000, 'c');

  Sample() {
    Board board(store);
    apply_sample(board, content);
    REQUIRE(board.commit({1}).has_value());
  }

  template <class T, class Change>
  void change(const std::string& key, Change&& how) {
    T record = unseal<T>(store.get(key).value().value()).value();
    how(record);
    store.replace(key, seal(record));
  }
};

inline bool says(const std::vector<std::string>& findings, const std::string& what) {
  for (const std::string& finding : findings)
    if (finding.find(what) != std::string::npos) return true;
  for (const std::string& finding : findings) UNSCOPED_INFO(finding);
  return false;
}

}  // namespace bidboard
