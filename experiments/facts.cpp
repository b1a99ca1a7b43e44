#include "experiments/facts.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "blackboard/format/codec.hpp"
#include "blackboard/format/keys.hpp"

namespace bidboard {
namespace {

/// Follows the log event by event.
class Follower {
 public:
  explicit Follower(const std::vector<std::string>& agents) {
    for (std::size_t i = 0; i < agents.size(); ++i) places_[agents[i]] = i;
    facts_.agents.resize(agents.size());
    for (std::size_t i = 0; i < agents.size(); ++i) facts_.agents[i].name = agents[i];
  }

  void follow(const Event& event) {
    std::visit([&](const auto& body) { on(body, event.at); }, event.body);
  }

  RunFacts finish() {
    facts_.finished = !facts_.tasks.empty();
    for (const TaskFacts& task : facts_.tasks) {
      facts_.finished = facts_.finished && task.done;
      facts_.makespan = std::max(facts_.makespan, task.finished);
    }
    for (const ExecutionFacts& e : facts_.executions) facts_.agents[e.agent].worked += e.end - e.begin;
    return std::move(facts_);
  }

 private:
  struct Attempt {
    std::size_t agent = 0;
    double awarded = 0;
    std::optional<double> started;
  };

  void on(const TaskPosted& e, WallTime at) {
    if (!posted_) posted_ = at;
    task_places_[e.task.id] = facts_.tasks.size();
    facts_.tasks.push_back({since(at)});
  }
  void on(const TaskMoved& e, WallTime at) {
    if (TaskFacts* task = find(e.task); task && e.to == TaskState::ready) task->ready = since(at);
  }
  void on(const AgentRegistered& e, WallTime) {
    const auto place = places_.find(e.agent.profile.name);
    if (place == places_.end()) return;
    ids_[e.agent.id] = place->second;
    AgentFacts& agent = facts_.agents[place->second];
    agent.speed = from_micros(e.agent.profile.speed);
    agent.slots = e.agent.profile.capacity;
  }
  void on(const TaskAwarded& e, WallTime at) {
    TaskFacts* task = find(e.task);
    const auto agent = ids_.find(e.agent);
    if (!task || agent == ids_.end()) return;
    if (task->awarded < 0) task->awarded = since(at);
    ++task->awards;
    attempts_[e.task] = {agent->second, since(at), {}};
    for (Loss& loss : losses_)
      if (loss.open.erase(e.task) > 0 && loss.open.empty())
        facts_.failures[loss.failure].redistributed = since(at);
  }
  void on(const TaskStarted& e, WallTime at) {
    if (const auto attempt = attempts_.find(e.task); attempt != attempts_.end())
      attempt->second.started = since(at);
  }
  void on(const AttemptEnded& e, WallTime at) {
    end_attempt(e.task, since(at), false);
    for (Loss& loss : losses_)
      if (loss.agent == e.agent && loss.at == at && e.died) loss.open[e.task] = true;
  }
  void on(const TaskFinished& e, WallTime at) {
    TaskFacts* task = find(e.task);
    if (!task) return;
    if (const auto attempt = attempts_.find(e.task); attempt != attempts_.end()) {
      task->agent = attempt->second.agent;
      task->started = attempt->second.started.value_or(attempt->second.awarded);
      task->awarded_last = attempt->second.awarded;
    }
    task->done = true;
    task->finished = since(at);
    task->price = from_micros(e.price);
    end_attempt(e.task, since(at), true);
  }
  /// What it held ends in the events behind this one.
  void on(const AgentLeft& e, WallTime at) {
    facts_.failures.push_back({-1, since(at), -1});
    losses_.push_back({e.agent, at, facts_.failures.size() - 1, {}});
  }
  template <class Other>
  void on(const Other&, WallTime) {}

  void end_attempt(TaskId id, double at, bool useful) {
    const auto attempt = attempts_.find(id);
    if (attempt == attempts_.end()) return;
    const auto& [agent, awarded, started] = attempt->second;
    facts_.executions.push_back({task_places_[id], agent, started.value_or(awarded), at, useful});
    attempts_.erase(attempt);
  }
  TaskFacts* find(TaskId id) {
    const auto place = task_places_.find(id);
    return place == task_places_.end() ? nullptr : &facts_.tasks[place->second];
  }
  double since(WallTime at) const { return posted_ ? static_cast<double>((at - *posted_).us) / 1e6 : 0; }

  /// Tasks that a dead agent held and that nobody has yet.
  struct Loss {
    AgentId agent;
    WallTime at;
    std::size_t failure = 0;
    std::map<TaskId, bool> open;
  };

  RunFacts facts_;
  std::optional<WallTime> posted_;
  std::map<std::string, std::size_t> places_;
  std::map<AgentId, std::size_t> ids_;
  std::map<TaskId, std::size_t> task_places_;
  std::map<TaskId, Attempt> attempts_;
  std::vector<Loss> losses_;
};

}  // namespace

Result<void> each_event(const Snapshot& board, const std::function<void(const Event&)>& see) {
  std::optional<Error> damage;
  const Result<void> read =
      board.scan(std::string(1, keys::log_letter), {}, [&](std::string_view, std::string_view bytes) {
        const Result<Event> event = unseal<Event>(bytes);
        if (!event) damage = event.error();
        if (event) see(*event);
        return !damage;
      });
  if (damage) return fail(*damage);
  return read;
}

Result<RunFacts> read_facts(const Snapshot& board, const std::vector<std::string>& agents) {
  Follower follower(agents);
  const Result<void> read = each_event(board, [&](const Event& event) { follower.follow(event); });
  if (!read) return fail(read.error());
  return follower.finish();
}

}  // namespace bidboard
