// An agent's messages from and to its neighbours.
#include <algorithm>
#include <utility>

#include "agents/peer.hpp"
#include "blackboard/fmt.hpp"

namespace bidboard {
namespace {

/// The most that neighbours can make us remember.
constexpr std::size_t beliefs_max = 10'000;

}  // namespace

void PeerMachine::hear(const PeerBids& bids, Instant now) {
  now_ = now;
  const auto at = links_.find(bids.from);
  if (at == links_.end() || bids.to != self_ || bids.proof != at->second.it_shows) {
    ignored_ += 1;
    return;
  }
  Link& link = at->second;
  link.last_heard = now;
  if (bids.heard <= number_ && bids.heard > link.confirmed) {
    link.confirmed = bids.heard;
    if (link.probe != 0 && link.probe <= link.confirmed) {
      // The longest recent one: delays differ from one message to the next.
      link.round_trip = std::max(now - link.probed_at, Duration{link.round_trip.us * 7 / 8});
      link.probe = 0;
    }
  }
  std::erase_if(link.tell_over, [&](const auto& told) {
    return told.second.second != 0 && told.second.second <= link.confirmed;
  });
  if (bids.number == 0) return;
  link.owes_word = true;
  if (bids.number <= link.heard) return;  // a duplicate, or overtaken by a newer one
  link.heard = bids.number;
  for (const PeerStamp& stamp : bids.stamps) {
    std::uint64_t& known = link.stamps[stamp.agent];
    known = std::max(known, stamp.number);
  }
  link.stamps[bids.from] = bids.number;
  for (const PeerBid& bid : bids.bids) note_said(link, bid);
  std::set<TaskId> tasks = link.differs;
  for (const PeerBid& bid : bids.bids) tasks.insert(bid.task);
  for (const TaskId task : tasks) judge(bids.from, link, task);
  for (const auto& [agent, number] : link.stamps) {
    if (agent == self_) continue;
    std::uint64_t& known = stamps_[agent];
    known = std::max(known, number);
  }
}

void PeerMachine::note_said(Link& link, const PeerBid& bid) {
  const auto over = over_.find(bid.task);
  if (bid.over) {
    link.said.erase(bid.task);
    link.differs.erase(bid.task);
    if (over == over_.end() || over->second < bid.round) note_over(bid.task, bid.round);
    return;
  }
  if (over != over_.end() && over->second >= bid.round) {
    if (bid.winner) link.tell_over.try_emplace(bid.task, over->second, 0);
    return;
  }
  if (!beliefs_.contains(bid.task)) {
    if (beliefs_.size() >= beliefs_max) return;
    believe(bid.task, bid.round, {});
  }
  Said& said = link.said[bid.task];
  const PeerClaim claim{bid.winner, bid.finish, bid.until};
  if (said.round != bid.round || !same(said.claim, claim)) link.pause = times_.gap;
  said = Said{bid.round, claim};
}

/// A neighbour reports a round that is over. With an arbiter this is only a hint, ignored for tasks that we
/// hold.
void PeerMachine::note_over(TaskId task, Epoch round) {
  if (arbiter_ == Arbiter::controller) {
    if (!held_.contains(task)) withdraw(task, round);
    return;
  }
  finished(task, round);
  over_news_.push_back(task);
}

void PeerMachine::judge(AgentId from, Link& link, TaskId task) {
  const auto said = link.said.find(task);
  const auto known = beliefs_.find(task);
  if (said == link.said.end() || known == beliefs_.end()) return;
  const Epoch round = said->second.round;
  if (round >= known->second.round) {
    if (round > known->second.round) believe(task, round, {});
    PeerClaim theirs = said->second.claim;
    if (theirs.winner != self_ && theirs.until <= shared(now_)) theirs = {};  // it has lapsed
    const PeerClaim ours = known->second.claim;
    const Resolution what = resolve(from, theirs, link.stamps, self_, ours, stamps_);
    if (what == Resolution::update) believe(task, round, theirs);
    if (what == Resolution::reset) believe(task, round, {});
  }
  compare(link, task);
}

void PeerMachine::compare(Link& link, TaskId task) const {
  const auto said = link.said.find(task);
  const Belief& belief = beliefs_.at(task);
  const bool agrees = said == link.said.end()
                          ? !belief.claim.winner
                          : said->second.round == belief.round && same(said->second.claim, belief.claim);
  if (agrees)
    link.differs.erase(task);
  else
    link.differs.insert(task);
}

bool PeerMachine::is_silent(const Link& link) const {
  if (link.waits_since == never) return false;
  return now_ - std::max(link.waits_since, link.last_heard) >= times_.silent_after;
}

bool PeerMachine::agreed() const {
  return std::ranges::all_of(
      links_, [&](const auto& entry) { return entry.second.differs.empty() || is_silent(entry.second); });
}

/// When the neighbour must be sent something new or a repetition. Nothing new is sent while it has not
/// confirmed the last message: over a slow link, messages that are outdated on arrival would make both sides
/// change their beliefs for ever.
Instant PeerMachine::due(const Link& link) const {
  if (is_in_flight(link)) return link.last_number_at + std::max(link.pause, link.round_trip * 2);
  const bool has_news =
      std::ranges::any_of(link.tell_over, [](const auto& told) { return told.second.second == 0; });
  if (changed_ > link.told || has_news) return link.last_told + times_.gap;
  return link.differs.empty() ? never : link.last_told + link.pause;
}

/// When the neighbour must be sent a confirmation.
Instant PeerMachine::word_due(const Link& link) const {
  return link.owes_word ? link.last_told + times_.gap : never;
}

void PeerMachine::speak(Turn& turn) {
  bool numbered = false;
  for (auto& [to, link] : links_) {
    const bool differs = !link.differs.empty();
    const bool waits = differs || link.confirmed < link.told || changed_ > link.told;
    if (!waits) link.waits_since = never;
    if (waits && link.waits_since == never) link.waits_since = now_;
    const bool settled = changed_ <= link.confirmed && !differs && link.tell_over.empty();
    const bool only_word = settled || due(link) > now_;
    if (std::min(due(link), word_due(link)) > now_) continue;
    const bool repeats = changed_ <= link.told || is_in_flight(link);
    if (!only_word && !numbered) {
      number_ = std::max(number_ + 1, static_cast<std::uint64_t>(std::max<Micros>(shared(now_), 1)));
      numbered = true;
    }
    PeerBids words{self_, to, link.we_show, 0, link.heard, {}, {}};
    if (settled) link.told = link.confirmed;  // nothing of ours is unconfirmed any more
    if (!only_word) {
      add_words(words, link);
      words.number = link.told = number_;
      link.last_number_at = now_;
      if (link.probe == 0) link.probe = number_, link.probed_at = now_;
      for (auto& [task, told] : link.tell_over)
        if (told.second == 0) told.second = number_;
      link.pause = repeats ? std::min(link.pause * 2, times_.pause_max) : times_.gap * 2;
    }
    link.owes_word = false;
    link.last_told = now_;
    turn.says.push_back(std::move(words));
  }
}

void PeerMachine::add_words(PeerBids& words, const Link& link) const {
  for (const auto& [task, belief] : beliefs_) {
    if (belief.changed <= link.confirmed && !link.differs.contains(task)) continue;
    const PeerClaim& claim = belief.claim;
    words.bids.push_back({task, belief.round, claim.winner, claim.finish, claim.until, false});
  }
  for (const auto& [task, told] : link.tell_over) words.bids.push_back({task, told.first, {}, 0, 0, true});
  if (words.bids.empty()) return;
  for (const auto& [agent, number] : stamps_)
    if (agent != words.to) words.stamps.push_back({agent, number});
}

void PeerMachine::note_agreement(Turn& turn) {
  constexpr std::size_t told_max = 32;
  if (beliefs_.empty() || links_.empty() || !agreed()) return;
  std::string who;
  std::size_t count = 0;
  for (const auto& [task, belief] : beliefs_) {
    if (!belief.claim.winner) continue;
    if (++count <= told_max) who += fmt::format(" {}={}", task, belief.claim.winner);
  }
  if (count == 0 || who == noted_) return;
  if (count > told_max) turn.note = fmt::format(" and {} more", count - told_max);
  turn.note = fmt::format("the peers agree:{}{}", who, turn.note);
  noted_ = std::move(who);
}

}  // namespace bidboard
