#include "runtime/core/requests.hpp"

#include <algorithm>

#include "auction/eligibility.hpp"
#include "blackboard/board/compaction.hpp"
#include "blackboard/checks/sabotage.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/numbers.hpp"
#include "runtime/core/award.hpp"
#include "runtime/core/comments.hpp"
#include "runtime/core/configure.hpp"
#include "runtime/core/editing.hpp"
#include "runtime/core/late_results.hpp"
#include "runtime/core/needs.hpp"
#include "runtime/core/posting.hpp"
#include "runtime/core/sessions.hpp"
#include "runtime/core/tasks.hpp"
#include "runtime/core/winding_up.hpp"

namespace bidboard {
namespace {

template <class R>
constexpr Action action_of_kind() {
  if constexpr (std::is_same_v<R, Post>)
    return Action::post;
  else if constexpr (std::is_same_v<R, Claim>)
    return Action::take;
  else if constexpr (std::is_same_v<R, Renew> || std::is_same_v<R, Finish> || std::is_same_v<R, Progress>)
    return Action::report;
  else if constexpr (std::is_same_v<R, Direct> || std::is_same_v<R, Reassign> || std::is_same_v<R, Edit> ||
                     std::is_same_v<R, Probe> || std::is_same_v<R, RaiseBudget>)
    return Action::direct;
  else if constexpr (std::is_same_v<R, AddComment>)
    return Action::comment;
  else
    return Action::configure;
}

/// Who changes what a task needs can have it skipped, or done too early: it takes the right to cancel it, but
/// for what was posted below one's own task.
Action action_of(const RequestBody& body, bool under_token = false) {
  return std::visit(
      [&](const auto& request) {
        using R = std::decay_t<decltype(request)>;
        if constexpr (std::is_same_v<R, Depend>)
          return under_token ? Action::post : Action::direct;
        else
          return action_of_kind<R>();
      },
      body);
}

bool only_reads(const RequestBody& body) {
  return std::holds_alternative<ReadLog>(body) || std::holds_alternative<AskStatus>(body);
}

TaskId task_of(const RequestBody& body) {
  return std::visit(
      [](const auto& request) -> TaskId {
        if constexpr (requires { request.task; })
          return request.task;
        else
          return {};
      },
      body);
}

/// "a3:t12:1:capability", as the guard passes it to a task's processes.
Result<Actor> actor_of_token(const Core& core, const std::string& token) {
  std::vector<std::string> parts;
  for (std::size_t from = 0; from <= token.size();) {
    const std::size_t colon = std::min(token.find(':', from), token.size());
    parts.push_back(token.substr(from, colon - from));
    from = colon + 1;
  }
  const Error bad{Errc::refused, "BIDBOARD_TOKEN is not a token of this board; unset it to act as yourself"};
  if (parts.size() != 4) return fail(bad);
  const auto agent = parse_id<AgentId>(parts[0]);
  const auto task_id = parse_id<TaskId>(parts[1]);
  const Task* task = task_id ? core.board.task(*task_id) : nullptr;
  if (!agent || !core.board.agent(*agent) || !task) return fail(bad);
  const Epoch epoch{std::strtoull(parts[2].c_str(), nullptr, 10)};
  if (epoch != task->epoch)
    return fail(Errc::stale, fmt::format("{} was awarded again meanwhile (epoch {}); stop working on it",
                                         task->id, task->epoch.value));
  if (!matches(parts[3], task->capability_hash) || task->holder != *agent) return fail(bad);
  if (!speaks_for(core, *core.board.agent(*agent)))
    return fail(Errc::refused, core.board.agent(*agent)->profile.name +
                                   ", whose token this is, did not register over this key");
  return Actor{Role::specialist, *agent, task->id, epoch, core.board.agent(*agent)->profile.name};
}

/// A name used at the shell for the first time becomes an agent without a process.
AgentId register_shell_agent(Core& core, const std::string& name, const std::vector<Skill>& skills) {
  Agent agent;
  if (const auto known = core.board.agent_named(name))
    agent = *core.board.agent(*known);
  else
    agent.id = AgentId{core.board.counters().agent.value + 1};
  agent.profile.name = name;
  agent.profile.allow_run = true;
  if (!skills.empty()) agent.profile.skills = skills;
  agent.state = AgentState::shell;
  if (agent.registered_at.us == 0) agent.registered_at = core.now.wall;
  agent.seen_at = core.now.wall;
  agent.key = core.origin.key;
  core.emit(AgentRegistered{agent});
  return agent.id;
}

Result<Actor> identify(Core& core, const Request& request) {
  if (!request.token.empty()) {
    if (!request.as.empty())
      return fail(Errc::refused,
                  "a process working on a task acts as its agent; --as is refused under BIDBOARD_TOKEN");
    return actor_of_token(core, request.token);
  }
  if (request.as.empty() && core.origin.operates) return Actor{};
  if (request.as.empty()) return Actor{Role::specialist, {}, {}, {}, "key " + core.origin.key};
  std::optional<AgentId> agent = core.board.agent_named(request.as);
  if (const std::string flaw = flaw_of_name(request.as); !agent && !flaw.empty())
    return fail(Errc::invalid, flaw);
  if (agent && !speaks_for(core, *core.board.agent(*agent)))
    return fail(Errc::refused,
                fmt::format("'{}' did not register over the key {}", request.as, core.origin.key));
  const auto* claim = std::get_if<Claim>(&request.body);
  if (claim && agent && core.board.agent(*agent)->state == AgentState::live)
    return fail(Errc::conflict,
                fmt::format("'{}' is a running agent process; claim under another name", request.as));
  const bool changes =
      claim && (!agent || core.board.agent(*agent)->state != AgentState::shell || !claim->skills.empty());
  const auto* comment = std::get_if<AddComment>(&request.body);
  const bool signs = !agent && comment;
  if (signs && !core.board.task(comment->task))
    return fail(Errc::not_found, fmt::format("no task {}; `bidboard tasks` lists them", comment->task));
  if (changes || signs)
    agent = register_shell_agent(core, request.as, claim ? claim->skills : std::vector<Skill>{});
  if (!agent)
    return fail(Errc::not_found,
                fmt::format("no agent called '{}'; `bidboard agents` lists them", request.as));
  return Actor{core.board.agent(*agent)->profile.role, *agent, {}, {}, request.as};
}

/// For the audit: the name under which a request was refused before the caller was identified.
std::string refused_name(const Core& core, const Request& request) {
  const std::string name = request.as.empty() ? "a token" : request.as;
  return core.origin.key.empty() ? name : fmt::format("{} (key {})", name, core.origin.key);
}

/// Under a token: its task, and what was posted below it.
bool within_token(const Core& core, const Actor& actor, const RequestBody& body) {
  const TaskId id = task_of(body);
  if (std::holds_alternative<Post>(body) || id == actor.only_task) return true;
  const Task* task = std::holds_alternative<Depend>(body) ? core.board.task(id) : nullptr;
  return task && task->spec.parent == actor.only_task;
}

Result<void> authorise(Core& core, const Actor& actor, const RequestBody& body) {
  const Action action = action_of(body, bool{actor.only_task});
  std::string reason;
  // Of its role an agent has only said it itself, over a key.
  const bool steers = action == Action::direct || action == Action::configure;
  const bool is_leader = actor.agent && leads(actor.role);
  if (!core.origin.operates && steers && is_leader)
    reason = fmt::format("it may not {} over this key, which was not added with --operator", action);
  else if (!core.origin.operates && !actor.agent && action != Action::post)
    reason = fmt::format("it may not {}{}", action,
                         (may(actor.role, action) ? ", but as an agent (--as NAME)"
                                                  : ", which takes a key that was added with --operator"));
  else if (!may(actor.role, action))
    reason = fmt::format("role {} may not {}", actor.role, action);
  else if (actor.only_task && !within_token(core, actor, body))
    reason = fmt::format("its token is for {} only", actor.only_task);
  if (reason.empty()) return {};
  core.emit(RequestRefused{actor.name, action, task_of(body), reason});
  return fail(Errc::refused, fmt::format("{}: {}", actor.name, reason));
}

Result<const Task*> find_task(const Core& core, TaskId id) {
  if (const Task* task = core.board.task(id)) return task;
  return fail(Errc::not_found, fmt::format("no task {}; `bidboard tasks` lists them", id));
}

/// A person need not wait for a back-off.
bool may_be_claimed(const Task& task) {
  return after(task.state, Move::award) &&
         std::ranges::all_of(task.holds, [](const Hold& hold) { return hold.kind == HoldKind::backoff; });
}

/// "t3 is blocked: it needs t1 (ready), t2 (running)".
Error blocked_by(const Core& core, const Task& task) {
  constexpr std::size_t named_max = 10;
  std::string text;
  std::size_t open = 0;
  for (const Need& need : task.spec.needs) {
    const Task* needed = core.board.task(need.task);
    if (!needed || is_over(needed->state) || ++open > named_max) continue;
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", needed->id, needed->state);
  }
  if (open > named_max) text += fmt::format(" and {} more", open - named_max);
  return {Errc::conflict, fmt::format("{} is blocked: it needs {}", task.id, text)};
}

Error cannot_claim(const Core& core, const Task& task) {
  if (task.state == TaskState::blocked) return blocked_by(core, task);
  std::string text = fmt::format("{} is {}", task.id, task.state);
  if (is_held(task.state))
    if (const Agent* holder = core.board.agent(task.holder)) text += ", held by " + holder->profile.name;
  if (after(task.state, Move::award))
    for (const Hold& hold : task.holds) text += fmt::format(", held back: {}", hold.kind);
  if (!task.reason.empty()) text += fmt::format(" ({})", task.reason);
  return {Errc::conflict, std::move(text)};
}

Result<ReplyBody> claim(Core& core, const Actor& actor, const Claim& request) {
  if (!actor.agent) return fail(Errc::invalid, "say who claims: --as NAME");
  const Agent agent = *core.board.agent(actor.agent);
  const Task* chosen = nullptr;
  if (request.task) {
    const Result<const Task*> task = find_task(core, request.task);
    if (!task) return fail(task.error());
    if (!may_be_claimed(**task)) return fail(cannot_claim(core, **task));
    if (const auto against = ineligible(**task, agent))
      return fail(Errc::refused,
                  fmt::format("{} may not take {}: {}", actor.name, (*task)->id, against->detail));
    chosen = *task;
  } else {
    core.board.scan(std::string(1, keys::ready_letter), {}, [&](std::string_view key, std::string_view) {
      const Task* task = core.board.task(keys::last_id<TaskId>(key));
      if (task && !ineligible(*task, agent)) chosen = task;
      return chosen == nullptr;
    });
    if (!chosen) return fail(Errc::not_found, fmt::format("no ready task that {} may take", actor.name));
  }
  Auction decision;
  decision.task = chosen->id;
  decision.mechanism = "claim";
  decision.opened_at = decision.closed_at = core.now.wall;
  decision.winner = agent.id;
  decision.why = actor.name + " claimed it at the shell first";
  return award_claim(core, *chosen, agent, std::move(decision));
}

/// Whether a caller at the shell may write about the task: as its holder, or as an operator in the holder's
/// place.
Result<Write> judge(const Core& core, const Actor& actor, const Task& task, Epoch epoch) {
  const AgentId writer = actor.agent ? actor.agent : task.holder;
  const Write write = judge_write(task, writer, epoch.value == 0 ? task.epoch : epoch, true);
  if (!is_held(task.state) && write != Write::duplicate && task.epoch.value == 0)
    return fail(Errc::conflict,
                fmt::format("{} is {}; nobody holds it, `bidboard claim {} --as NAME` takes it", task.id,
                            task.state, task.id));
  if (write != Write::forged) return write;
  if (epoch > task.epoch)
    return fail(Errc::conflict, fmt::format("{} has no epoch {}; its last one is {}", task.id, epoch.value,
                                            task.epoch.value));
  const Agent* holder = core.board.agent(task.holder);
  return fail(Errc::conflict, fmt::format("{} is held by {}, not by {}", task.id,
                                          (holder ? holder->profile.name : "nobody"), actor.name));
}

Error refusal_of(const Task& task, Write write) {
  if (write == Write::stale)
    return {Errc::stale, fmt::format("{} was awarded again meanwhile (epoch {}); the write is refused",
                                     task.id, task.epoch.value)};
  return {Errc::stale, fmt::format("the award of {} is over: it is {}{}", task.id, task.state,
                                   (task.reason.empty() ? "" : fmt::format(" ({})", task.reason)))};
}

ReplyBody changed(const Core& core, TaskId id) {
  const Task& task = *core.board.task(id);
  return Changed{id, task.state, task.epoch};
}

Result<ReplyBody> finish(Core& core, const Actor& actor, const Finish& request) {
  const Result<const Task*> found = find_task(core, request.task);
  if (!found) return fail(found.error());
  if (const auto price = check_number("the price", request.price, ranges::price); !price)
    return fail(price.error());
  if (const auto tokens = check_whole("the number of tokens", request.tokens, ranges::count); !tokens)
    return fail(tokens.error());
  const Task task = **found;
  const bool decides_for_person = task.state == TaskState::waiting && !actor.agent;
  if (!decides_for_person) {
    const Result<Write> write = judge(core, actor, task, request.epoch);
    if (!write) return fail(write.error());
    const bool same_again = request.success
                                ? task.state == TaskState::done && !is_news(core, task, request.result)
                                : task.state == TaskState::failed;
    if (*write == Write::duplicate && same_again) return changed(core, task.id);
    if (*write != Write::accepted) {
      const Epoch epoch = request.epoch.value == 0 ? task.epoch : request.epoch;
      Error refusal = refusal_of(task, *write);
      if (request.success)
        refusal.text += because_not_kept(keep_late_result(core, task, actor.agent, epoch, request.result));
      return fail(std::move(refusal));
    }
  }
  const AgentId agent = actor.agent ? actor.agent : task.holder;
  if (decides_for_person && !request.success) {
    core.emit(TaskMoved{task.id, TaskState::failed, request.result});
  } else if (request.success) {
    if (is_held(task.state) && core.sessions.contains(task.holder)) {
      if (actor.only_task == task.id)
        let_wind_up(core, task);
      else
        revoke(core, task, "finished by " + actor.name);
    }
    finish_task(core, task, agent, {request.result, request.price, request.tokens, 0, request.work});
  } else {
    if (core.sessions.contains(task.holder))
      revoke(core, task, "failed by " + actor.name, request.outage == Outage::none);
    end_attempt(core, task.id,
                {.reason = !request.result.empty()          ? request.result
                           : request.outage == Outage::none ? "its holder gave up"
                                                            : fmt::format("unavailable: {}", request.outage),
                 .counts = request.outage == Outage::none,
                 .price = request.price,
                 .tokens = request.tokens,
                 .outage = request.outage,
                 .until = request.until});
  }
  return changed(core, task.id);
}

Result<ReplyBody> renew(Core& core, const Actor& actor, const Renew& request) {
  const Result<const Task*> task = find_task(core, request.task);
  if (!task) return fail(task.error());
  const Result<Write> write = judge(core, actor, **task, request.epoch);
  if (!write) return fail(write.error());
  if (*write != Write::accepted) return fail(refusal_of(**task, *write));
  core.emit(TaskRenewed{request.task, (*task)->epoch, core.now.wall + (*task)->spec.timeout});
  return changed(core, request.task);
}

Result<ReplyBody> progress(Core& core, const Actor& actor, const Progress& request) {
  const Result<const Task*> found = find_task(core, request.task);
  if (!found) return fail(found.error());
  if (const auto fraction = check_number("progress", request.fraction, ranges::progress); !fraction)
    return fail(fraction.error());
  const Task task = **found;
  const Result<Write> write = judge(core, actor, task, request.epoch);
  if (!write) return fail(write.error());
  if (*write != Write::accepted) return fail(refusal_of(task, *write));
  if (task.state == TaskState::awarded) core.emit(TaskStarted{task.id, task.epoch});
  core.emit(TaskProgressed{task.id, task.epoch, request.fraction, request.text});
  return changed(core, task.id);
}

/// A page holds at least one event; how many more depends on what else the batch reads, so that many readers
/// at once cannot exhaust memory.
Result<ReplyBody> read_log(Core& core, const ReadLog& request) {
  constexpr std::size_t page_bytes = 512 * 1024;
  constexpr std::size_t batch_bytes = 8 * 1024 * 1024;
  const std::size_t most_bytes =
      std::min(page_bytes, batch_bytes - std::min(batch_bytes, core.traffic.log_bytes));
  LogPage page{std::max(request.from, Seq{1}), {}};
  const Result<std::optional<Base>> base = base_of(core.board.store());
  if (!base) return fail(base.error());
  if (*base && page.first <= (*base)->seq)
    return fail(Errc::not_found,
                fmt::format("the board was compacted at event {}; its log begins after that", (*base)->seq));
  std::size_t bytes = 0;
  const std::uint32_t limit = std::clamp<std::uint32_t>(request.limit, 1, 10'000);
  const Result<void> read = core.board.store().scan(std::string(1, keys::log_letter), keys::event(page.first),
                                                    [&](std::string_view, std::string_view event) {
                                                      page.events.emplace_back(event);
                                                      bytes += event.size();
                                                      return page.events.size() < limit && bytes < most_bytes;
                                                    });
  if (!read) return fail(read.error());
  core.traffic.log_bytes += bytes;
  return ReplyBody{std::move(page)};
}

Status status(const Core& core) {
  const Config& config = core.board.config();
  Status out{core.options.pid,
             core.options.term,
             core.board.store().last_seq(),
             core.now.mono - core.started_at,
             config.strategy,
             config.mechanism,
             {},
             core.traffic.inputs,
             core.traffic.malformed};
  for (const auto& [agent, session] : core.sessions)
    out.agents.push_back({agent, core.board.holding_count(agent), core.now.mono - session.last_heard});
  return out;
}

Result<ReplyBody> answer(Core& core, const Actor& actor, const RequestBody& body) {
  const auto as_reply = [](auto result) -> Result<ReplyBody> {
    if (!result) return fail(result.error());
    return ReplyBody{std::move(*result)};
  };
  if (const auto* r = std::get_if<Post>(&body)) return as_reply(post_tasks(core, actor, *r));
  if (const auto* r = std::get_if<Claim>(&body)) return claim(core, actor, *r);
  if (const auto* r = std::get_if<Renew>(&body)) return renew(core, actor, *r);
  if (const auto* r = std::get_if<Finish>(&body)) return finish(core, actor, *r);
  if (const auto* r = std::get_if<Progress>(&body)) return progress(core, actor, *r);
  if (const auto* r = std::get_if<Direct>(&body)) return as_reply(direct_task(core, *r));
  if (const auto* r = std::get_if<Reassign>(&body)) return as_reply(reassign_task(core, *r));
  if (const auto* r = std::get_if<Depend>(&body)) return as_reply(change_need(core, *r));
  if (const auto* r = std::get_if<Edit>(&body)) return as_reply(edit_task(core, actor, *r));
  if (const auto* r = std::get_if<AddComment>(&body)) return as_reply(add_comment(core, actor, *r));
  if (const auto* r = std::get_if<Probe>(&body)) return as_reply(probe(core, *r));
  if (const auto* r = std::get_if<RaiseBudget>(&body)) return as_reply(raise_budget(core, *r));
  if (const auto* r = std::get_if<Configure>(&body)) return as_reply(configure(core, *r));
  if (const auto* r = std::get_if<ReadLog>(&body)) return read_log(core, *r);
  if (std::holds_alternative<AskStatus>(body)) return ReplyBody{status(core)};
  core.out.shut_down = true;
  return ReplyBody{Nothing{}};
}

/// A reply as the board stores it: without the secret, which is derived again when the reply is repeated.
Reply without_secret(Reply reply) {
  if (auto* claimed = std::get_if<Claimed>(&reply.body)) claimed->capability.clear();
  return reply;
}

/// The identity under which replies are kept for a client. The log shows every client's number: under another
/// key the same number is a different client, or a claim's capability could be obtained by repeating the
/// request under that number.
ClientId client_of(const Core& core, const Request& request) {
  if (core.origin.key.empty() || request.client.value == 0) return request.client;
  std::string name = core.origin.key + '\0';
  append_big_endian(name, request.client.value);
  return {read_big_endian(content_hash(name), 0) >> 1 | 1};  // as a client draws it (drivers/call.cpp)
}

/// The reply that was given to this request before, or the error when it is no longer kept; empty for a new
/// request.
std::optional<Reply> earlier_reply(const Core& core, const Request& request) {
  const ClientId id = client_of(core, request);
  const Client* client = id.value ? core.board.client(id) : nullptr;
  if (!client) return {};
  if (sabotaged("dedupe")) return {};
  for (const StoredReply& kept : client->replies) {
    if (kept.request != request.number) continue;
    Result<Reply> reply = decode<Reply>(kept.bytes);
    if (!reply)
      return Reply{request.number, reply.error().code, "the reply that was kept: " + reply.error().text, {}};
    if (auto* claimed = std::get_if<Claimed>(&reply->body))
      claimed->capability = core.secrets.capability(claimed->task, claimed->epoch);
    return *reply;
  }
  // The highest numbers are kept. A number above the lowest kept one, or any number while none was dropped,
  // is new.
  if (client->replies.size() < kept_replies || request.number > client->replies.front().request) return {};
  return Reply{request.number,
               Errc::too_old,
               "this request was answered too long ago; its reply is no longer kept",
               {}};
}

}  // namespace

void on_request(Core& core, PeerId peer, const Request& request) {
  const bool reads = only_reads(request.body);
  if (!reads)
    if (const std::optional<Reply> earlier = earlier_reply(core, request)) return core.send(peer, *earlier);
  Result<ReplyBody> body = ReplyBody{Nothing{}};
  if (reads) {
    body = answer(core, Actor{}, request.body);
  } else if (const Result<Actor> actor = identify(core, request); !actor) {
    if (actor.error().code == Errc::refused)
      core.emit(RequestRefused{refused_name(core, request), action_of(request.body), task_of(request.body),
                               actor.error().text});
    body = fail(actor.error());
  } else if (const Result<void> allowed = authorise(core, *actor, request.body); !allowed) {
    body = fail(allowed.error());
  } else if (std::holds_alternative<Compact>(request.body)) {
    if (core.options.serving) return core.out.compact.push_back({peer, request.number});
    body = fail(Errc::unavailable, "the controller that was asked to compact the board is gone; try again");
  } else {
    body = answer(core, *actor, request.body);
  }
  Reply reply{request.number, Errc::ok, {}, {}};
  if (body)
    reply.body = std::move(*body);
  else
    reply.code = body.error().code, reply.text = body.error().text;
  if (request.client.value != 0 && !reads)
    core.emit(Replied{client_of(core, request), request.number, encode(without_secret(reply))});
  core.send(peer, std::move(reply));
}

}  // namespace bidboard
