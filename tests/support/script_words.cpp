#include "tests/support/script_words.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/spending.hpp"

namespace bidboard::script {
namespace {

std::string because(const std::string& reason) { return reason.empty() ? "" : fmt::format(" ({})", reason); }
std::string at(Epoch epoch) { return fmt::format(" epoch {}", epoch); }
std::string state(TaskState s) { return std::string(name(s)); }
std::string wall(WallTime t) {
  return format_micros(t.us - 1'000'000'000'000) + "s";
}  // since the script began

struct EventWords {
  std::string operator()(const TermStarted& e) const { return fmt::format("term {} begins", e.term.value); }
  std::string operator()(const ConfigSet& e) const {
    return fmt::format("configured: {}{}", e.config.strategy,
                       (e.config.strategy == "auction" ? " " + e.config.mechanism : ""));
  }
  std::string operator()(const TaskPosted& e) const {
    std::string text = fmt::format("{} posted: {}{}", e.task.id, state(e.task.state), because(e.task.reason));
    if (e.task.spec.workflow) text += fmt::format(" in {}", e.task.spec.workflow);
    if (e.task.spec.parent) text += fmt::format(" under {}", e.task.spec.parent);
    return text;
  }
  std::string operator()(const TaskMoved& e) const {
    return fmt::format("{} is {}{}", e.task, state(e.to), because(e.reason));
  }
  std::string operator()(const BackoffOver& e) const {
    return fmt::format("{} has waited long enough", e.task);
  }
  std::string operator()(const TaskAwarded& e) const {
    return fmt::format("{} awarded to {}{} by {}: {}", e.task, e.agent, at(e.epoch), e.decision.mechanism,
                       e.decision.why);
  }
  std::string operator()(const TaskStarted& e) const {
    return fmt::format("{} started{}", e.task, at(e.epoch));
  }
  std::string operator()(const TaskProgressed& e) const {
    return fmt::format("{} progressed to {}{}", e.task, format_micros(e.fraction), because(e.text));
  }
  std::string operator()(const TaskRenewed& e) const {
    return fmt::format("{} renewed until {}", e.task, wall(e.deadline));
  }
  std::string operator()(const TaskStalled& e) const {
    return fmt::format("{} stalled{}", e.task, at(e.epoch));
  }
  std::string operator()(const AttemptEnded& e) const {
    std::string text = fmt::format("{} attempt of {}{} ended: {}", e.task, e.agent, at(e.epoch), state(e.to));
    if (e.not_before.us != 0) text += fmt::format(" from {} on", wall(e.not_before));
    return text + because(e.reason) + (e.died ? " [death]" : "") +
           (e.outage == Outage::none ? "" : fmt::format(" [{}]", e.outage)) +
           (e.counts ? "" : " [does not count]");
  }
  std::string operator()(const TaskFinished& e) const {
    return fmt::format("{} finished by {}{}: {}", e.task, e.agent, at(e.epoch),
                       (e.result_blob.empty() ? "'" + e.result + "'" : "content kept by its hash"));
  }
  std::string operator()(const TaskReopened& e) const {
    return fmt::format("{} reopened: {}{}", e.task, state(e.to), because(e.reason));
  }
  std::string operator()(const NeedAdded& e) const {
    return fmt::format("{} now needs {}{}", e.task, e.need.task, (e.need.any ? " (any end)" : ""));
  }
  std::string operator()(const NeedRemoved& e) const {
    return fmt::format("{} no longer needs {}", e.task, e.need);
  }
  std::string operator()(const LevelsRaised& e) const {
    std::string text = "bottom levels:";
    for (const Level& level : e.levels)
      text += fmt::format(" {}={}", level.task, format_micros(level.bottom_level));
    return text;
  }
  std::string operator()(const TaskReserved& e) const {
    return to_string(e.task) + (e.agent ? " reserved for " + to_string(e.agent) : " is for anyone") +
           (e.bundle ? " in the bundle of " + to_string(e.bundle) : "");
  }
  std::string operator()(const TaskHeld& e) const {
    return fmt::format("{} is held: {}{}", e.task, e.hold.kind, because(e.hold.why));
  }
  std::string operator()(const HoldLifted& e) const {
    return fmt::format("{} is no longer held: {}", e.task, e.hold);
  }
  std::string operator()(const TaskEdited& e) const {
    return fmt::format("{} edited by {}: {}", e.task, e.agent ? to_string(e.agent) : "an operator", e.what);
  }
  std::string operator()(const CommentPosted& e) const {
    return fmt::format("{} on {} by {}: '{}'", e.comment.id, e.comment.task,
                       e.comment.agent ? to_string(e.comment.agent) : "an operator", e.comment.text);
  }
  std::string operator()(const WorkSaved& e) const {
    return fmt::format("{}{} saved in {} {}", e.task, at(e.epoch), e.work.branch, e.work.commit);
  }
  std::string operator()(const AttemptSettled& e) const {
    return fmt::format("{}{} settled by {}: price {}", e.task, at(e.epoch), e.agent, format_micros(e.price));
  }
  std::string operator()(const BudgetRaised& e) const {
    return fmt::format("budget of {} raised by {}", e.scope, in_words(e.by));
  }
  std::string operator()(const BreakerMoved& e) const {
    const Breaker& b = e.breaker;
    std::string text = fmt::format("breaker of {} is {}", b.name, b.state);
    if (b.state == BreakerState::open) text += fmt::format(" until {}: {}", wall(b.until), b.outage);
    if (b.probe) text += fmt::format(", probed by {}", b.probe);
    for (const TaskId task : b.failed) text += fmt::format(", {} failed", task);
    return text;
  }
  std::string operator()(const AgentRegistered& e) const {
    return fmt::format("{} is {}, {}", e.agent.id, e.agent.profile.name, e.agent.state);
  }
  std::string operator()(const AgentSeen&) const { return {}; }
  std::string operator()(const AgentLeft& e) const {
    return fmt::format("{} is gone{}", e.agent, because(e.reason));
  }
  std::string operator()(const Calibrated& e) const {
    return fmt::format("{} calibrated for {}: seconds x{}, success {}", e.calibration.agent,
                       e.calibration.kind, format_micros(e.calibration.seconds_ratio),
                       format_micros(e.calibration.success));
  }
  std::string operator()(const DiscoveryPosted& e) const {
    return fmt::format("{} discovered: {} of {}{} by {}: '{}'", e.discovery.id, e.discovery.kind,
                       e.discovery.task, at(e.discovery.epoch), e.discovery.agent, e.discovery.body);
  }
  std::string operator()(const WorkflowPosted& e) const {
    return fmt::format("{} posted: {}, {} tasks", e.workflow.id, e.workflow.name, e.workflow.tasks);
  }
  std::string operator()(const Replied& e) const {
    return fmt::format("reply {} kept for client {}", e.request, e.client.value);
  }
  std::string operator()(const ClientForgotten& e) const {
    return fmt::format("client {} forgotten", e.client.value);
  }
  std::string operator()(const RequestRefused& e) const {
    return fmt::format("refused: {} may not {}{}{}", e.who, e.action, (e.task ? " " + to_string(e.task) : ""),
                       because(e.reason));
  }
  std::string operator()(const AuctionFailed& e) const {
    return fmt::format("{} of {} failed, {}; asked again at {}", e.decision.id, e.task, e.decision.why,
                       wall(e.ask_again));
  }
};

std::string in_words(const ReplyBody& body) {
  if (const auto* posted = std::get_if<Posted>(&body)) {
    std::string text = "posted";
    for (std::size_t i = 0; i < posted->ids.size(); ++i)
      text += fmt::format(" {}{}", posted->ids[i], (posted->existed[i] ? " (stood already)" : ""));
    return text + (posted->workflow ? " in " + to_string(posted->workflow) : "");
  }
  if (const auto* claimed = std::get_if<Claimed>(&body))
    return fmt::format("claimed {}{} as {} until {}{}", claimed->task, at(claimed->epoch), claimed->agent,
                       wall(claimed->deadline), (claimed->capability.empty() ? " without a capability" : ""));
  if (const auto* changed = std::get_if<Changed>(&body))
    return fmt::format("{} is {}", changed->task, state(changed->state));
  if (const auto* edited = std::get_if<Edited>(&body)) {
    std::string text = fmt::format("{} is {}", edited->task, state(edited->state));
    for (const FieldChange& change : edited->changes)
      text += fmt::format(", {} {} -> {}", change.field, change.before, change.after);
    return text;
  }
  if (const auto* commented = std::get_if<Commented>(&body)) return to_string(commented->comment);
  if (const auto* status = std::get_if<Status>(&body)) {
    std::string text =
        fmt::format("term {}, {}, event {}", status->term.value, status->strategy, status->seq.value);
    for (const AgentStatus& agent : status->agents)
      text += fmt::format(", {} runs {} silent {}", agent.agent, agent.running, agent.silent_for);
    return text;
  }
  if (const auto* page = std::get_if<LogPage>(&body))
    return fmt::format("{} events from {} on", page->events.size(), page->first.value);
  return "ok";
}

/// "told anew left 1/4 free; a3 left; decide t1 t2 (not a4)"
std::string in_words(const Delegation& delegation) {
  std::string text = delegation.anew ? "told anew" : "told";
  for (const Member& member : delegation.members) {
    std::uint32_t slots = 0, free = 0;
    for (const Crew& crew : member.crews) slots += crew.slots, free += crew.free;
    text += fmt::format(" {} {}/{} free", member.name, free, slots);
  }
  for (const AgentId left : delegation.left) text += fmt::format(", {} left", left);
  if (!delegation.tasks.empty()) text += "; decide";
  for (const DelegatedTask& task : delegation.tasks) {
    text += fmt::format(" {}", task.offer.task);
    for (const AgentId other : task.not_for) text += fmt::format(" (not {})", other);
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
                                            : fmt::format("{}: {}", reply->code, reply->text));
  } else if (const auto* registered = std::get_if<Registered>(&message)) {
    lines.push_back(fmt::format("registered as {}", registered->agent));
  } else if (const auto* refused = std::get_if<RegistrationRefused>(&message)) {
    lines.push_back(fmt::format("registration refused, {}: {}", refused->code, refused->text));
  } else if (std::holds_alternative<WhoAreYou>(message)) {
    lines.push_back("who are you?");
  } else if (const auto* announcement = std::get_if<Announcement>(&message)) {
    std::string text = announcement->pull ? "come and claim" : "announced";
    for (const TaskOffer& offer : announcement->offers) text += fmt::format(" {}", offer.task);
    lines.push_back(text);
  } else if (const auto* awards = std::get_if<Awards>(&message)) {
    for (const AwardItem& award : awards->awards) {
      std::string text =
          fmt::format("award {}{} attempt {}", award.offer.task, at(award.epoch), award.offer.attempt);
      for (const NeedResult& need : award.needs)
        text += fmt::format(", {} {} '{}'", need.task, state(need.state), need.result);
      for (const NeedWork& work : award.works)
        text += fmt::format(", work of {} in {}", work.task, work.commit.substr(0, 12));
      for (const AttemptFailure& failure : award.offer.failures)
        text += fmt::format(", {} failed: {}", failure.agent, failure.reason);
      for (const SignedComment& comment : award.comments)
        text += fmt::format(", {} said: {}", comment.author, comment.text);
      lines.push_back(text);
    }
  } else if (const auto* revocations = std::get_if<Revocations>(&message)) {
    for (const Revocation& item : revocations->items)
      lines.push_back(fmt::format("revoked {}{}: {}", item.held.task, at(item.held.epoch), item.reason));
  } else if (const auto* delegation = std::get_if<Delegation>(&message)) {
    lines.push_back(in_words(*delegation));
  } else if (const auto* peers = std::get_if<Peers>(&message)) {
    lines.push_back(in_words(*peers));
  } else if (const auto* offers = std::get_if<PeerOffers>(&message)) {
    lines.push_back(in_words(*offers));
  } else if (const auto* malformed = std::get_if<Malformed>(&message)) {
    lines.push_back("malformed: " + malformed->what);
  } else if (const auto* welcome = std::get_if<Welcome>(&message)) {
    lines.push_back(fmt::format("welcome, version {}", welcome->version));
  }
  return lines;
}

std::string in_words(const Task& task) {
  std::string text = fmt::format("{} {}: {}", task.id, task.spec.title, state(task.state));
  if (task.state == TaskState::blocked) text += fmt::format(" by {}", task.open_needs);
  if (is_held(task.state)) text += fmt::format(" by {}", task.holder);
  if (task.epoch.value != 0) text += fmt::format("{} attempts {}", at(task.epoch), task.attempts);
  if (task.reserved_for) text += fmt::format(" for {}", task.reserved_for);
  return text + because(task.reason);
}

std::string in_words(const Agent& agent) {
  return fmt::format("{} {}: {} finished {} failed {}{}", agent.id, agent.profile.name, agent.state,
                     agent.finished, agent.failed, because(agent.reason));
}

}  // namespace bidboard::script
