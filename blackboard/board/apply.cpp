// The fold: how each event changes the records. No decisions here; what an event says has been decided.
#include <algorithm>

#include "blackboard/board/board.hpp"
#include "blackboard/checks/check.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/numbers.hpp"
#include "blackboard/spending.hpp"
#include "blackboard/task_edit.hpp"
#include "blackboard/task_moves.hpp"

namespace bidboard {
namespace {

constexpr std::size_t kept_failures = 8;
constexpr std::size_t kept_edits = 8;

void charge(Task& task, Micros price, std::int64_t tokens) {
  task.spent = add_saturated(task.spent, std::max<Micros>(price, 0));
  task.spent_tokens = add_saturated(task.spent_tokens, std::max<std::int64_t>(tokens, 0));
}

std::string number_value(std::uint64_t number) {
  std::string bytes;
  append_big_endian(bytes, number);
  return bytes;
}

/// How long a client that said nothing more is remembered.
constexpr Duration client_memory = minutes(60);

std::string due_key(const Task& task, const Hold& hold) {
  const bool backs_off = hold.kind == HoldKind::backoff;
  return keys::due(hold.until, backs_off ? keys::Due::backoff : keys::Due::hold, task.id.value);
}

}  // namespace

std::string client_due_key(const Client& client) {
  return keys::due(client.seen_at + client_memory, keys::Due::client, client.id.value);
}

std::vector<std::string> live_index_keys(const Task& task) {
  std::vector<std::string> out;
  const bool awaits_award = task.state == TaskState::ready || task.state == TaskState::offered;
  if (awaits_award && task.holds.empty()) out.push_back(keys::ready(task));
  if (awaits_award)
    for (const Hold& hold : task.holds)
      if (hold.until.us != 0) out.push_back(due_key(task, hold));
  if (is_held(task.state)) {
    out.push_back(keys::holding(task.holder, task.id));
    if (task.deadline.us != 0) out.push_back(keys::due(task.deadline, keys::Due::attempt, task.id.value));
  }
  return out;
}

/// The task that the event is about, if it exists already.
const Task* Board::about_task(const Event& event) const {
  if (std::holds_alternative<TaskPosted>(event.body)) return nullptr;
  const TaskId id = task_of(event);
  return id ? task(id) : nullptr;
}

void Board::fold(const Event& event) {
  if (const Task* task = about_task(event))
    BB_CHECK(state_after(task->state, event.body), "an event moves a task where the state table leads");
  std::visit([&](const auto& body) { on(body, event.at); }, event.body);
}

template <class Change>
void Board::change_task(TaskId id, Change&& change) {
  Task* task = const_cast<Task*>(this->task(id));
  BB_CHECK(task, "an event names a task that does not exist");
  const std::vector<std::string> before = live_index_keys(*task);
  const bool was_over = is_over(task->state);
  change(*task);
  tasks_.mark_changed(id);
  const std::vector<std::string> now = live_index_keys(*task);
  for (const std::string& key : before)
    if (std::find(now.begin(), now.end(), key) == now.end()) remove_key(key);
  for (const std::string& key : now)
    if (std::find(before.begin(), before.end(), key) == before.end()) add_key(key);
  if (was_over != is_over(task->state)) end_or_reopen(*task, !was_over);
}

/// Keeps the counts that depend on whether a task is over: its dependents' open needs and its workflow's open
/// tasks.
void Board::end_or_reopen(const Task& task, bool over) {
  const WorkflowId in = task.spec.workflow;
  if (workflow(in)) {
    Workflow& record = *const_cast<Workflow*>(workflow(in));
    record.open = over ? record.open - 1 : record.open + 1;
    record.finished_at = record.open == 0 ? task.finished_at : WallTime{};
    workflows_.mark_changed(in);
  }
  for (const TaskId id : tasks_under(keys::dependents_of(task.id))) {
    Task* dependent = const_cast<Task*>(this->task(id));
    if (!dependent || dependent->state != TaskState::blocked) continue;
    dependent->open_needs = over ? dependent->open_needs - 1 : dependent->open_needs + 1;
    tasks_.mark_changed(id);
  }
}

std::uint32_t Board::count_open_needs(const Task& of) const {
  std::uint32_t open = 0;
  for (const Need& need : of.spec.needs) {
    const Task* needed = task(need.task);
    if (needed && !is_over(needed->state)) ++open;
  }
  return open;
}

void Board::on(const ConfigSet& e, WallTime) {
  config_ = e.config;
  add_key(std::string(keys::config), seal(config_));
}

void Board::on(const TaskPosted& e, WallTime) {
  const Task& task = tasks_.put(e.task.id, e.task);
  counters_.task = std::max(counters_.task, task.id);
  for (std::string& key : live_index_keys(task)) add_key(std::move(key));
  for (const Need& need : task.spec.needs) add_key(keys::dependent(need.task, task.id));
  if (!task.spec.key.empty())
    add_key(keys::post_key(task.spec.project, task.spec.key), number_value(task.id.value));
  if (const Workflow* in = workflow(task.spec.workflow)) {
    add_key(keys::member(in->id, task.id));
    if (is_over(task.state)) end_or_reopen(task, true);
  }
}

void Board::on(const TaskMoved& e, WallTime at) {
  change_task(e.task, [&](Task& task) {
    task.state = e.to;
    task.reason = e.reason;
    if (e.to == TaskState::ready && task.ready_at.us == 0) task.ready_at = at;
    if (e.to == TaskState::blocked) task.open_needs = count_open_needs(task);
    if (is_over(e.to)) task.finished_at = at;
    if (e.to == TaskState::cancelled) task.deadline = {};
    if (e.to == TaskState::paused)
      place(task, {HoldKind::pause, {}, e.reason});
    else
      lift(task, HoldKind::pause);
  });
}

void Board::on(const BackoffOver& e, WallTime) {
  change_task(e.task, [&](Task& task) { lift(task, HoldKind::backoff); });
}

void Board::on(const TaskHeld& e, WallTime) {
  change_task(e.task, [&](Task& task) { place(task, e.hold); });
}

void Board::on(const HoldLifted& e, WallTime) {
  change_task(e.task, [&](Task& task) { lift(task, e.hold); });
}

void Board::on(const TaskAwarded& e, WallTime at) {
  change_task(e.task, [&](Task& task) {
    task.state = TaskState::awarded;
    task.reason.clear();
    task.epoch = e.epoch;
    task.holder = e.agent;
    task.capability_hash = e.capability_hash;
    task.shell_claim = e.shell_claim;
    task.deadline = e.deadline;
    task.awarded_at = at;
    task.started_at = {};
    task.progress = 0;
    task.progress_text.clear();
    task.attempts += 1;
    task.auction = e.decision.id;
    task.reserved_in = {};
    task.reserved_for = {};  // it was reserved for the next award, and this is it
  });
  if (e.decision.id) index_auction(e.task, e.decision.id);
}

void Board::on(const AuctionFailed& e, WallTime) { index_auction(e.task, e.decision.id); }

/// The auction's record is in the event that is being folded.
void Board::index_auction(TaskId task, AuctionId auction) {
  counters_.auction = std::max(counters_.auction, auction);
  add_key(keys::auction(auction), number_value(next_seq().value));
  add_key(keys::decision(task, auction));
}

void Board::on(const TaskStarted& e, WallTime at) {
  change_task(e.task, [&](Task& task) {
    task.state = TaskState::running;
    task.started_at = at;
  });
}

void Board::on(const TaskProgressed& e, WallTime) {
  change_task(e.task, [&](Task& task) {
    task.progress = e.fraction;
    task.progress_text = e.text;
  });
}

void Board::on(const TaskRenewed& e, WallTime) {
  change_task(e.task, [&](Task& task) { task.deadline = e.deadline; });
}

void Board::on(const AttemptEnded& e, WallTime at) {
  change_task(e.task, [&](Task& task) {
    task.state = e.to;
    task.reason = e.reason;
    if (e.not_before.us != 0)
      place(task, {HoldKind::backoff, e.not_before, {}});
    else
      lift(task, HoldKind::backoff);
    task.deadline = {};
    task.deaths += e.died ? 1 : 0;
    if (e.began.us != 0) task.started_at = e.began;
    if (!e.counts && task.attempts > 0) task.attempts -= 1;
    if (e.outage == Outage::none) task.failures.push_back({e.epoch, e.agent, e.reason});
    if (task.failures.size() > kept_failures) task.failures.erase(task.failures.begin());
    if (is_over(e.to)) task.finished_at = at;
    charge(task, e.price, e.tokens);
  });
  charge_scopes(e.task, e.agent, {e.price, e.tokens}, 1, at);
  if (agent(e.agent) && e.outage == Outage::none) {
    const_cast<Agent*>(agent(e.agent))->failed += 1;
    agents_.mark_changed(e.agent);
  }
}

void Board::on(const TaskFinished& e, WallTime at) {
  change_task(e.task, [&](Task& task) {
    task.state = TaskState::done;
    task.reason.clear();
    task.holder = e.agent;
    task.deadline = {};
    task.result = e.result;
    task.result_blob = e.result_blob;
    task.price = e.price;
    task.tokens = e.tokens;
    charge(task, e.price, e.tokens);
    task.progress = one;
    if (e.began.us != 0) task.started_at = e.began;
    task.finished_at = at;
  });
  charge_scopes(e.task, e.agent, {e.price, e.tokens}, 1, at);
  if (agent(e.agent)) {
    const_cast<Agent*>(agent(e.agent))->finished += 1;
    agents_.mark_changed(e.agent);
  }
}

void Board::on(const TaskReopened& e, WallTime at) {
  change_task(e.task, [&](Task& task) {
    task.state = e.to;
    task.reason = e.reason;
    task.attempts = 0;
    task.deaths = 0;
    lift(task, HoldKind::backoff);
    lift(task, HoldKind::budget);
    task.finished_at = {};
    task.ready_at = e.to == TaskState::ready ? at : WallTime{};
    task.open_needs = e.to == TaskState::blocked ? count_open_needs(task) : 0;
  });
}

void Board::on(const NeedAdded& e, WallTime) {
  change_task(e.task, [&](Task& task) {
    task.spec.needs.push_back(e.need);
    const Task* needed = this->task(e.need.task);
    if (task.state == TaskState::blocked && needed && !is_over(needed->state)) task.open_needs += 1;
  });
  add_key(keys::dependent(e.need.task, e.task));
}

void Board::on(const NeedRemoved& e, WallTime) {
  change_task(e.task, [&](Task& task) {
    std::erase_if(task.spec.needs, [&](const Need& need) { return need.task == e.need; });
    const Task* needed = this->task(e.need);
    if (task.state == TaskState::blocked && needed && !is_over(needed->state)) task.open_needs -= 1;
  });
  remove_key(keys::dependent(e.need, e.task));
}

void Board::on(const TaskEdited& e, WallTime at) {
  std::vector<Need> before;
  change_task(e.task, [&](Task& task) {
    before = task.spec.needs;
    bidboard::apply(e.change, task.spec);
    if (e.change.needs && task.state == TaskState::blocked) task.open_needs = count_open_needs(task);
    task.edits.push_back({at, e.agent, e.what});
    if (task.edits.size() > kept_edits) task.edits.erase(task.edits.begin());
  });
  if (!e.change.needs) return;
  const auto names = [](const std::vector<Need>& needs, TaskId id) {
    return std::ranges::binary_search(needs, id, {}, &Need::task);
  };
  std::ranges::sort(before, {}, &Need::task);
  std::vector<Need> now = *e.change.needs;
  std::ranges::sort(now, {}, &Need::task);
  for (const Need& need : before)
    if (!names(now, need.task)) remove_key(keys::dependent(need.task, e.task));
  for (const Need& need : now)
    if (!names(before, need.task)) add_key(keys::dependent(need.task, e.task));
}

void Board::on(const CommentPosted& e, WallTime) {
  counters_.comment = std::max(counters_.comment, e.comment.id);
  caches_.of<Comment>().put(e.comment.id, e.comment);
  add_key(keys::comment_on(e.comment.task, e.comment.id));
  change_task(e.comment.task, [](Task& task) { task.comment_count += 1; });
}

void Board::on(const LevelsRaised& e, WallTime) {
  for (const Level& level : e.levels)
    change_task(level.task, [&](Task& task) { task.bottom_level = level.bottom_level; });
}

void Board::on(const TaskReserved& e, WallTime) {
  change_task(e.task, [&](Task& task) {
    task.reserved_for = e.agent;
    task.reserved_in = e.bundle;
  });
}

void Board::on(const AgentRegistered& e, WallTime) {
  agents_.put(e.agent.id, e.agent);
  counters_.agent = std::max(counters_.agent, e.agent.id);
  add_key(keys::agent_name(e.agent.profile.name), number_value(e.agent.id.value));
}

void Board::on(const AgentSeen& e, WallTime at) {
  if (!agent(e.agent)) return;
  const_cast<Agent*>(agent(e.agent))->seen_at = at;
  agents_.mark_changed(e.agent);
}

void Board::on(const AgentLeft& e, WallTime at) {
  BB_CHECK(agent(e.agent), "an event names an agent that does not exist");
  Agent& record = *const_cast<Agent*>(agent(e.agent));
  record.state = AgentState::gone;
  record.reason = e.reason;
  record.seen_at = at;
  agents_.mark_changed(e.agent);
}

void Board::on(const Calibrated& e, WallTime) {
  calibrations_.put(keys::calibration(e.calibration.agent, e.calibration.kind), e.calibration);
}

void Board::on(const BreakerMoved& e, WallTime) {
  caches_.of<Breaker>().put(keys::breaker(e.breaker.name), e.breaker);
}

void Board::on(const AttemptSettled& e, WallTime at) {
  Amount more{e.price, e.tokens};
  bool is_counted = false;
  change_task(e.task, [&](Task& task) {
    if (task.state == TaskState::done && task.epoch == e.epoch && task.holder == e.agent) {
      // What `done --price` told already is part of it.
      is_counted = task.price > 0 || task.tokens > 0;
      more = {e.price - task.price, e.tokens - task.tokens};
      task.price = std::max(task.price, e.price);
      task.tokens = std::max(task.tokens, e.tokens);
      task.settled = std::max(task.settled, e.epoch);
    }
    charge(task, more.money, more.tokens);
  });
  charge_scopes(e.task, e.agent, more, is_counted ? 0 : 1, at);
}

void Board::on(const BudgetRaised& e, WallTime) {
  Spending spending = this->spending(e.scope);
  spending.raised = spending.raised + e.by;
  caches_.of<Spending>().put(keys::spending(e.scope), spending);
}

/// What an attempt has cost counts for all that it was for. Most cost nothing.
void Board::charge_scopes(TaskId id, AgentId by, Amount cost, std::uint32_t attempts, WallTime at) {
  cost = {std::max<Micros>(cost.money, 0), std::max<std::int64_t>(cost.tokens, 0)};
  if (cost == Amount{}) return;
  const Agent* agent = this->agent(by);
  for (const std::string& scope :
       charged_scopes(task(id)->spec, agent ? agent->profile : AgentProfile{}, at)) {
    Spending spending = this->spending(scope);
    spending.spent = spending.spent + cost;
    spending.attempts += attempts;
    caches_.of<Spending>().put(keys::spending(scope), spending);
  }
}

void Board::on(const WorkSaved& e, WallTime) {
  change_task(e.task, [&](Task& task) {
    task.branch = e.work.branch;
    task.commit = e.work.commit;
  });
}

void Board::on(const DiscoveryPosted& e, WallTime) {
  counters_.discovery = std::max(counters_.discovery, e.discovery.id);
  if (e.discovery.late > 0)
    add_key(keys::late_result(e.discovery.task, e.discovery.late), number_value(e.discovery.id.value));
  caches_.of<Discovery>().put(e.discovery.id, e.discovery);
}

void Board::on(const WorkflowPosted& e, WallTime) {
  workflows_.put(e.workflow.id, e.workflow);
  counters_.workflow = std::max(counters_.workflow, e.workflow.id);
}

void Board::on(const Replied& e, WallTime at) {
  const Client* known = client(e.client);
  Client record = known ? *known : Client{};
  if (known) remove_key(client_due_key(record));
  record.id = e.client;
  record.last_request = std::max(record.last_request, e.request);
  record.seen_at = at;
  const auto place =
      std::upper_bound(record.replies.begin(), record.replies.end(), e.request,
                       [](std::uint64_t number, const StoredReply& r) { return number < r.request; });
  record.replies.insert(place, {e.request, e.bytes});
  if (record.replies.size() > kept_replies) record.replies.erase(record.replies.begin());
  add_key(client_due_key(record));
  clients_.put(e.client, std::move(record));
}

void Board::on(const ClientForgotten& e, WallTime) {
  const Client* known = client(e.client);
  if (!known) return;
  remove_key(client_due_key(*known));
  clients_.erase(e.client);
}

}  // namespace bidboard
