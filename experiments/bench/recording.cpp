#include "experiments/bench/recording.hpp"

#include <deque>

#include "blackboard/fmt.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/store/memory_store.hpp"
#include "runtime/coordination/strategy.hpp"
#include "runtime/core/node.hpp"

namespace bidboard::bench {
namespace {

/// A memory store that remembers its last commit.
class RecordingStore final : public MemoryStore {
 public:
  Result<void> commit(Seq expected_seq, Term term, std::span<const std::string> events,
                      std::span<const Put> puts) override {
    Result<void> done = MemoryStore::commit(expected_seq, term, events, puts);
    if (done) commits.push_back({{events.begin(), events.end()}, {puts.begin(), puts.end()}});
    return done;
  }

  std::vector<Written> commits;
};

struct AwardedTask {
  PeerId peer;
  AwardItem item;
};

/// The controller's side of a run, with agents that finish at once.
class Script {
 public:
  Script() : node_(store_, options()) {}

  Result<void> begin(const std::string& strategy, std::int64_t tasks, int agents, int capacity) {
    if (const Result<Committed> started = node_.start(now()); !started) return fail(started.error());
    Configure configure;
    configure.config = node_.board().config();
    configure.config.strategy = strategy;
    say(PeerId{1000}, Request{{}, 1, {}, {}, configure});
    for (int i = 1; i <= agents; ++i) {
      AgentProfile profile;
      profile.name = fmt::format("w{}", i);
      profile.capacity = static_cast<std::uint32_t>(capacity);
      profile.simulated = true;
      say(PeerId{static_cast<std::uint64_t>(i)}, Register{profile, static_cast<std::uint64_t>(i), {}});
    }
    Post post;
    TaskSpec spec;
    spec.title = "task";
    spec.size = 0;
    post.tasks.assign(static_cast<std::size_t>(tasks), spec);
    post.workflow = "bench";
    say(PeerId{1000}, Request{{}, 2, {}, {}, post});
    return {};
  }

  /// Finishes one held task; false: none is held.
  bool turn(Recording& recording) {
    if (held_.empty()) return false;
    const AwardedTask done = std::move(held_.front());
    held_.pop_front();
    const Registered& agent = agents_.at(done.peer);
    ReportItem item;
    item.what = ReportItem::What::started;
    item.task = done.item.offer.task;
    item.epoch = done.item.epoch;
    item.capability = done.item.capability;
    Reports reports{agent.agent, agent.secret, ++number_, {item}};
    item.what = ReportItem::What::finished;
    item.text = "{\"simulated\":true,\"seconds\":0}";
    reports.items.push_back(item);
    recording.report_bytes = encode(Frame{protocol_version, reports}).size();
    say(done.peer, std::move(reports));
    return true;
  }

  RecordingStore store_;
  std::size_t award_bytes = 0;

 private:
  static ControllerOptions options() {
    ControllerOptions options;
    options.term = Term{1};
    options.secret_key = std::string(32, 'k');
    options.coordinators = make_coordinator;
    return options;
  }
  Now now() {
    clock_ += 100;
    return {Instant{clock_}, WallTime{1'700'000'000'000'000 + clock_}};
  }
  void say(PeerId peer, Message message) {
    Committed done = node_.process({FromPeer{peer, std::move(message)}}, now());
    for (const Send& send : done.sends) {
      if (const auto* registered = std::get_if<Registered>(&send.message)) agents_[send.to] = *registered;
      if (const auto* awards = std::get_if<Awards>(&send.message)) {
        if (awards->awards.size() == 1) award_bytes = encode(Frame{protocol_version, *awards}).size();
        for (const AwardItem& item : awards->awards) held_.push_back({send.to, item});
      }
    }
  }

  Node node_;
  std::map<PeerId, Registered> agents_;
  std::deque<AwardedTask> held_;
  std::uint64_t number_ = 0;
  std::int64_t clock_ = 0;
};

}  // namespace

Result<Recording> record_dispatch(const std::string& strategy, std::int64_t tasks, int agents, int capacity) {
  Script script;
  if (const Result<void> begun = script.begin(strategy, tasks, agents, capacity); !begun)
    return fail(begun.error());
  Recording recording;
  recording.before = std::exchange(script.store_.commits, {});
  while (script.turn(recording)) {
  }
  recording.award_bytes = script.award_bytes;
  recording.turns = std::move(script.store_.commits);
  if (std::ssize(recording.turns) != tasks)
    return fail(Errc::failed,
                fmt::format("the core awarded {} of {}", recording.turns.size(), counted(tasks, "task")));
  return recording;
}

}  // namespace bidboard::bench
