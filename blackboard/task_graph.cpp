#include "blackboard/task_graph.hpp"

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/breadth_first_search.hpp>
#include <boost/graph/graphviz.hpp>
#include <boost/graph/reverse_graph.hpp>
#include <boost/graph/strong_components.hpp>
#include <boost/graph/topological_sort.hpp>
#include <functional>
#include <iterator>
#include <limits>
#include <locale>
#include <queue>
#include <sstream>
#include <utility>

#include "blackboard/checks/check.hpp"

namespace bidboard {
namespace {

/// An arrow from each needed task to the one that waits for it. Vertices are numbered in the order of their
/// ids, so that comparing vertices compares ids and every tie ends there.
using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS>;
using Vertex = Graph::vertex_descriptor;
constexpr Vertex nowhere = std::numeric_limits<Vertex>::max();

constexpr Micros heaviest = 4'000'000'000'000'000'000;

/// a + b for a, b in [0, heaviest], clamped there.
Micros add(Micros a, Micros b) { return std::min(a + b, heaviest); }

/// Everything reachable from `start` but itself, in the order of ids.
template <class AnyGraph>
std::vector<Vertex> reachable(const AnyGraph& graph, Vertex start) {
  std::vector<boost::default_color_type> colours(num_vertices(graph));
  const auto colour_map = boost::make_iterator_property_map(colours.begin(), get(boost::vertex_index, graph));
  boost::breadth_first_search(graph, start, boost::color_map(colour_map));
  std::vector<Vertex> found;
  for (Vertex v = 0; v < colours.size(); ++v)
    if (v != start && colours[v] != boost::default_color_type()) found.push_back(v);
  return found;
}

/// Inside a quoted DOT string. What Graphviz would read as an escape or as the end of the string is defused.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n')
      out += "\\n";
    else if (static_cast<unsigned char>(c) >= 0x20)
      out += c;
  }
  return out;
}

}  // namespace

struct TaskGraph::Impl {
  std::vector<Node> nodes;  ///< by id; index = vertex
  Graph graph;

  Vertex find(TaskId id) const {
    const auto at = std::ranges::lower_bound(nodes, id, {}, &Node::id);
    return at != nodes.end() && at->id == id ? static_cast<Vertex>(at - nodes.begin()) : nowhere;
  }

  std::vector<TaskId> ids(const std::vector<Vertex>& vertices) const {
    std::vector<TaskId> out;
    out.reserve(vertices.size());
    for (const Vertex v : vertices) out.push_back(nodes[v].id);
    return out;
  }

  /// Every vertex after all it leads to: dependents first.
  std::vector<Vertex> dependents_first() const {
    std::vector<Vertex> order;
    try {
      boost::topological_sort(graph, std::back_inserter(order));
    } catch (const boost::not_a_dag&) {
      BB_CHECK(false, "the graph has a cycle: ask cycle() first");
    }
    return order;
  }

  /// The smallest vertex that lies on a cycle.
  Vertex smallest_on_a_cycle() const {
    std::vector<std::size_t> component(nodes.size());
    const auto component_map =
        boost::make_iterator_property_map(component.begin(), get(boost::vertex_index, graph));
    std::vector<std::size_t> size(boost::strong_components(graph, component_map));
    for (const std::size_t c : component) ++size[c];
    for (Vertex v = 0; v < nodes.size(); ++v)
      if (size[component[v]] > 1 || edge(v, v, graph).second) return v;
    return nowhere;
  }

  struct Chain {
    std::vector<Micros> weight;  ///< of the vertex and the heaviest chain after it
    std::vector<Vertex> next;    ///< the first vertex of that chain
  };
  Chain chains() const {
    Chain chain{std::vector<Micros>(nodes.size()), std::vector<Vertex>(nodes.size(), nowhere)};
    for (const Vertex v : dependents_first()) {
      Vertex& next = chain.next[v];
      for (const auto& e : boost::make_iterator_range(out_edges(v, graph))) {
        const Vertex w = target(e, graph);
        if (next == nowhere || std::pair(-chain.weight[w], w) < std::pair(-chain.weight[next], next))
          next = w;
      }
      chain.weight[v] = add(nodes[v].weight, next == nowhere ? 0 : chain.weight[next]);
    }
    return chain;
  }
};

TaskGraph::TaskGraph(std::span<const Node> nodes, std::span<const Edge> edges)
    : impl_(std::make_unique<Impl>()) {
  impl_->nodes.assign(nodes.begin(), nodes.end());
  std::ranges::sort(impl_->nodes, {}, &Node::id);
  BB_CHECK(std::ranges::adjacent_find(impl_->nodes, {}, &Node::id) == impl_->nodes.end(),
           "a task is listed twice");
  for (Node& node : impl_->nodes) {
    BB_CHECK(node.weight >= 0, "a weight is negative");
    node.weight = std::min(node.weight, heaviest);
  }

  std::vector<std::pair<Vertex, Vertex>> arrows;
  for (const Edge& e : edges) {
    const std::pair arrow{impl_->find(e.needs), impl_->find(e.task)};
    if (arrow.first != nowhere && arrow.second != nowhere) arrows.push_back(arrow);
  }
  std::ranges::sort(arrows);
  const auto first_double = std::unique(arrows.begin(), arrows.end());
  arrows.erase(first_double, arrows.end());
  impl_->graph = Graph(arrows.begin(), arrows.end(), impl_->nodes.size());
}

TaskGraph::~TaskGraph() = default;
TaskGraph::TaskGraph(TaskGraph&&) noexcept = default;
TaskGraph& TaskGraph::operator=(TaskGraph&&) noexcept = default;

std::optional<std::vector<TaskId>> TaskGraph::cycle() const {
  const Vertex start = impl_->smallest_on_a_cycle();
  if (start == nowhere) return {};
  // Breadth first along needs: the first way back to the start is a shortest one.
  const auto needs = boost::make_reverse_graph(impl_->graph);
  std::vector<Vertex> from(impl_->nodes.size(), nowhere);
  std::queue<Vertex> open({start});
  while (true) {
    const Vertex v = open.front();
    open.pop();
    for (const auto& e : boost::make_iterator_range(out_edges(v, needs))) {
      const Vertex w = target(e, needs);
      if (w == start) {
        std::vector<Vertex> path{start};
        for (Vertex step = v; step != start; step = from[step]) path.push_back(step);
        path.push_back(start);
        std::ranges::reverse(path);
        return impl_->ids(path);
      }
      if (from[w] == nowhere) {
        from[w] = v;
        open.push(w);
      }
    }
  }
}

std::vector<TaskId> TaskGraph::topological_order() const {
  // Boost's topological sort is depth-first; the smallest id that may come next needs a heap (Kahn 1962).
  const Graph& graph = impl_->graph;
  std::vector<std::size_t> open_needs(impl_->nodes.size());
  std::priority_queue<Vertex, std::vector<Vertex>, std::greater<>> ready;
  for (Vertex v = 0; v < open_needs.size(); ++v)
    if ((open_needs[v] = in_degree(v, graph)) == 0) ready.push(v);
  std::vector<Vertex> order;
  while (!ready.empty()) {
    const Vertex v = ready.top();
    ready.pop();
    order.push_back(v);
    for (const auto& e : boost::make_iterator_range(out_edges(v, graph)))
      if (--open_needs[target(e, graph)] == 0) ready.push(target(e, graph));
  }
  BB_CHECK(order.size() == impl_->nodes.size(), "the graph has a cycle: ask cycle() first");
  return impl_->ids(order);
}

std::map<TaskId, Micros> TaskGraph::bottom_levels() const {
  const std::vector<Micros> weight = impl_->chains().weight;
  std::map<TaskId, Micros> levels;
  for (Vertex v = 0; v < weight.size(); ++v) levels.emplace_hint(levels.end(), impl_->nodes[v].id, weight[v]);
  return levels;
}

std::map<TaskId, Micros> TaskGraph::top_levels() const {
  const std::vector<Vertex> order = impl_->dependents_first();
  std::vector<Micros> begin(order.size());
  for (auto v = order.rbegin(); v != order.rend(); ++v)
    for (const auto& e : boost::make_iterator_range(out_edges(*v, impl_->graph))) {
      Micros& later = begin[target(e, impl_->graph)];
      later = std::max(later, add(begin[*v], impl_->nodes[*v].weight));
    }
  std::map<TaskId, Micros> levels;
  for (Vertex v = 0; v < begin.size(); ++v) levels.emplace_hint(levels.end(), impl_->nodes[v].id, begin[v]);
  return levels;
}

std::vector<TaskId> TaskGraph::critical_path() const {
  const Impl::Chain chain = impl_->chains();
  if (chain.weight.empty()) return {};
  std::vector<Vertex> path;
  for (auto v = static_cast<Vertex>(std::ranges::max_element(chain.weight) - chain.weight.begin());
       v != nowhere; v = chain.next[v])
    path.push_back(v);
  return impl_->ids(path);
}

std::vector<TaskId> TaskGraph::ancestors(TaskId id) const {
  const Vertex v = impl_->find(id);
  return v == nowhere ? std::vector<TaskId>{}
                      : impl_->ids(reachable(boost::make_reverse_graph(impl_->graph), v));
}

std::vector<TaskId> TaskGraph::descendants(TaskId id) const {
  const Vertex v = impl_->find(id);
  return v == nowhere ? std::vector<TaskId>{} : impl_->ids(reachable(impl_->graph, v));
}

std::string TaskGraph::dot() const {
  const auto write_node = [this](std::ostream& out, Vertex v) {
    const Node& node = impl_->nodes[v];
    out << "[label=\"" << escaped(node.label.empty() ? to_string(node.id) : node.label) << '"';
    if (!node.colour.empty()) out << ", style=filled, fillcolor=\"" << escaped(node.colour) << '"';
    out << ']';
  };
  std::vector<std::string> names;
  for (const Node& node : impl_->nodes) names.push_back(to_string(node.id));
  const auto name_map =
      boost::make_iterator_property_map(names.begin(), get(boost::vertex_index, impl_->graph));
  std::ostringstream out;
  out.imbue(std::locale::classic());
  boost::write_graphviz(
      out, impl_->graph, write_node, boost::default_writer(),
      boost::make_graph_attributes_writer(std::map<std::string, std::string>{{"rankdir", "LR"}},
                                          std::map<std::string, std::string>{{"shape", "box"}},
                                          std::map<std::string, std::string>{}),
      name_map);
  return out.str();
}

}  // namespace bidboard
