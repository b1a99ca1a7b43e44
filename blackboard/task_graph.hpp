// Analysis of dependencies: cycles, bottom levels, critical path, reachability, DOT. Wraps Boost.Graph;
// vertices are never removed, and every answer names TaskIds, never descriptors. Not for the hot path: ready
// counts are plain numbers in the task records.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "blackboard/ids.hpp"
#include "blackboard/time.hpp"

namespace bidboard {

class TaskGraph {
 public:
  struct Node {
    TaskId id;
    Micros weight = one;  ///< work of the task, micro-units
    std::string label;    ///< for DOT; may be empty
    std::string colour;   ///< for DOT: a Graphviz colour; may be empty
  };
  struct Edge {
    TaskId task;   ///< the one that waits
    TaskId needs;  ///< the one it waits for
  };

  /// Edges that name an unknown node are left out. Duplicate edges count once. A self-edge is a cycle.
  /// REQUIRES: ids are distinct; no weight is negative. Weights and their sums are clamped to 4e18.
  TaskGraph(std::span<const Node> nodes, std::span<const Edge> edges);
  ~TaskGraph();
  TaskGraph(TaskGraph&&) noexcept;
  TaskGraph& operator=(TaskGraph&&) noexcept;

  /// A cycle spelled out, first task repeated at the end (t1 needs t2 needs t1), the shortest through its
  /// smallest id; or nothing. The functions below except `dot` REQUIRE that there is none.
  std::optional<std::vector<TaskId>> cycle() const;
  /// Every task after all it needs; ties by id.
  std::vector<TaskId> topological_order() const;
  /// Weight of the task plus the heaviest chain of tasks that (transitively) need it.
  std::map<TaskId, Micros> bottom_levels() const;
  /// Weight of the heaviest chain of needs that ends just before the task begins.
  std::map<TaskId, Micros> top_levels() const;
  /// The heaviest chain, first task first; ties by id. Its weight is the least possible makespan.
  std::vector<TaskId> critical_path() const;
  std::vector<TaskId> ancestors(TaskId id) const;    ///< all it transitively needs, by id
  std::vector<TaskId> descendants(TaskId id) const;  ///< all that transitively need it, by id
  /// Graphviz text: an arrow from each needed task to the one that waits for it. Labels are escaped.
  std::string dot() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bidboard
