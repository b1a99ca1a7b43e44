// Successive shortest augmenting paths (Jonker and Volgenant, "A shortest augmenting path algorithm for dense
// and sparse linear assignment problems", Computing 38, 1987), without their initial phases, in the
// rectangular form of Crouse ("On implementing 2D rectangular assignment algorithms", IEEE Trans. Aerospace
// and Electronic Systems 52, 2016).
//
// Free columns have price 0, and a later place never costs less than an earlier one. So of each queue's free
// places only the first can end a shortest path: places are opened one by one as queues grow, and there are
// at most tasks + queues of them.
#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "auction/mechanisms/assignment.hpp"
#include "blackboard/checks/check.hpp"

namespace bidboard::assignment {
namespace {

/// Number: wide enough for a few times the penalty.
template <class Number>
class Solver {
 public:
  explicit Solver(const Matrix& matrix);
  Solution solve();

 private:
  struct Place {
    Index queue = 0;
    Index number = 1;      ///< from the end, from 1
    Index taker = nobody;  ///< row
    Number wait = 0;       ///< for the slot itself
    Number price = 0;      ///< dual, ≤ 0
  };
  /// Greater than every distance. (numeric_limits does not support 128 bits everywhere.)
  static constexpr Number far = Number{1} << (8 * sizeof(Number) - 2);

  /// Of one place in one search.
  struct Label {
    Number distance = far;
    Index from = nobody;  ///< row from which the place is reached
  };
  struct Search {
    std::vector<Label> labels;   ///< by place
    std::vector<Index> open;     ///< places with a tentative distance
    std::vector<Index> reached;  ///< places with a final distance
    std::vector<Index> rows;     ///< scanned
    Index giver = nobody;        ///< row whose "nobody" column has the smallest distance ...
    Number giving_up = 0;        ///< ... and that distance
  };

  void open_place(Index queue, Index number);
  void assign(Index start);
  std::size_t scan(Search& search, Index row, Number distance) const;
  void reprice(const Search& search, Index start, Number length);
  Number cost(Index row, const Place& place) const {
    return place.wait + matrix_.cost<Number>(row, place.queue, place.number);
  }

  const Matrix& matrix_;
  std::vector<Place> places_;
  std::vector<Index> place_of_;  ///< by row
  std::vector<Number> prices_;   ///< duals of the rows
};

template <class Number>
Solver<Number>::Solver(const Matrix& matrix)
    : matrix_(matrix), place_of_(matrix.tasks.size(), nobody), prices_(matrix.tasks.size(), 0) {
  for (Index queue = 0; queue < matrix.queues.size(); ++queue) open_place(queue, 1);
}

template <class Number>
void Solver<Number>::open_place(Index queue, Index number) {
  if (matrix_.has_place(queue, number))
    places_.push_back({queue, number, nobody, matrix_.slot_wait(queue, number), 0});
}

template <class Number>
Solution Solver<Number>::solve() {
  for (Index row = 0; row < prices_.size(); ++row) assign(row);
  Solution out;
  out.rows.resize(matrix_.queues.size());
  out.duals.rows.assign(prices_.begin(), prices_.end());
  for (Index row = 0; row < prices_.size(); ++row) {
    if (place_of_[row] == nobody) {
      out.cost += matrix_.giving_up[row];
      continue;
    }
    const Place& place = places_[place_of_[row]];
    out.cost += cost(row, place);
    out.rows[place.queue].push_back(row);
    out.duals.places.push_back({place.queue, place.number, place.price});
  }
  BB_CHECK(out.duals.bound() == out.cost, "the prices do not prove the assignment");
  return out;
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
  Index end = nobody;  // stays so if the search ends at a "nobody" column
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
  // Back along the path: each row passes its place to the row it was reached from.
  Index place = end == nobody ? std::exchange(place_of_[search.giver], nobody) : end;
  for (Index taker = end == nobody && search.giver == start ? start : nobody; taker != start;) {
    taker = search.labels[place].from;
    places_[place].taker = taker;
    std::swap(place, place_of_[taker]);
  }
  if (end != nobody) open_place(places_[end].queue, places_[end].number + 1);
}

/// Relaxes all edges of the row; returns the nearest open place, as an index into `open`. Ties prefer a free
/// place, which ends the search, then the one opened first.
template <class Number>
std::size_t Solver<Number>::scan(Search& search, Index row, Number distance) const {
  search.rows.push_back(row);
  const Number base = distance - prices_[row];
  const auto give_up = static_cast<Number>(matrix_.giving_up[row]);
  if (search.giver == nobody || base + give_up < search.giving_up) {
    search.giver = row;
    search.giving_up = base + give_up;
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

}  // namespace

Solution shortest_paths(const Matrix& matrix) {
  // Prices and path lengths stay within a few penalties, and a penalty exceeds every cost: 64 bits are enough
  // for most problems, at half the time.
  constexpr Wide narrow_enough = std::numeric_limits<Micros>::max() / 16;
  return matrix.penalty < narrow_enough ? Solver<Micros>(matrix).solve() : Solver<Wide>(matrix).solve();
}

}  // namespace bidboard::assignment
