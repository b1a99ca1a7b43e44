#include "runtime/coordination/walking.hpp"

#include <algorithm>

#include "auction/bid.hpp"
#include "runtime/coordination/walk.hpp"
#include "runtime/core/award.hpp"

namespace bidboard {
namespace {

/// A reservation is checked again after this long at the earliest and the latest, if nothing else happens.
constexpr Duration soonest_review = milliseconds(100);
constexpr Duration latest_review = seconds(5);

}  // namespace

AgentId affected(const Change& change) {
  return std::visit(
      [&]<class Body>(const Body& event) -> AgentId {
        if constexpr (std::is_same_v<Body, AgentRegistered>)
          return event.agent.id;
        else if constexpr (std::is_same_v<Body, TaskAwarded> || std::is_same_v<Body, AgentLeft> ||
                           std::is_same_v<Body, AttemptSettled>)
          return event.agent;
        else if constexpr (std::is_same_v<Body, TaskMoved> || std::is_same_v<Body, AttemptEnded> ||
                           std::is_same_v<Body, TaskFinished>)
          return change.before->holder;
        else
          return {};
      },
      change.event->body);
}

void WalkingCoordinator::settle(Core& core) {
  settle_again_ = never;
  if (core.sessions.empty()) return new_tasks_.clear();
  begin_settle(core);
  while (true) {
    begin_walk();
    bool awarded = false;
    held_some_ = false;
    Walk walk(core, *this);
    for (Situation piece = walk.next(); !piece.tasks.empty(); piece = walk.next())
      if (settle_piece(core, piece)) awarded = true;
    walk.finish();
    // Agents that are still free may find something among the tasks that were not examined; and a slot that
    // was meant for a task that was held back instead, among those that found none.
    if (!held_some_ && (walk.complete() || !awarded)) break;
  }
  end_settle(core);
}

void WalkingCoordinator::on_change(Core& core, const Change& change) {
  if (const AgentId agent = affected(change)) roster_.touch(agent);
  held_some_ = held_some_ || std::holds_alternative<TaskHeld>(change.event->body);
  note_who_finds_work(core, change);
}

void WalkingCoordinator::note_who_finds_work(Core& core, const Change& change) {
  const EventBody& body = change.event->body;
  if (std::holds_alternative<ConfigSet>(body) || std::holds_alternative<AgentRegistered>(body) ||
      std::holds_alternative<AgentLeft>(body) || std::holds_alternative<BreakerMoved>(body) ||
      std::holds_alternative<BudgetRaised>(body))
    without_work_.clear();
  if (!change.task) return;
  const bool for_others =
      std::holds_alternative<TaskReserved>(body) || std::holds_alternative<TaskEdited>(body);
  if (change.before && change.before->awaited_award && !for_others) return;
  const Task* task = core.board.task(change.task);
  if (task && may_be_awarded(*task)) new_tasks_.push_back(change.task);
}

void WalkingCoordinator::agent_heard(Core&, AgentId agent, bool reconnected) {
  if (reconnected) roster_.touch(agent);
}

void WalkingCoordinator::task_opened(Core&, TaskId task) { new_tasks_.push_back(task); }

void WalkingCoordinator::forget(Core&) {
  roster_.touch_all();
  without_work_.clear();
  new_tasks_.clear();
  resting_.clear();
  settle_again_ = never;
}

void WalkingCoordinator::tick(Core& core) {
  if (settle_again_ <= core.now.mono) core.wake();
}

void WalkingCoordinator::review_in(const Core& core, Micros wait) {
  settle_at(core.now.mono + std::clamp(Duration{wait}, soonest_review, latest_review));
}

/// A task that is overdue by some time is expected to need that much time again.
std::vector<Micros> WalkingCoordinator::slots_free_in(const Core& core, const AgentView& view) const {
  std::vector<Micros> free_in(view.free_slots, 0);
  const AgentProfile& profile = view.agent->profile;
  if (view.free_slots == 0 && view.holding < profile.capacity)  // its account has no room just now
    free_in.assign(profile.capacity - view.holding, latest_review.us);
  for (const TaskId id : core.board.holdings(view.agent->id)) {
    const auto promise = core.promises.find(id);
    Micros expected = 0;
    Micros elapsed = 0;
    if (promise != core.promises.end()) {
      expected = promise->second.corrected_seconds;
      elapsed = (core.now.mono - promise->second.awarded_at).us;
    } else {
      const Task& task = *core.board.task(id);
      expected = standard_bid(task.spec, view.agent->profile).seconds;
      elapsed = std::max<Micros>(0, (core.now.wall - task.awarded_at).us);
    }
    free_in.push_back(std::max({expected - elapsed, elapsed - expected, expected / 10, Micros{1}}) +
                      seconds_behind(id));
  }
  if (free_in.size() > view.agent->profile.capacity) free_in.resize(view.agent->profile.capacity);
  std::sort(free_in.begin(), free_in.end());
  if (!free_in.empty()) add_reserved(view.agent->id, free_in);
  return free_in;
}

}  // namespace bidboard
