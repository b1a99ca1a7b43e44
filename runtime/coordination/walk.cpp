#include "runtime/coordination/walk.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "auction/eligibility.hpp"
#include "runtime/core/award.hpp"

namespace bidboard {
namespace {

/// One clearing considers this many tasks per free slot, and one per busy slot, which may be worth waiting
/// for: more would let a minimum-cost assignment pick the cheapest tasks instead of the most urgent ones.
constexpr std::size_t candidates_per_slot = 4;
/// With more than 32 slots fewer, so that a clearing compares no more bids than this, but never fewer than
/// four tasks: considering more made no schedule shorter (tests/sim/makespan_test.cpp).
constexpr std::size_t bids_at_once = 4'096;
/// Limits of one piece: what a mechanism clears at once, and what is kept in memory.
constexpr std::size_t tasks_per_piece = 256;
constexpr std::size_t pairs_per_piece = 1'000'000;
/// Of the agents invited at random, this share is drawn from those that could begin at once.
constexpr std::size_t free_share = 2;
/// An agent that lost to others is not considered again for this long.
constexpr Duration rest_of_passed_over = seconds(1);
/// At most this many random draws per agent wanted; then the agents found so far must do.
constexpr std::size_t lots_per_agent = 4;

AgentView view_of(const Core& core, AgentId id) {
  const Agent* agent = core.board.agent(id);
  AgentView view{agent, taken_slots(core, id), 0, {}};
  if (has_free_slot(core, *agent)) view.free_slots = agent->profile.capacity - view.holding;
  return view;
}

bool failed_it(const Task& task, AgentId agent) {
  return std::ranges::any_of(task.failures,
                             [&](const AttemptFailure& failure) { return failure.agent == agent; });
}

bool is_fit_for(const Core& core, const Task& task, AgentId agent, bool only_fresh) {
  if (only_fresh && failed_it(task, agent)) return false;
  return !objection(core, task, *core.board.agent(agent));
}

/// Agents that failed a task may have it only if no other agent may.
bool somebody_fresh_may_have(const Core& core, const Roster& roster, const Task& task) {
  return std::ranges::any_of(roster.connected(),
                             [&](AgentId agent) { return is_fit_for(core, task, agent, true); });
}

/// The agents, by what the rules look at in them, and whether they are unfit.
std::vector<std::vector<AgentId>> groups_of(const Core& core, const std::set<AgentId>& agents) {
  std::map<std::tuple<bool, Duration, decltype(abilities(AgentProfile{}))>, std::vector<AgentId>>
      by_abilities;
  for (const AgentId id : agents) {
    const AgentProfile& agent = core.board.agent(id)->profile;
    by_abilities[{unfit(core, agent).has_value(), waits_for_others(core.board.config(), agent),
                  abilities(agent)}]
        .push_back(id);
  }
  std::vector<std::vector<AgentId>> groups;
  for (auto& [what, alike] : by_abilities) groups.push_back(std::move(alike));
  return groups;
}

}  // namespace

bool is_passed_over(const Core& core, const Roster& roster, const Task& task, AgentId agent) {
  return failed_it(task, agent) && somebody_fresh_may_have(core, roster, task);
}

Walk::Walk(Core& core, WalkingCoordinator& owner) : core_(core), owner_(owner), outlook_(owner.outlook()) {}

bool Walk::is_fit(const Task& task, AgentId agent, bool only_fresh) const {
  return is_fit_for(core_, task, agent, only_fresh);
}

bool Walk::somebody_fresh_may(const Task& task) const {
  return somebody_fresh_may_have(core_, owner_.roster_, task);
}

/// The agent that the task was reserved for has left, or its bundle is forgotten (after a restart).
bool Walk::reserved_for_nobody(const Task& task) const {
  if (task.reserved_in && !owner_.keeps_bundle(task.reserved_in)) return true;
  const Agent* wanted = task.reserved_for ? core_.board.agent(task.reserved_for) : nullptr;
  return wanted && wanted->state == AgentState::gone;
}

AgentView Walk::view_of_agent(AgentId agent) const {
  AgentView view = view_of(core_, agent);
  if (outlook_.looks_ahead) view.slot_free_in = owner_.slots_free_in(core_, view);
  return view;
}

/// An agent that found nothing before is considered again if it may take one of the new tasks.
void Walk::offer_new_tasks() {
  const std::vector<TaskId> tasks = std::exchange(owner_.new_tasks_, {});
  if (tasks.empty() || owner_.without_work_.empty()) return;
  std::vector<std::vector<AgentId>> groups = groups_of(core_, owner_.without_work_);
  for (const TaskId id : tasks) {
    const Task* task = core_.board.task(id);
    if (groups.empty() || !task || !may_be_awarded(*task)) continue;
    if (reserved_for_nobody(*task)) core_.emit(TaskReserved{id, {}, {}});
    std::erase_if(groups, [&](std::vector<AgentId>& group) {
      for (const AgentId agent : take_fit(*task, group)) owner_.without_work_.erase(agent);
      return group.empty();
    });
  }
}

/// Removes from a group of equal abilities those that may have the task. They are judged as one: many new
/// tasks that many idle agents may not take are no work.
std::vector<AgentId> Walk::take_fit(const Task& task, std::vector<AgentId>& group) const {
  if (task.reserved_for) {
    const bool fits = std::ranges::binary_search(group, task.reserved_for) &&
                      is_fit(task, task.reserved_for, !task.failures.empty() && somebody_fresh_may(task));
    if (!fits) return {};
    group.erase(std::ranges::lower_bound(group, task.reserved_for));
    return {task.reserved_for};
  }
  if (objection(core_, task, *core_.board.agent(group.front()))) return {};
  if (task.failures.empty() || !somebody_fresh_may(task)) return std::exchange(group, {});
  std::vector<AgentId> fit = std::exchange(group, {});
  std::erase_if(fit, [&](AgentId agent) {
    if (failed_it(task, agent)) group.push_back(agent);
    return failed_it(task, agent);
  });
  return fit;
}

/// How many of the tasks that an agent may take are considered. Agents share these tasks: if only its own
/// slots counted, equal agents would consider the same few tasks and most of them would stay idle.
std::size_t Walk::window() const {
  const std::vector<AgentId>& agents = owner_.roster_.connected();
  std::size_t slots = 0;
  for (const AgentId agent : agents) slots += core_.board.agent(agent)->profile.capacity;
  std::size_t free = 0;
  for (const AgentId agent : owner_.roster_.free())
    free += core_.board.agent(agent)->profile.capacity - taken_slots(core_, agent);
  const std::size_t tasks = candidates_per_slot * free + (slots - free);
  return std::min(tasks, bids_at_once / std::max<std::size_t>(agents.size(), 1));
}

void Walk::begin() {
  begun_ = true;
  owner_.roster_.refresh(core_);
  offer_new_tasks();
  const std::uint32_t invite_max = core_.board.config().invite_max;
  sampled_ = outlook_.samples && invite_max > 0 && owner_.roster_.connected().size() > invite_max;
  only_free_ = !outlook_.sees_busy;
  const bool all = !sampled_ && !only_free_;
  const std::size_t shared = all ? window() : 0;
  // With sampling, each seeking agent is among those asked for several tasks anyway.
  const std::size_t per_slot = sampled_ ? 1 : candidates_per_slot;
  const auto room = [&](AgentId agent) {
    return std::max(shared, per_slot * core_.board.agent(agent)->profile.capacity);
  };
  if (all)
    for (const AgentId agent : owner_.roster_.connected()) candidates_[agent] = {room(agent), false, false};
  // All three are sorted by id.
  auto without = owner_.without_work_.begin();
  auto resting = owner_.resting_.begin();
  for (const AgentId agent : owner_.roster_.free()) {
    while (without != owner_.without_work_.end() && *without < agent) ++without;
    while (resting != owner_.resting_.end() && resting->first < agent) ++resting;
    const bool finds_nothing = without != owner_.without_work_.end() && *without == agent;
    // Sampling implies many agents: those that lost to others are not considered again at every event.
    const bool rests = sampled_ && resting != owner_.resting_.end() && resting->first == agent &&
                       resting->second > core_.now.mono;
    if (!finds_nothing && !rests) candidates_[agent] = {room(agent), true, false};
  }
  if (!outlook_.plans_ahead) return;
  for (auto& [agent, candidate] : candidates_) candidate.seeks = !owner_.without_work_.contains(agent);
}

void Walk::finish() {
  if (!sampled_) return owner_.resting_.clear();
  owner_.roster_.refresh(core_);
  std::erase_if(owner_.resting_, [&](const auto& entry) { return entry.second <= core_.now.mono; });
  const auto middle = static_cast<std::ptrdiff_t>(owner_.resting_.size());
  for (const auto& [agent, candidate] : candidates_) {
    const bool passed_over = candidate.seeks && candidate.found &&
                             core_.board.agent(agent)->profile.bids != BidStyle::live &&
                             std::ranges::binary_search(owner_.roster_.free(), agent);
    if (passed_over) owner_.resting_.emplace_back(agent, core_.now.mono + rest_of_passed_over);
  }
  std::ranges::inplace_merge(owner_.resting_, owner_.resting_.begin() + middle);
  for (const auto& [agent, until] : owner_.resting_) owner_.settle_at(until);
}

/// The agents as they are now. An agent without a free slot no longer seeks.
void Walk::line_up(Situation& situation) {
  situation.sampled = sampled_;
  seeking_.clear();
  places_.clear();
  place_.clear();
  for (auto& [agent, candidate] : candidates_) {
    const bool is_free = std::ranges::binary_search(owner_.roster_.free(), agent) &&
                         has_room(core_, core_.board.agent(agent)->profile);
    candidate.seeks = candidate.seeks && (is_free || outlook_.plans_ahead);
    if (candidate.seeks && candidate.room > 0) seeking_.push_back(agent);
    if (sampled_ || (only_free_ && !is_free)) continue;
    situation.agents.push_back(view_of_agent(agent));
    places_.push_back(&candidate);
  }
}

/// The agent's position in the situation; adds the agent if it is missing.
std::size_t Walk::place_of(Situation& situation, AgentId agent) {
  const auto [known, fresh] = place_.try_emplace(agent, situation.agents.size());
  if (fresh) {
    situation.agents.push_back(view_of_agent(agent));
    places_.push_back(&candidates_[agent]);
  }
  return known->second;
}

Situation Walk::next() {
  if (!begun_) begin();
  Situation situation;
  while (!over_ && situation.tasks.empty()) {
    owner_.roster_.refresh(core_);
    situation = {};
    line_up(situation);
    TaskId orphan;
    std::size_t pairs = 0;
    bool stopped = seeking_.empty();
    if (stopped) over_ = true;
    const auto visit = [&](std::string_view key, std::string_view) {
      const Task* task = core_.board.task(keys::last_id<TaskId>(key));
      if (task && owner_.keeps_bundle(task->reserved_in)) return true;  // it is awarded when its turn comes
      if (task && reserved_for_nobody(*task)) {
        if (situation.tasks.empty()) orphan = task->id;
        from_ = key;
        stopped = true;
        return false;
      }
      from_ = std::string(key) + '\0';
      if (!task || !take(situation, *task)) return true;
      pairs += situation.tasks.back().eligible.size();
      over_ = seeking_.empty();
      const bool in_pieces = sampled_ || only_free_;
      stopped =
          over_ || (in_pieces && (situation.tasks.size() == tasks_per_piece || pairs >= pairs_per_piece));
      return !stopped;
    };
    if (!over_) core_.board.scan(std::string(1, keys::ready_letter), from_, visit);
    if (!stopped) end();
    if (orphan) core_.emit(TaskReserved{orphan, {}, {}});
  }
  return situation;
}

/// Every task was seen: an agent that found nothing need not seek until there is something new. Nothing is
/// known about agents that were not drawn.
void Walk::end() {
  over_ = true;
  if (sampled_ && candidates_.size() > core_.board.config().invite_max) return;
  for (const auto& [agent, candidate] : candidates_)
    if (candidate.seeks && !candidate.found) owner_.without_work_.insert(agent);
}

/// Whether the task should be handled now.
bool Walk::take(Situation& situation, const Task& task) {
  TaskView view = sampled_ ? sample(situation, task) : view_of_all(situation, task);
  const bool is_for_somebody =
      sampled_ || only_free_ ? give_to_one(view.eligible, situation) : share_out(view.eligible, situation);
  if (!is_for_somebody) return false;
  situation.tasks.push_back(std::move(view));
  return true;
}

/// If all agents are considered, each shares the tasks that it may take with the others.
bool Walk::share_out(const std::vector<std::size_t>& eligible, const Situation& situation) {
  if (std::ranges::none_of(eligible, [&](std::size_t i) { return places_[i]->room > 0; })) return false;
  for (const std::size_t i : eligible) {
    Candidate& candidate = *places_[i];
    candidate.found = true;
    if (candidate.room > 0 && --candidate.room == 0 && candidate.seeks)
      seeking_.erase(std::ranges::lower_bound(seeking_, situation.agents[i].agent->id));
  }
  complete_ = !seeking_.empty();
  return true;
}

/// A task is counted for one agent: one that seeks, else one whose turn may come later.
bool Walk::give_to_one(const std::vector<std::size_t>& eligible, const Situation& situation) {
  for (const std::size_t i : eligible) places_[i]->found = true;
  for (const std::size_t i : eligible) {
    Candidate& candidate = *places_[i];
    if (!candidate.seeks || candidate.room == 0) continue;
    if (--candidate.room == 0)
      seeking_.erase(std::ranges::lower_bound(seeking_, situation.agents[i].agent->id));
    return true;
  }
  for (const std::size_t i : eligible) {
    if (places_[i]->room == 0) continue;
    --places_[i]->room;
    return true;
  }
  return false;
}

/// Agents that may take the task; those that failed it before only if no other agent may.
TaskView Walk::view_of_all(const Situation& situation, const Task& task) const {
  TaskView view{&task, {}, {}};
  view.eligible.reserve(situation.agents.size());
  const bool only_fresh = !task.failures.empty() && somebody_fresh_may(task);
  for (std::size_t i = 0; i < situation.agents.size(); ++i) {
    const Agent& agent = *situation.agents[i].agent;
    if (objection(core_, task, agent)) continue;
    (only_fresh && failed_it(task, agent.id) ? view.failed : view.eligible).push_back(i);
  }
  return view;
}

/// At most invite_max of the agents that may take the task: those that were asked already, then some that
/// could begin at once, then any. Drawn anew in each walk, from the seed and the length of the log.
TaskView Walk::sample(Situation& situation, const Task& task) {
  const bool only_fresh = !task.failures.empty() && somebody_fresh_may(task);
  std::set<AgentId> chosen;
  for (const AgentId agent : owner_.asked_already(core_, task.id))
    if (std::ranges::binary_search(owner_.roster_.connected(), agent) && is_fit(task, agent, only_fresh))
      chosen.insert(agent);
  Random random(core_.board.config().seed ^ core_.board.next_seq().value << 20 ^ task.id.value);
  draw_seeking(task, only_fresh, random, chosen);
  draw_any(task, only_fresh, random, chosen);
  TaskView view{&task, {}, {}};
  for (const AgentId agent : chosen) view.eligible.push_back(place_of(situation, agent));
  std::ranges::sort(view.eligible);
  if (!only_fresh) return view;
  for (const AttemptFailure& failure : task.failures)
    if (std::ranges::binary_search(owner_.roster_.connected(), failure.agent))
      view.failed.push_back(place_of(situation, failure.agent));
  std::ranges::sort(view.failed);
  view.failed.erase(std::unique(view.failed.begin(), view.failed.end()), view.failed.end());
  return view;
}

void Walk::draw_seeking(const Task& task, bool only_fresh, Random& random, std::set<AgentId>& chosen) const {
  const std::size_t most = std::max<std::size_t>(core_.board.config().invite_max / free_share, 1);
  if (seeking_.empty() || chosen.size() >= most) return;
  const std::size_t first = random.below(seeking_.size());
  for (std::size_t n = 0; n < seeking_.size() && chosen.size() < most; ++n) {
    const AgentId agent = seeking_[(first + n) % seeking_.size()];
    if (is_fit(task, agent, only_fresh)) chosen.insert(agent);
  }
}

void Walk::draw_any(const Task& task, bool only_fresh, Random& random, std::set<AgentId>& chosen) const {
  const std::size_t most = core_.board.config().invite_max;
  const std::vector<AgentId>& all = owner_.roster_.connected();
  for (std::size_t lots = lots_per_agent * most; lots > 0 && chosen.size() < most; --lots) {
    const AgentId agent = all[random.below(all.size())];
    if (is_fit(task, agent, only_fresh)) chosen.insert(agent);
  }
}

}  // namespace bidboard
