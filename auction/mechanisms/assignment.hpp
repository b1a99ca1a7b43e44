// A clearing as an assignment problem, for the mechanisms that solve it as a whole.
//
// Rows are tasks, columns are places: the k-th place from the end of a slot's queue. A task there delays the
// k - 1 tasks behind it, so its seconds count k - 1 times as waiting, once per waiting task (Bruno, Coffman
// and Sethi, "Scheduling independent tasks to reduce mean finishing time", CACM 17, 1974); the slot's own
// wait and the task's cost come on top. Each task has a further column of its own, "nobody", at a penalty
// above all differences of costs: thus as many tasks as possible are assigned first.
//
// A later place in a queue never costs less than an earlier one.
#pragma once

#include <limits>
#include <optional>
#include <vector>

#include "auction/market.hpp"

namespace bidboard::assignment {

using Index = std::uint32_t;
constexpr Index nobody = std::numeric_limits<Index>::max();

/// One slot that takes any number of tasks; without queueing, all slots of one agent, each of which takes one
/// task.
struct Queue {
  Index agent = 0;
  Index slot = 0;
};

/// The cost of the task at the agent, without the slot's wait: at place k, cost + (k - 1) × delay.
struct Line {
  Micros cost = 0;
  Micros delay = 0;      ///< what each task behind it pays for waiting
  Index other = nobody;  ///< in Matrix::lines: an alternative; the cheaper one counts
};
struct Entry {
  bool allowed = false;
  Line line;
  Micros seconds = 0;
};

struct Matrix {
  Matrix(const Problem& problem, const Market& market);

  const Entry& entry(Index row, Index queue) const { return entries[row * agents + queues[queue].agent]; }
  /// The wait for the slot that the place stands for.
  Micros slot_wait(Index queue, Index place) const;
  /// Whether the queue has that many places.
  bool has_place(Index queue, Index place) const;
  /// REQUIRES: the entry is allowed. Excludes the slot's wait.
  template <class Number>
  Number cost(Index row, Index queue, Index place) const {
    const Line* line = &entry(row, queue).line;
    const auto at = [&] { return line->cost + static_cast<Number>(place - 1) * line->delay; };
    Number least = at();
    for (; line->other != nobody; least = std::min<Number>(least, at())) line = &lines[line->other];
    return least;
  }
  /// An alternative way for the agent to do the task.
  void add(Index row, std::size_t agent, Line line);

  const Problem& problem;
  const Market& market;
  std::vector<Index> tasks;  ///< by row, in the order of the ids: index into Market::tasks
  std::vector<Queue> queues;
  std::size_t agents = 0;
  std::vector<Entry> entries;  ///< row × agent
  std::vector<Line> lines;
  Wide penalty = 1;             ///< of leaving a task unassigned
  std::vector<Wide> giving_up;  ///< by row: the cost of its column "nobody"; the penalty or less
};

/// Prices that bound the cost of every assignment from below.
struct Duals {
  struct Place {
    Index queue = 0;
    Index number = 1;
    Wide price = 0;  ///< ≤ 0
  };
  std::vector<Wide> rows;
  std::vector<Place> places;  ///< the occupied places; all others have price 0
  Wide bound() const;
};

struct Solution {
  std::vector<std::vector<Index>> rows;  ///< by queue: the rows that got a place there
  Wide cost = 0;                         ///< with the penalties
  Duals duals;
};

/// An assignment of minimum cost, exactly; the bound of its duals is its cost. (shortest_paths.cpp)
Solution shortest_paths(const Matrix& matrix);

/// The awards: the tasks of each queue in the order in which they run, short waits first, as the places
/// require; ties in the order of admission. REQUIRES: entries have one line each.
Outcome line_up(const Matrix& matrix, Solution solution);
/// `cost`: of the outcome, with the penalties. Nothing if a number does not fit into 64 bits.
std::optional<Certificate> certificate_of(const Matrix& matrix, const Duals& duals, Wide cost);

}  // namespace bidboard::assignment
