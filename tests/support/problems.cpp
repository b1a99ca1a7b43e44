#include "tests/support/problems.hpp"
#include "blackboard/fmt.hpp"

#include <algorithm>
#include <set>

namespace bidboard::testing {
namespace {

Micros total_wait(const std::vector<Micros>& before, Micros slot_free_in, const Weights& weights) {
  Micros wait = wait_score(slot_free_in, weights);
  for (const Micros seconds : before) wait += wait_score(seconds, weights);
  return wait;
}

/// The bundle's cost and the waits of its tasks: the i-th waits for i equal parts of the bundle.
Micros cost_within(const Problem& problem, const ScoredBundle& bundle) {
  Micros cost = bundle.cost;
  const auto size = static_cast<Micros>(bundle.tasks.size());
  for (Micros i = 0; problem.queueing && i < size; ++i)
    cost += wait_score(bundle.seconds, problem.weights) * i / size;
  return cost;
}

struct Slot {
  AgentId agent;
  Micros free_in = 0;
  std::vector<Micros> before;  ///< seconds of the tasks assigned to it
};

struct Enumeration {
  const Problem& problem;
  std::vector<Slot> slots;
  std::set<TaskId> left;
  Best best{0, 0};
  bool any = false;

  void go(std::size_t assigned, Micros cost) {
    if (!any || assigned > best.assigned || (assigned == best.assigned && cost < best.cost))
      best = {assigned, cost};
    any = true;
    for (const TaskId task : std::set<TaskId>(left)) {
      left.erase(task);
      for (Slot& slot : slots) {
        const ScoredBid* bid = bid_of(problem, task, slot.agent);
        if (!bid || (!problem.queueing && !slot.before.empty())) continue;
        const Micros wait = total_wait(slot.before, slot.free_in, problem.weights);
        slot.before.push_back(bid->seconds);
        go(assigned + 1, cost + bid->cost + wait);
        slot.before.pop_back();
      }
      left.insert(task);
    }
    for (const ScoredBundle& bundle : problem.bundles) go_with(bundle, assigned, cost);
  }

  void go_with(const ScoredBundle& bundle, std::size_t assigned, Micros cost) {
    for (const TaskId task : bundle.tasks)
      if (!left.contains(task)) return;
    for (const TaskId task : bundle.tasks) left.erase(task);
    for (Slot& slot : slots) {
      if (bundle.agent != slot.agent || (!problem.queueing && !slot.before.empty())) continue;
      const Micros wait = total_wait(slot.before, slot.free_in, problem.weights);
      slot.before.push_back(bundle.seconds);
      go(assigned + bundle.tasks.size(),
         cost + static_cast<Micros>(bundle.tasks.size()) * wait + cost_within(problem, bundle));
      slot.before.pop_back();
    }
    left.insert(bundle.tasks.begin(), bundle.tasks.end());
  }
};

std::vector<Slot> slots_of(const Problem& problem) {
  std::vector<Slot> slots;
  for (const ClearingAgent& agent : problem.agents)
    for (const Micros free_in : agent.slot_free_in) slots.push_back({agent.id, free_in, {}});
  return slots;
}

using Places = std::map<std::tuple<AgentId, std::uint32_t, std::uint32_t>, Micros>;

std::string flaw_of_bundle_prices(const Problem& problem, const Certificate& proof, const Places& places) {
  std::map<TaskId, Micros> task_prices;
  for (std::size_t i = 0; i < problem.tasks.size(); ++i)
    task_prices[problem.tasks[i].id] = proof.task_prices[i];
  for (const ScoredBundle& bundle : problem.bundles) {
    Micros tasks = 0;
    for (const TaskId task : bundle.tasks) tasks += task_prices[task];
    const auto agent = std::ranges::find(problem.agents, bundle.agent, &ClearingAgent::id);
    for (std::uint32_t slot = 0; slot < agent->slot_free_in.size(); ++slot) {
      const Micros base =
          cost_within(problem, bundle) +
          static_cast<Micros>(bundle.tasks.size()) * wait_score(agent->slot_free_in[slot], problem.weights);
      const auto price = [&](std::uint32_t of_slot, std::uint32_t place) {
        const auto at = places.find({bundle.agent, of_slot, place});
        return at == places.end() ? 0 : at->second;
      };
      if (!problem.queueing && tasks + price(0, slot + 1) > base) return "a bundle beats the prices";
      for (std::uint32_t behind = 0; problem.queueing && behind <= problem.tasks.size(); ++behind) {
        Micros row = tasks;
        for (std::uint32_t k = 1; k <= bundle.tasks.size(); ++k) row += price(slot, behind + k);
        if (row > base + behind * wait_score(bundle.seconds, problem.weights))
          return fmt::format("a bundle beats the prices before {} others", behind);
      }
    }
  }
  return {};
}

}  // namespace

Problem random_problem(Random& random, const ProblemShape& shape) {
  Problem problem;
  problem.queueing = shape.queueing;
  problem.weights = {random.between(0, 2) * one, one};
  const std::uint64_t tasks = random.below(shape.tasks_max + 1);
  const std::uint64_t agents = random.below(shape.agents_max + 1);
  for (std::uint64_t i = 0; i < tasks; ++i) problem.tasks.push_back({TaskId{i + 1}});
  for (std::uint64_t i = 0; i < agents; ++i) {
    problem.agents.push_back({AgentId{i + 1}, {}});
    auto& slots = problem.agents.back().slot_free_in;
    slots.resize(random.below(shape.capacity_max + 1));
    if (shape.queueing)
      for (Micros& free_in : slots) free_in = random.between(0, shape.number_max) * one;
    std::ranges::sort(slots);
  }
  for (const ClearingTask& task : problem.tasks)
    for (const ClearingAgent& agent : problem.agents)
      if (random.chance(shape.bid_millionths))
        problem.bids.push_back(
            {task.id, agent.id, random.between(0, shape.number_max) * one,
             random.between(shape.negative_costs ? -shape.number_max : 0, shape.number_max) * one});
  for (std::uint64_t i = random.below(shape.bundles_max + 1); i > 0 && tasks >= 2 && agents > 0; --i) {
    ScoredBundle bundle{AgentId{random.below(agents) + 1}, {}, 0, 0};
    for (const ClearingTask& task : problem.tasks)
      if (random.chance(500'000)) bundle.tasks.push_back(task.id);
    const auto known = [&](const ScoredBundle& b) {
      return b.agent == bundle.agent && b.tasks == bundle.tasks;
    };
    if (bundle.tasks.size() < 2 || std::ranges::any_of(problem.bundles, known)) continue;
    const auto size = static_cast<Micros>(bundle.tasks.size());
    bundle.seconds = random.between(0, shape.number_max * size) * one / 2;
    bundle.cost = random.between(shape.negative_costs ? -shape.number_max : 0, shape.number_max * size) * one;
    problem.bundles.push_back(std::move(bundle));
  }
  shuffle(problem.tasks, random);
  return retold(std::move(problem), random);
}

Problem retold(Problem problem, Random& random) {
  shuffle(problem.agents, random);
  shuffle(problem.bids, random);
  shuffle(problem.bundles, random);
  return problem;
}

const ScoredBid* bid_of(const Problem& problem, TaskId task, AgentId agent) {
  const auto found = std::ranges::find_if(
      problem.bids, [&](const ScoredBid& b) { return b.task == task && b.agent == agent; });
  return found == problem.bids.end() ? nullptr : &*found;
}

std::string flaw_of(const Problem& problem, const Outcome& outcome) {
  Micros total = 0;
  std::size_t position = 0;
  std::map<AgentId, std::size_t> starting;
  std::map<AgentId, std::size_t> given;
  std::map<std::pair<AgentId, std::vector<TaskId>>, std::vector<Award>> won;  ///< bundles
  for (const Award& award : outcome.awards) {
    while (position < problem.tasks.size() && problem.tasks[position].id != award.task) ++position;
    if (position++ == problem.tasks.size())
      return fmt::format("{} is out of order or listed twice", award.task);
    if (award.start_in == 0) ++starting[award.agent];
    total += award.cost;
    if (!award.bundle.empty()) {
      won[{award.agent, award.bundle}].push_back(award);
      continue;
    }
    ++given[award.agent];
    const ScoredBid* bid = bid_of(problem, award.task, award.agent);
    if (!bid) return fmt::format("{} went to an agent that did not bid", award.task);
    if (award.start_in < 0) return fmt::format("{} starts in the past", award.task);
    if (award.cost < bid->cost) return fmt::format("{} costs less than its bid", award.task);
  }
  for (const auto& [key, awards] : won) {
    const auto& [agent, tasks] = key;
    const auto bundle = std::ranges::find_if(
        problem.bundles, [&](const ScoredBundle& b) { return b.agent == agent && b.tasks == tasks; });
    if (bundle == problem.bundles.end()) return fmt::format("{} got a bundle that it did not bid for", agent);
    if (awards.size() != tasks.size()) return fmt::format("{} got a part of a bundle", agent);
    Micros cost = 0;
    for (const Award& award : awards) cost += award.cost;
    if (cost < cost_within(problem, *bundle)) return "a bundle costs less than its bid";
    ++given[agent];
  }
  for (const ClearingAgent& agent : problem.agents) {
    const auto free_now = static_cast<std::size_t>(std::ranges::count(agent.slot_free_in, 0));
    if (starting[agent.id] > free_now) return fmt::format("{} starts more than it has free slots", agent.id);
    if (!problem.queueing && given[agent.id] > agent.slot_free_in.size())
      return fmt::format("{} has too many", agent.id);
  }
  if (total != outcome.total_cost) return "the total is not the sum of the costs";
  return {};
}

std::string flaw_of_certificate(const Problem& problem, const Outcome& outcome) {
  if (!outcome.certificate) return "there is none";
  const Certificate& proof = *outcome.certificate;
  if (proof.task_prices.size() != problem.tasks.size()) return "not one price per task";
  Places places;
  Micros sum = 0;
  for (const auto& p : proof.place_prices) {
    if (p.price > 0) return "a place has a positive price";
    if (!places.emplace(std::tuple(p.agent, p.slot, p.place), p.price).second)
      return "a place stands there twice";
    sum += p.price;
  }
  for (std::size_t i = 0; i < problem.tasks.size(); ++i) {
    const Micros task_price = proof.task_prices[i];
    sum += task_price;
    if (task_price > proof.unassigned) return "a task price exceeds the penalty";
    for (const ClearingAgent& agent : problem.agents) {
      const ScoredBid* bid = bid_of(problem, problem.tasks[i].id, agent.id);
      if (!bid) continue;
      const auto check = [&](std::size_t slot, std::size_t place, Micros cost) {
        const auto key =
            std::tuple(agent.id, static_cast<std::uint32_t>(slot), static_cast<std::uint32_t>(place));
        const auto at = places.find(key);
        return task_price + (at == places.end() ? 0 : at->second) <= cost;
      };
      for (std::size_t slot = 0; slot < agent.slot_free_in.size(); ++slot) {
        const Micros base = bid->cost + wait_score(agent.slot_free_in[slot], problem.weights);
        if (!problem.queueing && !check(0, slot + 1, base)) return "a bid beats the prices";
        for (std::size_t place = 1; problem.queueing && place <= problem.tasks.size() + 1; ++place)
          if (!check(slot, place,
                     base + static_cast<Micros>(place - 1) * wait_score(bid->seconds, problem.weights)))
            return fmt::format("a bid beats the prices at place {}", place);
      }
    }
  }
  if (std::string flaw = flaw_of_bundle_prices(problem, proof, places); !flaw.empty()) return flaw;
  const auto missing = static_cast<Micros>(problem.tasks.size() - outcome.awards.size());
  if (sum != proof.bound) return "the prices do not add up to the bound";
  if (proof.gap < 0) return "the cost is below its bound";
  if (proof.bound + proof.gap != outcome.total_cost + missing * proof.unassigned)
    return "bound and gap are not the cost";
  return {};
}

Best brute_force(const Problem& problem) {
  Enumeration all{problem, slots_of(problem), {}};
  for (const ClearingTask& task : problem.tasks) all.left.insert(task.id);
  all.go(0, 0);
  return all.best;
}

}  // namespace bidboard::testing
