// The entrances of a controller, in this process: what a peer can do to the others by what it says in the
// handshake or afterwards.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "blackboard/fmt.hpp"
#include "blackboard/format/codec.hpp"
#include "runtime/net/door.hpp"
#include "tests/support/connecting.hpp"
#include "tests/support/silent_peer.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

/// A door, and what it has been sent.
class OpenDoor {
 public:
  explicit OpenDoor(bool tcp, OutgoingLimits limits = {}) {
    if (tcp) server_ = *make_key_pair();
    if (tcp) keys_ = CurveKeys{*make_key_pair(), server_.public_key};
    DoorOptions options;
    options.endpoint = tcp ? "tcp://127.0.0.1:*" : "ipc://" + folder_.path() + "/c";
    options.feed_endpoint = tcp ? "tcp://127.0.0.1:*" : "ipc://" + folder_.path() + "/f";
    options.secret_key = server_.secret_key;
    options.may_enter = [this](const ConnectionRequest&) {
      admitted_ += 1;
      return Admission{Admission::Verdict::welcome, keys_ ? "laptop" : "", !keys_, {}};
    };
    options.on_refused = [this](const std::string& from, const std::string& why) {
      refused_.push_back(from + ": " + why);
    };
    options.outgoing = limits;
    auto opened = Door::open(std::move(options));
    REQUIRE(opened.has_value());
    door = std::move(*opened);
  }

  void turn() {
    door->answer_knocks();
    door->take_follower();
    std::size_t bytes = 0;
    while (std::optional<FromPeer> from = door->receive(bytes))
      if (from->peer.value != 0) messages.push_back(std::move(*from));
    door->send_backlogs();
  }
  template <class Condition>
  bool until(Condition condition) {
    return eventually([&] { return turn(), condition(); }, patience);
  }
  /// Whether a refusal says this.
  bool refused_because(const std::string& why) {
    return std::ranges::any_of(refused_, [&](const std::string& text) { return contains(text, why); });
  }
  std::size_t admitted() const { return admitted_; }
  const std::vector<std::string>& refused() const { return refused_; }
  const std::optional<CurveKeys>& keys() const { return keys_; }

  std::unique_ptr<Door> door;
  std::vector<FromPeer> messages;

 private:
  TempDir folder_;
  KeyPair server_;
  std::optional<CurveKeys> keys_;
  std::size_t admitted_ = 0;
  std::vector<std::string> refused_;
};

/// The ids that ROUTER sockets give to their first peers, if rand() stands where srand(1) puts it.
std::vector<std::string> predicted_ids() {
  std::srand(1);
  std::vector<std::uint32_t> drawn;
  for (int i = 0; i < 8; ++i) drawn.push_back(static_cast<std::uint32_t>(std::rand()));
  std::srand(1);
  std::vector<std::string> ids;
  for (std::size_t i = 0; i + 1 < drawn.size(); ++i) {
    const std::uint32_t number = drawn[i] | drawn[i + 1] << 31;
    std::string id(1, '\0');
    for (int shift = 24; shift >= 0; shift -= 8) id += static_cast<char>(number >> shift);
    ids.push_back(id);
  }
  return ids;
}

/// Peers that choose these routing ids, admitted one after the other.
std::vector<SilentPeer> named_peers(OpenDoor& open, const std::vector<std::string>& ids) {
  std::vector<SilentPeer> peers;
  for (const std::string& id : ids) {
    const std::size_t before = open.admitted();
    peers.push_back(SilentPeer::named(open.door->endpoint(), id, open.keys()));
    REQUIRE(open.until([&] { return open.admitted() > before; }));
    REQUIRE(eventually([&] { return peers.back().say(Hello{}); }, patience));
  }
  return peers;
}

}  // namespace

TEST_CASE("A peer that takes the routing id of the next connection stops nobody") {
  const bool tcp = GENERATE(false, true);
  const std::vector<std::string> ids = predicted_ids();
  OpenDoor open(tcp);
  const std::vector<SilentPeer> thieves = named_peers(open, ids);
  REQUIRE(open.until([&] { return open.messages.size() == ids.size(); }));
  auto honest = Connection::open(open.door->endpoint(), open.keys());
  REQUIRE(honest.has_value());
  REQUIRE(open.until([&] { return (*honest)->wait(Duration{}).connected; }));
  REQUIRE((*honest)->send(Hello{}));
  REQUIRE(open.until([&] { return open.messages.size() == ids.size() + 1; }));
  open.door->send(open.messages.back().peer, encode(Frame{protocol_version, Welcome{}}));
  CHECK(open.until([&] { return !(*honest)->wait(Duration{}).messages.empty(); }));
}

TEST_CASE("A door for other machines names its peers, whatever they call themselves") {
  OpenDoor open(true);
  // The same name twice, and the name that the door gives next.
  const std::vector<SilentPeer> peers =
      named_peers(open, {"me", "me", std::string("\1\0\0\0\3", 5), std::string("\1\0\0\0\5", 5)});
  REQUIRE(open.until([&] { return open.messages.size() == peers.size(); }));
  for (std::size_t i = 0; i < peers.size(); ++i) {
    CHECK(open.messages[i].origin.key == "laptop");
    for (std::size_t j = 0; j < i; ++j) CHECK(open.messages[i].peer != open.messages[j].peer);
  }
}

TEST_CASE("A door for this machine does not listen to a peer that chose its routing id, and says so") {
  OpenDoor open(false);
  const std::vector<SilentPeer> peers = named_peers(open, {"me"});
  REQUIRE(open.until([&] { return !open.refused().empty(); }));
  CHECK(contains(open.refused().front(), "it chose its own routing id"));
  CHECK(open.messages.empty());
}

TEST_CASE("A peer that lets too much wait is cut off by name, and the others are not") {
  OpenDoor open(false);
  const SilentPeer deaf = [&] {
    SilentPeer peer = SilentPeer::client(open.door->endpoint());
    REQUIRE(eventually([&] { return peer.say(Hello{}); }, patience));
    return peer;
  }();
  REQUIRE(open.until([&] { return open.messages.size() == 1; }));
  const PeerId to = open.messages.front().peer;
  auto other = Connection::open(open.door->endpoint());
  REQUIRE(other.has_value());
  REQUIRE(open.until([&] { return (*other)->wait(Duration{}).connected; }));
  REQUIRE((*other)->send(Hello{}));
  REQUIRE(open.until([&] { return open.messages.size() == 2; }));

  const std::string page(1 << 20, 'x');
  int sent = 0;
  for (; sent < 100 && open.refused().empty(); ++sent) open.door->send(to, page);
  CHECK(sent < 24);  // 12 MB, and what the system's own buffers take
  REQUIRE_FALSE(open.refused().empty());
  CHECK(contains(
      open.refused().front(),
      fmt::format("process {} of user {}: it was cut off: it does not read, and", ::getpid(), ::getuid())));
  open.door->send(open.messages.back().peer, encode(Frame{protocol_version, Welcome{}}));
  CHECK(open.until([&] { return !(*other)->wait(Duration{}).messages.empty(); }));
}

TEST_CASE(
    "A peer that does not read for long is cut off, so that it asks again, however little waits for it") {
  constexpr std::size_t megabyte = 1 << 20;
  OpenDoor open(false, {megabyte, 100 * megabyte, 200 * megabyte, std::chrono::milliseconds(50)});
  SilentPeer deaf = SilentPeer::client(open.door->endpoint());
  REQUIRE(eventually([&] { return deaf.say(Hello{}); }, patience));
  REQUIRE(open.until([&] { return open.messages.size() == 1; }));
  for (int i = 0; i < 8; ++i) open.door->send(open.messages.front().peer, std::string(megabyte, 'x'));
  CHECK(open.refused().empty());
  CHECK(open.until([&] { return !open.refused().empty(); }));
  CHECK(open.refused_because("it was cut off: it does not read: for 50ms it has taken nothing"));
  // Once it reads, it notices, and ZeroMQ connects again.
  CHECK(open.until([&] { return deaf.read(), open.admitted() == 2; }));
}

TEST_CASE("What waits for all peers is bounded too: the one for which most waits is cut off") {
  constexpr std::size_t megabyte = 1 << 20;
  OpenDoor open(false, {2 * megabyte, 2 * megabyte, 5 * megabyte});
  std::vector<SilentPeer> deaf;
  for (std::size_t i = 0; i < 3; ++i) {
    deaf.push_back(SilentPeer::client(open.door->endpoint()));
    REQUIRE(eventually([&] { return deaf.back().say(Hello{}); }, patience));
    REQUIRE(open.until([&] { return open.messages.size() == i + 1; }));
  }
  const std::string page(megabyte / 4, 'x');
  for (int round = 0; round < 64 && open.refused().empty(); ++round)
    for (std::size_t i = 0; i < 3; ++i) open.door->send(open.messages[i].peer, page);
  CHECK(open.refused_because("the most of 5 MB for all"));
}

TEST_CASE("The feed is no one's to switch: another follower's topics change nothing, and cut it off") {
  OpenDoor open(false);
  auto feed = Feed::open(open.door->feed_endpoint());
  REQUIRE(feed.has_value());
  bool follower = false;
  REQUIRE(eventually(
      [&] {
        open.door->answer_knocks();
        return follower = open.door->take_follower() || follower;
      },
      patience));
  for (const std::string& topic : {std::string("x"), std::string(900, 'x')}) {
    const std::size_t before = open.refused().size();
    const SilentPeer stranger = SilentPeer::follower(open.door->feed_endpoint(), topic);
    REQUIRE(open.until([&] { return open.refused().size() > before; }));
    CHECK(contains(open.refused().back(), "it was cut off: the feed has no topics"));
  }
  CHECK(open.door->followed());
  const std::string piece = encode(FeedFrame{Seq{7}, {"event"}});
  CHECK(open.until([&] {
    open.door->publish(piece);
    const auto heard = (*feed)->wait(milliseconds(10));
    return heard && heard->first == Seq{7};
  }));
}
