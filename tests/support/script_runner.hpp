// Drives a real Node over a store in memory by readable commands, with a clock ticked by hand, and prints
// the effects: for the scripts in tests/runtime/scripts, whose README.md lists the commands. Secrets and
// capabilities are kept in here.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agents/manager.hpp"
#include "runtime/core/node.hpp"
#include "tests/support/flaky_store.hpp"

namespace bidboard::script {

/// A parsed command line: bare words and name=value pairs. Values may be in double quotes.
class Words {
 public:
  explicit Words(const std::string& line);
  const std::string& verb() const { return bare_.at(0); }
  /// The bare word at this place, 1 being the first after the verb. Throws when it is missing.
  const std::string& word(std::size_t place) const;
  std::size_t count() const { return bare_.size(); }
  /// Takes a named value; names that are never taken are unknown.
  std::string take(const std::string& name, const std::string& otherwise = {});
  bool has(const std::string& name) const { return named_.contains(name); }
  /// Throws when a named value was not taken.
  void no_more() const;

 private:
  std::vector<std::string> bare_;
  std::map<std::string, std::string> named_;
};

class ScriptRunner {
 public:
  ScriptRunner();

  /// Executes one line; several inputs joined by " ; " are one batch. A line that begins with "ERROR" says
  /// what is wrong with the command, or that the node keeps asking for wake-ups without any effect.
  std::string run(const std::string& line);
  const Store& store() const { return store_; }
  /// The script damaged a record and has not repaired it yet: the invariants do not hold.
  bool damaged() const { return damaged_; }

 private:
  struct Actor {
    AgentProfile profile;
    std::uint64_t incarnation = 0;
    AgentId id;
    std::string secret;
    PeerId peer;
    std::uint64_t reports = 0;
    std::map<TaskId, Epoch> held;
    std::map<Held, std::string> capabilities;
    Duration heartbeat;  ///< as the controller set it
    Instant next_heartbeat = never;
    Manager manager;
    std::optional<Choices> choices;  ///< an honest manager's answer to the last delegation, not given yet
    std::uint64_t peers_heard = 0;   ///< number of the last Peers
    bool mute = false;               ///< sends no automatic heartbeats
    bool deaf = false;               ///< messages to it are lost
  };

  bool run_control(Words& words, std::string& out);
  bool run_show(Words& words, std::string& out) const;
  Input input_of(Words& words);
  Input message_of(Words& words);
  Input heartbeat(Words& words);
  Input register_agent(Words& words);
  Input report(Words& words);
  Input bid(Words& words);
  Input choose(Words& words);
  Input request(Words& words);
  RequestBody request_body(Words& words);
  Post post(Words& words) const;
  Edit edit(Words& words) const;
  Config config(Words& words) const;
  Heartbeat heartbeat_of(const Actor& actor) const;

  void process(const std::vector<Input>& inputs, std::string& out);
  void advance(Duration by, std::string& out);
  void restart(std::string& out);
  void hear(Actor& actor, const Message& message);
  void print(const Committed& done, std::string& out);
  Actor& actor(const std::string& name);

  FlakyStore store_;
  std::unique_ptr<Node> node_;
  Now now_{Instant{1'000'000'000}, WallTime{1'000'000'000'000}};
  Term term_;
  std::map<std::string, Actor> actors_;
  std::map<PeerId, std::string> names_;  ///< of connections
  std::map<PeerId, Origin> origins_;     ///< of connections from other machines
  bool damaged_ = false;
  std::uint64_t last_peer_ = 0;
  std::uint64_t last_incarnation_ = 0;
};

}  // namespace bidboard::script
