#include "runtime/sim/checkers.hpp"

#include <algorithm>

#include "blackboard/board/board.hpp"
#include "blackboard/board/verify.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/task_moves.hpp"

namespace bidboard::sim {
namespace {

constexpr std::size_t violations_max = 20;

/// The eligibility rules, written again in a simpler form. A reservation only had to hold at the time of the
/// award.
bool may_have(const TaskSpec& task, const AgentProfile& agent) {
  if (agent.role != Role::specialist) return false;
  if (!agent.project.empty() && agent.project != task.project) return false;
  if (!task.run.empty() && !agent.allow_run && !agent.simulated) return false;
  if (task.run.empty() && agent.only_commands) return false;
  if (!task.env.empty() && task.run.empty() && !agent.allow_env && !agent.simulated) return false;
  for (const std::string& secret : task.secrets)
    if (std::ranges::count(agent.secrets, secret) == 0) return false;
  if ((agent.workflow || task.exclusive) && agent.workflow != task.workflow) return false;
  return std::ranges::all_of(task.skills, [&](const SkillNeed& need) {
    return std::ranges::any_of(agent.skills, [&](const Skill& skill) {
      return skill.name == need.name && skill.level >= need.level;
    });
  });
}

std::string named(TaskId task, Epoch epoch) { return fmt::format("{} epoch {}", task, epoch.value); }

}  // namespace

void Checkers::must(bool holds, const std::string& what) {
  if (!holds && violations_.size() < violations_max)
    violations_.push_back(fmt::format("{}, event {}: {}", at_ - Instant{}, last_.value, what));
}

void Checkers::on_saved(const Saved& saved, const Store& store, Instant at) {
  at_ = at;
  must(last_.value == 0 || saved.first == last_.next(), "the event numbers have a gap");
  last_ = saved.first;
  for (const Event& event : saved.events) {
    check_state(event);
    std::visit([&](const auto& body) { follow(body); }, event.body);
    last_ = last_.next();
  }
  last_.value -= 1;
  must(store.last_seq() == last_, "the log does not end with the decided events");
  events_ += saved.events.size();
  if (events_ - events_at_fold_ >= fold_every_) fold(store);
}

void Checkers::fold(const Store& store) {
  events_at_fold_ = events_;
  for (const std::string& finding : verify(store))
    must(false, "the replayed log differs from the records: " + finding);
}

/// No event makes a move that the state table does not allow.
void Checkers::check_state(const Event& event) {
  const auto known = tasks_.find(task_of(event));
  if (known == tasks_.end() || std::holds_alternative<TaskPosted>(event.body)) return;
  const std::optional<TaskState> next = state_after(known->second.state, event.body);
  must(next.has_value(),
       fmt::format("{} is {}, and an illegal {} follows", known->first, known->second.state, kind(event)));
  if (next) known->second.state = *next;
}

void Checkers::follow(const TermStarted& event) {
  must(event.term > term_, "a controller's term is not above the last one");
  term_ = event.term;
}

void Checkers::follow(const TaskPosted& event) {
  const Task& posted = event.task;
  must(!tasks_.contains(posted.id), fmt::format("{} was posted twice", posted.id));
  must(titles_.insert(posted.spec.title).second,
       fmt::format("a request is done once: '{}' was posted twice", posted.spec.title));
  KnownTask task;
  task.spec = posted.spec;
  task.state = posted.state;
  task.was_over = is_over(posted.state);
  tasks_.emplace(posted.id, std::move(task));
}

void Checkers::check_needs(TaskId id, const KnownTask& task) {
  for (const Need& need : task.spec.needs) {
    const auto needed = tasks_.find(need.task);
    must(needed != tasks_.end() && (needed->second.done || (need.any && needed->second.was_over)),
         fmt::format("{} was awarded before its need {} was done", id, need.task));
  }
}

void Checkers::follow(const TaskAwarded& event) {
  const auto known = tasks_.find(event.task);
  const auto holder = agents_.find(event.agent);
  if (known == tasks_.end() || holder == agents_.end())
    return must(false, fmt::format("{} was awarded, but the task or the winner does not exist", event.task));
  KnownTask& task = known->second;
  KnownAgent& agent = holder->second;
  must(task.holder.value == 0, fmt::format("{} has two live awards", event.task));
  must(!task.done, fmt::format("{} is done, but was awarded again", event.task));
  must(event.epoch == task.epoch.next(), named(event.task, event.epoch) + " is not one above the last epoch");
  must(may_have(task.spec, agent.profile),
       fmt::format("{} was awarded {}, which it may not have", agent.profile.name, event.task));
  check_needs(event.task, task);
  task.epoch = event.epoch;
  task.holder = event.agent;
  task.shell = event.shell_claim;
  if (task.shell) return;
  agent.holding += 1;
  must(agent.holding <= agent.capacity_max, agent.profile.name + " holds more than its capacity");
}

void Checkers::check_live(TaskId task, Epoch epoch, const char* what) {
  const auto known = tasks_.find(task);
  must(known != tasks_.end() && known->second.holder.value != 0 && known->second.epoch == epoch,
       fmt::format("{} {} and is not the live award", named(task, epoch), what));
}

void Checkers::follow(const TaskStarted& event) { check_live(event.task, event.epoch, "begins"); }
void Checkers::follow(const TaskProgressed& event) { check_live(event.task, event.epoch, "goes on"); }

void Checkers::release(KnownTask& task) {
  if (task.holder && !task.shell) agents_[task.holder].holding -= 1;
  task.holder = {};
}

void Checkers::follow(const AttemptEnded& event) {
  check_live(event.task, event.epoch, "ends");
  KnownTask& task = tasks_[event.task];
  must(task.holder == event.agent,
       named(event.task, event.epoch) + " ended at an agent that does not hold it");
  release(task);
  task.was_over = task.was_over || is_over(event.to);
}

void Checkers::follow(const TaskFinished& event) {
  KnownTask& task = tasks_[event.task];
  must(!task.done, fmt::format("a second result of {} was accepted", event.task));
  must(event.epoch == task.epoch, named(event.task, event.epoch) + " was finished after a later award");
  // Without a live award, a person decided the outcome of an attempt that may not be repeated.
  must(!task.holder || task.holder == event.agent,
       named(event.task, event.epoch) + " was finished by an agent that does not hold it");
  const bool by_person = !event.result.starts_with('{');
  must(by_person || event.result == result_of(event.task, event.epoch),
       fmt::format("{} was finished with the result of another attempt, {}", named(event.task, event.epoch),
                   event.result));
  must(by_person || task.holder, named(event.task, event.epoch) + " was finished, but is not the live award");
  release(task);
  task.done = task.was_over = true;
  task.accepted = event.epoch;
}

void Checkers::follow(const TaskMoved& event) {
  KnownTask& task = tasks_[event.task];
  must(!task.done, fmt::format("{} was done, but left that state", event.task));
  release(task);
  task.was_over = task.was_over || is_over(event.to);
}

void Checkers::follow(const TaskReopened& event) {
  must(!tasks_[event.task].done, fmt::format("{} is done, but was started over", event.task));
}

void Checkers::follow(const NeedAdded& event) { tasks_[event.task].spec.needs.push_back(event.need); }
void Checkers::follow(const NeedRemoved& event) {
  std::erase_if(tasks_[event.task].spec.needs, [&](const Need& need) { return need.task == event.need; });
}

/// What an agent works by stays as it is while it holds the task.
void Checkers::follow(const TaskEdited& event) {
  KnownTask& task = tasks_[event.task];
  const TaskEdit& change = event.change;
  must(!task.holder || (!change.body && !change.skills && !change.needs && !change.timeout),
       fmt::format("{} was edited under the agent that holds it: {}", event.task, event.what));
  if (change.skills) task.spec.skills = *change.skills;
  if (change.needs) task.spec.needs = *change.needs;
}

void Checkers::follow(const AgentRegistered& event) {
  KnownAgent& agent = agents_[event.agent.id];
  agent.profile = event.agent.profile;
  agent.capacity_max = std::max(agent.capacity_max, agent.profile.capacity);
}

void Checkers::follow(const DiscoveryPosted& event) {
  if (event.discovery.kind == "late_result") late_.insert({event.discovery.task, event.discovery.epoch});
}

void Checkers::follow(const Replied& event) {
  must(replied_.insert({event.client, event.request}).second,
       fmt::format("request {} of a client has two replies", event.request));
}

void Checkers::on_said(const Said& said, const Store& store, Instant at) {
  at_ = at;
  if (const auto* reports = std::get_if<Reports>(&said.message)) {
    reported_[{said.peer, reports->number}] = *reports;
  } else if (const auto* kept = std::get_if<ReportsKept>(&said.message)) {
    const auto reported = reported_.find({said.peer, kept->number});
    if (reported == reported_.end()) return;
    check_kept(reported->second);
    reported_.erase(reported);
  } else if (const auto* reply = std::get_if<Reply>(&said.message)) {
    check_reply(said.to, *reply, store);
  } else if (const auto* awards = std::get_if<Awards>(&said.message)) {
    check_awards(*awards, said.to);
  }
}

/// A result that an agent was told is kept must be the task's result or a discovery.
void Checkers::check_kept(const Reports& reports) {
  for (const ReportItem& item : reports.items) {
    if (item.what != ReportItem::What::finished) continue;
    const KnownTask& task = tasks_[item.task];
    must((task.done && task.accepted == item.epoch) || late_.contains({item.task, item.epoch}),
         fmt::format("the result of {} was confirmed as kept, but is not on the board",
                     named(item.task, item.epoch)));
  }
}

void Checkers::check_awards(const Awards& awards, EndpointId agent) {
  for (const AwardItem& item : awards.awards) {
    const KnownTask& task = tasks_[item.offer.task];
    must(task.epoch >= item.epoch, fmt::format("{} was sent to agent {}, but was never made durable",
                                               named(item.offer.task, item.epoch), agent));
  }
}

/// A client makes one request at a time, so replies arrive in that order, and a reply must never change.
void Checkers::check_reply(EndpointId client, const Reply& reply, const Store& store) {
  if (reply.code == Errc::storage || reply.code == Errc::corrupt) return;
  const std::string which = fmt::format("request {}", reply.number);
  const std::uint64_t content = digest(encode(reply));
  const auto [known, first] = answers_.try_emplace({client, reply.number}, content);
  const bool may_differ = std::holds_alternative<Status>(reply.body) ||
                          std::holds_alternative<LogPage>(reply.body) || reply.code == Errc::too_old;
  must(known->second == content || may_differ, which + " got a different reply when it was repeated");
  std::uint64_t& last = answered_[client];
  if (first) must(reply.number > last, which + " was answered after a later one");
  last = std::max(last, reply.number);
  if (reply.code != Errc::ok) return;
  if (const auto* posted = std::get_if<Posted>(&reply.body))
    for (const TaskId id : posted->ids)
      must(store.get(keys::task(id)).value().has_value(),
           fmt::format("{} was confirmed as posted, but is not durable", id));
  if (const auto* claimed = std::get_if<Claimed>(&reply.body))
    must(tasks_[claimed->task].epoch >= claimed->epoch,
         named(claimed->task, claimed->epoch) + " was confirmed as claimed, but is not durable");
}

void Checkers::on_answered(const Request& request, const Reply& reply, const Store&, Instant at) {
  at_ = at;
  if (reply.code != Errc::ok) return;
  if (const auto* post = std::get_if<Post>(&request.body)) {
    const auto& posted = std::get<Posted>(reply.body);
    for (std::size_t i = 0; i < posted.ids.size(); ++i) {
      acknowledged_[posted.ids[i]] = post->tasks[i].title;
      must(tasks_[posted.ids[i]].spec.title == post->tasks[i].title,
           fmt::format("{} is not the task that was posted", posted.ids[i]));
    }
  } else if (const auto* finish = std::get_if<Finish>(&request.body); finish && finish->success) {
    acknowledged_done_.insert(finish->task);
    must(tasks_[finish->task].done, fmt::format("{} was confirmed as done, but is not", finish->task));
  }
}

void Checkers::check_at_end(const Store& store, Instant at) {
  at_ = at;
  fold(store);
  for (const std::string& broken : check_invariants(store)) must(false, broken);
  for (const auto& [id, title] : acknowledged_) {
    const auto bytes = store.get(keys::task(id)).value();
    const Result<Task> task = bytes ? unseal<Task>(*bytes) : fail(Errc::not_found, "it is gone");
    must(task && task->spec.title == title, fmt::format("{} was acknowledged, but does not exist", id));
    if (task && acknowledged_done_.contains(id))
      must(task->state == TaskState::done, fmt::format("{} was acknowledged as done, but is not", id));
  }
}

}  // namespace bidboard::sim
