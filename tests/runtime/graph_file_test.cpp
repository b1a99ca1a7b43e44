#include "runtime/jobs/graph_file.hpp"

#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

Plan plan_of(const std::string& text, const std::string& file) {
  const Result<Plan> plan = read_plan(text, file, {});
  INFO((plan ? "" : plan.error().text));
  REQUIRE(plan.has_value());
  return *plan;
}

std::string findings(const std::string& text, const std::string& file) {
  const Result<Plan> plan = read_plan(text, file, {});
  REQUIRE_FALSE(plan.has_value());
  CHECK(plan.error().code == Errc::invalid);
  return plan.error().text;
}

struct Flaw {
  std::string text;  ///< of the file
  std::string told;
};
void check_findings(const std::string& file, const std::vector<Flaw>& flaws) {
  for (const Flaw& flaw : flaws) {
    const std::string told = findings(flaw.text, file);
    INFO(flaw.text.substr(0, 100) << "\n" << told);
    CHECK(told.find(flaw.told) != told.npos);
  }
}

/// "a<b,c": a needs b and c.
std::vector<std::string> needs_of(const Plan& plan) {
  std::vector<std::string> out;
  for (const PlannedTask& task : plan.tasks) {
    std::string text = task.spec.name;
    for (std::size_t i = 0; i < task.needs.size(); ++i)
      text += (i == 0 ? "<" : ",") + plan.tasks[task.needs[i].task].spec.name;
    out.push_back(text);
  }
  return out;
}

}  // namespace

TEST_CASE("a DOT graph is a job: edges are needs, attributes are titles, kinds and sizes") {
  const Plan plan = plan_of(R"(
// Two ways to write comments
# and a third.
strict digraph "build all" {
  rankdir = LR; graph [label="ignored"];
  node [weight=2, shape=box]
  fetch [label="Fetch the \"sources\"", kind=net, seconds=0.5]
  fetch:out -> { lint; test:in:n } -> "link it" [style=dashed];
  subgraph cluster_docs { node [duration=7]; docs; }
  fetch -> docs /* after it */ -> publish
  publish [color="#ff0000", label=<<b>Publish</b>>]
})",
                            "dir/build.dot");
  CHECK(plan.name == "build all");
  CHECK(plan.traced);
  CHECK(needs_of(plan) == std::vector<std::string>{"fetch", "lint<fetch", "test<fetch", "link it<lint,test",
                                                   "docs<fetch", "publish<docs"});
  CHECK(plan.tasks[0].spec.title == "Fetch the \"sources\"");
  CHECK(plan.tasks[0].spec.kind == "net");
  CHECK(plan.tasks[0].spec.size == one / 2);
  CHECK(plan.tasks[1].spec.size == 2 * one);
  CHECK(plan.tasks[4].spec.size == 7 * one);
  CHECK(plan.critical_path == one / 2 + 7 * one + 2 * one);
  CHECK(plan_of("digraph { a -> b }", "x.txt").tasks.size() == 2);  // by its text
  CHECK(plan_of("digraph { a -> b }", "x.txt").tasks[0].spec.size == one);
}

TEST_CASE("what is wrong with a DOT file is told with its place") {
  check_findings("x.gv",
                 {{"graph { a -- b }", "x.gv:1:1: an undirected graph"},
                  {"digraph {\n a -- b }", "x.gv:2:4: an edge --"},
                  {"digraph { a -> b -> a }", "a cycle: "},
                  {"digraph { a -> a }", "a cycle: "},
                  {"digraph {\n  a [seconds=soon] }", "x.gv:2:14: task 'a': 'soon' is not a time"},
                  {"digraph { a [seconds=-1] }", "'-1' is not a time"},
                  {"digraph { a [seconds=nan] }", "'nan' is not a time"},
                  {"digraph { a [seconds=2e9] }", "'2e9' is not a time"},
                  {"digraph { a -> ", "x.gv:1:16: the graph does not end"},
                  {"digraph { a [label=\"x }", "x.gv:1:20: a text in quotes does not end"},
                  {"digraph { a [label=<b }", "a text in < > does not end"},
                  {"digraph { a [label] }", "'=' is missing here"},
                  {"digraph { a", "'}' is missing here"},
                  {"digraph { }", "the graph has no tasks"},
                  {"a -> b", "begins with digraph"},
                  {"digraph { a } digraph { b }", "x.gv:1:15: something stands after the graph's end"}});
  std::string group = "{";
  for (int i = 0; i < 3'000; ++i) group += " n" + std::to_string(i);
  check_findings("x.dot", {{"digraph { " + group + "} -> " + group + "} }", "more than 4,000,000 edges"}});
  std::string deep = "digraph ";
  for (int i = 0; i < 100'000; ++i) deep += "{";
  check_findings("x.dot", {{deep, "nested too deeply"}});
}

TEST_CASE("a file of the Standard Task Graph Set is a job without its two dummy tasks") {
  const std::string stg = R"(  3
    0   0   0
    1   4   1   0
    2   6   1   0
    3   5   2   1   2
    4   0   1   3
# Parallelism ...
)";
  const Plan plan = plan_of(stg, "rand0000.stg");
  CHECK(plan.name == "rand0000");
  CHECK(needs_of(plan) == std::vector<std::string>{"1", "2", "3<1,2"});
  CHECK(plan.total_work == 15 * one);
  CHECK(plan.critical_path == 11 * one);
  CHECK(plan_of("2\n1 4 0\n2 6 1 1\n", "plain.stg").tasks.size() == 2);
}

TEST_CASE("what is wrong with an STG file is told with its place") {
  check_findings("x.stg", {{"x", "x.stg:1:1: the number of tasks must be a whole number, not 'x'"},
                           {"", "the number of tasks is missing"},
                           {"2\n1 4 0\n", "the first line says 2 tasks, but 1 follow"},
                           {"1\n1 4 1 7\n", "x.stg:2:7: task 1 needs task 7, which does not stand before it"},
                           {"1\n1 -4 0\n", "'-4' is not a time"},
                           {"1\n1 4 99999999999\n", "a predecessor is missing"},
                           {"2\n1 4 0\n1 4 0\n", "x.stg:3:1: task 1 is defined twice"}});
}

TEST_CASE(
    "two tasks more than an STG file's first line says were taken for its dummy tasks, though they took "
    "time") {
  check_findings("x.stg", {{"1\n1 4 0\n2 6 1 1\n3 5 1 2\n", "the first line says 1 task, but 3 follow"},
                           {"1\n1 0 0\n2 6 1 1\n3 5 1 2\n", "the first line says 1 task, but 3 follow"},
                           {"1\n1 4 0\n2 6 1 1\n3 0 1 2\n", "the first line says 1 task, but 3 follow"}});
}

TEST_CASE("a DOT text that ended with a backslash went on beyond its quotes") {
  const Plan plan = plan_of(R"(digraph { "C:\\" [label="copy C:\\"] "two\
 lines" -> "C:\\" })",
                            "x.dot");
  CHECK(needs_of(plan) == std::vector<std::string>{"C:\\<two lines", "two lines"});
  CHECK(plan.tasks[0].spec.title == "copy C:\\");
}
