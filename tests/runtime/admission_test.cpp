// Which connections and agents are admitted, and how refusals are reported.
#include "runtime/net/admission.hpp"
#include "blackboard/text/endpoint.hpp"
#include "runtime/coordination/strategy.hpp"

#include "blackboard/fmt.hpp"
#include "blackboard/store/memory_store.hpp"
#include "runtime/core/node.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

using Verdict = Admission::Verdict;

const std::string known_key(32, 'k'), operators_key(32, 'o'), unknown_key(32, 'u');

AdmissionRules rules() { return {1000, 3, {{"laptop", known_key, false}, {"desk", operators_key, true}}}; }
ConnectionRequest local(std::optional<std::uint32_t> uid, std::size_t open = 1) {
  return {false, uid, "process 7", {}, open};
}
ConnectionRequest remote(const std::string& key, std::size_t open = 1) {
  return {true, {}, "10.0.0.7", key, open};
}

}  // namespace

TEST_CASE("A local peer comes in as its user, or root, and operates the board") {
  const Admission own = admit(local(1000), rules());
  CHECK(own.verdict == Verdict::welcome);
  CHECK(own.operates);
  CHECK(own.key.empty());
  CHECK(admit(local(0), rules()).verdict == Verdict::welcome);
  const Admission other = admit(local(1001), rules());
  CHECK(other.verdict == Verdict::refused);
  CHECK(other.why == "the board belongs to user 1000");
  CHECK(admit(local({}), rules()).verdict == Verdict::welcome);  // the folder's mode has decided
}

TEST_CASE("A remote peer comes in by an allowed key, with the rights of that key") {
  const Admission agent = admit(remote(known_key), rules());
  CHECK(agent.verdict == Verdict::welcome);
  CHECK(agent.key == "laptop");
  CHECK_FALSE(agent.operates);
  CHECK(admit(remote(operators_key), rules()).operates);
  for (const std::string& key : {unknown_key, std::string(), known_key.substr(1)})
    CHECK(admit(remote(key), rules()).verdict == Verdict::refused);
  // A user id proves nothing from another machine.
  ConnectionRequest posing = remote(unknown_key);
  posing.uid = 1000;
  CHECK(admit(posing, rules()).verdict == Verdict::refused);
}

TEST_CASE("A connection above the limit is told to try again later, a wrong key that it is wrong") {
  CHECK(admit(local(1000, 3), rules()).verdict == Verdict::welcome);
  CHECK(admit(local(1000, 4), rules()).verdict == Verdict::full);
  CHECK(admit(remote(known_key, 4), rules()).verdict == Verdict::full);
  CHECK(admit(remote(unknown_key, 4), rules()).verdict == Verdict::refused);
}

TEST_CASE("A flood of refused connections gives a few notes and a count") {
  RefusalNotes notes;
  Instant now{seconds(100).us};
  std::size_t told = 0;
  for (int i = 0; i < 1000; ++i) told += notes.tell("10.0.0.7", "why", now).empty() ? 0 : 1;
  CHECK(told == 6);
  now = now + minutes(1);
  CHECK(notes.tell("10.0.0.8", "why", now) ==
        "refused a connection from 10.0.0.8: why; 994 more were refused in the last minute");
  CHECK(notes.tell("10.0.0.8", "why", now) == "refused a connection from 10.0.0.8: why");
}

TEST_CASE("A listening address names its port, and the feed uses the next one") {
  CHECK(tcp_endpoints("tcp://0.0.0.0:7070").value().second == "tcp://0.0.0.0:7071");
  CHECK(tcp_endpoints("tcp://[::1]:7070").value().second == "tcp://[::1]:7071");
  CHECK(tcp_endpoints("tcp://127.0.0.1:*").value().second == "tcp://127.0.0.1:*");
  for (const char* wrong : {"", "tcp://", "tcp://:7", "tcp://h", "tcp://h:", "tcp://h:0", "tcp://h:65535",
                            "tcp://h:7x", "ipc:///tmp/x", "h:7070", "tcp://h:-1", "tcp://h:+7"}) {
    INFO(wrong);
    CHECK_FALSE(tcp_endpoints(wrong).has_value());
  }
}

TEST_CASE("An agent above the limit is refused by name, and admitted when another has left") {
  MemoryStore store;
  ControllerOptions options;
  options.term = Term{1};
  options.secret_key = std::string(32, 'k');
  options.coordinators = make_coordinator;
  options.live_agents_max = 3;
  Node node(store, options);
  const Now now{Instant{1}, WallTime{1}};
  REQUIRE(node.start(now).has_value());
  const auto registers = [&](int n) {
    AgentProfile profile;
    profile.name = fmt::format("w{}", n);
    const PeerId peer{static_cast<std::uint64_t>(n)};
    const Committed done = node.process({FromPeer{peer, Register{profile, peer.value, {}}}}, now);
    REQUIRE(done.sends.size() == 1);
    return done.sends[0].message;
  };
  for (int n = 1; n <= 3; ++n) REQUIRE(std::holds_alternative<Registered>(registers(n)));
  const Message fourth = registers(4);
  const auto* refused = std::get_if<RegistrationRefused>(&fourth);
  REQUIRE(refused != nullptr);
  CHECK(refused->code == Errc::unavailable);
  CHECK(refused->text == "3 agents are registered already, as many as a board takes");
  const Message again = registers(2);  // known ones may say so twice
  REQUIRE(std::holds_alternative<Registered>(again));
  const Registered& second = std::get<Registered>(again);
  node.process({FromPeer{PeerId{2}, Leave{second.agent, second.secret, "bye"}}}, now);
  CHECK(std::holds_alternative<Registered>(registers(4)));
}
