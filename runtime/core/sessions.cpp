// Agents register, report on their awards, and leave.
#include <algorithm>

#include "auction/calibration.hpp"
#include "blackboard/checks/sabotage.hpp"
#include "blackboard/environment.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/numbers.hpp"
#include "blackboard/text/expression.hpp"
#include "blackboard/text/utf8.hpp"
#include "runtime/core/award.hpp"
#include "runtime/core/late_results.hpp"
#include "runtime/core/requests.hpp"
#include "runtime/core/sessions.hpp"
#include "runtime/core/tasks.hpp"
#include "runtime/core/winding_up.hpp"

namespace bidboard {
namespace {

/// A live agent's last-heard time is written at most this often; liveness itself is not stored.
constexpr Duration seen_interval = minutes(1);
constexpr std::size_t max_name_bytes = 64;

std::string refusal_of(const AgentProfile& profile) {
  if (const std::string flaw = flaw_of_name(profile.name); !flaw.empty()) return flaw;
  for (const Result<void>& number :
       {check_number("speed", profile.speed, ranges::speed),
        check_whole("capacity", profile.capacity, ranges::capacity),
        check_number("price_per_second", profile.price_per_second, ranges::price_per_second),
        check_number("set_up", profile.set_up, ranges::work_seconds)})
    if (!number) return number.error().text;
  if (!profile.account.empty())
    if (const std::string flaw = flaw_of_name(profile.account, "an account's name"); !flaw.empty())
      return flaw;
  for (const Skill& skill : profile.skills) {
    if (skill.name.empty()) return "a skill needs a name";
    if (const auto level = check_number("the level of a skill", skill.level, ranges::level); !level)
      return level.error().text;
  }
  for (const std::string& secret : profile.secrets)
    if (const std::string flaw = flaw_of_variable(secret); !flaw.empty()) return flaw;
  if (!leads(profile.role) && profile.role != Role::specialist)
    return fmt::format("role {} is for people: agents register as specialist, manager or executive",
                       profile.role);
  if (profile.bids == BidStyle::formula)
    if (const auto formula = Expression::compile(profile.cost_formula); !formula)
      return "cost formula: " + formula.error().text;
  return {};
}

/// Records how the attempt compares with its agent's promises. If an agent does not report how long it took,
/// the controller measures it.
void learn(Core& core, const Task& task, AgentId agent, Micros told_seconds, Micros price, bool success) {
  const auto promise = core.promises.find(task.id);
  if (promise == core.promises.end()) return;
  const Micros seconds = told_seconds > 0 ? told_seconds : (core.now.mono - promise->second.awarded_at).us;
  const Delivery delivery{promise->second.bid.seconds, promise->second.bid.price, seconds, price, success};
  core.emit(Calibrated{learned(core.board.calibration(agent, task.spec.kind), delivery)});
}

/// A result is not lost because of an impossible number beside it.
void accept(Core& core, const Task& task, const Agent& agent, const ReportItem& item) {
  using What = ReportItem::What;
  const Micros fraction = item.fraction < 0 ? task.progress : clamped(ranges::progress, item.fraction);
  const Micros price = clamped(ranges::price, item.price);
  const Micros seconds = clamped(ranges::work_seconds, item.seconds);
  const std::int64_t tokens = clamped_count(item.tokens);
  const bool begun = task.state == TaskState::running;
  switch (item.what) {
    case What::started:
      if (!begun) core.emit(TaskStarted{task.id, task.epoch});
      return;
    case What::progress:
      if (!begun) core.emit(TaskStarted{task.id, task.epoch});
      core.emit(TaskProgressed{task.id, task.epoch, fraction, item.text});
      return;
    case What::stalled:
      core.emit(TaskStalled{task.id, task.epoch});
      return;
    case What::finished:
      learn(core, task, agent.id, seconds, price, true);
      finish_task(core, task, agent.id, {item.text, price, tokens, seconds, item.work});
      return;
    case What::failed:
    case What::unknown:
      learn(core, task, agent.id, seconds, price, false);
      end_attempt(core, task.id,
                  {.reason = item.text,
                   .outcome_unknown = item.what == What::unknown,
                   .seconds = seconds,
                   .price = price,
                   .tokens = tokens});
      return;
    case What::declined:
      end_attempt(core, task.id, {.reason = item.text, .counts = false, .declined = true});
      return;
    case What::settled:
      return;  // on_report() handles it: the award is over
    case What::unavailable:
      end_attempt(core, task.id,
                  {.reason = item.text,
                   .counts = sabotaged("outages"),
                   .seconds = seconds,
                   .price = sabotaged("billing") ? 0 : price,
                   .tokens = tokens,
                   .outage = item.outage == Outage::none ? Outage::crash : item.outage,
                   .until = item.until});
      return;
  }
}

/// The capability of an earlier epoch can be derived again: only an agent that was awarded the task can leave
/// a late result.
bool proves_award(const Core& core, const Task& task, const ReportItem& item) {
  if (item.epoch == task.epoch) return matches(item.capability, task.capability_hash);
  return item.epoch < task.epoch && item.capability == core.secrets.capability(task.id, item.epoch);
}

/// Handles one reported item; returns what to send the agent if its award is no longer live.
std::optional<Revocation> on_report(Core& core, const Agent& agent, const ReportItem& item) {
  const Task* found = core.board.task(item.task);
  if (!found) return Revocation{{item.task, item.epoch}, "no such task"};
  const Task task = *found;
  const Write write =
      proves_award(core, task, item) ? judge_write(task, agent.id, item.epoch, true) : Write::forged;
  // The process may have ended before its agent heard that the result was accepted.
  const bool ends = item.what >= ReportItem::What::finished;
  const Held held{task.id, item.epoch};
  const bool settles = item.what == ReportItem::What::settled || (ends && winds_up(core, agent.id, held));
  if (write != Write::forged && (settles || (ends && is_open(core, agent.id, held))))
    settle_attempt(core, task, agent.id, item.epoch,
                   {{}, clamped(ranges::price, item.price), clamped_count(item.tokens), 0, item.work});
  if (settles) return {};
  if (write == Write::accepted) {
    accept(core, task, agent, item);
    return {};
  }
  const bool has_result = item.what == ReportItem::What::finished;
  if (write == Write::duplicate && !(has_result && is_news(core, task, item.text))) return {};
  std::string why = write == Write::stale
                        ? fmt::format("awarded again meanwhile (epoch {})", task.epoch.value)
                    : write != Write::forged ? fmt::format("the award is over: {}", task.state)
                                             : "this award was never yours";
  if (has_result && write != Write::forged)
    why += because_not_kept(keep_late_result(core, task, agent.id, item.epoch, item.text));
  return Revocation{{item.task, item.epoch}, why};
}

/// The agent has lost its lease, perhaps its name too, and returns with results: an agent that shows the
/// capability of an award that is over may leave a late result.
void keep_results_of_the_gone(Core& core, const Reports& message) {
  const Agent* agent = core.board.agent(message.agent);
  if (!agent || !speaks_for(core, *agent)) return;
  if ((agent->state == AgentState::live && matches(message.secret, agent->secret_hash))) return;
  for (const ReportItem& item : message.items) {
    const Task* task = core.board.task(item.task);
    if (item.what != ReportItem::What::finished || !task || !proves_award(core, *task, item)) continue;
    if (is_held(task->state) && item.epoch == task->epoch) continue;  // the award is live
    if (is_news(core, *task, item.text))
      static_cast<void>(keep_late_result(core, *task, agent->id, item.epoch, item.text));
  }
}

/// Any message counts: after a restart or on a new connection the agent can be given work again.
void attach(Core& core, AgentId agent, PeerId peer, bool has_secret) {
  Session& session = core.sessions[agent];
  core.coordinator->agent_heard(core, agent, session.peer != peer);
  if (session.peer != peer) core.wake();
  session.peer = peer;
  session.has_secret = has_secret;
  session.last_heard = core.now.mono;
  core.leases.renew(agent, core.now.mono);
}

/// Why a known agent's name may not be registered now.
std::optional<Error> taken(Core& core, PeerId peer, const Agent& earlier, const Register& message) {
  if (!speaks_for(core, earlier)) {
    const std::string reason = fmt::format("the name '{}' belongs to {}", earlier.profile.name,
                                           (earlier.key.empty() ? "the board's own machine" : "another key"));
    core.emit(RequestRefused{"key " + core.origin.key, Action::take, {}, reason});
    return Error{Errc::refused, reason};
  }
  if (earlier.state != AgentState::live) return {};
  const std::string running =
      fmt::format("an agent called '{}' is running as process {}", earlier.profile.name, earlier.profile.pid);
  if (earlier.incarnation != message.incarnation) return Error{Errc::conflict, running};
  // It may register again until it has its secret; from then on, a repeat that does not show it is a replay
  // by another process.
  const auto session = core.sessions.find(earlier.id);
  const bool replayed = session != core.sessions.end() && session->second.has_secret &&
                        session->second.peer != peer && !matches(message.secret, earlier.secret_hash);
  if (replayed && !sabotaged("identity"))
    return Error{Errc::conflict, running + " and has registered already"};
  return {};
}

/// Awards that the agent does not mention got lost on the way: they are sent again. An agent that began them
/// ignores the copy.
void send_lost_awards(Core& core, PeerId peer, AgentId agent, std::vector<Held> spoken_of) {
  Awards lost;
  std::ranges::sort(spoken_of);
  for (const TaskId id : core.board.holdings(agent)) {
    const Task& task = *core.board.task(id);
    if (task.shell_claim) continue;  // held by a caller at a shell under the same name
    const Held held{id, task.epoch};
    if (std::ranges::binary_search(spoken_of, held)) continue;
    lost.awards.push_back(
        award_item(core, task, core.secrets.capability(id, task.epoch), core.board.agent(agent)->profile));
  }
  if (!lost.awards.empty()) core.send(peer, std::move(lost));
}

}  // namespace

bool speaks_for(const Core& core, const Agent& agent) {
  if (sabotaged("identity")) return true;
  return core.origin.key.empty() || core.origin.operates || core.origin.key == agent.key;
}

bool is_watched(const Core& core, const Agent& agent) {
  return agent.key.empty() && agent.profile.host == core.options.host;
}

std::string flaw_of_name(const std::string& name, std::string_view what) {
  if (name == operators_name) return fmt::format("{} cannot be '{}': it is how operators sign", what, name);
  const bool fits =
      !name.empty() && name.size() <= max_name_bytes && name[0] != '.' &&
      std::ranges::none_of(name, [](unsigned char c) {
        return c <= ' ' || c == 127 || c == '/' || c == '\\' || c == ':' || c == '\'' || c == '"';
      });
  if (fits && is_plain_text(name)) return {};
  return fmt::format(
      "{} has 1 to 64 bytes, no dot in front, and no spaces, quotes, slashes, colons or control characters",
      what);
}

void expect_live_agents(Core& core) {
  core.board.scan(keys::all_of<Agent>(), {}, [&](std::string_view key, std::string_view) {
    const AgentId id = keys::last_id<AgentId>(key);
    const Agent* agent = core.board.agent(id);
    if (!agent || agent->state != AgentState::live || core.sessions.contains(id)) return true;
    core.sessions[id] = Session{{}, core.now.mono, false, {}};
    core.leases.renew(id, core.now.mono);
    return true;
  });
}

void on_register(Core& core, PeerId peer, const Register& message) {
  if (const std::string reason = refusal_of(message.profile); !reason.empty())
    return core.send(peer, RegistrationRefused{Errc::invalid, reason});
  Agent agent;
  if (const auto known = core.board.agent_named(message.profile.name)) {
    agent = *core.board.agent(*known);
    if (const std::optional<Error> against = taken(core, peer, agent, message))
      return core.send(peer, RegistrationRefused{against->code, against->text});
  } else {
    agent.id = AgentId{core.board.counters().agent.value + 1};
    agent.registered_at = core.now.wall;
  }
  if (!core.sessions.contains(agent.id) && core.sessions.size() >= core.options.live_agents_max)
    return core.send(
        peer, RegistrationRefused{Errc::unavailable,
                                  fmt::format("{} agents are registered already, as many as a board takes",
                                              core.options.live_agents_max)});
  const std::string secret = core.secrets.registration(agent.id, message.incarnation);
  agent.profile = message.profile;
  // Who comes over a key could otherwise rest the account of others.
  if (!core.origin.key.empty() && !core.origin.operates && !agent.profile.account.empty())
    agent.profile.account += "@" + core.origin.key;
  agent.state = AgentState::live;
  agent.secret_hash = secret_hash(secret);
  agent.incarnation = message.incarnation;
  agent.seen_at = core.now.wall;
  agent.reason.clear();
  agent.key = core.origin.key;
  core.emit(AgentRegistered{agent});
  attach(core, agent.id, peer, matches(message.secret, agent.secret_hash));
  const Config& config = core.board.config();
  core.send(peer, Registered{agent.id, secret, config.heartbeat, config.lease, core.options.term});
  send_lost_awards(core, peer, agent.id, {});
  if (is_watched(core, agent)) core.out.watch.push_back(agent.profile.pid);
  core.note(Note::Level::info, fmt::format("agent {} ({}) registered", agent.profile.name, agent.id));
}

const Agent* authenticate(Core& core, PeerId peer, AgentId id, const std::string& secret) {
  const Agent* agent = core.board.agent(id);
  const auto session = core.sessions.find(id);
  const auto shows_secret = [&] {
    return session == core.sessions.end() ? matches(secret, agent->secret_hash)
                                          : session->second.secret.matches(secret, agent->secret_hash);
  };
  if (!agent || agent->state != AgentState::live || !shows_secret()) {
    core.send(peer, WhoAreYou{});
    return nullptr;
  }
  if (!speaks_for(core, *agent)) {
    core.emit(RequestRefused{"key " + core.origin.key,
                             Action::report,
                             {},
                             fmt::format("it showed the secret of {}, which did not register over this key",
                                         agent->profile.name)});
    core.send(peer, WhoAreYou{});
    return nullptr;
  }
  attach(core, id, peer, true);
  return agent;
}

void on_heartbeat(Core& core, PeerId peer, const Heartbeat& message) {
  const Agent* agent = authenticate(core, peer, message.agent, message.secret);
  if (!agent) return;
  if (core.now.wall - agent->seen_at > seen_interval) core.emit(AgentSeen{agent->id});
  core.send(peer, HeartbeatAck{core.options.term});
  core.coordinator->on_message(core, agent->id, message);
  send_lost_awards(core, peer, agent->id, message.held);
  Revocations over;  // work that is no longer awarded is revoked
  for (const Held& held : message.held) {
    const Task* task = core.board.task(held.task);
    const bool live = task && task->epoch == held.epoch && is_held(task->state) && task->holder == agent->id;
    const Duration grace = winds_up(core, agent->id, held) ? wind_up_time : Duration{};
    if (!live) over.items.push_back({held, "the award is over", grace});
  }
  settle_unmentioned(core, agent->id, message.held);
  if (!over.items.empty()) core.send(peer, std::move(over));
}

void on_reports(Core& core, PeerId peer, const Reports& message) {
  keep_results_of_the_gone(core, message);
  const Agent* found = authenticate(core, peer, message.agent, message.secret);
  if (!found) return;
  const Agent agent = *found;
  Revocations over;
  for (const ReportItem& item : message.items)
    if (auto revocation = on_report(core, agent, item)) over.items.push_back(std::move(*revocation));
  // In this order: an agent that waits for confirmation of its start must not begin a task whose award is
  // over.
  if (!over.items.empty()) core.send(peer, std::move(over));
  core.send(peer, ReportsKept{message.number});
}

void on_fetch_needs(Core& core, PeerId peer, const FetchNeeds& message) {
  const Agent* agent = authenticate(core, peer, message.agent, message.secret);
  if (!agent) return;
  const Task* task = core.board.task(message.held.task);
  const bool holds = task && is_held(task->state) && task->holder == agent->id &&
                     task->epoch == message.held.epoch && message.from <= task->spec.needs.size();
  if (holds)
    core.send(peer, needs_page(core, *task, message.from, message.offset));
  else
    core.send(peer, Revocations{{Revocation{message.held, "the award is over"}}});
}

void on_leave(Core& core, const Leave& message) {
  const Agent* agent = core.board.agent(message.agent);
  if (!agent || agent->state != AgentState::live || !matches(message.secret, agent->secret_hash) ||
      !speaks_for(core, *agent))
    return;
  agent_gone(core, message.agent, message.reason, true);
}

void agent_gone(Core& core, AgentId id, const std::string& reason, bool left) {
  const std::string name = core.board.agent(id)->profile.name;
  core.emit(AgentLeft{id, reason});
  core.sessions.erase(id);
  core.leases.drop(id);
  settle_unmentioned(core, id, {});
  const std::vector<TaskId> held = core.board.holdings(id);
  for (const TaskId task : held) {
    if (core.board.task(task)->shell_claim) continue;  // lives by its deadline, not by a process
    end_attempt(core, task,
                {.reason = fmt::format("agent {}{}{}", name, (left ? " left: " : " is gone: "), reason),
                 .died = !left,
                 .agent_gone = true,
                 .outcome_unknown = true,
                 .counts = !left});
  }
  core.note(left ? Note::Level::info : Note::Level::warning,
            fmt::format("agent {} ({}) is gone: {}", name, id, reason));
}

}  // namespace bidboard
