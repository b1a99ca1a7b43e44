// Targets that take text written by people and programs.
#include <algorithm>
#include <map>
#include <string>

#include "auction/clearing.hpp"
#include "auction/offline.hpp"
#include "blackboard/checks/check.hpp"
#include "blackboard/query/query.hpp"
#include "blackboard/text/document.hpp"
#include "blackboard/text/expression.hpp"
#include "runtime/jobs/graph_file.hpp"
#include "runtime/jobs/settings.hpp"
#include "runtime/jobs/trace.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/support/script_runner.hpp"

namespace bidboard::fuzz {
namespace {

const KnownNames known{{"auction", "blackboard", "central", "fifo"},
                       {"first_price", "optimal", "sequential", "vickrey"}};

/// A board with something in every table.
const Store& small_board() {
  static script::ScriptRunner* const runner = [] {
    auto* made = new script::ScriptRunner;
    for (const char* line :
         {"agent one skills=cpp:0.9", "agent two capacity=2", "post build size=2 skills=cpp",
          "post test needs=t1", "post-flow flow a b<a c<a,b?", "started one t1",
          "finished one t1 result=good", "post other", "failed two t6 reason=no", "advance 31s", "mute two",
          "advance 40s", "finished two t3 result=late"})
      made->run(line);
    return made;
  }();
  return runner->store();
}

void check_awards(const OfflineAuction& auction, const Outcome& outcome) {
  std::map<AgentId, std::size_t> taken;
  std::map<TaskId, std::size_t> given;
  for (const Award& award : outcome.awards) {
    BB_CHECK(++given[award.task] == 1, "a task is awarded once");
    const std::vector<TaskId>& bundle = award.bundle;
    if (bundle.empty() || bundle.front() == award.task) ++taken[award.agent];
    const bool offered =
        !bundle.empty()
            ? std::any_of(auction.problem.bundles.begin(), auction.problem.bundles.end(),
                          [&](const ScoredBundle& b) { return b.agent == award.agent && b.tasks == bundle; })
            : std::any_of(
                  auction.problem.bids.begin(), auction.problem.bids.end(),
                  [&](const ScoredBid& bid) { return bid.task == award.task && bid.agent == award.agent; });
    BB_CHECK(offered, "who wins a task has bid for it");
  }
  for (const ClearingAgent& agent : auction.problem.agents)
    BB_CHECK(taken[agent.id] <= agent.slot_free_in.size(), "a capacity is a hard limit");
}

}  // namespace

void job_files(Bytes bytes) {
  static_cast<void>(read_plan(text_of(bytes), "job.yaml", known));
  static_cast<void>(read_settings(text_of(bytes), "bidboard.yaml", known));
}

void workflow_traces(Bytes bytes) {
  static_cast<void>(read_graph_file(text_of(bytes), "graph.dot"));
  static_cast<void>(read_graph_file(text_of(bytes), "graph.stg"));
  const Result<Value> document = parse_json(text_of(bytes));
  if (!document) return;
  static_cast<void>(read_trace(*document, "trace.json"));
  const Result<Value> again = parse_json(to_json(*document));
  BB_CHECK(again.has_value(), "JSON that was written can be read");
}

void sql(Bytes bytes) {
  static Query* const query = new Query(Query::open(small_board(), {milliseconds(200), 1 << 20}).value());
  static_cast<void>(query->run(text_of(bytes)));
  static_cast<void>(query->ids_where("tasks", text_of(bytes)));
}

void expressions(Bytes bytes) {
  const Result<Expression> expression = Expression::compile(text_of(bytes));
  if (!expression) return;
  const Variable variables[] = {{"size", 2 * one}, {"speed", one / 2}, {"busy", true}, {"kind", "test"}};
  const Result<Micros> number = expression->number(variables);
  const Result<Micros> again = expression->number(variables);
  BB_CHECK(number.has_value() == again.has_value() && (!number || *number == *again),
           "a formula has one value");
  static_cast<void>(expression->truth(variables));
}

void auction_files(Bytes bytes) {
  const Result<Value> document = parse_json(text_of(bytes));
  if (!document) return;
  const Result<OfflineAuction> auction = read_auction(*document);
  if (!auction) return;
  for (const std::string_view mechanism : mechanism_names()) {
    const Outcome outcome = (*find_mechanism(mechanism))(auction->problem);
    check_awards(*auction, outcome);
    static_cast<void>(to_json(write_outcome(*auction, mechanism, outcome)));
  }
}

}  // namespace bidboard::fuzz
