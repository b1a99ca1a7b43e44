// A simulated agent process: the live agent's state machine (agents/agent.hpp), a simulated executor and a
// clock of its own, driven as in runtime/fleet/agent_process.cpp. The object outlives its process: a crash
// loses everything but the agent's description. For one thread.
#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "agents/agent.hpp"
#include "runtime/sim/billed_executor.hpp"
#include "runtime/sim/node_clock.hpp"
#include "runtime/sim/sim_executor.hpp"

namespace bidboard::sim {

struct AgentSpec {
  AgentProfile profile;  ///< with which it registers
  Behaviour behaviour;
  bool local = true;  ///< on the controller's machine: its end is seen at once
};

/// One execution, in the world's time.
struct Execution {
  std::uint32_t agent = 0;  ///< position in WorldOptions::agents
  TaskId task;
  Epoch epoch;
  Instant begun;
  Instant ended = never;  ///< never: it still runs
  /// lost: its process died.
  enum class How : std::uint8_t { running, done, failed, stopped, lost } how = How::running;
};

class SimAgent {
 public:
  /// `provider`: of the account that its profile names; nullptr: it uses none.
  SimAgent(AgentSpec spec, std::uint32_t place, NodeClock clock, std::uint64_t seed,
           const TrueSeconds* true_seconds, Provider* provider = nullptr);

  /// Starts a new process, with a process number of its own. Not connected yet.
  void start_process(std::int64_t pid, const std::string& host, std::uint64_t incarnation);
  /// Its process has ended; running work is lost.
  void crash(Instant world);

  /// Inputs; each call returns the messages that the agent sends to the controller.
  std::vector<Message> on_connected(Instant world);
  std::vector<Message> on_message(const Message& message, Instant world);
  std::vector<Message> on_time(Instant world);
  void on_peer(const PeerBids& words, Instant world);
  /// The messages to other agents, by their position; each is returned once.
  std::vector<std::pair<std::uint32_t, PeerBids>> take_peer_words();
  std::vector<Message> leave(Instant world, const std::string& reason);
  /// In the world's time, never earlier than `world`.
  Instant next_wakeup(Instant world) const;

  bool alive() const { return machine_ != nullptr; }
  bool registered() const { return machine_ && machine_->registered(); }
  /// Its registration was refused: the process ends by itself.
  bool gave_up() const { return gave_up_; }
  std::int64_t pid() const { return spec_.profile.pid; }
  AgentId id() const { return machine_ ? machine_->id() : AgentId{}; }
  const AgentSpec& spec() const { return spec_; }
  NodeClock& clock() { return clock_; }
  /// See SimExecutor::reform; also for processes to come.
  void reform();

  std::size_t running() const { return executor_ ? executor().running() : 0; }
  /// Its executions, in the order in which they began.
  const std::vector<Execution>& executions() const { return executions_; }

 private:
  void act(const AgentMachine::Actions& actions, Instant world, std::vector<Message>& says);
  void pump(Instant world, std::vector<Message>& says);
  void end_execution(const ExecutionEnded& ended, Instant world);
  const Executor& executor() const { return billed_ ? static_cast<const Executor&>(*billed_) : *executor_; }
  Executor& executor() { return billed_ ? static_cast<Executor&>(*billed_) : *executor_; }

  AgentSpec spec_;
  std::uint32_t place_;
  NodeClock clock_;
  std::uint64_t seed_;
  const TrueSeconds* true_seconds_;
  Provider* provider_;
  std::unique_ptr<AgentMachine> machine_;
  std::unique_ptr<SimExecutor> executor_;
  std::unique_ptr<BilledExecutor> billed_;  ///< over executor_, if a provider bills its work
  bool gave_up_ = false;
  std::map<AgentId, std::uint32_t> peers_;  ///< the positions of its peers
  std::vector<std::pair<std::uint32_t, PeerBids>> peer_words_;
  std::vector<Execution> executions_;
  std::vector<std::size_t> open_;  ///< the executions that still run
};

}  // namespace bidboard::sim
