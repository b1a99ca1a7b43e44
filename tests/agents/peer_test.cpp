// Agreement among peers: the table, the algorithm on random graphs, and faults between peers.
#include "agents/peer.hpp"

#include <algorithm>

#include "tests/support/catch.hpp"
#include "tests/support/peer_mesh.hpp"

using namespace bidboard;
using bidboard::test::Mesh;
using bidboard::test::MeshOptions;

namespace {

constexpr AgentId k{1}, i{2}, m{3}, n{4};

PeerClaim by(AgentId winner, Micros finish) { return {winner, finish, 1'000}; }
const PeerClaim nobody{};

/// As if k sent to i, which has heard of m and n up to 10.
Resolution told(const PeerClaim& theirs, const PeerClaim& ours, std::uint64_t heard_of_m = 10,
                std::uint64_t heard_of_n = 10) {
  return resolve(k, theirs, {{m, heard_of_m}, {n, heard_of_n}}, i, ours, {{m, 10}, {n, 10}});
}

PeerTask task_of(std::uint64_t id, Micros seconds_of_work, Micros level = 0) {
  return {TaskId{id}, Epoch{1}, 0, level, seconds_of_work};
}

struct Planned {
  std::size_t agent = 0;  ///< the number of agents: none has room
  Micros finish = 0;
};

/// Tasks by urgency, each to the agent that would finish it first: the paper's sequential greedy algorithm
/// under this score. `work[agent][task]`.
std::vector<Planned> greedy(const std::vector<std::vector<Micros>>& work, std::size_t bundle_max) {
  std::vector<Micros> free(work.size(), 0);
  std::vector<std::size_t> bundles(work.size(), 0);
  std::vector<Planned> plan;
  for (std::size_t task = 0; task < work[0].size(); ++task) {
    std::size_t best = work.size();
    for (std::size_t agent = 0; agent < work.size(); ++agent) {
      if (bundles[agent] == bundle_max) continue;
      if (best == work.size() || free[agent] + work[agent][task] < free[best] + work[best][task])
        best = agent;
    }
    if (best < work.size()) {
      free[best] += work[best][task];
      bundles[best] += 1;
    }
    plan.push_back({best, best < work.size() ? free[best] : 0});
  }
  return plan;
}

void offer_all(Mesh& mesh, const std::vector<std::vector<Micros>>& work) {
  const auto tasks = static_cast<std::uint64_t>(work[0].size());
  for (std::size_t agent = 0; agent < work.size(); ++agent)
    for (std::uint64_t t = 0; t < tasks; ++t)
      mesh.offer_to(agent, task_of(t + 1, work[agent][t], static_cast<Micros>(tasks - t)));
}

/// Whole minutes of work plus a part unique to the agent: the time that messages take does not matter, and
/// there are no ties.
std::vector<std::vector<Micros>> random_work(std::size_t agents, std::size_t tasks, Random& random) {
  std::vector<std::vector<Micros>> work(agents, std::vector<Micros>(tasks));
  for (auto& row : work)
    for (Micros& seconds : row) seconds = random.between(600, 60'000) * 10 * one;
  return work;
}

/// No agent takes a task: only the agreement is tested.
PeerTimes only_talk() {
  PeerTimes times;
  times.settled_after = times.patience = minutes(10);
  return times;
}

void check_same_beliefs(Mesh& mesh, std::size_t tasks) {
  for (std::uint64_t t = 1; t <= tasks; ++t)
    for (std::size_t agent = 1; agent < mesh.size(); ++agent)
      CHECK(mesh[agent].belief(TaskId{t}).winner == mesh[0].belief(TaskId{t}).winner);
}

}  // namespace

TEST_CASE("of two bids the earlier finish wins, of equal ones the smaller id") {
  CHECK(beats(by(m, 1), by(k, 2)));
  CHECK_FALSE(beats(by(k, 2), by(m, 1)));
  CHECK(beats(by(k, 1), by(m, 1)));
  CHECK_FALSE(beats(by(m, 1), by(k, 1)));
  CHECK(beats(by(m, 9), nobody));
  CHECK_FALSE(beats(nobody, by(m, 9)));
  CHECK_FALSE(beats(nobody, nobody));
}

TEST_CASE("the sender believes that it wins itself") {
  CHECK(told(by(k, 1), by(i, 2)) == Resolution::update);
  CHECK(told(by(k, 2), by(i, 1)) == Resolution::leave);
  CHECK(told(by(k, 2), by(k, 1)) == Resolution::update);
  CHECK(told(by(k, 1), by(m, 2)) == Resolution::update);
  CHECK(told(by(k, 2), by(m, 1)) == Resolution::leave);
  CHECK(told(by(k, 2), by(m, 1), 11) == Resolution::update);
  CHECK(told(by(k, 1), nobody) == Resolution::update);
}

TEST_CASE("the sender believes that the receiver wins") {
  CHECK(told(by(i, 1), by(i, 2)) == Resolution::leave);
  CHECK(told(by(i, 1), by(k, 2)) == Resolution::reset);
  CHECK(told(by(i, 1), by(m, 2)) == Resolution::leave);
  CHECK(told(by(i, 1), by(m, 2), 11) == Resolution::reset);
  CHECK(told(by(i, 1), nobody) == Resolution::leave);
}

TEST_CASE("the sender believes that a third one wins") {
  CHECK(told(by(m, 1), by(i, 2)) == Resolution::leave);
  CHECK(told(by(m, 1), by(i, 2), 11) == Resolution::update);
  CHECK(told(by(m, 2), by(i, 1), 11) == Resolution::leave);
  CHECK(told(by(m, 1), by(k, 2), 11) == Resolution::update);
  CHECK(told(by(m, 1), by(k, 2)) == Resolution::reset);
  CHECK(told(by(m, 1), by(m, 2), 11) == Resolution::update);
  CHECK(told(by(m, 1), by(m, 2)) == Resolution::leave);
  CHECK(told(by(m, 1), nobody, 11) == Resolution::update);
  CHECK(told(by(m, 1), nobody) == Resolution::leave);
}

TEST_CASE("the sender believes in a third one and the receiver in a fourth") {
  CHECK(told(by(m, 2), by(n, 1), 11, 11) == Resolution::update);
  CHECK(told(by(m, 1), by(n, 2), 11, 10) == Resolution::update);
  CHECK(told(by(m, 2), by(n, 1), 11, 10) == Resolution::leave);
  CHECK(told(by(m, 1), by(n, 2), 9, 11) == Resolution::reset);
  CHECK(told(by(m, 1), by(n, 2), 10, 11) == Resolution::leave);
}

TEST_CASE("the sender believes in no winner") {
  CHECK(told(nobody, by(i, 1)) == Resolution::leave);
  CHECK(told(nobody, by(k, 1)) == Resolution::update);
  CHECK(told(nobody, by(m, 1)) == Resolution::leave);
  CHECK(told(nobody, by(m, 1), 11) == Resolution::update);
  CHECK(told(nobody, nobody) == Resolution::leave);
}

TEST_CASE("peers on random graphs agree on what the sequential greedy algorithm finds") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    INFO("seed " << seed);
    Random random(seed);
    MeshOptions options;
    options.times = only_talk();
    options.seed = seed;
    options.agents = 2 + random.below(9);
    options.further_links = random.between(0, one);
    const std::size_t tasks = 1 + random.below(24);
    Mesh mesh(options);
    const auto work = random_work(options.agents, tasks, random);
    offer_all(mesh, work);
    REQUIRE(mesh.run_for(seconds(4)));
    REQUIRE(mesh.all_agree());
    const std::vector<Planned> wanted = greedy(work, 4);
    for (std::size_t t = 0; t < tasks; ++t)
      for (std::size_t agent = 0; agent < mesh.size(); ++agent) {
        const PeerClaim claim = mesh[agent].belief(TaskId{t + 1});
        CHECK(claim.winner == (wanted[t].agent == mesh.size() ? AgentId{} : Mesh::id(wanted[t].agent)));
        if (!claim.winner) continue;
        // No promise is longer than needed: an agent that loses a task bids again for those behind it.
        const Micros late = claim.finish - Mesh::clock(Instant{}) - wanted[t].finish;
        CHECK(late >= 0);
        CHECK(late < 4 * one);
      }
  }
}

TEST_CASE("peers agree although messages are lost, duplicated and reordered") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    INFO("seed " << seed);
    Random random(seed);
    MeshOptions options;
    options.seed = seed;
    options.agents = 2 + random.below(7);
    options.further_links = random.between(0, one);
    options.loss = 300'000;
    options.duplication = 300'000;
    options.latency_max = milliseconds(20);
    const std::size_t tasks = 1 + random.below(16);
    Mesh mesh(options);
    offer_all(mesh, random_work(options.agents, tasks, random));
    mesh.run_for(seconds(3));
    mesh.set_loss(0);
    mesh.run_for(seconds(8));
    REQUIRE(mesh.all_agree());
    check_same_beliefs(mesh, tasks);
  }
}

TEST_CASE("every task is taken by one peer, the one that all believe in") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    INFO("seed " << seed);
    Random random(seed);
    MeshOptions options;
    options.seed = seed;
    options.agents = 2 + random.below(10);
    Mesh mesh(options);
    const std::size_t tasks = 1 + random.below(options.agents);
    offer_all(mesh, random_work(options.agents, tasks, random));
    mesh.run_for(milliseconds(900));
    std::map<TaskId, std::size_t> takers;
    for (std::size_t agent = 0; agent < mesh.size(); ++agent)
      for (const TaskId task : mesh.taken(agent)) {
        CHECK(takers.emplace(task, agent).second);
        for (std::size_t other = 0; other < mesh.size(); ++other)
          CHECK(mesh[other].belief(task).winner == Mesh::id(agent));
      }
  }
}

TEST_CASE("peers that agree send nothing more") {
  Mesh mesh({});
  for (std::uint64_t t = 1; t <= 8; ++t) mesh.offer_to_all(task_of(t, 600 * one));
  mesh.run_for(seconds(1));
  REQUIRE(mesh.all_agree());
  for (std::size_t agent = 0; agent < mesh.size(); ++agent)
    for (std::uint64_t t = 1; t <= 8; ++t) mesh[agent].withdraw(TaskId{t}, Epoch{1});
  mesh.run_for(milliseconds(100));
  const std::uint64_t before = mesh.messages();
  mesh.run_for(minutes(10));
  CHECK(mesh.messages() == before);
}

TEST_CASE("the tasks of a dead peer go to the others as soon as they learn of its death") {
  MeshOptions options;
  options.agents = 4;
  options.times = only_talk();
  Mesh mesh(options);
  for (std::uint64_t t = 1; t <= 4; ++t) mesh.offer_to_all(task_of(t, 600 * one));
  mesh.run_for(seconds(1));
  const std::size_t victim = mesh[0].belief(TaskId{2}).winner.value - 1;
  mesh.kill(victim);
  mesh.tell_all();
  mesh.run_for(seconds(1));
  CHECK(mesh.all_agree());
  for (std::size_t agent = 0; agent < mesh.size(); ++agent) {
    if (agent == victim) continue;
    for (std::uint64_t t = 1; t <= 4; ++t) {
      CHECK(mesh[agent].belief(TaskId{t}).winner);
      CHECK(mesh[agent].belief(TaskId{t}).winner != Mesh::id(victim));
    }
  }
}

TEST_CASE("a claim lapses when its owner does not begin, even if no message says that it is gone") {
  MeshOptions options;
  options.agents = 3;
  Mesh mesh(options);
  mesh.offer_to_all(task_of(1, 600 * one));
  mesh.run_for(seconds(1));
  const AgentId first = mesh[0].belief(TaskId{1}).winner;
  REQUIRE(first);
  mesh.kill(first.value - 1);
  mesh.run_for(seconds(5));
  for (std::size_t agent = 0; agent < 3; ++agent)
    if (Mesh::id(agent) != first) CHECK(mesh[agent].belief(TaskId{1}).winner == first);
  mesh.run_for(seconds(10));
  const std::size_t other = first.value == 1 ? 1 : 0;
  CHECK(mesh[other].belief(TaskId{1}).winner != first);
  CHECK(mesh[other].belief(TaskId{1}).winner);
}

TEST_CASE(
    "a busy peer leaves a task to one that would finish earlier, and queues the rest behind what it holds") {
  MeshOptions options;
  options.agents = 2;
  options.times = only_talk();
  Mesh mesh(options);
  mesh[0].begun(TaskId{9}, Epoch{1}, 1'000 * one, mesh.now());
  mesh.offer_to_all(task_of(1, 600 * one, 3));
  mesh.offer_to_all(task_of(2, 600 * one, 2));
  mesh.offer_to_all(task_of(3, 600 * one, 1));
  mesh.run_for(seconds(1));
  CHECK(mesh[0].belief(TaskId{1}).winner == Mesh::id(1));
  CHECK(mesh[0].belief(TaskId{2}).winner == Mesh::id(1));
  CHECK(mesh[0].belief(TaskId{3}).winner == Mesh::id(0));
}

TEST_CASE("a more urgent task goes first, and planned tasks wait behind it") {
  PeerMachine peer(AgentId{1}, 1);
  peer.offer(task_of(1, 10 * one, 5));
  peer.turn(Instant{});
  CHECK(peer.bundle() == std::vector<TaskId>{TaskId{1}});
  peer.offer(task_of(2, 10 * one, 9));
  peer.turn(Instant{1});
  CHECK(peer.bundle() == std::vector<TaskId>{TaskId{2}, TaskId{1}});
}

TEST_CASE("only messages of neighbours with their own proof are accepted") {
  PeerMachine peer(AgentId{1}, 1);
  Peers peers;
  peers.number = 1;
  peers.peers = {{AgentId{2}, "two", "", "one to two", "two to one"}};
  peer.meet(peers, Instant{});
  const auto says = [&](AgentId from, const std::string& proof) {
    peer.hear({from, AgentId{1}, proof, 5, 0, {{TaskId{1}, Epoch{1}, from, 1, seconds(60).us, false}}, {}},
              Instant{});
  };
  says(AgentId{2}, "a guess");
  says(AgentId{2}, "one to two");
  says(AgentId{3}, "two to one");
  CHECK(peer.ignored() == 3);
  CHECK_FALSE(peer.belief(TaskId{1}).winner);
  says(AgentId{2}, "two to one");
  CHECK(peer.belief(TaskId{1}).winner == AgentId{2});
}

TEST_CASE("messages of an earlier round of a task are ignored") {
  PeerMachine peer(AgentId{1}, 1);
  Peers peers;
  peers.number = 1;
  peers.peers = {{AgentId{2}, "two", "", "", "proof"}};
  peer.meet(peers, Instant{});
  PeerTask task = task_of(1, 600 * one);
  task.round = Epoch{2};
  peer.offer(task);
  peer.turn(Instant{});
  peer.hear(
      {AgentId{2}, AgentId{1}, "proof", 5, 0, {{TaskId{1}, Epoch{1}, AgentId{2}, 1, INT64_MAX, false}}, {}},
      Instant{});
  CHECK(peer.belief(TaskId{1}).winner == AgentId{1});
  peer.hear(
      {AgentId{2}, AgentId{1}, "proof", 6, 0, {{TaskId{1}, Epoch{2}, AgentId{2}, 1, INT64_MAX, false}}, {}},
      Instant{});
  CHECK(peer.belief(TaskId{1}).winner == AgentId{2});
}

TEST_CASE("a round that has ended stays ended, whatever peers send, until the board offers the task again") {
  PeerMachine peer(AgentId{1}, 1);
  Peers peers;
  peers.number = 1;
  peers.peers = {{AgentId{2}, "two", "", "", "proof"}};
  peer.meet(peers, Instant{});
  peer.offer(task_of(1, one));
  peer.withdraw(TaskId{1}, Epoch{1});
  peer.hear(
      {AgentId{2}, AgentId{1}, "proof", 5, 0, {{TaskId{1}, Epoch{1}, AgentId{2}, 1, INT64_MAX, false}}, {}},
      Instant{});
  CHECK_FALSE(peer.belief(TaskId{1}).winner);
  const PeerMachine::Turn turn = peer.turn(Instant{seconds(1).us});
  REQUIRE(turn.says.size() == 1);
  REQUIRE(turn.says[0].bids.size() == 1);
  CHECK(turn.says[0].bids[0].over);
  peer.offer(task_of(1, one));
  peer.turn(Instant{seconds(2).us});
  CHECK(peer.belief(TaskId{1}).winner == AgentId{1});
}

TEST_CASE("a request for an award is repeated until it is answered") {
  PeerMachine peer(AgentId{1}, 1);
  peer.offer(task_of(1, one));
  peer.turn(Instant{});
  CHECK(peer.turn(Instant{milliseconds(50).us}).take == std::vector<TaskId>{TaskId{1}});
  CHECK(peer.turn(Instant{milliseconds(100).us}).take.empty());
  CHECK(peer.turn(Instant{seconds(2).us}).take == std::vector<TaskId>{TaskId{1}});
  peer.begun(TaskId{1}, Epoch{1}, one, Instant{seconds(2).us});
  CHECK(peer.turn(Instant{seconds(4).us}).take.empty());
}
