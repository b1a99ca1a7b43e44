#include "tests/support/random_world.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <set>

#include "agents/manager.hpp"
#include "auction/eligibility.hpp"
#include "blackboard/board/verify.hpp"
#include "blackboard/checks/check.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/spending.hpp"
#include "runtime/coordination/strategy.hpp"
#include "runtime/core/node.hpp"
#include "tests/support/flaky_store.hpp"
#include "tests/support/needless_waits.hpp"

namespace bidboard::testing {
namespace {

constexpr std::size_t agents_max = 5;
constexpr std::size_t shells_max = 2;
constexpr PeerId operator_peer{1};

/// The state of a simulated process.
struct Process {
  AgentProfile profile;
  std::uint64_t incarnation = 0;
  AgentId id;
  std::string secret;
  PeerId peer;
  std::map<Held, std::string> awards;  ///< all so far, with their capabilities
  std::vector<TaskId> told;            ///< announced for bids, claims or agreement
  std::uint64_t peers_heard = 0;       ///< number of the last Peers
  Manager manager;
  std::optional<bidboard::Choices> choices;  ///< an honest answer to the last delegation
};

class RandomWorld {
 public:
  explicit RandomWorld(Choices choices) : random_(choices) {
    processes_.resize(agents_max);
    restart();
  }

  void run(int batches) {
    for (int i = 0; i < batches && !random_.used_up() && broken_.empty(); ++i) {
      if (random_.chance(15'000)) restart();
      if (random_.chance(30'000)) store_.commits_to_fail = 1;
      advance();
      std::vector<Input> inputs;
      for (std::uint64_t n = random_.below(6); n > 0; --n) inputs.push_back(some_input());
      process(inputs);
    }
    store_.commits_to_fail = 0;
  }

  void check_everything() {
    for (const std::string& broken : check_invariants(store_)) broken_.push_back(broken);
  }
  void prove() {
    check_everything();
    for (const std::string& finding : verify(store_)) broken_.push_back(finding);
  }
  const std::vector<std::string>& broken() const { return broken_; }
  std::size_t finished() const { return finished_.size(); }

 private:
  void restart() {
    ControllerOptions options;
    options.term = store_.last_term().next();
    options.secret_key = std::string(32, 's');
    options.coordinators = make_coordinator;
    options.host = "here";
    node_ = std::make_unique<Node>(store_, options);
    store_.commits_to_fail = 0;
    connected_.clear();
    const Result<Committed> started = node_->start(now_);
    BB_CHECK(started.has_value(), "the store of a test takes the beginning of a term");
    digest(*started);
  }

  void advance() {
    static constexpr std::int64_t steps_ms[] = {0, 0, 1, 50, 700, 2'000};
    const Duration step = random_.chance(30'000) ? seconds(random_.between(10, 70))
                                                 : milliseconds(steps_ms[random_.below(std::size(steps_ms))]);
    now_ = {now_.mono + step, now_.wall + step};
  }

  void process(const std::vector<Input>& inputs) {
    const bool fails = store_.commits_to_fail > 0;
    const Seq before = store_.last_seq();
    const Committed done = node_->process(inputs, now_);
    std::size_t asked = 0;
    std::size_t answered = 0;
    for (const Input& input : inputs)
      if (const auto* from = std::get_if<FromPeer>(&input))
        asked += std::holds_alternative<Request>(from->message);
    for (const Send& send : done.sends) {
      const auto* reply = std::get_if<Reply>(&send.message);
      if (!reply) continue;
      ++answered;
      promise(send.to == operator_peer, "a reply goes to who asked");
      if (fails && reply->code == Errc::storage)
        promise(done.saved.events.empty(), "a batch that was not stored leaves no events");
    }
    promise(asked == answered, "every request is answered once");
    promise(store_.last_seq().value == before.value + done.saved.events.size(),
            "the log grows by what was decided");
    if (!done.saved.events.empty())
      promise(done.saved.first == before.next(), "events are numbered without a gap");
    if (fails) connected_.clear();
    digest(done);
    // A fuzzer needs many runs more than many checks in each: it checks once, at the end.
    if (!random_.fed()) check_everything();
    if (fails) return;
    for (const std::string& idle : idle_agents(node_->board(), connected_)) promise(false, idle);
    if (node_->awaits_endings()) return;  // what they cost is not known yet
    for (const std::string& held : needless_holds(node_->board(), now_.wall)) promise(false, held);
  }

  /// Follows the events as an external observer, and keeps what agents receive.
  void digest(const Committed& done) {
    for (const Event& event : done.saved.events) follow(event);
    for (const Send& send : done.sends) hear(send);
    const Board& board = node_->board();
    for (const Process& process : processes_) {
      const Agent* agent = process.id ? board.agent(process.id) : nullptr;
      if (!agent || agent->state != AgentState::live) continue;
      std::size_t holding = 0;
      const std::vector<TaskId> held = board.tasks_under(keys::holdings_of(process.id));
      for (const TaskId id : held) holding += !board.task(id)->shell_claim;
      promise(board.holdings(process.id) == held, "what an agent holds is remembered as it is stored");
      promise(holding <= capacity_max_[process.id], "no agent holds more than its capacity");
    }
  }

  void follow(const Event& event) {
    const Board& board = node_->board();
    if (const auto* awarded = std::get_if<TaskAwarded>(&event.body)) {
      promise(awarded->epoch.value == ++epochs_[awarded->task], "an epoch is one above the task's last");
      promise(live_.emplace(awarded->task, awarded->agent).second, "a task has one award at a time");
      const Task& task = *board.task(awarded->task);
      for (const Need& need : task.spec.needs)
        promise((finished_.contains(need.task) || (need.any && ended_.contains(need.task))),
                "what a task needs is done before its award");
      Task unreserved = task;
      unreserved.reserved_for = {};
      promise(!(ineligible(unreserved, agents_.at(awarded->agent))), "who gets a task may have it");
    } else if (const auto* finished = std::get_if<TaskFinished>(&event.body)) {
      promise(finished_.insert(finished->task).second, "a result is accepted once");
      const auto holder = live_.find(finished->task);
      promise(holder == live_.end() || holder->second == finished->agent, "only the holder's result counts");
      ended_.insert(finished->task);
      live_.erase(finished->task);
    } else if (const auto* ended = std::get_if<AttemptEnded>(&event.body)) {
      promise(live_.erase(ended->task) == 1, "only a live award ends");
      promise(ended->epoch.value == epochs_[ended->task], "the last award is the one that ends");
      if (is_over(ended->to)) ended_.insert(ended->task);
    } else if (const auto* moved = std::get_if<TaskMoved>(&event.body)) {
      live_.erase(moved->task);
      promise(!(finished_.contains(moved->task)), "what is done stays done");
      if (is_over(moved->to)) ended_.insert(moved->task);
    } else if (const auto* edited = std::get_if<TaskEdited>(&event.body)) {
      const TaskEdit& change = edited->change;
      promise(!live_.contains(edited->task) ||
                  (!change.body && !change.skills && !change.needs && !change.timeout),
              "what an agent works by does not change while it holds the task");
    } else if (const auto* posted = std::get_if<TaskPosted>(&event.body)) {
      if (is_over(posted->task.state)) ended_.insert(posted->task.id);
    } else if (const auto* registered = std::get_if<AgentRegistered>(&event.body)) {
      agents_[registered->agent.id] = registered->agent;
      std::uint32_t& most = capacity_max_[registered->agent.id];
      most = std::max(most, registered->agent.profile.capacity);
    }
  }

  void hear(const Send& send) {
    const auto found = std::find_if(processes_.begin(), processes_.end(),
                                    [&](const Process& process) { return process.peer == send.to; });
    if (found == processes_.end()) return;
    const bool accepted = std::holds_alternative<HeartbeatAck>(send.message) ||
                          std::holds_alternative<ReportsKept>(send.message);
    if (accepted) connected_.insert(found->id);
    if (const auto* registered = std::get_if<Registered>(&send.message)) {
      connected_.insert(registered->agent);
      found->id = registered->agent;
      found->secret = registered->secret;
    } else if (const auto* delegation = std::get_if<Delegation>(&send.message)) {
      found->choices = found->manager.on_delegation(*delegation);
    } else if (const auto* awards = std::get_if<Awards>(&send.message)) {
      for (const AwardItem& award : awards->awards)
        found->awards[{award.offer.task, award.epoch}] = award.capability;
    } else if (const auto* announcement = std::get_if<Announcement>(&send.message)) {
      for (const TaskOffer& offer : announcement->offers) found->told.push_back(offer.task);
    } else if (const auto* peers = std::get_if<Peers>(&send.message)) {
      found->peers_heard = peers->number;
    } else if (const auto* offers = std::get_if<PeerOffers>(&send.message)) {
      for (const PeerOffer& offer : offers->offers) found->told.push_back(offer.offer.task);
    }
  }

  Input some_input() {
    if (random_.fed() && random_.chance(100'000)) return hostile();
    Process& process = processes_[random_.below(processes_.size())];
    const std::uint64_t dice = random_.below(100);
    if (!process.id || dice < 4) return register_process(process);
    if (dice < 18) return FromPeer{process.peer, heartbeat_of(process)};
    if (dice < 21) return listening(process);
    if (dice < 50) return report(process);
    if (dice < 66) return answer(process);
    if (dice < 67) return ProcessEnded{process.profile.pid};
    if (dice < 68) return FromPeer{process.peer, Leave{process.id, process.secret, "left"}};
    return FromPeer{operator_peer, request()};
  }

  /// A message with arbitrary content.
  Input hostile() {
    const PeerId peer = random_.chance(500'000) ? operator_peer : PeerId{random_.below(last_peer_) + 1};
    Result<Message> message = decode<Message>(random_.some_bytes(random_.below(256)));
    if (!message) return FromPeer{peer, Malformed{"bytes that are no message"}};
    // Replies are counted where operators receive them.
    if (std::holds_alternative<Request>(*message)) return FromPeer{operator_peer, std::move(*message)};
    return FromPeer{peer, std::move(*message)};
  }

  Input register_process(Process& process) {
    const bool same = process.id && random_.chance(500'000);
    if (!same) {
      process.incarnation = random_.next() | 1;
      process.profile.pid = static_cast<std::int64_t>(random_.below(1'000'000)) + 2;
      process.awards.clear();
    }
    AgentProfile& profile = process.profile;
    profile.name = fmt::format("agent{}", &process - processes_.data());
    profile.host = random_.chance(500'000) ? "here" : "there";
    profile.speed = random_.between(1, 40) * one / 10;
    profile.capacity = static_cast<std::uint32_t>(random_.between(1, 3));
    profile.bids = random_.chance(400'000) ? BidStyle::live : BidStyle::standard;
    profile.price_per_second = random_.between(0, 2) * one / 2;
    profile.role = Role::specialist;
    if (random_.chance(200'000)) profile.role = random_.chance(500'000) ? Role::manager : Role::executive;
    profile.parent = random_.chance(500'000) ? some_name() : "";
    process.manager = {};
    process.choices.reset();
    profile.skills.clear();
    if (random_.chance(700'000)) profile.skills.push_back({"cpp", random_.between(1, 10) * one / 10});
    if (random_.chance(200'000)) profile.project = "other";
    profile.account = random_.chance(300'000) ? "team" : "";
    process.peer = PeerId{++last_peer_};
    return FromPeer{process.peer, Register{profile, process.incarnation, same ? process.secret : ""}};
  }

  Heartbeat heartbeat_of(const Process& process) {
    Heartbeat beat{process.id, random_.chance(20'000) ? "guess" : process.secret, {}};
    for (const auto& [held, capability] : process.awards)
      if (random_.chance(700'000)) beat.held.push_back(held);
    return beat;
  }

  /// About a present or past award; sometimes with another epoch or capability.
  Input report(Process& process) {
    ReportItem item;
    item.what = static_cast<ReportItem::What>(random_.below(8));
    if (random_.chance(400'000)) item.what = ReportItem::What::finished;
    item.task = some_task();
    item.epoch = Epoch{random_.below(3) + 1};
    item.capability = "guess";
    if (!process.awards.empty() && !random_.chance(50'000)) {
      auto award = std::prev(process.awards.end());
      if (random_.chance(400'000))
        award = std::next(process.awards.begin(),
                          static_cast<std::ptrdiff_t>(random_.below(process.awards.size())));
      item.task = award->first.task;
      item.epoch = award->first.epoch;
      item.capability = award->second;
    }
    if (item.what == ReportItem::What::unavailable) {
      item.outage = static_cast<Outage>(random_.between(1, 8));
      if (random_.chance(300'000)) item.until = now_.wall + seconds(random_.between(-10, 100));
    }
    item.text = std::string(random_.chance(100'000) ? 3'000 : random_.below(5), 'r');
    item.seconds = random_.between(0, 10) * one;
    if (random_.chance(300'000)) item.price = random_.between(-1, 3) * one;
    return FromPeer{process.peer, Reports{process.id, process.secret, ++reports_, {item}}};
  }

  Input answer(Process& process) {
    if (process.choices) return choose(process);
    std::vector<TaskId> told = std::exchange(process.told, {});
    if (random_.chance(100'000)) told.push_back(some_task());
    if (random_.chance(300'000)) return FromPeer{process.peer, Take{process.id, process.secret, told}};
    Bids bids{process.id, process.secret, {}};
    for (const TaskId task : told)
      bids.bids.push_back({task,
                           random_.chance(200'000),
                           random_.between(-1, 20) * one,
                           random_.between(0, 3) * one,
                           random_.between(0, 10) * one / 10,
                           "no",
                           {}});
    if (told.size() > 1 && random_.chance(500'000))
      bids.bids.push_back({told[0], false, random_.between(0, 20) * one, 0, one, {}, {told[1]}});
    return FromPeer{process.peer, bids};
  }

  /// The endpoint for its peers, if it has one.
  Input listening(const Process& process) {
    const std::string endpoint = random_.chance(800'000) ? "ipc://" + process.profile.name : "";
    return FromPeer{process.peer, Listening{process.id, process.secret, process.peers_heard, endpoint}};
  }

  /// Mostly the true agent, otherwise a random one.
  Input choose(Process& process) {
    bidboard::Choices choices = *std::exchange(process.choices, std::nullopt);
    choices.agent = process.id;
    choices.secret = process.secret;
    for (ChosenMember& chosen : choices.chosen) {
      if (random_.chance(150'000)) chosen.member = AgentId{random_.below(agents_max + shells_max + 1)};
      if (random_.chance(30'000)) chosen.task = some_task();
    }
    if (random_.chance(100'000)) choices.crews.clear();
    if (random_.chance(50'000)) choices.number += 1;
    return FromPeer{process.peer, std::move(choices)};
  }

  TaskId some_task() { return TaskId{random_.below(node_->board().counters().task.value + 2) + 1}; }
  std::string some_name() {
    return random_.chance(300'000) ? fmt::format("shell{}", random_.below(shells_max))
                                   : fmt::format("agent{}", random_.below(agents_max));
  }

  Request request() {
    Request request;
    if (random_.chance(300'000)) {
      request.client = ClientId{random_.below(3) + 1};
      request.number = ++request_numbers_[request.client] - (random_.chance(100'000) ? 1 : 0);
    }
    if (random_.chance(200'000)) request.as = some_name();
    request.body = body();
    return request;
  }

  RequestBody body() {
    const Epoch epoch{random_.below(3)};
    const std::uint64_t dice = random_.below(18);
    if (dice < 4 || dice == 9) return post();
    switch (dice) {
      case 4:
        return Claim{random_.chance(500'000) ? TaskId{} : some_task(), {}};
      case 5:
        return Finish{some_task(), epoch, random_.chance(700'000), "by hand", 0, 0};
      case 6:
        return Renew{some_task(), epoch};
      case 7:
        return Progress{some_task(), epoch, one / 2, "half"};
      case 8:
        return Direct{static_cast<Direction>(random_.below(4)), some_task(), "because"};
      case 10:
        return Reassign{some_task(), random_.chance(300'000) ? "" : some_name()};
      case 11:
      case 12:
        return Depend{some_task(), {some_task(), random_.chance(300'000)}, random_.chance(400'000)};
      case 13:
      case 14:
        return edit();
      case 15:
        return AddComment{some_task(), std::string(random_.below(3), 'c')};
      case 16:
        return RaiseBudget{some_scope(), {random_.between(-1, 5) * one, 0}};
      default:
        return configure();
    }
  }

  Post post() {
    Post post;
    const std::uint64_t count = random_.below(3) + 1;
    for (std::uint64_t n = 0; n < count; ++n) {
      TaskSpec spec;
      spec.title = "task";
      spec.size = random_.between(0, 20) * one;
      spec.priority = random_.between(-1, 1);
      spec.attempts = static_cast<std::uint32_t>(random_.between(1, 3));
      spec.timeout = seconds(random_.between(1, 100));
      spec.repeatable = random_.chance(800'000);
      spec.budget = random_.chance(200'000) ? random_.between(1, 10) * one : 0;
      if (random_.chance(300'000)) spec.skills.push_back({"cpp", random_.between(0, 8) * one / 10});
      if (random_.chance(200'000)) spec.project = "other";
      if (random_.chance(200'000)) spec.labels = {"red", "blue"};
      if (random_.chance(300'000)) spec.needs.push_back({some_task(), random_.chance(300'000)});
      if (count == 1 && random_.chance(200'000)) spec.key = std::to_string(random_.below(5));
      post.tasks.push_back(spec);
    }
    if (count > 1 && random_.chance(600'000))
      post.batch_needs.push_back({static_cast<std::uint32_t>(random_.below(count)),
                                  static_cast<std::uint32_t>(random_.below(count)), random_.chance(300'000)});
    if (random_.chance(300'000)) post.workflow = "flow";
    return post;
  }

  Edit edit() {
    Edit edit{some_task(), {}, {}, {}};
    TaskEdit& change = edit.change;
    if (random_.chance(300'000)) change.title = random_.chance(900'000) ? "another title" : "";
    if (random_.chance(300'000)) change.body = std::string(random_.below(5), 'b');
    if (random_.chance(300'000)) change.priority = random_.between(-1, 1);
    if (random_.chance(300'000)) change.timeout = seconds(random_.between(0, 100));
    if (random_.chance(300'000)) {
      change.skills.emplace();
      if (random_.chance(600'000)) change.skills->push_back({"cpp", random_.between(0, 8) * one / 10});
    }
    if (random_.chance(300'000)) {
      change.needs.emplace();
      for (std::uint64_t n = random_.below(3); n > 0; --n)
        change.needs->push_back({some_task(), random_.chance(300'000)});
    }
    if (random_.chance(300'000)) edit.add_labels.push_back(random_.chance(900'000) ? "blue" : "two words");
    if (random_.chance(200'000)) edit.remove_labels.push_back("blue");
    return edit;
  }

  std::string some_scope() {
    static constexpr const char* scopes[] = {"board", "day", "account:team", "agent:agent1"};
    return random_.chance(100'000) ? task_scope(some_task()) : scopes[random_.below(4)];
  }

  RequestBody configure() {
    if (!random_.chance(500'000)) return AskStatus{};
    Config config = node_->board().config();
    const std::vector<std::string>& names = strategy_names();
    config.strategy = random_.chance(300'000)   ? "auction"
                      : random_.chance(300'000) ? "hierarchy"
                      : random_.chance(200'000) ? "peer"
                                                : names[random_.below(names.size())];
    static constexpr const char* mechanisms[] = {"first_price", "vickrey", "sequential", "optimal"};
    config.mechanism = mechanisms[random_.below(4)];
    config.calibrate = random_.chance(800'000);
    config.backoff = seconds(random_.between(0, 3));
    config.budgets.clear();
    if (random_.chance(300'000)) config.budgets = {{some_scope(), {random_.between(0, 20) * one, 0}}};
    config.estimate.money = random_.between(0, 2) * one;
    return Configure{config};
  }

  void promise(bool kept, const std::string& what) {
    if (!kept) broken_.push_back(what);
  }

  Choices random_;
  std::vector<std::string> broken_;
  FlakyStore store_;
  std::unique_ptr<Node> node_;
  Now now_{Instant{1'000'000'000}, WallTime{1'000'000'000'000}};
  std::vector<Process> processes_;
  std::uint64_t last_peer_ = 1;
  std::uint64_t reports_ = 0;
  std::map<ClientId, std::uint64_t> request_numbers_;
  // What an external observer knows from the events.
  std::set<AgentId> connected_;  ///< heard from since the last restart or lost batch
  std::map<TaskId, std::uint64_t> epochs_;
  std::map<TaskId, AgentId> live_;
  std::set<TaskId> finished_;
  std::set<TaskId> ended_;           ///< ended at some time
  std::map<AgentId, Agent> agents_;  ///< as last registered
  std::map<AgentId, std::uint32_t> capacity_max_;
};

}  // namespace

RandomRun run_random_world(Choices choices, int batches) {
  RandomWorld world(choices);
  world.run(batches);
  world.prove();
  return {world.broken(), world.finished()};
}

}  // namespace bidboard::testing
