// The parts of a simulated world one by one: clocks, links, disk, queue, shell, work.
#include "runtime/sim/event_queue.hpp"
#include "runtime/sim/network.hpp"
#include "runtime/sim/node_clock.hpp"
#include "runtime/sim/sim_client.hpp"
#include "runtime/sim/sim_executor.hpp"
#include "runtime/sim/sim_store.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;
using namespace bidboard::sim;

namespace {

constexpr Instant start{};
constexpr EndpointId agent = 1;

Network::Arrivals send(Network& network, EndpointId from, EndpointId to, Instant now = start) {
  return network.send(
      from, to, from == controller_endpoint ? Traffic::controller_to_agent : Traffic::agent_to_controller, 3,
      100, now);
}

Assignment assignment(std::uint64_t task, std::uint64_t epoch = 1) {
  Assignment made;
  made.task = {task};
  made.epoch = {epoch};
  made.spec.size = 10 * one;
  return made;
}

BidQuestion question(std::uint64_t task) {
  BidQuestion made;
  made.task = {task};
  made.spec.size = 10 * one;
  return made;
}

Now at(std::int64_t second) { return {start + seconds(second), WallTime{} + seconds(second)}; }

}  // namespace

TEST_CASE("events come in order of time, those of one instant in order of insertion") {
  EventQueue<int> queue;
  queue.push(start + seconds(2), 1);
  queue.push(start + seconds(1), 2);
  queue.push(start + seconds(2), 3);
  CHECK(queue.next() == start + seconds(1));
  CHECK(queue.pop() == 2);
  queue.push(start + seconds(2), 4);
  CHECK(queue.pop() == 1);
  CHECK(queue.pop() == 3);
  CHECK(queue.pop() == 4);
  CHECK(queue.empty());
  CHECK(queue.next() == never);
}

TEST_CASE("a clock runs fast or slow, can be set, and knows when it will show a given time") {
  for (const std::int64_t drift : {-10'000, -1, 0, 3, 10'000}) {
    NodeClock clock(Instant{500}, WallTime{7'000}, drift);
    CHECK(clock.read(start).mono == Instant{500});
    CHECK(clock.read(start + seconds(1)).mono == Instant{500 + 1'000'000 + drift});
    for (const std::int64_t wanted : {501, 999, 1'000'000, 123'456'789}) {
      const Instant when = clock.when(Instant{wanted});
      CHECK(clock.read(when).mono >= Instant{wanted});
      CHECK(clock.read(when - microseconds(1)).mono < Instant{wanted});
    }
    CHECK(clock.when(never) == never);
    clock.set_wall(seconds(5));
    CHECK(clock.read(start).wall == WallTime{5'007'000});
    CHECK(clock.read(start).mono == Instant{500});
  }
}

TEST_CASE("what is sent on a clean link arrives once and in order") {
  Network network({}, 1);
  Instant last = start;
  for (int i = 0; i < 200; ++i) {
    const auto arrivals = send(network, agent, controller_endpoint, start + microseconds(i));
    REQUIRE(arrivals.count == 1);
    CHECK(arrivals.at[0] >= last);
    CHECK(arrivals.at[0] >= start + microseconds(i) + LinkProfile{}.latency_min);
    last = arrivals.at[0];
  }
}

TEST_CASE("a bad link loses, duplicates and reorders about as often as configured") {
  LinkProfile bad;
  bad.loss = bad.duplication = bad.reordering = 200'000;
  Network network(bad, 1);
  int lost = 0, doubled = 0, overtaken = 0;
  Instant last = start;
  for (int i = 0; i < 5'000; ++i) {
    const auto arrivals = send(network, agent, controller_endpoint, start + milliseconds(i));
    lost += arrivals.count == 0;
    doubled += arrivals.count == 2;
    if (arrivals.count == 0) continue;
    overtaken += arrivals.at[0] < last;
    last = arrivals.at[0];
  }
  CHECK(lost > 800);
  CHECK(lost < 1'200);
  CHECK(doubled > 600);
  CHECK(doubled < 1'000);
  CHECK(overtaken > 300);
  const LinkCount count = network.count().total();
  CHECK(count.messages == 5'000);
  CHECK(count.lost == static_cast<std::uint64_t>(lost));
  CHECK(count.doubled == static_cast<std::uint64_t>(doubled));
}

TEST_CASE("a cut stops one direction of one link until every cut of it has ended") {
  Network network({}, 1);
  network.cut(agent, controller_endpoint);
  network.cut(agent, controller_endpoint);
  CHECK(send(network, agent, controller_endpoint).count == 0);
  CHECK(send(network, controller_endpoint, agent).count == 1);
  CHECK(send(network, agent + 1, controller_endpoint).count == 1);
  network.mend(agent, controller_endpoint);
  CHECK(send(network, agent, controller_endpoint).count == 0);
  network.mend(agent, controller_endpoint);
  CHECK(send(network, agent, controller_endpoint).count == 1);
}

TEST_CASE("messages, bytes and links are counted by sender, receiver and kind") {
  Network network({}, 1);
  send(network, agent, controller_endpoint);
  send(network, controller_endpoint, agent);
  send(network, controller_endpoint, agent);
  network.send(1, 2, Traffic::agent_to_agent, 5, 10, start);
  network.send(2, 1, Traffic::agent_to_agent, 5, 10, start);
  const NetworkCount& count = network.count();
  const auto of = [](Traffic traffic) { return static_cast<std::size_t>(traffic); };
  CHECK(count.by_traffic[of(Traffic::controller_to_agent)].messages == 2);
  CHECK(count.by_traffic[of(Traffic::controller_to_agent)].bytes == 200);
  CHECK(count.by_traffic[of(Traffic::agent_to_agent)].messages == 2);
  CHECK(count.by_kind[3].messages == 3);
  CHECK(count.by_kind[5].bytes == 20);
  // A link is used in both directions, and counted once.
  CHECK(count.links[of(Traffic::agent_to_controller)] + count.links[of(Traffic::controller_to_agent)] == 1);
  CHECK(count.links[of(Traffic::agent_to_agent)] == 1);
}

TEST_CASE("a commit that fails changes nothing, and the next one succeeds") {
  SimStore store;
  const std::vector<std::string> events{"first"};
  const std::vector<Put> puts{{"Tx", "record"}};
  store.fail_commits(1);
  const Result<void> failed = store.commit(Seq{0}, Term{1}, events, puts);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == Errc::storage);
  CHECK(store.last_seq() == Seq{0});
  CHECK_FALSE(store.get("Tx").value());
  CHECK(store.commit(Seq{0}, Term{1}, events, puts));
  CHECK(store.last_seq() == Seq{1});
  CHECK(store.get("Tx") == "record");
  CHECK(store.commits() == 1);
  CHECK(store.failed_commits() == 1);
}

TEST_CASE("a shell sends its requests one after the other, each until it is answered") {
  SimClient shell(ClientId{7});
  CHECK_FALSE(shell.on_time(start));
  shell.add(AskStatus{});
  shell.add(Shutdown{});
  const auto first = shell.on_time(start);
  REQUIRE(first);
  CHECK(first->number == 1);
  CHECK_FALSE(shell.on_time(start + seconds(1)));
  CHECK(shell.next_wakeup(start) == start + seconds(2));
  CHECK(shell.on_time(start + seconds(2))->number == 1);
  CHECK_FALSE(shell.on_reply({2, Errc::ok, {}, {}}, start));       // not asked yet
  CHECK_FALSE(shell.on_reply({1, Errc::storage, {}, {}}, start));  // it failed
  CHECK(shell.on_reply({1, Errc::ok, {}, {}}, start)->number == 1);
  CHECK_FALSE(shell.on_reply({1, Errc::ok, {}, {}}, start));  // a second copy
  CHECK(shell.on_time(start)->number == 2);
  CHECK(shell.waiting() == 1);
}

TEST_CASE("work takes its drawn time, or hangs until it is stopped") {
  Behaviour hangs;
  hangs.hang_rate = one;
  SimExecutor executor({}, hangs, 1);
  REQUIRE(executor.start(assignment(1), at(0)));
  CHECK(std::holds_alternative<ExecutionStarted>(executor.pump(at(0)).at(0)));
  CHECK(executor.pump(at(1'000'000)).empty());
  CHECK(executor.running() == 1);
  executor.stop(TaskId{1}, Epoch{1}, "enough", at(1'000'000));
  CHECK(std::get<ExecutionEnded>(executor.pump(at(1'000'000)).at(0)).ending == Ending::stopped);

  executor.reform();
  REQUIRE(executor.start(assignment(1, 2), at(0)));
  CHECK(executor.pump(at(9)).size() == 1);
  const auto ended = executor.pump(at(10));
  REQUIRE(ended.size() == 1);
  CHECK(std::get<ExecutionEnded>(ended[0]).result == result_of(TaskId{1}, Epoch{2}));
}

TEST_CASE("an agent's real speed can differ from the declared one") {
  AgentProfile profile;
  profile.speed = 2 * one;
  Behaviour liar;
  liar.true_speed = one / 2;
  liar.live_bids = true;
  liar.bid_factor = one / 4;
  SimExecutor executor(profile, liar, 1);
  executor.ask_bid(question(1), at(0));
  const auto bid = std::get<BidAnswered>(executor.pump(at(0)).at(0)).answer;
  CHECK(std::get<BidVector>(bid).seconds == 5 * one);  // really 20
  REQUIRE(executor.start(assignment(1), at(0)));
  executor.pump(at(0));
  CHECK(executor.pump(at(19)).empty());
  CHECK(executor.pump(at(20)).size() == 1);
}

TEST_CASE("given times replace sizes and speeds") {
  const TrueSeconds times = [](const TaskSpec&, std::uint32_t place) { return place * one; };
  AgentProfile fast;
  fast.speed = 5 * one;
  SimExecutor executor(fast, {}, 1, 7, &times);
  REQUIRE(executor.start(assignment(1), at(0)));
  executor.pump(at(0));
  CHECK(executor.pump(at(6)).empty());
  CHECK(executor.pump(at(7)).size() == 1);
}

TEST_CASE("a silent agent answers only after the deadline") {
  Behaviour silent;
  silent.live_bids = true;
  silent.silence_rate = one;
  SimExecutor executor({}, silent, 1);
  executor.ask_bid(question(1), at(0));
  CHECK(executor.pump(at(60)).empty());
  CHECK(executor.pump(executor.next_wakeup() == never ? at(0) : at(600)).size() == 1);
}
