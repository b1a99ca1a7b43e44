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
// and at most tasks + queues of them exist. All sums are exact in 128 bits.
#include <algorithm>
#include <optional>
#include <utility>

#include "auction/mechanisms/market.hpp"
#include "blackboard/check.hpp"

namespace bidboard {
namespace {

constexpr std::size_t nobody = SIZE_MAX;

/// One slot that takes any number of tasks; without queueing, all slots of one agent, each of which takes
/// one.
struct Queue {
  std::size_t agent = 0;
  std::size_t slot = 0;
};

struct Place {
  std::size_t queue = 0;
  std::size_t number = 1;      ///< from the end, from 1
  Wide wait = 0;               ///< for the slot itself
  std::size_t taker = nobody;  ///< row
  Wide price = 0;              ///< dual, ≤ 0
};

struct Entry {
  bool allowed = false;
  Micros cost = 0;
  Micros delay = 0;  ///< what each task behind it pays for waiting
  Micros seconds = 0;
};

class Solver {
 public:
  Solver(const Problem& problem, const Market& market);
  void solve();
  Outcome outcome() const;

 private:
  struct Search {
    std::vector<Wide> distance;     ///< by place; meaningful where `from` is set
    std::vector<std::size_t> from;  ///< row from which the place is reached
    std::vector<bool> done;
    std::vector<std::size_t> rows;  ///< scanned
    std::size_t giver = nobody;     ///< row for which "nobody" is reached at the least distance ...
    Wide giving_up = 0;             ///< ... namely this
  };

  const Entry& entry(std::size_t row, std::size_t queue) const {
    return entries_[row * market_.agents.size() + queues_[queue].agent];
  }
  Wide cost(std::size_t row, const Place& place) const {
    const Entry& e = entry(row, place.queue);
    return e.cost + place.wait + static_cast<Wide>(place.number - 1) * e.delay;
  }
  void open_place(std::size_t queue, std::size_t number);
  void assign(std::size_t row);
  void scan(Search& search, std::size_t row, Wide distance) const;
  std::size_t nearest_place(const Search& search) const;
  void reprice(const Search& search, std::size_t start, Wide length);
  std::vector<Award> awards() const;
  void line_up(const Queue& queue, const std::vector<std::size_t>& rows,
               std::vector<std::pair<std::size_t, Award>>& out) const;
  std::optional<Certificate> certificate() const;

  const Problem& problem_;
  const Market& market_;
  std::vector<std::size_t> tasks_;  ///< by row: index of the task; rows go by id
  std::vector<Entry> entries_;      ///< row × agent
  std::vector<Queue> queues_;
  std::vector<Place> places_;
  std::vector<std::size_t> place_of_;  ///< by row
  std::vector<Wide> prices_;           ///< duals of the rows
  Wide penalty_ = 1;
};

Solver::Solver(const Problem& problem, const Market& market) : problem_(problem), market_(market) {
  tasks_.resize(market.tasks.size());
  for (std::size_t i = 0; i < tasks_.size(); ++i) tasks_[i] = i;
  std::ranges::sort(tasks_, {}, [&](std::size_t task) { return market.tasks[task]; });
  place_of_.assign(tasks_.size(), nobody);
  prices_.assign(tasks_.size(), 0);

  for (std::size_t agent = 0; agent < market.agents.size(); ++agent) {
    const std::size_t count =
        problem.queueing ? market.slots[agent].size() : std::min<std::size_t>(1, market.slots[agent].size());
    for (std::size_t slot = 0; slot < count; ++slot) queues_.push_back({agent, slot});
  }
  entries_.resize(tasks_.size() * market.agents.size());
  for (std::size_t row = 0; row < tasks_.size(); ++row) {
    Wide least = 0;
    Wide most = 0;
    for (const Offer& offer : market.offers[tasks_[row]]) {
      const Micros delay = problem.queueing ? wait_score(offer.seconds, problem.weights) : 0;
      entries_[row * market.agents.size() + offer.agent] = {true, offer.cost, delay, offer.seconds};
      least = std::min<Wide>(least, offer.cost);
      most = std::max<Wide>(most, Wide{offer.cost} + max_score + static_cast<Wide>(tasks_.size()) * delay);
    }
    penalty_ += most - least;
  }
  for (std::size_t queue = 0; queue < queues_.size(); ++queue) open_place(queue, 1);
}

void Solver::open_place(std::size_t queue, std::size_t number) {
  const auto& slots = market_.slots[queues_[queue].agent];
  if (!problem_.queueing && number > slots.size()) return;
  const Micros free_in = problem_.queueing ? slots[queues_[queue].slot] : slots[number - 1];
  places_.push_back({queue, number, wait_score(free_in, problem_.weights), nobody, 0});
}

void Solver::solve() {
  for (std::size_t row = 0; row < tasks_.size(); ++row) assign(row);
  Wide duals = 0;
  Wide total = 0;
  for (const Wide price : prices_) duals += price;
  for (const Place& place : places_) duals += place.price;
  for (std::size_t row = 0; row < tasks_.size(); ++row)
    total += place_of_[row] == nobody ? penalty_ : cost(row, places_[place_of_[row]]);
  BB_CHECK(duals == total, "the prices do not prove the assignment");
}

/// Dijkstra over reduced costs, from a row that has no place to the nearest free place or "nobody".
void Solver::assign(std::size_t start) {
  Search search{std::vector<Wide>(places_.size()),
                std::vector<std::size_t>(places_.size(), nobody),
                std::vector<bool>(places_.size()),
                {},
                nobody,
                0};
  std::size_t row = start;
  Wide length = 0;
  std::size_t end = nobody;  // stays so when the search ends at somebody's "nobody"
  while (true) {
    scan(search, row, length);
    const std::size_t place = nearest_place(search);
    if (place == nobody || search.giving_up < search.distance[place]) {
      length = search.giving_up;
      break;
    }
    length = search.distance[place];
    search.done[place] = true;
    if (places_[place].taker == nobody) {
      end = place;
      break;
    }
    row = places_[place].taker;
  }
  reprice(search, start, length);
  // Back along the path: each row hands its place to the row it was reached from.
  std::size_t place = end;
  if (end == nobody) place = std::exchange(place_of_[search.giver], nobody);
  if (end == nobody && search.giver == start) return;
  while (true) {
    const std::size_t taker = search.from[place];
    places_[place].taker = taker;
    std::swap(place, place_of_[taker]);
    if (taker == start) break;
  }
  if (end != nobody) open_place(places_[end].queue, places_[end].number + 1);
}

void Solver::scan(Search& search, std::size_t row, Wide distance) const {
  search.rows.push_back(row);
  if (const Wide up = distance + penalty_ - prices_[row]; search.giver == nobody || up < search.giving_up) {
    search.giver = row;
    search.giving_up = up;
  }
  for (std::size_t j = 0; j < places_.size(); ++j) {
    if (search.done[j] || !entry(row, places_[j].queue).allowed) continue;
    const Wide through = distance + cost(row, places_[j]) - prices_[row] - places_[j].price;
    if (search.from[j] != nobody && search.distance[j] <= through) continue;
    search.distance[j] = through;
    search.from[j] = row;
  }
}

/// Ties prefer a free place, which ends the search, then the one opened first.
std::size_t Solver::nearest_place(const Search& search) const {
  std::size_t best = nobody;
  for (std::size_t j = 0; j < places_.size(); ++j) {
    if (search.done[j] || search.from[j] == nobody) continue;
    const bool taken = places_[j].taker != nobody;
    if (best == nobody || search.distance[j] < search.distance[best] ||
        (search.distance[j] == search.distance[best] && !taken && places_[best].taker != nobody))
      best = j;
  }
  return best;
}

void Solver::reprice(const Search& search, std::size_t start, Wide length) {
  for (const std::size_t row : search.rows)
    prices_[row] += row == start ? length : length - search.distance[place_of_[row]];
  for (std::size_t j = 0; j < search.done.size(); ++j)
    if (search.done[j]) places_[j].price -= length - search.distance[j];
}

/// The tasks of one queue in the order in which they run: short waits first, as the places demand; ties as
/// admitted.
void Solver::line_up(const Queue& queue, const std::vector<std::size_t>& rows,
                     std::vector<std::pair<std::size_t, Award>>& out) const {
  const auto entry_of = [&](std::size_t row) { return entries_[row * market_.agents.size() + queue.agent]; };
  std::vector<std::size_t> order = rows;
  std::ranges::sort(order, {}, [&](std::size_t row) { return std::pair(entry_of(row).delay, tasks_[row]); });
  const auto& slots = market_.slots[queue.agent];
  SlotQueue slot(slots[queue.slot], problem_.weights);
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (!problem_.queueing) slot = SlotQueue(slots[i], problem_.weights);
    const Entry& e = entry_of(order[i]);
    const Micros cost = clamp_micros(Wide{e.cost} + slot.wait);
    const std::size_t task = tasks_[order[i]];
    out.push_back({task, {market_.tasks[task], market_.agents[queue.agent], slot.free_in, cost, cost}});
    slot.push(e.seconds, problem_.weights);
  }
}

std::vector<Award> Solver::awards() const {
  std::vector<std::vector<std::size_t>> rows(queues_.size());
  for (std::size_t row = 0; row < tasks_.size(); ++row)
    if (place_of_[row] != nobody) rows[places_[place_of_[row]].queue].push_back(row);
  std::vector<std::pair<std::size_t, Award>> found;
  for (std::size_t queue = 0; queue < queues_.size(); ++queue) line_up(queues_[queue], rows[queue], found);
  std::ranges::sort(found, {}, [](const auto& item) { return item.first; });
  std::vector<Award> out;
  for (auto& [task, award] : found) out.push_back(award);
  return out;
}

std::optional<Certificate> Solver::certificate() const {
  bool fits = true;
  const auto narrow = [&fits](Wide value) {
    fits = fits && clamp_micros(value) == value;
    return clamp_micros(value);
  };
  Certificate out;
  out.task_prices.resize(tasks_.size());
  Wide bound = 0;
  for (std::size_t row = 0; row < tasks_.size(); ++row) {
    out.task_prices[tasks_[row]] = narrow(prices_[row]);
    bound += prices_[row];
  }
  for (const Place& place : places_) {
    if (place.taker == nobody) continue;
    const Queue& queue = queues_[place.queue];
    out.place_prices.push_back({market_.agents[queue.agent], static_cast<std::uint32_t>(queue.slot),
                                static_cast<std::uint32_t>(place.number), narrow(place.price)});
    bound += place.price;
  }
  std::ranges::sort(out.place_prices, {}, [](const auto& p) { return std::tuple(p.agent, p.slot, p.place); });
  out.unassigned = narrow(penalty_);
  out.bound = narrow(bound);
  return fits ? std::optional(std::move(out)) : std::nullopt;
}

Outcome Solver::outcome() const {
  Outcome out = outcome_of(awards());
  out.certificate = certificate();
  return out;
}

}  // namespace

Outcome optimal(const Problem& problem) {
  const Market market(problem);
  Solver solver(problem, market);
  solver.solve();
  return solver.outcome();
}

}  // namespace bidboard
