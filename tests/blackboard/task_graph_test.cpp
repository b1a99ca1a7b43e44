#include "blackboard/task_graph.hpp"

#include <algorithm>
#include <functional>
#include <set>

#include "blackboard/random.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

using Nodes = std::vector<TaskGraph::Node>;
using Edges = std::vector<TaskGraph::Edge>;

TaskGraph::Node node(std::uint64_t id, Micros weight = one) { return {TaskId{id}, weight, {}, {}}; }
TaskGraph::Edge needs(std::uint64_t task, std::uint64_t needed) { return {TaskId{task}, TaskId{needed}}; }
std::vector<TaskId> ids(std::initializer_list<std::uint64_t> values) {
  std::vector<TaskId> out;
  for (const auto v : values) out.push_back(TaskId{v});
  return out;
}

/// A random graph without cycles whose ids do not follow its order, in shuffled input order.
struct RandomDag {
  Nodes nodes;
  Edges edges;
  explicit RandomDag(std::uint64_t seed) {
    Random random(seed);
    const std::size_t size = 1 + random.below(9);
    std::vector<std::uint64_t> order(size);
    for (std::size_t i = 0; i < size; ++i) order[i] = 3 * i + 1;
    shuffle(order, random);
    for (const auto id : order) nodes.push_back(node(id, random.between(0, 3) * one));
    for (std::size_t later = 0; later < size; ++later)
      for (std::size_t earlier = 0; earlier < later; ++earlier)
        if (random.chance(300'000)) edges.push_back(needs(order[later], order[earlier]));
    shuffle(nodes, random);
    shuffle(edges, random);
  }
  template <class T>
  static void shuffle(std::vector<T>& items, Random& random) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random.below(i)]);
  }
};

// The simple twin: every answer by plain recursion over the lists.
struct Twin {
  const Nodes& nodes;
  const Edges& edges;
  Micros weight(TaskId id) const { return std::ranges::find(nodes, id, &TaskGraph::Node::id)->weight; }
  std::set<TaskId> step(TaskId id, bool down) const {
    std::set<TaskId> out;
    for (const auto& e : edges)
      if ((down ? e.needs : e.task) == id) out.insert(down ? e.task : e.needs);
    return out;
  }
  std::set<TaskId> all(TaskId id, bool down) const {
    std::set<TaskId> out;
    for (const TaskId next : step(id, down)) {
      out.insert(next);
      out.merge(all(next, down));
    }
    return out;
  }
  Micros longest(TaskId id, bool down) const {
    Micros best = 0;
    for (const TaskId next : step(id, down)) best = std::max(best, longest(next, down));
    return best + weight(id);
  }
  /// Every heaviest chain that goes as far as it can; the first by ids.
  std::vector<TaskId> critical() const {
    Micros most = -1;
    std::vector<TaskId> best;
    std::vector<TaskId> path;
    const std::function<void(TaskId, Micros)> walk = [&](TaskId id, Micros sum) {
      path.push_back(id);
      sum += weight(id);
      const auto next = step(id, true);
      for (const TaskId n : next) walk(n, sum);
      if (next.empty() && (sum > most || (sum == most && path < best))) {
        most = sum;
        best = path;
      }
      path.pop_back();
    };
    for (const auto& n : nodes) walk(n.id, 0);
    return best;
  }
  std::vector<TaskId> smallest_first() const {
    std::vector<TaskId> out;
    std::set<TaskId> left;
    for (const auto& n : nodes) left.insert(n.id);
    while (!left.empty()) {
      const auto next = std::ranges::find_if(left, [&](TaskId id) {
        const auto before = step(id, false);
        return std::ranges::none_of(before, [&](TaskId b) { return left.contains(b); });
      });
      out.push_back(*next);
      left.erase(next);
    }
    return out;
  }
};

std::vector<TaskId> list(const std::set<TaskId>& set) { return {set.begin(), set.end()}; }

}  // namespace

TEST_CASE("every analysis of a random graph agrees with its simple twin") {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    const RandomDag dag(seed);
    const TaskGraph graph(dag.nodes, dag.edges);
    const Twin twin{dag.nodes, dag.edges};
    INFO("seed " << seed);
    REQUIRE_FALSE(graph.cycle());
    CHECK(graph.topological_order() == twin.smallest_first());
    CHECK(graph.critical_path() == twin.critical());
    const auto bottom = graph.bottom_levels();
    const auto top = graph.top_levels();
    REQUIRE(bottom.size() == dag.nodes.size());
    for (const auto& n : dag.nodes) {
      CHECK(bottom.at(n.id) == twin.longest(n.id, true));
      CHECK(top.at(n.id) == twin.longest(n.id, false) - n.weight);
      CHECK(graph.ancestors(n.id) == list(twin.all(n.id, false)));
      CHECK(graph.descendants(n.id) == list(twin.all(n.id, true)));
    }
  }
}

TEST_CASE("a cycle is spelled out: the shortest through the smallest id that lies on one") {
  SECTION("two tasks that need each other, and a longer way round") {
    const TaskGraph graph(Nodes{node(1), node(2), node(3), node(4)},
                          Edges{needs(2, 3), needs(3, 4), needs(4, 2), needs(3, 2), needs(1, 2)});
    CHECK(graph.cycle() == ids({2, 3, 2}));
  }
  SECTION("it is written in the direction of needs") {
    const TaskGraph graph(Nodes{node(7), node(8), node(9)}, Edges{needs(7, 9), needs(9, 8), needs(8, 7)});
    CHECK(graph.cycle() == ids({7, 9, 8, 7}));
  }
  SECTION("a task that needs itself") {
    CHECK(TaskGraph(Nodes{node(1), node(5)}, Edges{needs(5, 5)}).cycle() == ids({5, 5}));
  }
}

TEST_CASE("random graphs have a cycle exactly when some task reaches itself, and the cycle named is one") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Random random(seed);
    Nodes nodes;
    Edges edges;
    std::set<std::pair<std::uint64_t, std::uint64_t>> known;
    const std::uint64_t size = 2 + random.below(6);
    for (std::uint64_t id = 1; id <= size; ++id) nodes.push_back(node(id));
    for (std::uint64_t i = 0; i < size; ++i) {
      const auto e = needs(1 + random.below(size), 1 + random.below(size));
      edges.push_back(e);
      known.insert({e.task.value, e.needs.value});
    }
    const auto reaches_itself = [&](std::uint64_t start) {
      std::set<std::uint64_t> seen;
      std::vector<std::uint64_t> open{start};
      while (!open.empty()) {
        const auto at = open.back();
        open.pop_back();
        for (const auto& [task, needed] : known)
          if (task == at && seen.insert(needed).second) open.push_back(needed);
      }
      return seen.contains(start);
    };
    std::uint64_t smallest = 0;
    for (std::uint64_t id = size; id >= 1; --id)
      if (reaches_itself(id)) smallest = id;
    const auto cycle = TaskGraph(nodes, edges).cycle();
    INFO("seed " << seed);
    REQUIRE(cycle.has_value() == (smallest != 0));
    if (!cycle) continue;
    CHECK(cycle->front().value == smallest);
    CHECK(cycle->back().value == smallest);
    for (std::size_t i = 0; i + 1 < cycle->size(); ++i)
      CHECK(known.contains({(*cycle)[i].value, (*cycle)[i + 1].value}));
  }
}

TEST_CASE("edges to unknown tasks are left out and repeated edges count once") {
  const TaskGraph graph(Nodes{node(1), node(2)}, Edges{needs(2, 1), needs(2, 1), needs(2, 99), needs(77, 1)});
  CHECK(graph.topological_order() == ids({1, 2}));
  CHECK(graph.ancestors(TaskId{2}) == ids({1}));
  CHECK(graph.descendants(TaskId{99}).empty());
}

TEST_CASE("no tasks, no answers") {
  const TaskGraph graph(Nodes{}, Edges{});
  CHECK_FALSE(graph.cycle());
  CHECK(graph.topological_order().empty());
  CHECK(graph.critical_path().empty());
  CHECK(graph.bottom_levels().empty());
}

TEST_CASE("weights beyond all measure are clamped, not wrapped") {
  constexpr Micros huge = 4'000'000'000'000'000'000;
  const TaskGraph graph(Nodes{node(1, INT64_MAX), node(2, huge), node(3, huge)},
                        Edges{needs(2, 1), needs(3, 2)});
  CHECK(graph.bottom_levels().at(TaskId{1}) == huge);
  CHECK(graph.top_levels().at(TaskId{3}) == huge);
}

TEST_CASE("a long chain does not exhaust the stack") {
  Nodes nodes;
  Edges edges;
  constexpr std::uint64_t length = 200'000;
  for (std::uint64_t id = 1; id <= length; ++id) nodes.push_back(node(id));
  for (std::uint64_t id = 2; id <= length; ++id) edges.push_back(needs(id, id - 1));
  const TaskGraph graph(nodes, edges);
  CHECK_FALSE(graph.cycle());
  CHECK(graph.bottom_levels().at(TaskId{1}) == static_cast<Micros>(length) * one);
  CHECK(graph.descendants(TaskId{1}).size() == length - 1);
}

TEST_CASE("DOT shows labels and colours, and no label breaks out of its quotes") {
  const TaskGraph graph(
      Nodes{{TaskId{1}, one, "say \"hi\"\\\n\x01 ok", "red"}, {TaskId{2}, one, {}, "\"]; evil [label=\""}},
      Edges{needs(2, 1)});
  const std::string dot = graph.dot();
  CHECK(dot.starts_with("digraph"));
  CHECK(dot.find(R"(t1[label="say \"hi\"\\\n ok", style=filled, fillcolor="red"];)") != std::string::npos);
  CHECK(dot.find(R"(t2[label="t2", style=filled, fillcolor="\"]; evil [label=\""];)") != std::string::npos);
  CHECK(dot.find("t1->t2") != std::string::npos);
  CHECK(dot == TaskGraph(Nodes{{TaskId{2}, one, {}, "\"]; evil [label=\""},
                               {TaskId{1}, one, "say \"hi\"\\\n\x01 ok", "red"}},
                         Edges{needs(2, 1), needs(2, 1)})
                   .dot());
}
