#include "experiments/arbiterless.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <variant>

#include "agents/peer.hpp"
#include "agents/worker.hpp"
#include "auction/eligibility.hpp"
#include "blackboard/format/codec.hpp"
#include "runtime/coordination/neighbours.hpp"
#include "runtime/sim/event_queue.hpp"
#include "runtime/sim/network.hpp"

namespace bidboard {
namespace {

constexpr Instant posted_at{1'000'000};
/// As in simulate.cpp.
constexpr double patience = 20;
constexpr Duration least_patience = minutes(60);
/// Who posts says it again to those that did not hear it.
constexpr Duration repeat_post = seconds(1);
constexpr Epoch the_round{1};
/// A claim stands while its work runs, for minutes, and each renewal goes to everybody: not as often as where
/// a claim only waits for its award.
constexpr Duration lapse = seconds(30);

double since_post(Instant at) { return static_cast<double>((at - posted_at).us) / 1e6; }

class Village {
 public:
  Village(const Setting& setting, const FaultsSpec& faults, double bound)
      : setting_(setting), network_(links_of(faults), setting.seed) {
    for (const auto& [task, level] : levels()) levels_.push_back(level);
    facts_.tasks.resize(setting.plan.tasks.size());
    dependents_.resize(setting.plan.tasks.size());
    for (std::size_t t = 0; t < setting.plan.tasks.size(); ++t)
      for (const PlannedNeed& need : setting.plan.tasks[t].needs) dependents_[need.task].push_back(t);
    settle_in();
    plan_faults(faults, bound);
  }

  RunFacts run() {
    const double alone = from_micros(setting_.plan.total_work) / from_micros(setting_.agents.front().speed);
    const Instant limit = posted_at + Duration{to_micros(patience * alone)} + least_patience;
    while (open_ > 0 && queue_.next() <= limit) {
      now_ = queue_.next();
      auto event = queue_.pop();
      std::visit([&](auto& what) { happen(what); }, event);
    }
    if (open_ > 0) now_ = limit;
    return sum_up();
  }

 private:
  struct Hear {
    PeerBids words;
  };
  struct Wake {
    std::size_t agent;
  };
  struct Told {  ///< of the plan
    std::size_t agent;
  };
  struct End {
    std::size_t execution;
  };
  struct Kill {
    std::size_t agent;
  };
  struct Cut {
    std::vector<std::size_t> side;
    bool mend;
  };
  struct Villager {
    std::unique_ptr<PeerMachine> peer;
    Instant wakes = never;
    Instant died = never;
    bool told = false;
    std::set<std::size_t> over;                  ///< tasks that it knows to be finished
    std::map<std::size_t, std::size_t> running;  ///< executions, by task
  };

  static sim::LinkProfile links_of(const FaultsSpec& faults) {
    sim::LinkProfile links;
    links.loss = faults.loss;
    return links;
  }
  std::map<TaskId, Micros> levels() const {
    std::vector<Micros> sizes;
    for (const PlannedTask& task : setting_.plan.tasks) sizes.push_back(task.spec.size);
    return graph_of(setting_.plan.tasks, sizes).bottom_levels();
  }
  static AgentId id_of(std::size_t agent) { return AgentId{agent + 1}; }
  static TaskId id_of_task(std::size_t task) { return TaskId{task + 1}; }
  static sim::EndpointId endpoint_of(std::size_t agent) { return static_cast<sim::EndpointId>(agent + 1); }
  sim::EndpointId poster() const { return endpoint_of(setting_.agents.size()); }

  void settle_in() {
    const std::size_t count = setting_.agents.size();
    open_ = setting_.plan.tasks.size();
    agents_.resize(count);
    PeerTimes times;
    times.lapse = lapse;
    for (std::size_t a = 0; a < count; ++a) {
      agents_[a].peer =
          std::make_unique<PeerMachine>(id_of(a), setting_.agents[a].capacity, times, Arbiter::none);
      Peers peers;
      peers.number = 1;
      for (const std::size_t other : neighbours(a, count))
        peers.peers.push_back({id_of(other), {}, {}, {}, {}});
      agents_[a].peer->meet(peers, Instant{});
      tell_plan(a, posted_at);
    }
  }

  void plan_faults(const FaultsSpec& faults, double bound) {
    const Instant at = posted_at + Duration{to_micros(bound * from_micros(faults.at))};
    const std::vector<std::uint32_t> order = order_of_victims(setting_);
    for (std::uint32_t i = 0; i < faults.kill_agents; ++i) queue_.push(at + seconds(i), Kill{order[i]});
    if (faults.partition.us == 0) return;
    const std::vector<std::size_t> side(order.begin(), order.begin() + static_cast<int>(order.size() / 2));
    queue_.push(at, Cut{side, false});
    queue_.push(at + faults.partition, Cut{side, true});
  }

  void tell_plan(std::size_t agent, Instant at) {
    Post post;
    for (const PlannedTask& task : setting_.plan.tasks) post.tasks.push_back(task.spec);
    const Message message = Request{{}, 0, {}, {}, std::move(post)};
    const auto arrivals = network_.send(poster(), endpoint_of(agent), sim::Traffic::client, message.index(),
                                        encode(Frame{protocol_version, message}).size(), at);
    queue_.push(arrivals.count > 0 ? arrivals.at[0] : at + repeat_post, Told{agent});
    agents_[agent].told = arrivals.count > 0;
  }

  void happen(Told& event) {
    if (!agents_[event.agent].told) return tell_plan(event.agent, now_);
    for (std::size_t t = 0; t < setting_.plan.tasks.size(); ++t) offer(event.agent, t);
    turn(event.agent);
  }
  void happen(Hear& event) {
    const auto agent = static_cast<std::size_t>(event.words.to.value - 1);
    if (agents_[agent].died != never) return;
    agents_[agent].peer->hear(event.words, now_);
    turn(agent);
  }
  void happen(Wake& event) {
    Villager& villager = agents_[event.agent];
    if (villager.died != never || villager.wakes != now_) return;
    turn(event.agent);
  }
  void happen(Kill& event) {
    Villager& villager = agents_[event.agent];
    if (villager.died != never) return;
    villager.died = now_;
    FailureFacts failure;
    failure.at = since_post(now_);
    facts_.failures.push_back(failure);
    losses_.emplace_back();
    for (const auto& [task, execution] : villager.running) {
      facts_.executions[execution].end = since_post(now_);
      losses_.back().insert(task);
    }
    villager.running.clear();
  }
  void happen(Cut& event) {
    for (std::size_t a = 0; a < agents_.size(); ++a) {
      if (std::ranges::count(event.side, a) > 0) continue;
      for (const std::size_t other : event.side) {
        for (const auto& [from, to] : {std::pair(a, other), std::pair(other, a)}) {
          if (event.mend)
            network_.mend(endpoint_of(from), endpoint_of(to));
          else
            network_.cut(endpoint_of(from), endpoint_of(to));
        }
      }
    }
  }
  void happen(End& event) {
    ExecutionFacts& execution = facts_.executions[event.execution];
    Villager& villager = agents_[execution.agent];
    const auto running = villager.running.find(execution.task);
    if (running == villager.running.end() || running->second != event.execution) return;
    villager.running.erase(running);
    execution.end = since_post(now_);
    TaskFacts& task = facts_.tasks[execution.task];
    if (!task.done) accept(task, execution);
    villager.peer->ended(id_of_task(execution.task));
    villager.peer->finished(id_of_task(execution.task), the_round);
    const std::size_t agent = execution.agent;
    learn(agent, execution.task);
    turn(agent);
  }

  void accept(TaskFacts& task, ExecutionFacts& execution) {
    execution.useful = task.done = true;
    task.started = task.awarded_last = execution.begin;
    task.finished = execution.end;
    task.agent = execution.agent;
    task.price = from_micros(mul_micros(setting_.agents[execution.agent].price_per_second,
                                        to_micros(execution.end - execution.begin)));
    facts_.makespan = std::max(facts_.makespan, task.finished);
    --open_;
    for (const std::size_t next : dependents_[execution.task])
      facts_.tasks[next].ready = std::max(facts_.tasks[next].ready, task.finished);
  }

  /// The agent knows now that the task is finished.
  void learn(std::size_t agent, std::size_t task) {
    if (!agents_[agent].over.insert(task).second) return;
    for (const std::size_t next : dependents_[task]) offer(agent, next);
  }

  /// If it may do the task, and knows all that the task needs to be finished.
  void offer(std::size_t agent, std::size_t t) {
    const Villager& villager = agents_[agent];
    const PlannedTask& planned = setting_.plan.tasks[t];
    if (!villager.told || villager.over.contains(t)) return;
    if (!std::ranges::all_of(planned.needs,
                             [&](const PlannedNeed& n) { return villager.over.contains(n.task); }))
      return;
    Task task;
    task.spec = planned.spec;
    Agent self;
    self.profile = setting_.agents[agent];
    if (ineligible(task, self)) return;
    const Micros seconds = standard_bid(planned.spec, self.profile).seconds;
    villager.peer->offer({id_of_task(t), the_round, planned.spec.priority, levels_[t],
                          setting_.lies[agent] ? seconds / 2 : seconds});
  }

  void begin(std::size_t agent, std::size_t task) {
    Villager& villager = agents_[agent];
    if (villager.over.contains(task) || villager.running.contains(task)) return;
    const TaskSpec& spec = setting_.plan.tasks[task].spec;
    ExecutionFacts execution;
    execution.task = task;
    execution.agent = agent;
    execution.begin = since_post(now_);
    villager.running[task] = facts_.executions.size();
    queue_.push(now_ + Duration{setting_.true_seconds(spec, agent)}, End{facts_.executions.size()});
    facts_.executions.push_back(execution);
    TaskFacts& fact = facts_.tasks[task];
    if (fact.awarded < 0) fact.awarded = execution.begin;
    fact.awards += 1;
    for (std::size_t i = 0; i < losses_.size(); ++i)
      if (losses_[i].erase(task) > 0 && losses_[i].empty())
        facts_.failures[i].redistributed = execution.begin;
    villager.peer->begun(id_of_task(task), the_round, standard_bid(spec, setting_.agents[agent]).seconds,
                         now_);
  }

  /// What it does about all that it has heard.
  void turn(std::size_t agent) {
    Villager& villager = agents_[agent];
    while (true) {
      PeerMachine::Turn turn = villager.peer->turn(now_);
      for (PeerBids& words : turn.says) say(agent, std::move(words));
      for (const TaskId id : turn.take) begin(agent, static_cast<std::size_t>(id.value - 1));
      for (const TaskId id : turn.over) stop(agent, static_cast<std::size_t>(id.value - 1));
      if (turn.take.empty() && turn.over.empty()) break;
    }
    const Instant at = villager.peer->next_wakeup();
    if (at == never || at == villager.wakes) return;
    villager.wakes = at;
    queue_.push(at, Wake{agent});
  }

  /// Somebody else has finished it.
  void stop(std::size_t agent, std::size_t task) {
    Villager& villager = agents_[agent];
    if (const auto running = villager.running.find(task); running != villager.running.end()) {
      facts_.executions[running->second].end = since_post(now_);
      villager.running.erase(running);
      villager.peer->ended(id_of_task(task));
    }
    learn(agent, task);
  }

  void say(std::size_t from, PeerBids words) {
    const auto to = static_cast<std::size_t>(words.to.value - 1);
    const Message message = std::move(words);
    const auto arrivals =
        network_.send(endpoint_of(from), endpoint_of(to), sim::Traffic::agent_to_agent, message.index(),
                      encode(Frame{protocol_version, message}).size(), now_);
    for (std::size_t i = 0; i < arrivals.count; ++i)
      queue_.push(arrivals.at[i], Hear{std::get<PeerBids>(message)});
  }

  RunFacts sum_up() {
    facts_.finished = open_ == 0;
    if (!facts_.finished) facts_.makespan = since_post(now_);
    for (Villager& villager : agents_)
      for (const auto& [task, execution] : villager.running)
        facts_.executions[execution].end = since_post(now_);
    facts_.agents.resize(agents_.size());
    for (std::size_t a = 0; a < agents_.size(); ++a) {
      AgentFacts& agent = facts_.agents[a];
      agent.name = setting_.agents[a].name;
      agent.speed = from_micros(setting_.agents[a].speed);
      agent.slots = setting_.agents[a].capacity;
      agent.alive = static_cast<double>((std::min(agents_[a].died, now_) - Instant{}).us) / 1e6;
    }
    for (const ExecutionFacts& e : facts_.executions) facts_.agents[e.agent].worked += e.end - e.begin;
    const sim::LinkCount total = network_.count().total();
    facts_.messages = static_cast<double>(total.messages);
    facts_.bytes = static_cast<double>(total.bytes);
    facts_.lost = static_cast<double>(total.lost);
    facts_.links = 0;
    for (const std::uint64_t links : network_.count().links) facts_.links += static_cast<double>(links);
    facts_.processes = static_cast<double>(agents_.size());
    return std::move(facts_);
  }

  const Setting& setting_;
  sim::Network network_;
  sim::EventQueue<std::variant<Hear, Wake, Told, End, Kill, Cut>> queue_;
  Instant now_{};
  std::vector<Villager> agents_;
  std::vector<Micros> levels_;
  std::vector<std::vector<std::size_t>> dependents_;
  std::vector<std::set<std::size_t>> losses_;  ///< by failure: what it held and nobody has begun again
  std::size_t open_ = 0;
  RunFacts facts_;
};

}  // namespace

RunFacts simulate_arbiterless(const Setting& setting, const FaultsSpec& faults, double bound) {
  return Village(setting, faults, bound).run();
}

}  // namespace bidboard
