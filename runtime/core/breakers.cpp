#include "runtime/core/breakers.hpp"

#include <algorithm>
#include <array>

#include "blackboard/fmt.hpp"
#include "blackboard/random.hpp"
#include "blackboard/text/utf8.hpp"
#include "runtime/core/core.hpp"

namespace bidboard {
namespace {

/// So many different tasks that an agent failed in a row open its breaker.
constexpr std::size_t failures_max = 3;
/// A breaker that opens again and again stays open twice as long each time, up to this.
constexpr Duration longest_rest = minutes(60);
/// A stated time beyond this is not believed.
constexpr Duration longest_stated = minutes(60 * 24 * 8);
/// A probe that has told progress and has run for this long without an outage shows that the provider works:
/// sessions may take hours, and everybody else would wait for the end of one. Without progress it may be a
/// client that repeats its call in silence.
constexpr Duration probing_time = minutes(2);
/// What worked for this long before its outage met a new one, not the last one again.
constexpr Duration worked_time = minutes(10);
/// The reason stands in every auction that passes the agent over.
constexpr std::size_t why_bytes_max = 300;
/// Breakers that end at the same time probe one after the other: up to this much later, by chance.
constexpr Duration jitter = seconds(5);

bool concerns_account(Outage outage) {
  constexpr std::array all{Outage::rate_limit, Outage::quota, Outage::overload, Outage::authentication,
                           Outage::credit};
  return std::ranges::find(all, outage) != all.end();
}

/// How long it lasts when nobody says so.
Duration first_rest(Outage outage) {
  switch (outage) {
    case Outage::none:
    case Outage::network:
      return seconds(15);
    case Outage::overload:
    case Outage::crash:
      return seconds(30);
    case Outage::rate_limit:
    case Outage::failures:
    case Outage::environment:
      return minutes(1);
    case Outage::quota:
    case Outage::authentication:
    case Outage::credit:
    case Outage::missing_binary:
      return minutes(5);
  }
  return minutes(1);
}

constexpr std::string_view words_for(Outage outage) {
  switch (outage) {
    case Outage::none:
      break;
    case Outage::rate_limit:
      return "rate limit reached";
    case Outage::quota:
      return "quota used up";
    case Outage::overload:
      return "the provider is overloaded";
    case Outage::authentication:
      return "not authenticated";
    case Outage::credit:
      return "no credit left";
    case Outage::network:
      return "the provider cannot be reached";
    case Outage::missing_binary:
      return "the client, or its model, is not installed";
    case Outage::crash:
      return "the client crashed";
    case Outage::failures:
      return "it failed several tasks in a row";
    case Outage::environment:
      return "it cannot start anything";
  }
  return "unavailable";
}

Breaker blank(const std::string& name) {
  Breaker breaker;
  breaker.name = name;
  return breaker;
}

/// nullptr: closed, with nothing counted. Most are, so the store is not asked for them.
const Breaker* active(const Core& core, const std::string& name) {
  return core.accounts.active.contains(name) ? core.board.breaker(name) : nullptr;
}

Breaker breaker_named(const Core& core, const std::string& name) {
  const Breaker* known = active(core, name);
  return known ? *known : blank(name);
}

std::string described(const Breaker& breaker) {
  const std::string prefix = own_breaker({});
  return breaker.name.starts_with(prefix) ? "agent " + breaker.name.substr(prefix.size())
                                          : "account " + breaker.name;
}

std::string reason_of(const Breaker& breaker) {
  return breaker.why.empty() ? std::string(words_for(breaker.outage))
                             : fmt::format("{} ({})", words_for(breaker.outage), breaker.why);
}

std::string breaker_for(const AgentProfile& agent, Outage outage) {
  return concerns_account(outage) && !agent.account.empty() ? agent.account : own_breaker(agent.name);
}

/// The names of the breakers over an agent. None, and nothing is allocated, while all are closed.
std::vector<std::string> breakers_of(const Core& core, const AgentProfile& agent) {
  if (core.accounts.active.empty()) return {};
  std::vector<std::string> names{own_breaker(agent.name)};
  if (!agent.account.empty()) names.push_back(agent.account);
  return names;
}

const AccountLimits* limits_of(const Core& core, const std::string& account) {
  if (account.empty()) return nullptr;
  const std::vector<AccountLimits>& all = core.board.config().accounts;
  const auto found = std::ranges::find(all, account, &AccountLimits::name);
  return found == all.end() ? nullptr : &*found;
}

/// What the breaker's state implies for what is remembered.
void remember(Accounts& accounts, const Breaker& breaker) {
  if (breaker == blank(breaker.name))
    accounts.active.erase(breaker.name);
  else
    accounts.active.insert(breaker.name);
  if (breaker.state == BreakerState::open) accounts.opens_until.insert({breaker.until, breaker.name});
}

void move_breaker(Core& core, Breaker breaker) {
  const Breaker before = breaker_named(core, breaker.name);
  if (before == breaker) return;
  core.accounts.opens_until.erase({before.until, breaker.name});
  remember(core.accounts, breaker);
  core.emit(BreakerMoved{std::move(breaker)});
}

void open(Core& core, Breaker breaker, Outage outage, WallTime stated, std::string why) {
  const Duration rest = std::min(
      first_rest(outage) * (std::int64_t{1} << std::min<std::uint32_t>(breaker.openings, 10)), longest_rest);
  const WallTime now = core.now.wall;
  WallTime until = now + rest;
  // A stated time that proved wrong before is not enough.
  if (stated > now)
    until = std::max(std::min(stated, now + longest_stated), breaker.openings > 1 ? until : now);
  Random random(core.board.config().seed ^ core.board.next_seq().value);
  breaker.until = until + Duration{random.between(0, std::min(jitter, Duration{rest.us / 10}).us)};
  breaker.state = BreakerState::open;
  breaker.since = now;
  breaker.outage = outage;
  breaker.openings += 1;
  breaker.probe = {};
  breaker.why = utf8_prefix(why, why_bytes_max);
  breaker.failed.clear();
  core.note(Note::Level::warning,
            fmt::format("{} rests for {}: {}", described(breaker), breaker.until - now, reason_of(breaker)));
  move_breaker(core, std::move(breaker));
}

/// A result shows that the agent and its account work; one of a task that began before an outage shows
/// nothing of what came after.
void close_all(Core& core, const AgentProfile& agent, const Task& done) {
  for (const std::string& name : breakers_of(core, agent)) {
    const Breaker* known = active(core, name);
    if (known && known->state != BreakerState::closed && done.awarded_at <= known->since) continue;
    if (name == agent.account && !done.spec.run.empty()) continue;  // a command says nothing of the provider
    if (known && known->state != BreakerState::closed)
      core.note(Note::Level::info, fmt::format("{} works again", described(*known)));
    if (known) move_breaker(core, blank(name));
  }
}

/// Some other agent could do what this one does not.
bool others_work(const Core& core, AgentId agent) {
  return std::ranges::any_of(core.sessions, [&](const auto& entry) {
    const Agent* other = core.board.agent(entry.first);
    return entry.first != agent && entry.second.connected() && other && !rests(core, other->profile);
  });
}

/// A task that is not held any more probes nothing, whatever the breaker says: its agent may have registered
/// with another account meanwhile.
bool is_probed(const Core& core, const Breaker& breaker) {
  const Task* probe = breaker.probe ? core.board.task(breaker.probe) : nullptr;
  return probe && is_held(probe->state);
}

/// The task probed a half open breaker, and its end told nothing: another one probes.
void release_probe(Core& core, const AgentProfile& agent, TaskId task) {
  for (const std::string& name : breakers_of(core, agent))
    if (const Breaker* known = active(core, name); known && known->probe == task) {
      Breaker breaker = *known;
      breaker.probe = {};
      move_breaker(core, std::move(breaker));
    }
}

/// A failure may be the task's fault: it counts against the agent only with those of other tasks, and only
/// while there is somebody else.
void count_failure(Core& core, AgentId id, const AgentProfile& agent, const AttemptEnded& ended,
                   bool probed) {
  Breaker breaker = breaker_named(core, own_breaker(agent.name));
  if (std::ranges::find(breaker.failed, ended.task) == breaker.failed.end())
    breaker.failed.push_back(ended.task);
  if ((probed || breaker.failed.size() >= failures_max) && others_work(core, id))
    return open(core, std::move(breaker), Outage::failures, {}, ended.reason);
  if (breaker.failed.size() >= failures_max) breaker.failed.erase(breaker.failed.begin());
  if (probed) breaker.state = BreakerState::closed;
  move_breaker(core, std::move(breaker));
}

void bill(Core& core, TaskId task, const AgentProfile& agent) {
  if (agent.account.empty()) return;
  if (core.accounts.billed_to.emplace(task, agent.account).second) core.accounts.running[agent.account] += 1;
  if (limits_of(core, agent.account)) core.accounts.last_award[agent.account] = core.now.mono;
}

void no_longer_bill(Core& core, TaskId task) {
  const auto billed = core.accounts.billed_to.find(task);
  if (billed == core.accounts.billed_to.end()) return;
  const auto running = core.accounts.running.find(billed->second);
  if (--running->second == 0) core.accounts.running.erase(running);
  core.accounts.billed_to.erase(billed);
}

void on_award(Core& core, const TaskAwarded& awarded) {
  const Agent& agent = *core.board.agent(awarded.agent);
  if (awarded.shell_claim) return;  // a person
  bill(core, awarded.task, agent.profile);
  const bool is_command = !core.board.task(awarded.task)->spec.run.empty();
  for (const std::string& name : breakers_of(core, agent.profile)) {
    const Breaker* known = active(core, name);
    if (!known || known->state != BreakerState::half_open) continue;
    if (name == agent.profile.account && is_command) continue;  // it says nothing of the provider
    Breaker breaker = *known;
    breaker.probe = awarded.task;
    move_breaker(core, std::move(breaker));
  }
}

bool has_told_progress(const Task& task) { return task.progress > 0 || !task.progress_text.empty(); }

/// Of accounts only: with an agent's own breaker nobody else waits for the end of the probe.
void on_start(Core& core, const Task& task) {
  const std::string account = core.board.agent(task.holder)->profile.account;
  const Breaker* known = account.empty() ? nullptr : active(core, account);
  if (known && known->state == BreakerState::half_open && known->probe == task.id)
    core.accounts.probed_until[account] = core.now.mono + probing_time;
}

/// How often it has opened in a row stays in mind until there is a result.
void close_probed(Core& core, const std::string& name) {
  core.accounts.probed_until.erase(name);
  const Breaker* known = active(core, name);
  if (!known || known->state != BreakerState::half_open || !is_probed(core, *known)) return;
  if (!has_told_progress(*core.board.task(known->probe))) {
    core.accounts.probed_until[name] = core.now.mono + probing_time;
    return;
  }
  core.note(Note::Level::info,
            fmt::format("{} works again: {} makes progress", described(*known), known->probe));
  Breaker breaker = *known;
  breaker.state = BreakerState::closed;
  breaker.probe = {};
  move_breaker(core, std::move(breaker));
}

void on_end(Core& core, const AttemptEnded& ended) {
  const Agent* found = core.board.agent(ended.agent);
  if (!found || found->state == AgentState::shell) return;
  const AgentProfile agent = found->profile;
  const Breaker* own = active(core, own_breaker(agent.name));
  const bool probed = own && own->state == BreakerState::half_open && own->probe == ended.task;
  release_probe(core, agent, ended.task);
  if (ended.outage != Outage::none) {
    Breaker breaker = breaker_named(core, breaker_for(agent, ended.outage));
    const Task& task = *core.board.task(ended.task);
    if (has_told_progress(task) && core.now.wall - task.awarded_at >= worked_time) breaker.openings = 0;
    // Of several tasks that met the same outage, the first one opened the breaker.
    if (breaker.state != BreakerState::open)
      open(core, std::move(breaker), ended.outage, ended.outage_until, ended.reason);
  } else if (ended.counts && !ended.died) {
    count_failure(core, ended.agent, agent, ended, probed);
  }
}

}  // namespace

std::string own_breaker(const std::string& agent_name) { return "agent/" + agent_name; }

std::optional<Refusal> rests(const Core& core, const AgentProfile& agent) {
  if (core.accounts.active.empty()) return {};
  for (const std::string& name : breakers_of(core, agent)) {
    const Breaker* breaker = active(core, name);
    if (breaker && breaker->state == BreakerState::open)
      return Refusal{RefusalReason::rests, fmt::format("{} rests for another {}: {}", described(*breaker),
                                                       breaker->until - core.now.wall, reason_of(*breaker))};
  }
  return {};
}

bool has_room(const Core& core, const AgentProfile& agent) {
  for (const std::string& name : breakers_of(core, agent)) {
    const Breaker* breaker = active(core, name);
    if (breaker && breaker->state == BreakerState::half_open && is_probed(core, *breaker)) return false;
  }
  const AccountLimits* limits = limits_of(core, agent.account);
  if (!limits) return true;
  const auto running = core.accounts.running.find(agent.account);
  if (limits->running_max > 0 && running != core.accounts.running.end() &&
      running->second >= limits->running_max)
    return false;
  const auto last = core.accounts.last_award.find(agent.account);
  return limits->stagger.us == 0 || last == core.accounts.last_award.end() ||
         core.now.mono - last->second >= limits->stagger;
}

void count_for_breakers(Core& core, const Change& change) {
  if (change.before && is_held(change.before->state) && !is_held(core.board.task(change.task)->state))
    no_longer_bill(core, change.task);
  if (const auto* awarded = std::get_if<TaskAwarded>(&change.event->body))
    on_award(core, *awarded);
  else if (std::holds_alternative<TaskStarted>(change.event->body))
    on_start(core, *core.board.task(change.task));
  else if (const auto* ended = std::get_if<AttemptEnded>(&change.event->body))
    on_end(core, *ended);
  else if (const auto* finished = std::get_if<TaskFinished>(&change.event->body)) {
    const Agent* agent = core.board.agent(finished->agent);
    if (!agent || agent->state == AgentState::shell) return;
    const AgentProfile profile = agent->profile;
    close_all(core, profile, *core.board.task(change.task));
    release_probe(core, profile, change.task);
  } else if (change.before && is_held(change.before->state) &&
             !is_held(core.board.task(change.task)->state)) {  // cancelled
    if (const Agent* agent = core.board.agent(change.before->holder))
      release_probe(core, AgentProfile(agent->profile), change.task);
  }
}

void act_on_breakers(Core& core) {
  while (!core.accounts.opens_until.empty() && core.accounts.opens_until.begin()->first <= core.now.wall) {
    const auto due = core.accounts.opens_until.extract(core.accounts.opens_until.begin());
    Breaker breaker = breaker_named(core, due.value().second);
    breaker.state = BreakerState::half_open;
    move_breaker(core, std::move(breaker));
  }
  const std::map<std::string, Instant> probes = core.accounts.probed_until;
  for (const auto& [name, until] : probes)
    if (until <= core.now.mono) close_probed(core, name);
  std::erase_if(core.accounts.last_award, [&](const auto& entry) {
    const AccountLimits* limits = limits_of(core, entry.first);
    const bool over = !limits || core.now.mono - entry.second >= limits->stagger;
    if (over) core.wake();
    return over;
  });
}

Instant next_breaker(const Core& core, Now now) {
  Instant next = never;
  if (!core.accounts.opens_until.empty())
    next = now.mono + std::max(Duration{}, core.accounts.opens_until.begin()->first - now.wall);
  for (const auto& [name, until] : core.accounts.probed_until) next = std::min(next, until);
  for (const auto& [account, at] : core.accounts.last_award)
    if (const AccountLimits* limits = limits_of(core, account)) next = std::min(next, at + limits->stagger);
  return next;
}

void move_rests(Core& core, Duration jump) {
  const std::set<std::string> names = core.accounts.active;
  for (const std::string& name : names) {
    Breaker breaker = breaker_named(core, name);
    if (breaker.state == BreakerState::closed) continue;
    breaker.since = breaker.since + jump;
    breaker.until = breaker.until + jump;
    move_breaker(core, std::move(breaker));
  }
}

Result<Nothing> probe(Core& core, const Probe& request) {
  std::vector<std::string> names{request.name, own_breaker(request.name)};
  if (const auto agent = core.board.agent_named(request.name))
    names.push_back(core.board.agent(*agent)->profile.account);
  for (const std::string& name : names) {
    const Breaker* known = active(core, name);
    if (!known || known->state != BreakerState::open) continue;
    Breaker breaker = *known;
    breaker.state = BreakerState::half_open;
    move_breaker(core, std::move(breaker));
    return Nothing{};
  }
  return fail(Errc::not_found,
              fmt::format("no agent or account called '{}' rests; `bidboard agents` shows which "
                          "agents do",
                          request.name));
}

void expect_breakers(Core& core) {
  core.accounts = {};
  core.board.each<Breaker>([&](const Breaker* breaker) {
    if (!breaker) return true;
    remember(core.accounts, *breaker);
    if (breaker->state == BreakerState::half_open && breaker->probe &&
        !breaker->name.starts_with(own_breaker({})))
      core.accounts.probed_until[breaker->name] = core.now.mono + probing_time;
    return true;
  });
  for (const auto& [id, session] : core.sessions) {
    const Agent* agent = core.board.agent(id);
    if (!agent || agent->profile.account.empty()) continue;
    for (const TaskId task : core.board.holdings(id))
      if (!core.board.task(task)->shell_claim) bill(core, task, agent->profile);
  }
  core.accounts.last_award.clear();
}

}  // namespace bidboard
