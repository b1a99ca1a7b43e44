// One agent's part in an agreement among peers: which of the offered tasks it goes for, what it sends its
// neighbours, and when it may take a task because all of them agree. The consensus-based bundle algorithm
// (CBBA; peer_table.hpp names the paper), without a controller in the decision. Pure; for one thread.
//
// Every agent builds a bundle: it goes through the tasks by urgency (priority, then bottom level) and adds
// those that it would finish earlier than the agent that is believed to win them, each behind the tasks that
// it already holds or has in its bundle. That is the paper's time-discounted reward in the limit of a steep
// discount, where the marginal gain of a task can only fall as a bundle grows (the paper's condition for
// convergence), and its sequential greedy solution is list scheduling by earliest finish. An agent that loses
// a task drops everything that it added after it, since those bids assumed that it would do that task first.
//
// Differences from the paper, all for lost messages, agents that die, and tasks that come and go:
// - Stamps are message numbers, and a message holds what changed since the last confirmed one. An agent that
//   agrees stops sending; an agent that disagrees repeats itself, at growing intervals, until it agrees.
// - An agent takes a task once each neighbour that is not silent has sent the same belief about it and about
//   all tasks that are more urgent and thus come before it in the greedy solution, and none of these has
//   changed its winner for a moment. Then its bid becomes unbeatable. It also takes the task if the
//   neighbours disagree for too long: then the awarding controller decides.
// - A claim lapses some seconds after its work should have begun, unless its owner renews it.
// - A task that failed and is offered again is a new round; messages about earlier rounds do not count.
// All times between agents are on the clock of Peers::now; the agents' own clocks are not compared.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agents/peer_table.hpp"
#include "blackboard/messages.hpp"

namespace bidboard {

/// A task on offer, and what it would take here.
struct PeerTask {
  TaskId task;
  Epoch round;
  std::int64_t priority = 0;
  Micros level = 0;  ///< its bottom level
  Micros seconds = 0;
};

struct PeerTimes {
  Duration gap = milliseconds(2);            ///< the minimum between two messages to the same neighbour
  Duration pause_max = seconds(1);           ///< the maximum until an unconfirmed message is repeated
  Duration settled_after = milliseconds(5);  ///< agreed for this long: no contradiction is on its way
  Duration silent_after = seconds(1);        ///< after this a neighbour is not waited for
  Duration patience = seconds(2);            ///< for this long others may disagree
  Duration lapse = seconds(10);              ///< a claim ends this long after its work should have begun
  Duration repeat_take_after = seconds(1);   ///< a request may be lost
};

/// Who makes the final decision.
enum class Arbiter : std::uint8_t {
  controller,  ///< agreed tasks are requested, and begun once they are awarded
  none,        ///< agreed tasks are begun; peers tell each other that they are finished
};

class PeerMachine {
 public:
  PeerMachine(AgentId self, std::uint32_t slots, PeerTimes times = {}, Arbiter arbiter = Arbiter::controller);

  /// Sets the neighbours. Claims of agents that are no longer neighbours are dropped.
  void meet(const Peers& peers, Instant now);
  void offer(const PeerTask& task);
  /// No agent can have it any more, in this round or an earlier one.
  void withdraw(TaskId task, Epoch round);
  /// We cannot have it.
  void refuse(TaskId task);
  /// We hold it, and expect it to take `seconds`.
  void begun(TaskId task, Epoch round, Micros seconds, Instant now);
  void ended(TaskId task);
  /// Without an arbiter: it is done, and all peers must learn of it.
  void finished(TaskId task, Epoch round);
  /// Messages that do not come from a neighbour, with its proof, are ignored.
  void hear(const PeerBids& bids, Instant now);

  struct Turn {
    std::vector<PeerBids> says;
    std::vector<TaskId> take;  ///< ask for these; without an arbiter: begin them
    std::vector<TaskId> over;  ///< without an arbiter: others have finished these
    std::string note;          ///< for people, when a new agreement was reached; or empty
  };
  /// What to do now. Call after the functions above, and when next_wakeup() is reached.
  Turn turn(Instant now);
  Instant next_wakeup() const { return wake_; }

  AgentId self() const { return self_; }
  /// Who is believed to win it; none if that is not known.
  PeerClaim belief(TaskId task) const;
  /// Every neighbour that is not silent believes the same as we do about all tasks.
  bool agreed() const;
  const std::vector<TaskId>& bundle() const { return bundle_; }
  std::uint64_t ignored() const { return ignored_; }

 private:
  /// What we believe of one task.
  struct Belief {
    Epoch round;
    PeerClaim claim;
    std::uint64_t changed = 0;  ///< number of the first message that contains it
    Instant since;              ///< of the current winner
  };
  /// A neighbour's belief, as it reported it.
  struct Said {
    Epoch round;
    PeerClaim claim;
  };
  struct Link {
    std::string we_show;
    std::string it_shows;
    std::uint64_t heard = 0;      ///< its last number
    std::uint64_t told = 0;       ///< our last number to it
    std::uint64_t confirmed = 0;  ///< the last number of ours that it confirmed
    std::map<TaskId, Said> said;
    Stamps stamps;
    std::set<TaskId> differs;  ///< tasks where its belief differs from ours, as far as we know
    /// Rounds that are over, which it does not know yet, and the number of our first message that said so;
    /// 0: none yet.
    std::map<TaskId, std::pair<Epoch, std::uint64_t>> tell_over;
    bool owes_word = false;  ///< it waits for our confirmation
    Duration pause;
    Instant last_told{INT64_MIN / 2};
    Instant last_number_at{INT64_MIN / 2};  ///< when `told` was sent
    std::uint64_t probe = 0;                ///< the number whose round trip is being timed; 0: none
    Instant probed_at;
    Duration round_trip;  ///< the longest recent one
    Instant last_heard{INT64_MIN / 2};
    Instant waits_since = never;  ///< since when we wait for it to confirm and agree
  };
  struct Holding {
    Epoch round;
    Instant since;
    Micros seconds = 0;
  };

  Micros shared(Instant now) const { return now.us + offset_; }
  void believe(TaskId task, Epoch round, const PeerClaim& claim);
  void compare(Link& link, TaskId task) const;
  void drop_from(std::size_t place);
  void forget(TaskId task);
  void note_said(Link& link, const PeerBid& bid);
  void note_over(TaskId task, Epoch round);
  void judge(AgentId from, Link& link, TaskId task);
  void lapse();
  void renew();
  void build();
  void make_room_for_urgent();
  std::vector<Micros> slots_free_at() const;
  bool is_open_to_us(const PeerTask& task) const;
  void take(Turn& turn);
  Instant settled_at(TaskId task) const;
  bool is_silent(const Link& link) const;
  void speak(Turn& turn);
  bool is_in_flight(const Link& link) const { return link.confirmed < link.told; }
  Instant due(const Link& link) const;
  Instant word_due(const Link& link) const;
  void add_words(PeerBids& words, const Link& link) const;
  void note_agreement(Turn& turn);
  void plan();

  AgentId self_;
  std::uint32_t slots_;
  PeerTimes times_;
  Arbiter arbiter_;
  Instant now_{};  ///< of the current call
  std::int64_t offset_ = 0;
  std::uint64_t peers_number_ = 0;
  std::uint64_t number_ = 0;   ///< of our last message
  std::uint64_t changed_ = 0;  ///< the latest Belief::changed
  std::map<TaskId, PeerTask> offers_;
  std::map<TaskId, Belief> beliefs_;
  std::map<TaskId, Epoch> over_;  ///< rounds that are over, for the latest tasks
  std::vector<TaskId> bundle_;    ///< in the order in which we will do it
  std::map<TaskId, Instant> asked_;
  std::map<TaskId, Holding> held_;
  std::map<AgentId, Link> links_;
  Stamps stamps_;
  bool must_renew_ = false;  ///< the basis of our promises has changed
  std::vector<TaskId> over_news_;
  Instant wake_ = never;
  std::string noted_;
  std::uint64_t ignored_ = 0;
};

}  // namespace bidboard
