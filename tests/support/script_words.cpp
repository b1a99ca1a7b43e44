#include "tests/support/script_words.hpp"

namespace bidboard::script {
namespace {

std::string number(std::uint64_t n) { return std::to_string(n); }
std::string because(const std::string& reason) { return reason.empty() ? "" : " (" + reason + ")"; }
std::string at(Epoch epoch) { return " epoch " + number(epoch.value); }
std::string state(TaskState s) { return std::string(name(s)); }
std::string wall(WallTime t) {
  return format_micros(t.us - 1'000'000'000'000) + "s";
}  // since the script began

struct EventWords {
  std::string operator()(const TermStarted& e) const { return "term " + number(e.term.value) + " begins"; }
  std::string operator()(const ConfigSet& e) const {
    return "configured: " + e.config.strategy +
           (e.config.strategy == "auction" ? " " + e.config.mechanism : "");
  }
  std::string operator()(const TaskPosted& e) const {
    std::string text = to_string(e.task.id) + " posted: " + state(e.task.state) + because(e.task.reason);
    if (e.task.spec.workflow) text += " in " + to_string(e.task.spec.workflow);
    if (e.task.spec.parent) text += " under " + to_string(e.task.spec.parent);
    return text;
  }
  std::string operator()(const TaskMoved& e) const {
    return to_string(e.task) + " is " + state(e.to) + because(e.reason);
  }
  std::string operator()(const BackoffOver& e) const { return to_string(e.task) + " has waited long enough"; }
  std::string operator()(const TaskAwarded& e) const {
    return to_string(e.task) + " awarded to " + to_string(e.agent) + at(e.epoch) + " by " +
           e.decision.mechanism + ": " + e.decision.why;
  }
  std::string operator()(const TaskStarted& e) const { return to_string(e.task) + " started" + at(e.epoch); }
  std::string operator()(const TaskProgressed& e) const {
    return to_string(e.task) + " progressed to " + format_micros(e.fraction) + because(e.text);
  }
  std::string operator()(const TaskRenewed& e) const {
    return to_string(e.task) + " renewed until " + wall(e.deadline);
  }
  std::string operator()(const TaskStalled& e) const { return to_string(e.task) + " stalled" + at(e.epoch); }
  std::string operator()(const AttemptEnded& e) const {
    std::string text =
        to_string(e.task) + " attempt of " + to_string(e.agent) + at(e.epoch) + " ended: " + state(e.to);
    if (e.not_before.us != 0) text += " from " + wall(e.not_before) + " on";
    return text + because(e.reason) + (e.died ? " [death]" : "") + (e.counts ? "" : " [does not count]");
  }
  std::string operator()(const TaskFinished& e) const {
    return to_string(e.task) + " finished by " + to_string(e.agent) + at(e.epoch) + ": " +
           (e.result_blob.empty() ? "'" + e.result + "'" : "content kept by its hash");
  }
  std::string operator()(const TaskReopened& e) const {
    return to_string(e.task) + " reopened: " + state(e.to) + because(e.reason);
  }
  std::string operator()(const NeedAdded& e) const {
    return to_string(e.task) + " now needs " + to_string(e.need.task) + (e.need.any ? " (any end)" : "");
  }
  std::string operator()(const NeedRemoved& e) const {
    return to_string(e.task) + " no longer needs " + to_string(e.need);
  }
  std::string operator()(const LevelsRaised& e) const {
    std::string text = "bottom levels:";
    for (const Level& level : e.levels)
      text += " " + to_string(level.task) + "=" + format_micros(level.bottom_level);
    return text;
  }
  std::string operator()(const TaskReserved& e) const {
    return to_string(e.task) + (e.agent ? " reserved for " + to_string(e.agent) : " is for anyone") +
           (e.bundle ? " in the bundle of " + to_string(e.bundle) : "");
  }
  std::string operator()(const TaskHeld& e) const {
    return to_string(e.task) + " is held: " + std::string(name(e.hold.kind)) + because(e.hold.why);
  }
  std::string operator()(const HoldLifted& e) const {
    return to_string(e.task) + " is no longer held: " + std::string(name(e.hold));
  }
  std::string operator()(const AgentRegistered& e) const {
    return to_string(e.agent.id) + " is " + e.agent.profile.name + ", " + std::string(name(e.agent.state));
  }
  std::string operator()(const AgentSeen&) const { return {}; }
  std::string operator()(const AgentLeft& e) const {
    return to_string(e.agent) + " is gone" + because(e.reason);
  }
  std::string operator()(const Calibrated& e) const {
    return to_string(e.calibration.agent) + " calibrated for " + e.calibration.kind + ": seconds x" +
           format_micros(e.calibration.seconds_ratio) + ", success " + format_micros(e.calibration.success);
  }
  std::string operator()(const DiscoveryPosted& e) const {
    return to_string(e.discovery.id) + " discovered: " + e.discovery.kind + " of " +
           to_string(e.discovery.task) + at(e.discovery.epoch) + " by " + to_string(e.discovery.agent) +
           ": '" + e.discovery.body + "'";
  }
  std::string operator()(const WorkflowPosted& e) const {
    return to_string(e.workflow.id) + " posted: " + e.workflow.name + ", " + number(e.workflow.tasks) +
           " tasks";
  }
  std::string operator()(const Replied& e) const {
    return "reply " + number(e.request) + " kept for client " + number(e.client.value);
  }
  std::string operator()(const ClientForgotten& e) const {
    return "client " + number(e.client.value) + " forgotten";
  }
  std::string operator()(const RequestRefused& e) const {
    return "refused: " + e.who + " may not " + std::string(name(e.action)) +
           (e.task ? " " + to_string(e.task) : "") + because(e.reason);
  }
  std::string operator()(const AuctionFailed& e) const {
    return to_string(e.decision.id) + " of " + to_string(e.task) + " failed, " + e.decision.why +
           "; asked again at " + wall(e.ask_again);
  }
};

std::string in_words(const ReplyBody& body) {
  if (const auto* posted = std::get_if<Posted>(&body)) {
    std::string text = "posted";
    for (std::size_t i = 0; i < posted->ids.size(); ++i)
      text += " " + to_string(posted->ids[i]) + (posted->existed[i] ? " (stood already)" : "");
    return text + (posted->workflow ? " in " + to_string(posted->workflow) : "");
  }
  if (const auto* claimed = std::get_if<Claimed>(&body))
    return "claimed " + to_string(claimed->task) + at(claimed->epoch) + " as " + to_string(claimed->agent) +
           " until " + wall(claimed->deadline) + (claimed->capability.empty() ? " without a capability" : "");
  if (const auto* changed = std::get_if<Changed>(&body))
    return to_string(changed->task) + " is " + state(changed->state);
  if (const auto* status = std::get_if<Status>(&body)) {
    std::string text = "term " + number(status->term.value) + ", " + status->strategy + ", event " +
                       number(status->seq.value);
    for (const AgentStatus& agent : status->agents)
      text += ", " + to_string(agent.agent) + " runs " + number(agent.running) + " silent " +
              format_duration(agent.silent_for);
    return text;
  }
  if (const auto* page = std::get_if<LogPage>(&body))
    return number(page->events.size()) + " events from " + number(page->first.value) + " on";
  return "ok";
}

/// "told anew left 1/4 free; a3 left; decide t1 t2 (not a4)"
std::string in_words(const Delegation& delegation) {
  std::string text = delegation.anew ? "told anew" : "told";
  for (const Member& member : delegation.members) {
    std::uint32_t slots = 0, free = 0;
    for (const Crew& crew : member.crews) slots += crew.slots, free += crew.free;
    text += " " + member.name + " " + number(free) + "/" + number(slots) + " free";
  }
  for (const AgentId left : delegation.left) text += ", " + to_string(left) + " left";
  if (!delegation.tasks.empty()) text += "; decide";
  for (const DelegatedTask& task : delegation.tasks) {
    text += " " + to_string(task.offer.task);
    for (const AgentId other : task.not_for) text += " (not " + to_string(other) + ")";
  }
  return text;
}

/// "its peers are left right"
std::string in_words(const Peers& peers) {
  std::string text = peers.peers.empty() ? "has no peers" : "its peers are";
  for (const PeerEntry& peer : peers.peers) text += " " + peer.name;
  return text;
}

/// "agree about t1 t2; over t3 epoch 1; not for it t4"
std::string in_words(const PeerOffers& offers) {
  std::vector<std::string> parts;
  const auto add = [&](const char* what, const auto& items, const auto& words) {
    if (items.empty()) return;
    parts.emplace_back(what);
    for (const auto& item : items) parts.back() += " " + words(item);
  };
  add("agree about", offers.offers, [](const PeerOffer& offer) { return to_string(offer.offer.task); });
  add("over", offers.over, [](const Held& held) { return to_string(held.task) + at(held.epoch); });
  add("not for it", offers.refused, [](TaskId task) { return to_string(task); });
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : "; ") + part;
  return text;
}

}  // namespace

std::string in_words(const Event& event) { return std::visit(EventWords{}, event.body); }

std::vector<std::string> in_words(const Message& message) {
  std::vector<std::string> lines;
  if (const auto* reply = std::get_if<Reply>(&message)) {
    lines.push_back(reply->code == Errc::ok ? in_words(reply->body)
                                            : std::string(name(reply->code)) + ": " + reply->text);
  } else if (const auto* registered = std::get_if<Registered>(&message)) {
    lines.push_back("registered as " + to_string(registered->agent));
  } else if (const auto* refused = std::get_if<RegistrationRefused>(&message)) {
    lines.push_back("registration refused, " + std::string(name(refused->code)) + ": " + refused->text);
  } else if (std::holds_alternative<WhoAreYou>(message)) {
    lines.push_back("who are you?");
  } else if (const auto* announcement = std::get_if<Announcement>(&message)) {
    std::string text = announcement->pull ? "come and claim" : "announced";
    for (const TaskOffer& offer : announcement->offers) text += " " + to_string(offer.task);
    lines.push_back(text);
  } else if (const auto* awards = std::get_if<Awards>(&message)) {
    for (const AwardItem& award : awards->awards) {
      std::string text = "award " + to_string(award.offer.task) + at(award.epoch) + " attempt " +
                         number(award.offer.attempt);
      for (const NeedResult& need : award.needs)
        text += ", " + to_string(need.task) + " " + state(need.state) + " '" + need.result + "'";
      for (const AttemptFailure& failure : award.offer.failures)
        text += ", " + to_string(failure.agent) + " failed: " + failure.reason;
      lines.push_back(text);
    }
  } else if (const auto* revocations = std::get_if<Revocations>(&message)) {
    for (const Revocation& item : revocations->items)
      lines.push_back("revoked " + to_string(item.held.task) + at(item.held.epoch) + ": " + item.reason);
  } else if (const auto* delegation = std::get_if<Delegation>(&message)) {
    lines.push_back(in_words(*delegation));
  } else if (const auto* peers = std::get_if<Peers>(&message)) {
    lines.push_back(in_words(*peers));
  } else if (const auto* offers = std::get_if<PeerOffers>(&message)) {
    lines.push_back(in_words(*offers));
  } else if (const auto* malformed = std::get_if<Malformed>(&message)) {
    lines.push_back("malformed: " + malformed->what);
  } else if (const auto* welcome = std::get_if<Welcome>(&message)) {
    lines.push_back("welcome, version " + number(welcome->version));
  }
  return lines;
}

std::string in_words(const Task& task) {
  std::string text = to_string(task.id) + " " + task.spec.title + ": " + state(task.state);
  if (task.state == TaskState::blocked) text += " by " + number(task.open_needs);
  if (is_held(task.state)) text += " by " + to_string(task.holder);
  if (task.epoch.value != 0) text += at(task.epoch) + " attempts " + number(task.attempts);
  if (task.reserved_for) text += " for " + to_string(task.reserved_for);
  return text + because(task.reason);
}

std::string in_words(const Agent& agent) {
  return to_string(agent.id) + " " + agent.profile.name + ": " + std::string(name(agent.state)) +
         " finished " + number(agent.finished) + " failed " + number(agent.failed) + because(agent.reason);
}

}  // namespace bidboard::script
