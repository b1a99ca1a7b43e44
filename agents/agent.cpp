#include "agents/agent.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "agents/worker.hpp"
#include "auction/eligibility.hpp"
#include "blackboard/fmt.hpp"

namespace bidboard {
namespace {

/// Reports that were not confirmed as durable are repeated after this long.
constexpr Duration repeat_after = seconds(2);
/// So many questions in a row who this is, each after a new registration, are not late ones.
constexpr unsigned doubts_max = 3;
/// Tasks whose last award is remembered.
constexpr std::size_t past_max = 10'000;

template <class T>
const T* as(const Message& message) {
  return std::get_if<T>(&message);
}

}  // namespace

AgentMachine::AgentMachine(Options options) : options_(std::move(options)) {}

AgentMachine::Actions AgentMachine::on_connected(Instant now) {
  Actions out;
  if (!registered()) {
    say_register(now, out);
    return out;
  }
  out.push_back(Say{heartbeat()});
  for (const auto& [number, reports] : unkept_) out.push_back(Say{reports});
  next_heartbeat_ = now + heartbeat_every_;
  if (!unkept_.empty()) repeat_reports_ = now + repeat_after;
  return out;
}

AgentMachine::Actions AgentMachine::on_message(const Message& message, Now now) {
  Actions out;
  if (const auto* registered_as = as<Registered>(message)) {
    id_ = registered_as->agent;
    secret_ = registered_as->secret;
    doubted_ = false;
    registered_at_ = now.mono;
    register_again_ = never;
    heartbeat_every_ = registered_as->heartbeat;
    // At once if work goes on: the answer says what of it is over.
    next_heartbeat_ = held_.empty() ? now.mono + heartbeat_every_ : now.mono;
    manager_ = {};
    out.push_back(AgentNote{fmt::format("registered as {}", id_)});
  } else if (const auto* refused = as<RegistrationRefused>(message)) {
    // Once registered, a refusal can only answer a duplicated registration message.
    if (!registered()) out.push_back(GiveUp{{refused->code, refused->text}});
  } else if (const auto* revocations = as<Revocations>(message)) {
    on_revocations(*revocations, now.mono, out);
  } else if (!registered()) {
    // What else arrives now belongs to an earlier registration; what is still true is said again after the
    // next.
  } else if (as<HeartbeatAck>(message)) {
    doubts_ = 0;
  } else if (as<WhoAreYou>(message)) {
    on_doubt(now.mono, out);
  } else if (const auto* awards = as<Awards>(message)) {
    on_awards(*awards, now, out);
  } else if (const auto* needs = as<NeedsPage>(message)) {
    on_needs(*needs, out);
  } else if (const auto* announcement = as<Announcement>(message)) {
    on_announcement(*announcement, out);
  } else if (const auto* peers = as<Peers>(message)) {
    on_peers(*peers, now.mono, out);
  } else if (const auto* offers = as<PeerOffers>(message)) {
    on_peer_offers(*offers, out);
  } else if (const auto* delegation = as<Delegation>(message)) {
    on_delegation(*delegation, out);
  } else if (const auto* kept = as<ReportsKept>(message)) {
    on_kept(*kept, out);
  } else if (const auto* malformed = as<Malformed>(message)) {
    out.push_back(AgentNote{"the controller could not read a message: " + malformed->what});
  }
  flush_reports(now.mono, out);
  return out;
}

/// Repeated until it is answered: if a registration got lost, this agent would stay idle for ever.
void AgentMachine::say_register(Instant now, Actions& out) {
  out.push_back(Say{Register{options_.profile, options_.incarnation, secret_}});
  register_again_ = now + repeat_after;
}

/// The lease was lost, or the question is late and answers a message from before the last registration. Work
/// that runs goes on until the controller says that its award is over; other work is given back.
void AgentMachine::on_doubt(Instant now, Actions& out) {
  // Said again in the name of the next registration. What comes too late is judged by the controller, which
  // keeps a late result as a discovery.
  std::vector<ReportItem> items;
  for (auto& [number, reports] : std::exchange(unkept_, {}))
    std::ranges::move(reports.items, std::back_inserter(items));
  std::ranges::move(unsent_, std::back_inserter(items));
  unsent_ = std::move(items);
  repeat_reports_ = never;
  const bool is_certain = ++doubts_ >= doubts_max;
  for (const TaskId task : held_tasks()) {
    const Work& work = held_.at(task);
    if (!work.begun()) {
      std::erase_if(unsent_,
                    [&](const ReportItem& item) { return item.task == task && item.epoch == work.epoch; });
      ReportItem back = item_for(task, work, ReportItem::What::declined);
      back.text = "it was given back here";
      report(std::move(back));
      stop(task, {}, out);
    } else if (is_certain && !work.revoked) {
      stop(task, "the lease was lost", out);
    }
  }
  doubted_ = true;
  if (now - registered_at_ < repeat_after)
    register_again_ = registered_at_ + repeat_after;
  else
    say_register(now, out);
}

std::vector<TaskId> AgentMachine::held_tasks() const {
  std::vector<TaskId> tasks;
  for (const auto& [task, work] : held_) tasks.push_back(task);
  return tasks;
}

void AgentMachine::on_awards(const Awards& awards, Now now, Actions& out) {
  for (const AwardItem& award : awards.awards) {
    const TaskId task = award.offer.task;
    const auto known = held_.find(task);
    if (known != held_.end() && known->second.epoch >= award.epoch) continue;   // a duplicate
    if (known == held_.end() && is_unconfirmed({task, award.epoch})) continue;  // ended here meanwhile
    Work work{award.epoch, award.capability, award.offer.spec.stall_after};
    const auto past = past_.find(task);
    if (past != past_.end() && past->second.epoch >= award.epoch) {
      // A late copy, unless the controller never heard how the award ended; then it must be told, or it waits
      // for ever.
      const bool begun = past->second.begun;
      ReportItem over = item_for(task, work, begun ? ReportItem::What::unknown : ReportItem::What::declined);
      over.text =
          begun ? "it was begun here before, and how it ended did not arrive" : "it was given back here";
      report(std::move(over));
      continue;
    }
    const bool full = held_.size() >= options_.profile.capacity;
    if (known != held_.end() || full) {
      ReportItem declined = item_for(task, work, ReportItem::What::declined);
      declined.text = full ? "all slots are taken" : "an earlier attempt is still being stopped here";
      report(std::move(declined));
      remember({task, award.epoch}, false);
      continue;
    }
    Work& held = held_.emplace(task, std::move(work)).first->second;
    if (award.needs_apart) {
      held.fetches = award;
      fetch_needs(held, out);
    } else {
      begin(award, out);
    }
    if (!peers_) continue;
    peers_->begun(task, award.epoch, own_seconds(award.offer, options_.profile), now.mono);
    peers_wait_ = true;
  }
}

void AgentMachine::begin(const AwardItem& award, Actions& out) {
  const TaskId task = award.offer.task;
  Work& work = held_.at(task);
  Assignment assignment = assignment_of(award, id_);
  if (award.offer.spec.repeatable) {
    out.push_back(StartTask{std::move(assignment)});
  } else {
    report(item_for(task, work, ReportItem::What::started));
    work.waits = std::move(assignment);
  }
  remember({task, award.epoch}, !work.waits);
}

void AgentMachine::remember(Held award, bool begun) {
  const auto [known, is_new] = past_.try_emplace(award.task, Past{award.epoch, begun});
  if (!is_new && known->second.epoch >= award.epoch) {
    if (known->second.epoch == award.epoch) known->second.begun |= begun;
    return;
  }
  known->second = {award.epoch, begun};
  past_order_.push_back(award);
  if (past_order_.size() <= past_max) return;
  // The oldest is forgotten, unless there was a later one of its task.
  const Held oldest = past_order_.front();
  past_order_.pop_front();
  if (const auto at = past_.find(oldest.task); at != past_.end() && at->second.epoch == oldest.epoch)
    past_.erase(at);
}

void AgentMachine::on_announcement(const Announcement& announcement, Actions& out) {
  if (announcement.pull) {
    Take take{id_, secret_, tasks_to_take(announcement.offers, options_.profile)};
    if (!take.tasks.empty()) out.push_back(Say{std::move(take)});
    return;
  }
  Bids bids{id_, secret_, {}};
  if (!options_.asks_executor) bids.bids = standard_bids(announcement.offers, options_.profile);
  for (const TaskOffer& offer : announcement.offers) {
    if (!options_.asks_executor) break;
    if (questions_.size() >= options_.bids_at_once) {
      bids.bids.push_back({offer.task, true, 0, 0, one, "too many bids are being worked out", {}});
    } else {
      BidQuestion question = question_of(offer);
      questions_[question.request] = offer.task;
      question.related = related_to(offer, announcement.offers);
      out.push_back(AskBid{std::move(question)});
    }
  }
  if (!bids.bids.empty()) out.push_back(Say{std::move(bids)});
}

BidQuestion AgentMachine::question_of(const TaskOffer& offer) {
  BidQuestion question;
  question.request = ++last_question_;
  question.task = offer.task;
  question.spec = offer.spec;
  question.attempt = offer.attempt;
  question.failures = offer.failures;
  return question;
}

void AgentMachine::on_delegation(const Delegation& delegation, Actions& out) {
  if (!leads(options_.profile.role) || !registered()) return;
  std::optional<Choices> choices = manager_.on_delegation(delegation);
  if (!choices) return;
  choices->agent = id_;
  choices->secret = secret_;
  out.push_back(Say{std::move(*choices)});
}

void AgentMachine::on_revocations(const Revocations& revocations, Instant now, Actions& out) {
  for (const Revocation& item : revocations.items) {
    const auto held = held_.find(item.held.task);
    if (held == held_.end() || held->second.epoch < item.held.epoch)
      remember(item.held, false);  // its award may be on the way
    if (held == held_.end() || held->second.epoch != item.held.epoch || held->second.revoked) continue;
    if (item.grace.us > 0 && held->second.begun()) {
      held->second.revoked = held->second.settles = true;
      held->second.stops_at = now + item.grace;
      continue;
    }
    stop(item.held.task, item.reason, out);
  }
}

/// REQUIRES: the task is held.
void AgentMachine::stop(TaskId task, const std::string& reason, Actions& out) {
  const auto held = held_.find(task);
  if (!held->second.begun()) {
    remember({task, held->second.epoch}, false);
    held_.erase(held);
    no_longer_held(task);
    return;
  }
  held->second.revoked = true;
  out.push_back(StopTask{task, held->second.epoch, reason});
}

void AgentMachine::on_kept(const ReportsKept& kept, Actions& out) {
  const auto reports = unkept_.find(kept.number);
  if (reports == unkept_.end()) return;
  for (const ReportItem& item : reports->second.items) {
    const auto held = held_.find(item.task);
    const bool begins = item.what == ReportItem::What::started && held != held_.end() &&
                        held->second.epoch == item.epoch && held->second.waits;
    if (!begins) continue;
    remember({item.task, item.epoch}, true);
    out.push_back(StartTask{*std::exchange(held->second.waits, std::nullopt)});
  }
  unkept_.erase(reports);
  if (unkept_.empty()) repeat_reports_ = never;
}

AgentMachine::Actions AgentMachine::on_execution(const ExecutionEvent& event, Now now) {
  Actions out;
  if (const auto* answered = std::get_if<BidAnswered>(&event)) {
    if (const auto asked = peer_questions_.find(answered->request); asked != peer_questions_.end()) {
      const auto* vector = std::get_if<BidVector>(&answered->answer);
      if (vector && peers_) {
        asked->second.seconds = vector->seconds;
        peers_->offer(asked->second);
        peers_wait_ = true;
      }
      peer_questions_.erase(asked);
      return out;
    }
    const auto question = questions_.find(answered->request);
    if (question == questions_.end()) return out;
    Bid bid{question->second, false, 0, 0, one, {}, {}};
    if (const auto* refusal = std::get_if<Refusal>(&answered->answer)) {
      bid.refused = true;
      bid.reason = refusal->detail;
    } else {
      const BidVector& vector = std::get<BidVector>(answered->answer);
      bid.seconds = vector.seconds;
      bid.price = vector.price;
      bid.confidence = vector.confidence;
    }
    Bids bids{id_, secret_, {std::move(bid)}};
    for (const BundleBid& bundle : answered->bundles) bids.bids.push_back(said_of(bundle));
    questions_.erase(question);
    if (registered()) out.push_back(Say{std::move(bids)});
    return out;
  }
  const TaskId task = std::visit([](const auto& e) { return e.task; }, event);
  const auto held = held_.find(task);
  if (held == held_.end()) return out;
  Work& work = held->second;
  work.last_sign = now.mono;
  work.stall_told = false;
  if (const auto* ended = std::get_if<ExecutionEnded>(&event)) {
    ReportItem item = item_for(task, work, what_of(ended->ending));
    item.text = ended->ending == Ending::done ? ended->result : ended->reason;
    item.price = ended->price;
    item.tokens = ended->tokens;
    item.seconds = ended->seconds;
    item.outage = ended->outage;
    item.until = ended->until;
    item.work = ended->work;
    // A revoked task that was done nevertheless is reported: its result is kept as a late discovery. Another
    // one only if it cost something.
    const bool cut_off = work.revoked && !work.settles && ended->ending != Ending::done;
    if (work.settles || cut_off) item.what = ReportItem::What::settled, item.text.clear();
    const bool tell = !cut_off || item.price > 0 || item.tokens > 0;
    held_.erase(held);
    no_longer_held(task);
    if (tell) report(std::move(item));
  } else if (std::holds_alternative<ExecutionStarted>(event)) {
    report(item_for(task, work, ReportItem::What::started));
  } else if (const auto* progress = std::get_if<ExecutionProgress>(&event)) {
    ReportItem item = item_for(task, work, ReportItem::What::progress);
    item.fraction = progress->fraction;
    item.text = progress->text;
    report(std::move(item));
  }
  return out;
}

AgentMachine::Actions AgentMachine::on_start_failed(TaskId task, Epoch epoch, const Error& error, Now now) {
  Actions out;
  const auto held = held_.find(task);
  if (held == held_.end() || held->second.epoch != epoch) return out;
  // A refusal means that this agent cannot do such a task: it counts as a failed attempt, so that other
  // agents are preferred. An agent that can start nothing just now rests.
  const bool cannot_start = error.code == Errc::unavailable;
  ReportItem item =
      item_for(task, held->second, cannot_start ? ReportItem::What::unavailable : ReportItem::What::failed);
  if (cannot_start) item.outage = Outage::environment;
  item.text = error.text;
  held_.erase(held);
  no_longer_held(task);
  report(std::move(item));
  flush_reports(now.mono, out);
  return out;
}

AgentMachine::Actions AgentMachine::on_time(Now now) {
  Actions out;
  for (auto& [task, work] : held_) {
    if (work.stops_at > now.mono) continue;
    work.stops_at = never;
    out.push_back(StopTask{task, work.epoch, "it had delivered its result and did not end"});
  }
  if (!registered()) {
    if (now.mono >= register_again_) say_register(now.mono, out);
    return out;
  }
  for (auto& [task, work] : held_) {
    if (work.stalls_at() > now.mono) continue;
    work.stall_told = true;
    report(item_for(task, work, ReportItem::What::stalled));
  }
  flush_reports(now.mono, out);
  if (now.mono >= next_heartbeat_) {
    out.push_back(Say{heartbeat()});
    for (const auto& [task, work] : held_)  // the last page may be lost
      if (work.fetches) fetch_needs(work, out);
    next_heartbeat_ = now.mono + heartbeat_every_;
  }
  if (now.mono >= repeat_reports_) {
    for (const auto& [number, reports] : unkept_) out.push_back(Say{reports});
    repeat_reports_ = now.mono + repeat_after;
  }
  talk_to_peers(now.mono, out);
  return out;
}

Instant AgentMachine::next_wakeup() const {
  if (!registered()) {
    Instant next = register_again_;
    for (const auto& [task, work] : held_) next = std::min(next, work.stops_at);
    return next;
  }
  Instant next = std::min(next_heartbeat_, repeat_reports_);
  if (!unsent_.empty() || peers_wait_) next = Instant{};
  if (peers_) next = std::min(next, peers_->next_wakeup());
  for (const auto& [task, work] : held_) next = std::min({next, work.stalls_at(), work.stops_at});
  return next;
}

AgentMachine::Actions AgentMachine::leave(const std::string& reason) {
  Actions out;
  if (id_.value != 0) out.push_back(Say{Leave{id_, secret_, reason}});
  return out;
}

/// Everything that happened since the last call, in as few messages as the size limit allows.
void AgentMachine::flush_reports(Instant now, Actions& out) {
  if (unsent_.empty() || !registered()) return;
  const auto send = [&](std::vector<ReportItem> items) {
    Reports reports{id_, secret_, ++last_report_, std::move(items)};
    unkept_[last_report_] = reports;
    out.push_back(Say{std::move(reports)});
  };
  std::vector<ReportItem> items;
  std::size_t bytes = 0;
  for (ReportItem& item : std::exchange(unsent_, {})) {
    if (bytes > 0 && bytes + item.text.size() > message_bytes_max) {
      send(std::exchange(items, {}));
      bytes = 0;
    }
    bytes += item.text.size() + item.capability.size();
    items.push_back(std::move(item));
  }
  send(std::move(items));
  if (repeat_reports_ == never) repeat_reports_ = now + repeat_after;
}

ReportItem AgentMachine::item_for(TaskId task, const Work& work, ReportItem::What what) const {
  ReportItem item;
  item.what = what;
  item.task = task;
  item.epoch = work.epoch;
  item.capability = work.capability;
  return item;
}

Heartbeat AgentMachine::heartbeat() const {
  Heartbeat beat{id_, secret_, {}};
  for (const auto& [task, work] : held_) beat.held.push_back({task, work.epoch});
  // A report that is not yet confirmed still counts as held: otherwise the task would be awarded to us again.
  for (const auto& [number, reports] : unkept_)
    for (const ReportItem& item : reports.items) beat.held.push_back({item.task, item.epoch});
  for (const ReportItem& item : unsent_) beat.held.push_back({item.task, item.epoch});
  return beat;
}

bool AgentMachine::is_unconfirmed(Held held) const {
  const std::vector<Held> ours = heartbeat().held;
  return std::find(ours.begin(), ours.end(), held) != ours.end();
}

}  // namespace bidboard
