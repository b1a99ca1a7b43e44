// The auction algorithm with ε-scaling (Bertsekas, "The auction algorithm: a distributed relaxation method
// for the assignment problem", Annals of Operations Research 14, 1988; "Linear Network Optimization", MIT
// Press 1991, chapter 4). Tasks without a place bid for the one that is best for them at the present prices,
// and raise its price by as much as it is better than the second best, and ε.
//
// There are more places than tasks, and a place that stays free must end at price 0. Prices kept from a
// coarser ε do not ensure that, so after each forward auction the free places that still have a price bid for
// tasks: the reverse auction of Bertsekas and Castañón ("A forward/reverse auction algorithm for asymmetric
// assignment problems", Computational Optimization and Applications 1, 1992), for places that may stay free.
//
// ε-complementary slackness holds throughout: a task's place is within ε of the best for it at the current
// prices. So the final cost is within tasks × ε of the minimum. Costs are multiplied by tasks + 1 and the
// last ε is 1: the costs are whole micro-units, so a difference below one micro-unit is zero, and the result
// is exact.
//
// A later place never costs less than an earlier one: of the places of a queue that never had a price, only
// the first two can be a task's best and second best. They are opened as needed.
#include <algorithm>
#include <deque>
#include <limits>
#include <optional>
#include <utility>

#include "auction/mechanisms/assignment.hpp"
#include "blackboard/checks/check.hpp"

namespace bidboard {
namespace {

using namespace assignment;

/// ε shrinks by this factor from one round to the next.
constexpr int coarseness = 5;

/// Number: wide enough for a few times the penalty × (tasks + 1).
template <class Number>
class Auctioneer {
 public:
  explicit Auctioneer(const Matrix& matrix);
  Solution solve();

 private:
  struct Place {
    Index queue = 0;
    Index number = 1;      ///< from the end, from 1
    Index taker = nobody;  ///< row
    Number wait = 0;       ///< for the slot itself
    Number price = 0;      ///< scaled, ≥ 0
  };
  struct Row {
    Index place = nobody;
    bool settled = false;  ///< it has that place, or stays unassigned
    Number pays = 0;       ///< scaled: what it pays at its place, including the place's price
  };

  void open_next(Index queue);
  void forward(Number epsilon);
  void bid(Index row, Number epsilon);
  void reverse(Number epsilon);
  Index win_back(Index place, Number epsilon);
  void settle(Index row, Index place, Number pays);
  Duals duals() const;
  Number cost(Index row, const Place& place) const {
    return place.wait + matrix_.cost<Number>(row, place.queue, place.number);
  }
  Number giving_up(Index row) const { return static_cast<Number>(matrix_.giving_up[row]); }

  const Matrix& matrix_;
  const Number scale_;
  std::vector<Row> rows_;
  std::vector<Place> places_;
  std::vector<Index> opened_;  ///< by queue: how many of its places
  std::deque<Index> idle_;     ///< rows to settle, or places that have a price and no taker
};

template <class Number>
Auctioneer<Number>::Auctioneer(const Matrix& matrix)
    : matrix_(matrix),
      scale_(static_cast<Number>(matrix.tasks.size() + 1)),
      rows_(matrix.tasks.size()),
      opened_(matrix.queues.size(), 0) {
  for (Index queue = 0; queue < opened_.size(); ++queue) {
    open_next(queue);
    open_next(queue);
  }
}

template <class Number>
void Auctioneer<Number>::open_next(Index queue) {
  const Index number = opened_[queue] + 1;
  if (!matrix_.has_place(queue, number)) return;
  opened_[queue] = number;
  places_.push_back({queue, number, nobody, matrix_.slot_wait(queue, number), 0});
}

template <class Number>
Solution Auctioneer<Number>::solve() {
  for (Number epsilon = static_cast<Number>(matrix_.penalty) * scale_;;) {
    epsilon = std::max<Number>(epsilon / coarseness, 1);
    forward(epsilon);
    reverse(epsilon);
    if (epsilon == 1) break;
  }
  Solution out;
  out.rows.resize(matrix_.queues.size());
  for (Index row = 0; row < rows_.size(); ++row) {
    BB_CHECK(rows_[row].settled, "an auction ends when every task is settled");
    if (rows_[row].place == nobody) {
      out.cost += matrix_.giving_up[row];
      continue;
    }
    const Place& place = places_[rows_[row].place];
    out.cost += cost(row, place);
    out.rows[place.queue].push_back(row);
  }
  out.duals = duals();
  const Wide gap = out.cost - out.duals.bound();
  BB_CHECK(gap >= 0 && gap <= static_cast<Wide>(rows_.size()), "the prices do not prove the assignment");
  return out;
}

/// Every row bids again, at the prices of the previous round.
template <class Number>
void Auctioneer<Number>::forward(Number epsilon) {
  for (Place& place : places_) place.taker = nobody;
  for (Index row = 0; row < rows_.size(); ++row) {
    rows_[row] = {};
    idle_.push_back(row);
  }
  while (!idle_.empty()) {
    const Index row = idle_.front();
    idle_.pop_front();
    bid(row, epsilon);
  }
}

template <class Number>
void Auctioneer<Number>::bid(Index row, Number epsilon) {
  Index best = nobody;
  Number least = giving_up(row) * scale_;
  Number second = least;
  for (Index j = 0; j < places_.size(); ++j) {
    const Place& place = places_[j];
    if (!matrix_.entry(row, place.queue).allowed) continue;
    const Number pays = cost(row, place) * scale_ + place.price;
    if (pays < least) {
      second = std::exchange(least, pays);
      best = j;
    } else {
      second = std::min(second, pays);
    }
  }
  if (best == nobody) return settle(row, nobody, least);  // no other row wants that column: it keeps price 0
  Place& place = places_[best];
  place.price += second - least + epsilon;
  if (place.taker != nobody) {
    rows_[place.taker].settled = false;
    idle_.push_back(place.taker);
  }
  settle(row, best, second + epsilon);
  if (place.number + 1 >= opened_[place.queue]) open_next(place.queue);
}

template <class Number>
void Auctioneer<Number>::settle(Index row, Index place, Number pays) {
  rows_[row] = {place, true, pays};
  if (place != nobody) places_[place].taker = row;
}

template <class Number>
void Auctioneer<Number>::reverse(Number epsilon) {
  const auto priced_and_free = [&](Index j) { return places_[j].taker == nobody && places_[j].price > 0; };
  for (Index j = 0; j < places_.size(); ++j)
    if (priced_and_free(j)) idle_.push_back(j);
  while (!idle_.empty()) {
    const Index place = idle_.front();
    idle_.pop_front();
    const Index row = win_back(place, epsilon);
    if (row == nobody) continue;
    const Index left = std::exchange(rows_[row].place, place);
    if (left == nobody) continue;
    places_[left].taker = nobody;
    if (priced_and_free(left)) idle_.push_back(left);
  }
}

/// The free place lowers its price until it suits a task as well as that task's current place, and takes the
/// task; or its price falls to 0, and it stays free. Returns the row that it took.
template <class Number>
Index Auctioneer<Number>::win_back(Index j, Number epsilon) {
  Place& place = places_[j];
  Index keenest = nobody;
  Number most = 0;
  Number second = 0;
  for (Index row = 0; row < rows_.size(); ++row) {
    if (!matrix_.entry(row, place.queue).allowed) continue;
    const Number would_pay = rows_[row].pays - cost(row, place) * scale_;
    if (would_pay > most) {
      second = std::exchange(most, would_pay);
      keenest = row;
    } else {
      second = std::max(second, would_pay);
    }
  }
  place.price = std::max<Number>(second - epsilon, 0);
  if (most <= epsilon) {
    place.price = 0;
    return nobody;
  }
  place.taker = keenest;
  rows_[keenest].pays = cost(keenest, place) * scale_ + place.price;
  return keenest;
}

/// Prices of places in micro-units, rounded down, and the resulting prices of tasks. Without queueing, an
/// agent's places are equal, and their prices may differ by ε, so all get the lowest of them.
template <class Number>
Duals Auctioneer<Number>::duals() const {
  std::vector<std::optional<Number>> lowest(matrix_.queues.size());  // including the wait
  for (const Place& place : places_) {
    std::optional<Number>& least = lowest[place.queue];
    const Number asks = place.price / scale_ + place.wait;
    least = std::min(least.value_or(asks), asks);
  }
  Duals out;
  for (const Row& row : rows_) {
    if (row.place == nobody) continue;
    const Place& place = places_[row.place];
    const Number price = matrix_.problem.queueing ? place.price / scale_
                                                  : std::max<Number>(*lowest[place.queue] - place.wait, 0);
    out.places.push_back({place.queue, place.number, -static_cast<Wide>(price)});
  }
  for (Index row = 0; row < rows_.size(); ++row) {
    Number least = giving_up(row);
    for (const Place& place : places_)
      if (matrix_.entry(row, place.queue).allowed)
        least = std::min<Number>(least, cost(row, place) + place.price / scale_);
    out.rows.push_back(least);
  }
  return out;
}

}  // namespace

Outcome bertsekas(const Problem& problem) {
  const Market market(problem);
  const Matrix matrix(problem, market);
  constexpr Wide narrow_enough = std::numeric_limits<Micros>::max() / 64;
  const bool narrow = matrix.penalty < narrow_enough / static_cast<Wide>(matrix.tasks.size() + 1);
  Solution solution = narrow ? Auctioneer<Micros>(matrix).solve() : Auctioneer<Wide>(matrix).solve();
  std::optional<Certificate> certificate = certificate_of(matrix, solution.duals, solution.cost);
  Outcome out = line_up(matrix, std::move(solution));
  out.certificate = std::move(certificate);
  out.exact = true;
  return out;
}

}  // namespace bidboard
