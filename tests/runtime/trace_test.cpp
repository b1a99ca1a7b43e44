#include "runtime/jobs/trace.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

const std::filesystem::path samples =
    std::filesystem::path(BIDBOARD_SOURCE_DIR).parent_path() / "shared" / "data" / "wfinstances";

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string error_of(std::string_view text) {
  const auto plan = read_plan(text, "trace.json", {});
  REQUIRE_FALSE(plan.has_value());
  return plan.error().text;
}

std::size_t occurrences(const std::string& text, std::string_view word) {
  std::size_t count = 0;
  for (auto at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("every sample trace is imported whole") {
  if (!std::filesystem::is_directory(samples)) {
    WARN("no sample traces at " << samples << ": nothing was checked");
    return;
  }
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(samples)) {
    if (entry.path().extension() != ".json") continue;
    ++files;
    INFO(entry.path());
    const std::string text = read_file(entry.path());
    const auto plan = read_plan(text, entry.path().filename(), {});
    INFO((plan ? "" : plan.error().text));
    REQUIRE(plan.has_value());

    const Value document = parse_json(text).value();
    std::set<std::pair<std::string, std::string>> edges;
    Micros work = 0;
    for (const Value& task : document.find("workflow")->find("specification")->find("tasks")->array())
      for (const Value& parent : task.find("parents")->array())
        edges.emplace(parent.string(), task.find("id")->string());
    for (const Value& task : document.find("workflow")->find("execution")->find("tasks")->array())
      work += to_micros(task.find("runtimeInSeconds")->number());
    std::set<std::pair<std::string, std::string>> imported;
    for (const PlannedTask& task : plan->tasks)
      for (const PlannedNeed& need : task.needs)
        imported.emplace(plan->tasks[need.task].spec.name, task.spec.name);
    CHECK(plan->tasks.size() == occurrences(text, "\"parents\":"));
    CHECK(imported == edges);
    CHECK(plan->total_work == work);
    CHECK(plan->critical_path > 0);
    CHECK(plan->critical_path <= work);
    for (const PlannedTask& task : plan->tasks) CHECK_FALSE(task.spec.kind.empty());
  }
  CHECK(files > 0);
}

TEST_CASE("names, kinds, sizes and needs come from where WfFormat keeps them") {
  const auto plan = read_plan(R"({"name": "tiny", "schemaVersion": "1.5", "workflow": {
    "specification": {"tasks": [
      {"name": "split", "id": "split_ID01", "parents": [], "children": ["map_ID02", "map_ID03"]},
      {"name": "map", "id": "map_ID02", "parents": ["split_ID01"], "children": [], "category": "mapper"},
      {"name": "map_ID03", "id": "map_ID03", "parents": [], "children": []},
      {"name": "join_7", "id": "join", "parents": ["map_ID02", "map_ID03", "map_ID03"], "children": []}]},
    "execution": {"tasks": [
      {"id": "join", "runtimeInSeconds": 2, "command": {"program": "a script with words"}},
      {"id": "map_ID03", "runtimeInSeconds": 0.5},
      {"id": "map_ID02", "runtimeInSeconds": 3, "command": {"program": "map"}},
      {"id": "split_ID01", "runtimeInSeconds": 1.25, "command": {"program": "splitter", "arguments": []}}]}}})",
                              "tiny.json", {});
  INFO((plan ? "" : plan.error().text));
  REQUIRE(plan.has_value());
  CHECK(plan->name == "tiny");
  REQUIRE(plan->tasks.size() == 4);
  CHECK(plan->tasks[0].spec.name == "split_ID01");
  CHECK(plan->tasks[0].spec.title == "split");
  CHECK(plan->tasks[0].spec.kind == "splitter");
  CHECK(plan->tasks[0].spec.size == 1'250'000);
  CHECK(plan->tasks[1].spec.kind == "mapper");
  CHECK(plan->tasks[2].spec.kind == "map");
  CHECK(plan->tasks[2].needs == std::vector<PlannedNeed>{{0, false}});
  CHECK(plan->tasks[3].spec.kind == "join");
  CHECK(plan->tasks[3].needs == std::vector<PlannedNeed>{{1, false}, {2, false}});
  CHECK(plan->total_work == 6'750'000);
  CHECK(plan->critical_path == 6'250'000);
}

TEST_CASE("the older format, with runtimes beside the parents, is read") {
  const auto plan = read_plan(R"({"name": "old", "workflow": {"tasks": [
      {"name": "a", "id": "1", "runtimeInSeconds": 1, "parents": []},
      {"name": "b", "id": "2", "runtime": 2, "parents": ["a"]}]}})",
                              "old.json", {});
  REQUIRE(plan.has_value());
  CHECK(plan->tasks[1].needs == std::vector<PlannedNeed>{{0, false}});
  CHECK(plan->critical_path == 3 * one);
}

TEST_CASE("all errors in a trace are reported at once") {
  CHECK(
      error_of(R"({"name": "bad", "workflow": {
  "specification": {"tasks": [
    {"name": "first", "id": "first_1", "parents": ["frist_2"], "children": ["nowhere"]},
    {"name": "second", "id": "first_2", "parents": "first_1"},
    {"name": "again", "id": "first_1"},
    {"name": "c", "id": "c", "parents": ["d", 7]},
    {"name": "d", "id": "d", "parents": ["c"]},
    {"parents": []},
    "text"]},
  "execution": {"tasks": [
    {"id": "first_1", "runtimeInSeconds": -1},
    {"id": "first_1", "runtimeInSeconds": 1},
    {"id": "c"},
    {"id": "d", "runtimeInSeconds": "long"},
    {"id": "fist_2", "runtimeInSeconds": 1}]}}})") ==
      R"(trace.json:3:52: task 'first_1': 'parents' names the unknown task 'frist_2'; did you mean 'first_2'?
trace.json:3:77: task 'first_1': 'children' names the unknown task 'nowhere'; add it to the tasks, or remove it here
trace.json:4:5: task 'first_2': was specified but not executed; its runtime is missing in workflow.execution.tasks
trace.json:4:52: task 'first_2': 'parents' must be a list of ids; see WfFormat 1.5
trace.json:5:5: the id 'first_1' is defined twice, first at 3:5; give each task an id of its own
trace.json:6:5: a cycle: 'c' needs 'd' needs 'c'; remove one of these needs
trace.json:6:47: task 'c': 'parents' holds a whole number; write an id
trace.json:8:5: a task without id; add "id"
trace.json:9:5: a task must be a map, not text
trace.json:11:43: task 'first_1': its runtime is negative; write seconds from 0
trace.json:12:5: the task 'first_1' is executed twice; leave one out
trace.json:13:5: task 'c': has no runtime; add "runtimeInSeconds"
trace.json:14:37: task 'd': its runtime must be a number, not text; write seconds
trace.json:15:5: the executed task 'fist_2' is not in the specification; did you mean 'first_2'?)");
}

TEST_CASE("a trace of the wrong shape names what is missing") {
  CHECK(error_of(R"({"workflow": 3})") == "trace.json:1:14: 'workflow' must be a map; see WfFormat 1.5");
  CHECK(error_of(R"({"workflow": {}})") ==
        "trace.json:1:14: 'workflow.tasks' must be a list of tasks; see WfFormat 1.5");
  CHECK(error_of(R"({"workflow": {"specification": {"tasks": [{"id": "a"}]}}})") ==
        "trace.json:1:14: the trace has no workflow.execution; runtimes are taken from there; record an "
        "execution\n"
        "trace.json:1:43: task 'a': was specified but not executed; its runtime is missing in "
        "workflow.execution.tasks");
  CHECK(error_of("{\"workflow\": {\n").starts_with("trace.json:1:15: syntax error"));
  CHECK(error_of(R"({"workflow": {"specification": {"tasks": []}, "execution": {"tasks": []}}})") ==
        "trace.json:1:42: the trace has no tasks; record an execution");
}
