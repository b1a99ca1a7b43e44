// The assignment of least total cost, exactly.
//
// Columns of the assignment problem are places: the k-th place from the end of a slot's queue. Whoever takes
// it delays the k - 1 tasks behind it, so its seconds count k - 1 times as waiting, once per waiting task
// (Bruno, Coffman and Sethi, "Scheduling independent tasks to reduce mean finishing time", CACM 17, 1974);
// the slot's own wait and the task's cost come on top. Each task has a further column of its own, "nobody",
// at a penalty above all differences of costs: thus as many tasks as possible are assigned first.
//
// Solved by shortest augmenting paths (Jonker and Volgenant, "A shortest augmenting path algorithm for dense
// and sparse linear assignment problems", Computing 38, 1987), without their initial phases, in the
// rectangular form of Crouse ("On implementing 2D rectangular assignment algorithms", IEEE Trans. Aerospace
// and Electronic Systems 52, 2016).
//
// A later place in a queue never costs less than an earlier one, and free columns have price 0. So of each
// queue's free places only the first can end a shortest path: places are opened one by one as queues grow,
// and at most tasks + queues of them exist.
#include <algorithm>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>

#include "auction/mechanisms/market.hpp"
#include "blackboard/check.hpp"

namespace bidboard {
namespace {

using Index = std::uint32_t;
constexpr Index nobody = std::numeric_limits<Index>::max();

/// One slot that takes any number of tasks; without queueing, all slots of one agent, each of which takes
/// one.
struct Queue {
  Index agent = 0;
  Index slot = 0;
};

struct Entry {
  bool allowed = false;
  Micros cost = 0;
  Micros delay = 0;  ///< what each task behind it pays for waiting
  Micros seconds = 0;
};

/// The assignment problem: rows are tasks by id, columns are the places of the queues.
struct Matrix {
  Matrix(const Problem& problem, const Market& market);
  const Entry& entry(Index row, Index queue) const { return entries[row * agents + queues[queue].agent]; }

  std::vector<Index> tasks;  ///< by row: index into Market::tasks
  std::vector<Queue> queues;
  std::size_t agents = 0;
  std::vector<Entry> entries;  ///< row × agent
  Wide penalty = 1;            ///< of leaving a task to nobody
};

Matrix::Matrix(const Problem& problem, const Market& market) : agents(market.agents.size()) {
  for (Index i = 0; i < market.tasks.size(); ++i) tasks.push_back(i);
  std::ranges::sort(tasks, {}, [&](Index task) { return market.tasks[task]; });
  Micros longest_wait = 0;
  for (Index agent = 0; agent < agents; ++agent) {
    const std::size_t slots = market.slots[agent].size();
    for (Index slot = 0; slot < (problem.queueing ? slots : std::min<std::size_t>(slots, 1)); ++slot)
      queues.push_back({agent, slot});
    if (slots > 0)
      longest_wait = std::max(longest_wait, wait_score(market.slots[agent].back(), problem.weights));
  }
  entries.resize(tasks.size() * agents);
  for (std::size_t row = 0; row < tasks.size(); ++row) {
    Wide least = 0;
    Wide most = 0;
    for (const Offer& offer : market.offers[tasks[row]]) {
      const Micros delay = problem.queueing ? wait_score(offer.seconds, problem.weights) : 0;
      entries[row * agents + offer.agent] = {true, offer.cost, delay, offer.seconds};
      least = std::min<Wide>(least, offer.cost);
      most = std::max<Wide>(most, Wide{offer.cost} + longest_wait + static_cast<Wide>(tasks.size()) * delay);
    }
    penalty += most - least;
  }
}

/// Number: wide enough for a few times the penalty.
template <class Number>
class Solver {
 public:
  Solver(const Problem& problem, const Market& market, const Matrix& matrix);
  void solve();
  /// By queue: the rows that got a place there.
  std::vector<std::vector<Index>> assignment() const;
  std::optional<Certificate> certificate() const;

 private:
  struct Place {
    Index queue = 0;
    Index number = 1;      ///< from the end, from 1
    Index taker = nobody;  ///< row
    Number wait = 0;       ///< for the slot itself
    Number price = 0;      ///< dual, ≤ 0
  };
  /// Beyond every distance. (numeric_limits does not know 128 bits everywhere.)
  static constexpr Number far = Number{1} << (8 * sizeof(Number) - 2);

  /// Of one place in one search.
  struct Label {
    Number distance = far;
    Index from = nobody;  ///< row from which the place is reached
  };
  struct Search {
    std::vector<Label> labels;   ///< by place
    std::vector<Index> open;     ///< places not yet reached for good
    std::vector<Index> reached;  ///< places reached for good
    std::vector<Index> rows;     ///< scanned
    Index giver = nobody;        ///< row for which "nobody" is reached at the least distance ...
    Number giving_up = 0;        ///< ... namely this
  };

  void open_place(Index queue, Index number);
  void assign(Index start);
  std::size_t scan(Search& search, Index row, Number distance) const;
  void reprice(const Search& search, Index start, Number length);
  Number cost(Index row, const Place& place) const {
    const Entry& e = matrix_.entry(row, place.queue);
    return e.cost + place.wait + static_cast<Number>(place.number - 1) * e.delay;
  }

  const Problem& problem_;
  const Market& market_;
  const Matrix& matrix_;
  Number penalty_;
  std::vector<Place> places_;
  std::vector<Index> place_of_;  ///< by row
  std::vector<Number> prices_;   ///< duals of the rows
};

template <class Number>
Solver<Number>::Solver(const Problem& problem, const Market& market, const Matrix& matrix)
    : problem_(problem),
      market_(market),
      matrix_(matrix),
      penalty_(static_cast<Number>(matrix.penalty)),
      place_of_(matrix.tasks.size(), nobody),
      prices_(matrix.tasks.size(), 0) {
  for (Index queue = 0; queue < matrix.queues.size(); ++queue) open_place(queue, 1);
}

template <class Number>
void Solver<Number>::open_place(Index queue, Index number) {
  const auto& slots = market_.slots[matrix_.queues[queue].agent];
  if (!problem_.queueing && number > slots.size()) return;
  const Micros free_in = problem_.queueing ? slots[matrix_.queues[queue].slot] : slots[number - 1];
  places_.push_back({queue, number, nobody, wait_score(free_in, problem_.weights), 0});
}

template <class Number>
void Solver<Number>::solve() {
  for (Index row = 0; row < prices_.size(); ++row) assign(row);
  Wide duals = 0;
  Wide total = 0;
  for (const Number price : prices_) duals += price;
  for (const Place& place : places_) duals += place.price;
  for (Index row = 0; row < prices_.size(); ++row)
    total += place_of_[row] == nobody ? penalty_ : cost(row, places_[place_of_[row]]);
  BB_CHECK(duals == total, "the prices do not prove the assignment");
}

/// Dijkstra over reduced costs, from a row that has no place to the nearest free place or "nobody".
template <class Number>
void Solver<Number>::assign(Index start) {
  Search search;
  search.labels.resize(places_.size());
  search.open.resize(places_.size());
  for (Index j = 0; j < places_.size(); ++j) search.open[j] = j;
  Index row = start;
  Number length = 0;
  Index end = nobody;  // stays so when the search ends at somebody's "nobody"
  while (true) {
    const std::size_t at = scan(search, row, length);
    if (at == search.open.size() || search.giving_up < search.labels[search.open[at]].distance) {
      length = search.giving_up;
      break;
    }
    const Index place = search.open[at];
    length = search.labels[place].distance;
    if (places_[place].taker == nobody) {
      end = place;
      break;
    }
    search.open[at] = search.open.back();
    search.open.pop_back();
    search.reached.push_back(place);
    row = places_[place].taker;
  }
  reprice(search, start, length);
  // Back along the path: each row hands its place to the row it was reached from.
  Index place = end == nobody ? std::exchange(place_of_[search.giver], nobody) : end;
  for (Index taker = end == nobody && search.giver == start ? start : nobody; taker != start;) {
    taker = search.labels[place].from;
    places_[place].taker = taker;
    std::swap(place, place_of_[taker]);
  }
  if (end != nobody) open_place(places_[end].queue, places_[end].number + 1);
}

/// Relaxes all ways out of the row; the nearest open place then, as an index into `open`. Ties prefer a free
/// place, which ends the search, then the one opened first.
template <class Number>
std::size_t Solver<Number>::scan(Search& search, Index row, Number distance) const {
  search.rows.push_back(row);
  const Number base = distance - prices_[row];
  if (search.giver == nobody || base + penalty_ < search.giving_up) {
    search.giver = row;
    search.giving_up = base + penalty_;
  }
  std::size_t nearest = search.open.size();
  auto rank = std::tuple(far, true, nobody);
  for (std::size_t i = 0; i < search.open.size(); ++i) {
    const Index j = search.open[i];
    const Place& place = places_[j];
    Label& label = search.labels[j];
    if (matrix_.entry(row, place.queue).allowed) {
      const Number through = base + cost(row, place) - place.price;
      if (through < label.distance) label = {through, row};
    }
    if (label.distance > std::get<0>(rank) || label.from == nobody) continue;
    const auto own = std::tuple(label.distance, place.taker != nobody, j);
    if (own < rank) {
      rank = own;
      nearest = i;
    }
  }
  return nearest;
}

template <class Number>
void Solver<Number>::reprice(const Search& search, Index start, Number length) {
  for (const Index row : search.rows)
    prices_[row] += row == start ? length : length - search.labels[place_of_[row]].distance;
  for (const Index j : search.reached) places_[j].price -= length - search.labels[j].distance;
}

template <class Number>
std::vector<std::vector<Index>> Solver<Number>::assignment() const {
  std::vector<std::vector<Index>> rows(matrix_.queues.size());
  for (Index row = 0; row < place_of_.size(); ++row)
    if (place_of_[row] != nobody) rows[places_[place_of_[row]].queue].push_back(row);
  return rows;
}

template <class Number>
std::optional<Certificate> Solver<Number>::certificate() const {
  bool fits = true;
  const auto narrow = [&fits](Wide value) {
    fits = fits && clamp_micros(value) == value;
    return clamp_micros(value);
  };
  Certificate out;
  out.task_prices.resize(prices_.size());
  Wide bound = 0;
  for (std::size_t row = 0; row < prices_.size(); ++row) {
    out.task_prices[matrix_.tasks[row]] = narrow(prices_[row]);
    bound += prices_[row];
  }
  for (const Place& place : places_) {
    if (place.taker == nobody) continue;
    const Queue& queue = matrix_.queues[place.queue];
    out.place_prices.push_back({market_.agents[queue.agent], queue.slot, place.number, narrow(place.price)});
    bound += place.price;
  }
  std::ranges::sort(out.place_prices, {}, [](const auto& p) { return std::tuple(p.agent, p.slot, p.place); });
  out.unassigned = narrow(penalty_);
  out.bound = narrow(bound);
  return fits ? std::optional(std::move(out)) : std::nullopt;
}

/// The tasks of each queue in the order in which they run: short waits first, as the places demand; ties as
/// admitted.
std::vector<Award> line_up(const Problem& problem, const Market& market, const Matrix& matrix,
                           std::vector<std::vector<Index>> assignment) {
  std::vector<std::pair<Index, Award>> found;
  for (Index q = 0; q < matrix.queues.size(); ++q) {
    const Queue& queue = matrix.queues[q];
    std::ranges::sort(assignment[q], {},
                      [&](Index row) { return std::pair(matrix.entry(row, q).delay, matrix.tasks[row]); });
    const auto& slots = market.slots[queue.agent];
    SlotQueue slot(slots[queue.slot], problem.weights);
    for (std::size_t i = 0; i < assignment[q].size(); ++i) {
      if (!problem.queueing) slot = SlotQueue(slots[i], problem.weights);
      const Entry& entry = matrix.entry(assignment[q][i], q);
      const Index task = matrix.tasks[assignment[q][i]];
      const Micros cost = clamp_micros(Wide{entry.cost} + slot.wait);
      found.push_back({task, {market.tasks[task], market.agents[queue.agent], slot.free_in, cost, cost}});
      slot.push(entry.seconds, problem.weights);
    }
  }
  std::ranges::sort(found, {}, [](const auto& item) { return item.first; });
  std::vector<Award> awards;
  for (const auto& [task, award] : found) awards.push_back(award);
  return awards;
}

template <class Number>
Outcome solve(const Problem& problem, const Market& market, const Matrix& matrix) {
  Solver<Number> solver(problem, market, matrix);
  solver.solve();
  Outcome out = outcome_of(line_up(problem, market, matrix, solver.assignment()));
  out.certificate = solver.certificate();
  return out;
}

}  // namespace

Outcome optimal(const Problem& problem) {
  const Market market(problem);
  const Matrix matrix(problem, market);
  // Prices and path lengths stay within a few penalties, each of which exceeds every cost: 64 bits do for
  // most problems, at half the time.
  constexpr Wide narrow_enough = std::numeric_limits<Micros>::max() / 16;
  return matrix.penalty < narrow_enough ? solve<Micros>(problem, market, matrix)
                                        : solve<Wide>(problem, market, matrix);
}

}  // namespace bidboard
