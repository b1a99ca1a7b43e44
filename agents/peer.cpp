#include "agents/peer.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace bidboard {
namespace {

/// How much an agent plans ahead, per slot.
constexpr std::size_t bundle_per_slot = 4;
/// For how many tasks it is remembered that they are over.
constexpr std::size_t over_max = 10'000;
/// The bid for a task that its winner has requested: no bid is earlier.
constexpr Micros taken = 0;

auto urgency(const PeerTask& task) { return std::tuple(-task.priority, -task.level, task.task); }

template <class Map>
void keep_latest(Map& map, std::size_t most) {
  if (map.size() > most) map.erase(map.begin());
}

}  // namespace

PeerMachine::PeerMachine(AgentId self, std::uint32_t slots, PeerTimes times, Arbiter arbiter)
    : self_(self), slots_(slots), times_(times), arbiter_(arbiter) {}

void PeerMachine::meet(const Peers& peers, Instant now) {
  now_ = now;
  if (peers.number < peers_number_) return;  // overtaken by a newer one
  peers_number_ = peers.number;
  offset_ = peers.now - now.us;
  // A new process starts numbering from the clock, above every number that it used before.
  number_ = std::max(number_, static_cast<std::uint64_t>(std::max<Micros>(shared(now), 1)));
  std::map<AgentId, Link> earlier = std::exchange(links_, {});
  for (const PeerEntry& entry : peers.peers) {
    const auto known = earlier.find(entry.agent);
    const bool stays = known != earlier.end() && known->second.it_shows == entry.it_shows;
    Link link;
    if (stays) link = std::move(known->second);
    if (known != earlier.end() && stays) earlier.erase(known);
    link.we_show = entry.we_show;
    link.it_shows = entry.it_shows;
    if (!stays) {
      link.pause = times_.gap;
      for (const auto& [task, belief] : beliefs_) compare(link, task);
    }
    links_.emplace(entry.agent, std::move(link));
  }
  // None of our peers can have newer information about the agents that are gone.
  for (const auto& [gone, link] : earlier) {
    stamps_[gone] = std::max(stamps_[gone], static_cast<std::uint64_t>(std::max<Micros>(shared(now), 1)));
    std::vector<TaskId> theirs;
    for (const auto& [task, belief] : beliefs_)
      if (belief.claim.winner == gone) theirs.push_back(task);
    for (const TaskId task : theirs) believe(task, beliefs_[task].round, {});
  }
}

void PeerMachine::offer(const PeerTask& task) {
  const auto over = over_.find(task.task);
  if (over != over_.end() && over->second > task.round) return;
  if (over != over_.end()) over_.erase(over);  // the board is authoritative
  offers_[task.task] = task;
  const auto known = beliefs_.find(task.task);
  if (known == beliefs_.end() || known->second.round < task.round) believe(task.task, task.round, {});
}

void PeerMachine::withdraw(TaskId task, Epoch round) {
  const auto known = beliefs_.find(task);
  if (known != beliefs_.end() && known->second.round > round) return;
  Epoch& over = over_[task];
  over = std::max(over, round);
  keep_latest(over_, over_max);
  const auto offered = offers_.find(task);
  if (offered != offers_.end() && offered->second.round <= round) offers_.erase(offered);
  if (known != beliefs_.end()) forget(task);
}

void PeerMachine::refuse(TaskId task) {
  offers_.erase(task);
  asked_.erase(task);
  const auto known = beliefs_.find(task);
  if (known != beliefs_.end() && known->second.claim.winner == self_) believe(task, known->second.round, {});
}

void PeerMachine::begun(TaskId task, Epoch round, Micros seconds, Instant now) {
  now_ = now;
  const auto place = std::find(bundle_.begin(), bundle_.end(), task);
  // Tasks behind it were planned to follow it: nothing changes for them.
  if (place != bundle_.end()) bundle_.erase(place);
  asked_.erase(task);
  if (arbiter_ == Arbiter::controller) withdraw(task, round);  // else our claim stands until it is finished
  held_[task] = Holding{round, now, std::max<Micros>(seconds, 1)};
}

/// Our promises are computed again: they may now be kept earlier or later than promised.
void PeerMachine::ended(TaskId task) {
  if (held_.erase(task) > 0) must_renew_ = true;
}

void PeerMachine::finished(TaskId task, Epoch round) {
  withdraw(task, round);
  for (auto& [agent, link] : links_) link.tell_over[task] = {round, 0};
}

/// From now on we believe this. If the task was in our bundle and is no longer ours, the tasks behind it are
/// dropped as well.
void PeerMachine::believe(TaskId task, Epoch round, const PeerClaim& claim) {
  const auto [at, fresh] = beliefs_.try_emplace(task, Belief{round, {}, 0, now_});
  Belief& belief = at->second;
  if (!fresh && belief.round == round && belief.claim == claim) return;
  if (!same(belief.claim, claim) || belief.round != round) belief.since = now_;
  belief.round = round;
  belief.claim = claim;
  belief.changed = changed_ = number_ + 1;
  for (auto& [agent, link] : links_) {
    compare(link, task);
    link.pause = times_.gap;
  }
  if (claim.winner == self_) return;
  asked_.erase(task);
  const auto place = std::find(bundle_.begin(), bundle_.end(), task);
  if (place == bundle_.end()) return;
  const auto behind = static_cast<std::size_t>(place - bundle_.begin());
  bundle_.erase(place);
  drop_from(behind);
}

/// Drops the bundle from that place on, except tasks that were requested already.
void PeerMachine::drop_from(std::size_t place) {
  const auto from = bundle_.begin() + static_cast<std::ptrdiff_t>(place);
  const std::vector<TaskId> behind(from, bundle_.end());
  bundle_.erase(from, bundle_.end());
  for (const TaskId task : behind) {
    if (asked_.contains(task))
      bundle_.push_back(task);
    else
      believe(task, beliefs_.at(task).round, {});
  }
}

void PeerMachine::forget(TaskId task) {
  asked_.erase(task);
  beliefs_.erase(task);
  for (auto& [agent, link] : links_) {
    link.said.erase(task);
    link.differs.erase(task);
  }
  const auto place = std::find(bundle_.begin(), bundle_.end(), task);
  if (place == bundle_.end()) return;
  const auto behind = static_cast<std::size_t>(place - bundle_.begin());
  bundle_.erase(place);
  drop_from(behind);
}

PeerClaim PeerMachine::belief(TaskId task) const {
  const auto known = beliefs_.find(task);
  return known == beliefs_.end() ? PeerClaim{} : known->second.claim;
}

/// Drops claims whose owner neither began nor renewed them; ours are renewed in time.
void PeerMachine::lapse() {
  const Micros now = shared(now_);
  std::vector<TaskId> lapsed, idle;
  for (auto& [task, belief] : beliefs_) {
    const PeerClaim& claim = belief.claim;
    if (!claim.winner && !offers_.contains(task) && now_ - belief.since >= times_.lapse) idle.push_back(task);
    if (!claim.winner) continue;
    if (claim.winner != self_ && claim.until <= now) lapsed.push_back(task);
    if (claim.winner == self_ && claim.until - times_.lapse.us / 2 <= now) {
      if (asked_.contains(task) || held_.contains(task)) {
        believe(task, belief.round, {self_, taken, now + times_.lapse.us});
      } else {
        must_renew_ = true;
      }
    }
  }
  for (const TaskId task : lapsed) believe(task, beliefs_.at(task).round, {});
  for (const TaskId task : idle) forget(task);
  if (std::exchange(must_renew_, false)) renew();
}

std::vector<Micros> PeerMachine::slots_free_at() const {
  const Micros now = shared(now_);
  std::vector<Micros> free;
  for (const auto& [task, held] : held_) {
    // A task that is late is expected to need as long again as it has taken so far.
    Micros seconds = held.seconds;
    while (held.since.us + seconds <= now_.us && seconds < INT64_MAX / 4) seconds *= 2;
    free.push_back(shared(held.since) + seconds);
  }
  while (free.size() < slots_) free.push_back(now);
  std::ranges::sort(free);
  // Tasks held beyond our slots run beside the others.
  free.erase(free.begin(), free.end() - static_cast<std::ptrdiff_t>(slots_));
  return free;
}

namespace {

/// When the task would begin on the slot that is free first; occupies that slot.
Micros begin_on(std::vector<Micros>& slots, Micros seconds) {
  const auto first = std::ranges::min_element(slots);
  const Micros start = *first;
  *first = start + seconds;
  return start;
}

}  // namespace

/// Recomputes our promises as of now and updates those that differ.
void PeerMachine::renew() {
  std::vector<Micros> slots = slots_free_at();
  for (const TaskId task : bundle_) {
    const auto offer = offers_.find(task);
    if (offer == offers_.end()) continue;
    const Micros start = begin_on(slots, offer->second.seconds);
    if (asked_.contains(task)) continue;
    believe(task, offer->second.round, {self_, start + offer->second.seconds, start + times_.lapse.us});
  }
}

bool PeerMachine::is_open_to_us(const PeerTask& task) const {
  const auto known = beliefs_.find(task.task);
  return known != beliefs_.end() && known->second.round == task.round && !held_.contains(task.task) &&
         std::find(bundle_.begin(), bundle_.end(), task.task) == bundle_.end();
}

/// A more urgent task has arrived: less urgent tasks in the bundle are dropped for it.
void PeerMachine::make_room_for_urgent() {
  std::vector<const PeerTask*> open;
  for (const auto& [id, task] : offers_)
    if (is_open_to_us(task)) open.push_back(&task);
  std::ranges::sort(open, {}, [](const PeerTask* task) { return urgency(*task); });
  std::vector<Micros> slots = slots_free_at();
  std::size_t place = 0;
  for (const PeerTask* task : open) {
    while (place < bundle_.size()) {
      const PeerTask& planned = offers_.at(bundle_[place]);
      if (!asked_.contains(planned.task) && urgency(planned) > urgency(*task)) break;
      begin_on(slots, planned.seconds);
      ++place;
    }
    if (place == bundle_.size()) return;
    const Micros start = *std::ranges::min_element(slots);
    if (!beats({self_, start + task->seconds, 0}, belief(task->task))) continue;
    drop_from(place);
    return;
  }
}

/// The paper's first phase (bundle construction).
void PeerMachine::build() {
  const std::size_t most = bundle_per_slot * slots_;
  make_room_for_urgent();
  if (bundle_.size() >= most) return;
  std::vector<const PeerTask*> open;
  for (const auto& [id, task] : offers_)
    if (is_open_to_us(task)) open.push_back(&task);
  std::ranges::sort(open, {}, [](const PeerTask* task) { return urgency(*task); });
  std::vector<Micros> slots = slots_free_at();
  for (const TaskId task : bundle_) begin_on(slots, offers_.at(task).seconds);
  for (const PeerTask* task : open) {
    if (bundle_.size() >= most) return;
    const Micros start = *std::ranges::min_element(slots);
    const PeerClaim claim{self_, start + task->seconds, start + times_.lapse.us};
    if (!beats(claim, belief(task->task))) continue;
    begin_on(slots, task->seconds);
    bundle_.push_back(task->task);
    believe(task->task, task->round, claim);
  }
}

/// When the task counts as agreed on, if nothing changes; never while a peer disagrees.
Instant PeerMachine::settled_at(TaskId task) const {
  const PeerTask& wanted = offers_.at(task);
  Instant at{};
  for (const auto& [id, belief] : beliefs_) {
    const auto offer = offers_.find(id);
    if (offer == offers_.end() || urgency(offer->second) > urgency(wanted)) continue;
    for (const auto& [peer, link] : links_)
      if (link.differs.contains(id) && !is_silent(link)) return never;
    at = std::max(at, belief.since + times_.settled_after);
  }
  return at;
}

/// The first tasks in the bundle, as far as there are slots for them.
void PeerMachine::take(Turn& turn) {
  const std::size_t room = slots_ > held_.size() ? slots_ - held_.size() : 0;
  for (std::size_t i = 0; i < std::min(room, bundle_.size()); ++i) {
    const TaskId task = bundle_[i];
    const Belief& belief = beliefs_.at(task);
    const Duration settled = now_ - belief.since;
    const auto asked = asked_.find(task);
    if (asked != asked_.end() && now_ - asked->second < times_.repeat_take_after) continue;
    if (asked == asked_.end() && settled < times_.patience && settled_at(task) > now_) continue;
    const bool first = asked == asked_.end();
    asked_[task] = now_;
    turn.take.push_back(task);
    if (first) believe(task, belief.round, {self_, taken, shared(now_) + times_.lapse.us});
  }
}

PeerMachine::Turn PeerMachine::turn(Instant now) {
  now_ = now;
  Turn turn;
  turn.over = std::exchange(over_news_, {});
  lapse();
  build();
  take(turn);
  speak(turn);
  note_agreement(turn);
  plan();
  return turn;
}

/// When something is due next.
void PeerMachine::plan() {
  Instant next = never;
  const auto at = [&](Instant when) { next = std::min(next, std::max(when, now_ + microseconds(1))); };
  for (const auto& [to, link] : links_) {
    at(std::min(due(link), word_due(link)));
    if (link.waits_since != never)
      if (const Instant silent = std::max(link.waits_since, link.last_heard) + times_.silent_after;
          silent > now_)
        at(silent);
  }
  for (const auto& [task, belief] : beliefs_) {
    const PeerClaim& claim = belief.claim;
    if (!claim.winner && !offers_.contains(task)) at(belief.since + times_.lapse);
    if (!claim.winner) continue;
    const Micros until = claim.winner == self_ ? claim.until - times_.lapse.us / 2 : claim.until;
    at(Instant{until - offset_});
  }
  const std::size_t room = slots_ > held_.size() ? slots_ - held_.size() : 0;
  for (std::size_t i = 0; i < std::min(room, bundle_.size()); ++i) {
    const Belief& belief = beliefs_.at(bundle_[i]);
    const auto asked = asked_.find(bundle_[i]);
    if (asked != asked_.end())
      at(asked->second + times_.repeat_take_after);
    else
      at(std::min(settled_at(bundle_[i]), belief.since + times_.patience));
  }
  wake_ = next;
}

}  // namespace bidboard
