#include "runtime/coordination/delegation.hpp"

#include <algorithm>
#include <utility>

#include "blackboard/fmt.hpp"
#include "blackboard/text/utf8.hpp"
#include "runtime/coordination/walk.hpp"
#include "runtime/core/award.hpp"
#include "runtime/core/core.hpp"

namespace bidboard {
namespace {

/// Limits of one delegation; the rest goes into the next.
constexpr std::size_t tasks_at_once = 256;
constexpr std::size_t bytes_at_once = 1'000'000;
/// Bounds on what a manager's messages may claim.
constexpr std::size_t crews_max = 1'000;
constexpr std::uint32_t slots_max = 10'000'000;
constexpr std::size_t reason_bytes_max = 200;
constexpr Micros speed_max = 1'000'000 * one;

std::string name_of(const Delegating& c, AgentId agent) {
  return agent ? c.core.board.agent(agent)->profile.name : "the controller";
}

/// The nearest manager above it that takes part, by the names; 0: none.
AgentId manager_by_name(const Delegating& c, AgentId agent) {
  std::set<AgentId> seen{agent};
  std::string parent = c.core.board.agent(agent)->profile.parent;
  while (!parent.empty()) {
    const std::optional<AgentId> found = c.core.board.agent_named(parent);
    if (!found || !seen.insert(*found).second) return {};
    if (c.tree.queues.contains(*found)) return *found;
    parent = c.core.board.agent(*found)->profile.parent;
  }
  return {};
}

AgentId above(const Hierarchy& tree, AgentId agent) {
  const auto known = tree.above.find(agent);
  return known == tree.above.end() ? AgentId{} : known->second;
}

/// If the names of managers form a cycle, the one that registered first is at the top.
void cut_rings(Hierarchy& tree) {
  for (const auto& [manager, queue] : tree.queues) {
    AgentId at = above(tree, manager);
    for (std::size_t steps = 0; at && at != manager && steps < tree.queues.size(); ++steps)
      at = above(tree, at);
    if (at == manager) tree.above.erase(manager);
  }
}

void queue_at(Delegating& c, TaskId task, AgentId manager) {
  c.tree.routes[task].at = manager;
  c.tree.queues.at(manager).waiting.push_back(task);
  c.tree.news.insert(manager);
}

/// Passes the task to the next level above a manager that does not decide about it.
void hand_up(Delegating& c, TaskId task, AgentId from) {
  TaskRoute& route = c.tree.routes.at(task);
  const bool takes_part = c.tree.queues.contains(from);
  const AgentId to = takes_part ? above(c.tree, from) : manager_by_name(c, from);
  const auto step = to ? std::ranges::find(route.steps, to, &TaskRoute::Step::from) : route.steps.begin();
  route.steps.erase(step, route.steps.end());
  route.at = {};
  if (to) queue_at(c, task, to);
}

void hand_back(Delegating& c, TaskId task, AgentId from, std::string why) {
  c.tree.routes.at(task).handed_back[from] = std::move(why);
  hand_up(c, task, from);
}

/// A member as its manager should see it: tasks queued at a manager already count as taken slots.
Member as_now(const Delegating& c, AgentId id) {
  const Agent& agent = *c.core.board.agent(id);
  const auto found = c.tree.queues.find(id);
  if (found == c.tree.queues.end()) {
    const bool may_take = has_room(c.core, agent.profile) && !unfit(c.core, agent.profile);
    return member_of(agent, may_take ? taken_slots(c.core, id) : agent.profile.capacity);
  }
  const ManagerQueue& queue = found->second;
  Member member{id, agent.profile.name, true, queue.crews};
  for (const std::vector<TaskId>* tasks : {&queue.asked, &queue.waiting})
    for (const TaskId task : *tasks) {
      const auto route = c.tree.routes.find(task);
      if (route != c.tree.routes.end() && route->second.at == id)
        take_slot(member, c.core.board.task(task)->spec);
    }
  return member;
}

/// The changes under the manager since its last delegation; no tasks yet.
Delegation news_for(const Delegating& c, AgentId manager, const ManagerQueue& queue) {
  Delegation news;
  news.anew = queue.anew;
  static const std::vector<AgentId> nobody;
  const auto team = c.tree.below.find(manager);
  for (const AgentId id : team == c.tree.below.end() ? nobody : team->second) {
    Member now = as_now(c, id);
    const auto told = queue.told.find(id);
    if (queue.anew || told == queue.told.end() || told->second != now) news.members.push_back(std::move(now));
  }
  if (queue.anew) return news;
  for (const auto& [id, member] : queue.told)
    if (above(c.tree, id) != manager) news.left.push_back(id);
  return news;
}

bool is_empty(const Delegation& news) {
  return news.members.empty() && news.left.empty() && news.tasks.empty();
}

/// Builds the tree from the connected agents. Tasks queued at managers that are gone move up.
void draw_tree(Delegating& c) {
  Hierarchy& tree = c.tree;
  tree.changed = false;
  tree.above.clear();
  tree.below.clear();
  std::map<AgentId, ManagerQueue> before = std::exchange(tree.queues, {});
  std::vector<AgentId> members;
  for (const auto& [id, session] : c.core.sessions) {
    if (!session.connected()) continue;
    const bool is_manager = leads(c.core.board.agent(id)->profile.role);
    if (is_manager && tree.silent.contains(id)) continue;
    members.push_back(id);
    if (!is_manager) continue;
    const auto known = before.find(id);
    tree.queues[id] = known == before.end() ? ManagerQueue{} : std::move(known->second);
    tree.news.insert(id);
  }
  for (const AgentId id : members)
    if (const AgentId manager = manager_by_name(c, id)) tree.above[id] = manager;
  cut_rings(tree);
  for (const auto& [id, manager] : tree.above) tree.below[manager].push_back(id);
  for (auto& [task, route] : tree.routes) {
    route.handed_back.clear();
    if (route.at && !tree.queues.contains(route.at)) hand_up(c, task, route.at);
  }
}

/// The path through the managers that led to an award, for `explain`.
std::string route_in_words(const Delegating& c, const TaskRoute& route, const TaskRoute::Step& last) {
  std::string text;
  const auto tell = [&](const TaskRoute::Step& step, const char* did) {
    text += (text.empty() ? "" : ", ") + name_of(c, step.from) + did + name_of(c, step.to) +
            (step.why.empty() ? "" : " (" + step.why + ")");
  };
  for (const TaskRoute::Step& step : route.steps) tell(step, " sent it to ");
  tell(last, " gave it to ");
  for (const auto& [by, why] : route.handed_back)
    text += fmt::format("; {} had returned it ({})", name_of(c, by), why);
  return text;
}

/// Text from another process; empty if it is too long or not plain text.
std::string words(const std::string& text) {
  return text.size() <= reason_bytes_max && is_plain_text(text) ? text : std::string();
}

std::vector<Crew> believable(std::vector<Crew> crews) {
  if (crews.size() > crews_max) crews.resize(crews_max);
  for (Crew& crew : crews) {
    crew.slots = std::min(crew.slots, slots_max);
    crew.free = std::min(crew.free, crew.slots);
    crew.speed = std::clamp<Micros>(crew.speed, 1, speed_max);
    crew.price_per_second = std::clamp<Micros>(crew.price_per_second, 0, max_bid_price);
    for (Skill& skill : crew.skills) skill.level = std::clamp<Micros>(skill.level, 1, speed_max);
  }
  return crews;
}

bool somebody_below_may(const Delegating& c, AgentId manager, const Task& task) {
  const auto team = c.tree.below.find(manager);
  if (team == c.tree.below.end()) return false;
  return std::ranges::any_of(team->second, [&](AgentId id) {
    if (c.tree.queues.contains(id)) return somebody_below_may(c, id, task);
    return !objection(c.core, task, *c.core.board.agent(id)) && !is_passed_over(c.core, c.roster, task, id);
  });
}

/// Why the manager's choice of a specialist is refused; empty: it is accepted. A mistake that the manager
/// could not know about is not held against it (`offence`).
std::string flaw_of_choice(Delegating& c, const Task& task, const Agent& agent, bool& offence) {
  if (const auto against = unable(task.spec, agent.profile)) {
    offence = true;
    return fmt::format("{} {}", agent.profile.name, against->detail);
  }
  if (const auto against = objection(c.core, task, agent))
    return fmt::format("{} {}", agent.profile.name, against->detail);
  if (is_passed_over(c.core, c.roster, task, agent.id)) return agent.profile.name + " failed it before";
  if (!has_free_slot(c.core, agent)) return agent.profile.name + " has no free slot";
  return {};
}

void pass_down(Delegating& c, const Task& task, const TaskRoute::Step& step) {
  TaskRoute& route = c.tree.routes.at(task.id);
  if (!somebody_below_may(c, step.to,
                          task)) {  // its manager only knows sums over the subtree, which were too coarse
    route.handed_back[step.to] = "nobody under it may take it";
    return queue_at(c, task.id, step.from);
  }
  route.steps.push_back(step);
  queue_at(c, task.id, step.to);
}

/// Carries out what a manager said about one task, as far as the rules allow.
void follow_choice(Delegating& c, AgentId manager, const ChosenMember& chosen) {
  Hierarchy& tree = c.tree;
  const auto found = tree.routes.find(chosen.task);
  if (found == tree.routes.end() || found->second.at != manager) return;
  TaskRoute& route = found->second;
  const Task& task = *c.core.board.task(chosen.task);
  if (!may_be_awarded(task)) {
    tree.routes.erase(found);
    return;
  }
  const TaskRoute::Step step{manager, chosen.member, words(chosen.why)};
  if (!chosen.member) return hand_back(c, task.id, manager, step.why);
  bool offence = !tree.queues.at(manager).told.contains(chosen.member);
  std::string flaw = offence ? fmt::format("{} is not one of its members", chosen.member) : "";
  const bool is_manager = tree.queues.contains(chosen.member);
  if (flaw.empty() && above(tree, chosen.member) != manager)
    flaw = name_of(c, chosen.member) + " is no longer one of its members";
  if (flaw.empty() && route.handed_back.contains(chosen.member))
    flaw = name_of(c, chosen.member) + " had returned it";
  if (flaw.empty() && is_manager) return pass_down(c, task, step);
  if (flaw.empty()) flaw = flaw_of_choice(c, task, *c.core.board.agent(chosen.member), offence);
  if (flaw.empty()) {
    award(c.core, task, *c.core.board.agent(chosen.member),
          plain_decision(c.core, task.id, route_in_words(c, route, step)));
    return;
  }
  flaw = "its choice was refused: " + flaw;
  if (offence) c.core.emit(RequestRefused{name_of(c, manager), Action::take, task.id, flaw});
  hand_back(c, task.id, manager, std::move(flaw));
}

/// The next delegation to the manager, if there is anything to send.
void send_delegation(Delegating& c, AgentId manager, ManagerQueue& queue) {
  Delegation next = news_for(c, manager, queue);
  std::vector<TaskId> later;
  std::size_t bytes = 0;
  for (const TaskId id : std::exchange(queue.waiting, {})) {
    const auto route = c.tree.routes.find(id);
    const bool is_here = route != c.tree.routes.end() && route->second.at == manager;
    if (!is_here || std::ranges::find(queue.asked, id) != queue.asked.end()) continue;
    if (queue.asked.size() == tasks_at_once || bytes >= bytes_at_once) {
      later.push_back(id);
      continue;
    }
    const Task& task = *c.core.board.task(id);
    DelegatedTask delegated{offer_of(task), {}};
    for (const auto& [by, why] : route->second.handed_back)
      if (above(c.tree, by) == manager) delegated.not_for.push_back(by);
    for (const AttemptFailure& failure : task.failures)
      if (above(c.tree, failure.agent) == manager && is_passed_over(c.core, c.roster, task, failure.agent))
        delegated.not_for.push_back(failure.agent);
    bytes += task.spec.body.size() + task.spec.title.size() + task.spec.run.size();
    queue.asked.push_back(id);
    next.tasks.push_back(std::move(delegated));
  }
  queue.waiting = std::move(later);
  if (queue.waiting.empty()) c.tree.news.erase(manager);
  if (is_empty(next)) return;
  next.number = queue.number = c.core.next_number();
  queue.deadline = c.core.now.mono + c.core.board.config().bid_timeout;
  if (std::exchange(queue.anew, false)) queue.told.clear();
  for (const AgentId id : next.left) queue.told.erase(id);
  for (const Member& member : next.members) queue.told.insert_or_assign(member.agent, member);
  c.core.send(manager, std::move(next));
}

/// One piece of the walk, as the controller decides it at the top of the tree.
class ControllerAsManager {
 public:
  ControllerAsManager(Delegating& c, const Situation& situation) : c_(c), situation_(situation) {
    for (const AgentView& view : situation.agents) {
      AgentId top = above(c.tree, view.agent->id);
      for (AgentId next = top; next; next = above(c.tree, next)) top = next;
      tops_.push_back(top);
      if (top && !managers_.contains(top)) managers_.emplace(top, as_now(c, top));
    }
  }

  void decide(const TaskView& view) {
    const Task& task = *view.task;
    const auto route = c_.tree.routes.find(task.id);
    const bool known = route != c_.tree.routes.end();
    if (known && route->second.at) return;  // it is already queued at a manager
    if (task.reserved_for) return award_directly(task, view, "it is reserved for this agent", false);
    std::optional<Fitness> best;
    const Agent* specialist = nullptr;
    std::set<AgentId> asked;
    std::size_t candidates = 0;
    for (const std::size_t i : view.eligible) {
      const AgentId top = tops_[i];
      if (top && !asked.insert(top).second) continue;
      if (top && known && route->second.handed_back.contains(top)) continue;
      const auto candidate = top ? fitness(managers_.at(top), task.spec) : fitness_of(i, task.spec);
      if (!candidate) continue;
      ++candidates;
      if (best && *best < *candidate) continue;
      best = candidate;
      specialist = top ? nullptr : situation_.agents[i].agent;
    }
    if (!best) return award_directly(task, view, "no manager above it assigned it", true);
    if (specialist) return give(task, *specialist, in_words(*best));
    take_slot(managers_.at(best->agent), task.spec);
    TaskRoute& sent = c_.tree.routes[task.id];
    sent.steps.clear();
    if (candidates > 1) sent.steps.push_back({{}, best->agent, in_words(*best)});
    queue_at(c_, task.id, best->agent);
  }

  /// Whether it awarded anything.
  bool gave() const { return gave_; }

 private:
  std::optional<Fitness> fitness_of(std::size_t i, const TaskSpec& task) const {
    const Agent& agent = *situation_.agents[i].agent;
    const AgentProfile& profile = agent.profile;
    const AgentId id = agent.id;
    const std::uint32_t holding = c_.core.board.holding_count(id);
    if (!has_free_slot(c_.core, agent)) return {};
    return Fitness{holding, profile.capacity, mul_micros(profile.speed, skill_level(task, profile)), id};
  }

  void give(const Task& task, const Agent& agent, std::string why) {
    award(c_.core, task, agent, plain_decision(c_.core, task.id, std::move(why)));
    gave_ = true;
  }

  /// Awards without asking the managers: where they have nothing to decide, or when all managers above the
  /// agent know everything and still do not assign it the task.
  void award_directly(const Task& task, const TaskView& view, std::string why, bool when_settled) {
    std::optional<Fitness> best;
    for (const std::size_t i : view.eligible) {
      if (when_settled && !is_settled(situation_.agents[i].agent->id)) continue;
      const auto candidate = fitness_of(i, task.spec);
      if (candidate && (!best || *candidate < *best)) best = candidate;
    }
    if (!best) return;
    if (when_settled) why += ", " + in_words(*best);
    give(task, *c_.core.board.agent(best->agent), std::move(why));
  }

  bool is_settled(AgentId agent) const {
    const Hierarchy& tree = c_.tree;
    for (AgentId manager = above(tree, agent); manager; manager = above(tree, manager))
      if (tree.queues.at(manager).number != 0 || tree.news.contains(manager)) return false;
    return true;
  }

  Delegating& c_;
  bool gave_ = false;
  const Situation& situation_;
  std::vector<AgentId> tops_;           ///< by position: its topmost manager; 0: none
  std::map<AgentId, Member> managers_;  ///< their states as members
};

}  // namespace

void begin_delegating(Delegating& c) {
  Hierarchy& tree = c.tree;
  c.roster.refresh(c.core);
  if (tree.changed) draw_tree(c);
  std::erase_if(tree.routes, [&](const auto& route) {
    const Task* task = c.core.board.task(route.first);
    return !task || !may_be_awarded(*task);
  });
  std::erase_if(tree.news, [&](AgentId manager) {
    const auto queue = tree.queues.find(manager);
    if (queue == tree.queues.end()) return true;
    return queue->second.waiting.empty() && is_empty(news_for(c, manager, queue->second));
  });
}

bool settle_by_delegation(Delegating& c, const Situation& situation) {
  ControllerAsManager controller(c, situation);
  for (const TaskView& task : situation.tasks) controller.decide(task);
  return controller.gave();
}

void send_delegations(Delegating& c) {
  const std::set<AgentId> news = c.tree.news;
  for (const AgentId manager : news) {
    ManagerQueue& queue = c.tree.queues.at(manager);
    if (queue.number == 0) send_delegation(c, manager, queue);
  }
}

void on_choices(Delegating& c, AgentId manager, const Choices& message) {
  Hierarchy& tree = c.tree;
  const auto found = tree.queues.find(manager);
  if (found == tree.queues.end() || found->second.number == 0 || found->second.number != message.number)
    return;  // too late, or an answer to another controller
  c.core.wake();
  c.roster.refresh(c.core);
  ManagerQueue& queue = found->second;
  queue.number = 0;
  queue.deadline = never;
  if (std::vector<Crew> crews = believable(message.crews); crews != queue.crews) {
    queue.crews = std::move(crews);
    for (auto& [task, route] : tree.routes) route.handed_back.erase(manager);
  }
  // If tasks were withdrawn on the way, or choices refused, a manager now has wrong information.
  tree.news.insert(manager);
  tree.touch(manager);
  std::vector<TaskId> open = std::exchange(queue.asked, {});
  for (const ChosenMember& chosen : message.chosen) {
    if (std::erase(open, chosen.task) == 0) continue;
    // Whatever the outcome: that is what the manager believes now.
    if (const auto told = queue.told.find(chosen.member); told != queue.told.end())
      take_slot(told->second, c.core.board.task(chosen.task)->spec);
    follow_choice(c, manager, chosen);
  }
  for (const TaskId task : open) follow_choice(c, manager, {task, {}, "it did not mention it"});
}

void heard_manager(Delegating& c, AgentId agent, bool reconnected) {
  Hierarchy& tree = c.tree;
  const bool was_silent = tree.silent.erase(agent) > 0;
  if (!reconnected && !was_silent) return;
  tree.changed = true;
  c.core.wake();
  const auto found = tree.queues.find(agent);
  if (found == tree.queues.end()) return;
  ManagerQueue afresh;
  afresh.waiting = std::move(found->second.asked);
  afresh.waiting.insert(afresh.waiting.end(), found->second.waiting.begin(), found->second.waiting.end());
  found->second = std::move(afresh);
}

void pass_over_silent(Delegating& c) {
  for (auto& [manager, queue] : c.tree.queues) {
    if (queue.deadline > c.core.now.mono) continue;
    queue.deadline = never;
    c.tree.silent.insert(manager);
    c.tree.changed = true;
    c.core.wake();
    c.core.note(
        Note::Level::warning,
        fmt::format(
            "manager {} does not answer within {}; until it is heard again, the level above decides for it",
            name_of(c, manager), c.core.board.config().bid_timeout));
  }
}

Instant next_choice_due(const Hierarchy& tree) {
  Instant next = never;
  for (const auto& [manager, queue] : tree.queues) next = std::min(next, queue.deadline);
  return next;
}

}  // namespace bidboard
