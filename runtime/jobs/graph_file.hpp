// Importers for task graphs: DOT (Graphviz; https://graphviz.org/doc/info/lang.html) and STG (Standard Task
// Graph Set: Tobita and Kasahara, "A standard task graph set for fair evaluation of multiprocessor scheduling
// algorithms", J. Scheduling 5, 2002; without communication costs). Like a trace (trace.hpp), a graph is done
// by simulated agents.
//
// DOT: an edge a -> b means that b needs a, as `bidboard graph` prints it. A node is a task: name = its id,
// title = `label`, kind = `kind` or `type`, size = the first of `seconds`, `duration`, `runtime` and
// `weight`, in seconds; 1 without any of them. Subgraphs, defaults (`node [weight=2]`) and ports are
// understood, all other attributes ignored.
//
// STG: the processing times are seconds. The two dummy tasks at the ends of the graph, which take no time,
// are left out.
#pragma once

#include <string>
#include <string_view>

#include "runtime/jobs/plan.hpp"

namespace bidboard {

/// By the file's ending (.dot, .gv, .stg), or because the text begins as a DOT graph, which no job file does.
bool is_graph_file(std::string_view text, std::string_view file);

/// Errors: invalid, findings with their places: what cannot be read, undirected graphs, unknown tasks, sizes
/// that are not numbers or negative, cycles spelled out.
Result<Plan> read_graph_file(std::string_view text, std::string file);

}  // namespace bidboard
