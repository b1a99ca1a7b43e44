// However much a message lists, its frames stay within the limit, and nothing of it is lost.
#include "agents/agent.hpp"
#include "agents/worker.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/random.hpp"
#include "blackboard/store/memory_store.hpp"
#include "runtime/coordination/strategy.hpp"
#include "runtime/core/node.hpp"
#include "runtime/core/pieces.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

const Now start{Instant{1'000'000}, WallTime{1'000'000'000}};

/// A controller, and one agent connected to it without a network. Records the longest message.
class Pair {
 public:
  explicit Pair(const std::string& strategy, std::uint32_t capacity = 1)
      : node_(store_, options()), agent_(agent_options(capacity)) {
    REQUIRE(node_.start(start).has_value());
    Config config;
    config.strategy = strategy;
    request(Configure{config});
  }

  ReplyBody request(RequestBody body) {
    Committed done =
        node_.process({FromPeer{PeerId{1}, Request{{7}, ++number_, {}, {}, std::move(body)}}}, start);
    ReplyBody answer;
    for (Send& send : done.sends)
      if (auto* reply = std::get_if<Reply>(&send.message)) {
        REQUIRE(reply->text == "");
        answer = std::move(reply->body);
      } else {
        to_agent_.push_back(std::move(send.message));
      }
    talk();
    return answer;
  }
  /// The text of the refusal; empty: it was done.
  std::string refusal_of(RequestBody body) {
    const Committed done =
        node_.process({FromPeer{PeerId{1}, Request{{7}, ++number_, {}, {}, std::move(body)}}}, start);
    for (const Send& send : done.sends)
      if (const auto* reply = std::get_if<Reply>(&send.message)) return reply->text;
    return "no answer";
  }
  TaskId post(TaskSpec spec) {
    Post post;
    post.tasks.push_back(std::move(spec));
    return std::get<Posted>(request(std::move(post))).ids.front();
  }
  void finish_at_shell(TaskId task, std::string result) {
    node_.process({FromPeer{PeerId{1}, Request{{7}, ++number_, "shell", {}, Claim{task, {}}}}}, start);
    node_.process({FromPeer{PeerId{1},
                            Request{{7}, ++number_, "shell", {}, Finish{task, {}, true, std::move(result)}}}},
                  start);
    REQUIRE(node_.board().task(task)->state == TaskState::done);
  }
  void connect() {
    take(agent_.on_connected(start.mono));
    talk();
  }
  const Board& board() const { return node_.board(); }

  std::vector<Assignment> begun;
  std::size_t longest = 0;

 private:
  static ControllerOptions options() {
    ControllerOptions options;
    options.term = Term{1};
    options.secret_key = std::string(32, 'k');
    options.coordinators = make_coordinator;
    return options;
  }
  static AgentMachine::Options agent_options(std::uint32_t capacity) {
    AgentMachine::Options options;
    options.profile.name = "worker";
    options.profile.capacity = capacity;
    options.incarnation = 5;
    return options;
  }

  void take(const AgentMachine::Actions& actions) {
    for (const AgentAction& action : actions)
      if (const auto* say = std::get_if<Say>(&action))
        to_controller_.push_back(say->message);
      else if (const auto* begins = std::get_if<StartTask>(&action))
        begun.push_back(begins->assignment);
  }
  void talk() {
    while (!to_agent_.empty() || !to_controller_.empty()) {
      for (const Message& message : std::exchange(to_agent_, {})) {
        longest = std::max(longest, encode(message).size());
        take(agent_.on_message(message, start));
      }
      for (const Message& message : std::exchange(to_controller_, {})) {
        longest = std::max(longest, encode(message).size());
        Committed done = node_.process({FromPeer{PeerId{2}, message}}, start);
        for (Send& send : done.sends) to_agent_.push_back(std::move(send.message));
      }
    }
  }

  MemoryStore store_;
  Node node_;
  AgentMachine agent_;
  std::uint64_t number_ = 0;
  std::vector<Message> to_agent_, to_controller_;
};

TaskSpec titled(std::string title) {
  TaskSpec spec;
  spec.title = std::move(title);
  return spec;
}

}  // namespace

TEST_CASE("Sixteen awards with long bodies go out in several frames") {
  for (const std::string strategy : {"fifo", "blackboard", "auction"}) {
    Pair pair(strategy, 16);
    for (int n = 0; n < 16; ++n) {
      TaskSpec spec = titled("long");
      spec.body = std::string(600'000, 'x');
      pair.post(std::move(spec));
    }
    pair.connect();
    CHECK(pair.begun.size() == 16);
    CHECK(pair.longest < 2 * message_bytes_max);
  }
}

TEST_CASE("Results of needs that do not fit into a frame are fetched page by page") {
  Random random(20'261'128);
  for (int round = 0; round < 12; ++round) {
    Pair pair("fifo");
    TaskSpec spec = titled("sum");
    std::vector<NeedResult> expected;
    const std::uint64_t count = 1 + random.below(round < 6 ? 12 : 400);
    for (std::uint64_t n = 0; n < count; ++n) {
      TaskSpec part = titled("part");
      part.name = fmt::format("part{}", n);
      const TaskId id = pair.post(std::move(part));
      // None, short ones, and sometimes one that is longer than a page.
      const std::uint64_t longest = random.chance(200'000) ? 3'000'000 : random.chance(500'000) ? 3'000 : 1;
      const std::string result(random.below(longest), static_cast<char>('a' + n % 26));
      pair.finish_at_shell(id, result);
      expected.push_back({id, fmt::format("part{}", n), TaskState::done, result});
      spec.needs.push_back({id, false});
    }
    pair.post(std::move(spec));
    pair.connect();
    REQUIRE(pair.begun.size() == 1);
    CHECK(pair.begun.front().needs_json == needs_json(expected));
    CHECK(pair.longest < 2 * message_bytes_max);
  }
}

TEST_CASE("A lost page of needs is requested again, a duplicate is ignored") {
  AgentMachine::Options options;
  options.profile.name = "worker";
  AgentMachine agent(options);
  agent.on_connected(start.mono);
  agent.on_message(Registered{AgentId{1}, "secret", seconds(10), seconds(30), Term{1}}, start);
  AwardItem item;
  item.offer.task = TaskId{9};
  item.epoch = Epoch{1};
  item.needs_apart = true;
  const auto asked = [](const AgentMachine::Actions& actions) {
    std::vector<FetchNeeds> all;
    for (const AgentAction& action : actions)
      if (const auto* say = std::get_if<Say>(&action))
        if (const auto* fetch = std::get_if<FetchNeeds>(&say->message)) all.push_back(*fetch);
    return all;
  };
  REQUIRE(asked(agent.on_message(Awards{{item}}, start)).size() == 1);
  const Now later{start.mono + seconds(11), start.wall + seconds(11)};
  CHECK(asked(agent.on_time(later)).size() == 1);
  const NeedsPage first{{TaskId{9}, Epoch{1}}, 0, 0, {{TaskId{1}, "a", TaskState::done, "one"}}, false, 0, 3};
  const std::vector<FetchNeeds> next = asked(agent.on_message(first, later));
  REQUIRE(next.size() == 1);
  CHECK(next[0].from == 0);
  CHECK(next[0].offset == 3);
  CHECK(agent.on_message(first, later).empty());
  const NeedsPage last{{TaskId{9}, Epoch{1}}, 0, 3, {{TaskId{1}, "a", TaskState::done, " two"}}, true, 1, 0};
  const AgentMachine::Actions begins = agent.on_message(last, later);
  REQUIRE(begins.size() == 1);
  CHECK(std::get<StartTask>(begins[0]).assignment.needs_json ==
        needs_json({{TaskId{1}, "a", TaskState::done, "one two"}}));
}

TEST_CASE("An award that is revoked while its needs are fetched is not begun") {
  AgentMachine::Options options;
  options.profile.name = "worker";
  AgentMachine agent(options);
  agent.on_connected(start.mono);
  agent.on_message(Registered{AgentId{1}, "secret", seconds(10), seconds(30), Term{1}}, start);
  AwardItem item;
  item.offer.task = TaskId{9};
  item.epoch = Epoch{1};
  item.needs_apart = true;
  agent.on_message(Awards{{item}}, start);
  agent.on_message(Revocations{{{{TaskId{9}, Epoch{1}}, "cancelled"}}}, start);
  CHECK(agent.holding() == 0);
  CHECK(agent.on_message(NeedsPage{{TaskId{9}, Epoch{1}}, 0, 0, {}, true, 0, 0}, start).empty());
}

TEST_CASE("A message in pieces has the same content in the same order") {
  Announcement announcement;
  announcement.pull = true;
  for (std::uint64_t n = 1; n <= 40; ++n) {
    TaskOffer offer;
    offer.task = TaskId{n};
    offer.spec.body = std::string(n % 3 == 0 ? 900'000 : 10, 'b');
    announcement.offers.push_back(offer);
  }
  std::uint64_t expected = 1;
  int pieces = 0;
  in_pieces(announcement, [&](Message message) {
    const auto& piece = std::get<Announcement>(message);
    ++pieces;
    CHECK(piece.pull);
    CHECK_FALSE(piece.offers.empty());
    CHECK(encode(message).size() < message_bytes_max + 4096);
    for (const TaskOffer& offer : piece.offers) CHECK(offer.task == TaskId{expected++});
  });
  CHECK(expected == 41);
  CHECK(pieces > 10);
}

TEST_CASE("what exceeds a bound is refused before anything is decided about it") {
  MemoryStore store;
  ControllerOptions options;
  options.secret_key = std::string(32, 'k');
  options.coordinators = make_coordinator;
  Node node(store, options);
  REQUIRE(node.start(start).has_value());
  TaskSpec spec;
  spec.title = "heavy";
  spec.skills.assign(60'000, {"cpp", 0});
  Committed posted =
      node.process({FromPeer{PeerId{1}, Request{{}, 1, {}, {}, Post{{spec}, {}, {}, {}, {}}}}}, start);
  REQUIRE(posted.sends.size() == 1);
  CHECK(std::get<Reply>(posted.sends.front().message).text ==
        "tasks[0].skills has 60000 entries; at most 1000 are allowed");
  CHECK(node.board().counters().task.value == 0);
  Register message;
  message.profile.name = "eager";
  message.profile.skills.assign(60'000, {"cpp", one});
  Committed refused = node.process({FromPeer{PeerId{1}, message}}, start);
  CHECK(std::get<RegistrationRefused>(refused.sends.front().message).text ==
        "skills has 60000 entries; at most 1000 are allowed");
  Committed answered = node.process({FromPeer{PeerId{1}, Hello{1, 1, std::vector<std::string>(101)}}}, start);
  CHECK(std::get<Malformed>(answered.sends.front().message).what ==
        "features has 101 entries; at most 100 are allowed");
}

TEST_CASE("a client that names another board is not served") {
  MemoryStore store;
  ControllerOptions options;
  options.secret_key = std::string(32, 'k');
  options.coordinators = make_coordinator;
  options.board_id = "mine";
  Node node(store, options);
  REQUIRE(node.start(start).has_value());
  TaskSpec spec;
  spec.title = "here";
  const auto says = [&](PeerId peer, const std::string& board) {
    return node.process({FromPeer{peer, Hello{1, 1, {"board=" + board, "other"}}},
                         FromPeer{peer, Request{{}, 1, {}, {}, Post{{spec}, {}, {}, {}, {}}}}},
                        start);
  };
  Committed lost = says(PeerId{1}, "yours");
  REQUIRE(lost.sends.size() == 2);
  for (const Send& send : lost.sends)
    CHECK(std::get<Malformed>(send.message).what == "this controller serves another board");
  CHECK(node.board().counters().task.value == 0);
  Committed home = says(PeerId{2}, "mine");
  CHECK(std::get<Welcome>(home.sends.front().message).features == std::vector<std::string>{"board=mine"});
  CHECK(node.board().counters().task.value == 1);
}

TEST_CASE("a task takes a hundred comments, and its award carries the latest of them, within a bound") {
  Pair pair("fifo");
  const TaskId task = pair.post(titled("discussed"));
  constexpr std::size_t bytes = 2'000;
  CHECK(pair.refusal_of(AddComment{task, std::string(16 * 1024 + 1, 'c')}).find("16385 bytes") !=
        std::string::npos);
  for (int number = 1; number <= 100; ++number)
    pair.request(AddComment{task, fmt::format("{:03} ", number) + std::string(bytes - 4, 'c')});
  CHECK(pair.refusal_of(AddComment{task, "one more"}).find("t1 has 100 comments") != std::string::npos);
  pair.connect();
  REQUIRE(pair.begun.size() == 1);
  const std::vector<SignedComment>& comments = pair.begun[0].comments;
  REQUIRE(comments.size() == 64 * 1024 / bytes);
  CHECK(comments.front().text.substr(0, 3) == "069");
  CHECK(comments.back().text.substr(0, 3) == "100");
  CHECK(comments.back().author == "operator");
}
