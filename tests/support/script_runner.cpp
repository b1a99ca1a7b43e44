#include "tests/support/script_runner.hpp"
#include "runtime/coordination/strategy.hpp"

#include <algorithm>
#include <stdexcept>

#include "blackboard/board/verify.hpp"
#include "blackboard/fmt.hpp"
#include "tests/support/script_commands.hpp"
#include "tests/support/script_words.hpp"

namespace bidboard::script {
namespace {

constexpr PeerId operator_peer{1};
/// More wake-ups than this without any effect: the node is spinning.
constexpr int idle_wakeups_max = 200;

ControllerOptions options_of(Term term) {
  ControllerOptions options;
  options.term = term;
  options.secret_key = std::string(32, 'k');
  options.coordinators = make_coordinator;
  options.host = "here";
  return options;
}

}  // namespace

ScriptRunner::ScriptRunner() {
  last_peer_ = operator_peer.value;
  names_[operator_peer] = "me";
  std::string ignored;
  restart(ignored);
}

std::string ScriptRunner::run(const std::string& line) {
  std::string out;
  try {
    if (line.find(" ; ") == std::string::npos) {
      Words words(line);
      if (run_control(words, out) || run_show(words, out)) {
        words.no_more();
        return out;
      }
    }
    std::vector<Input> inputs;
    for (std::size_t from = 0; from < line.size();) {
      const std::size_t end = std::min(line.find(" ; ", from), line.size());
      Words words(line.substr(from, end - from));
      inputs.push_back(input_of(words));
      words.no_more();
      from = end + 3;
    }
    process(inputs, out);
  } catch (const std::exception& wrong) {
    out += fmt::format("ERROR {}\n", wrong.what());
  }
  return out;
}

bool ScriptRunner::run_control(Words& words, std::string& out) {
  const std::string& verb = words.verb();
  if (verb == "advance") {
    advance(duration(words.word(1)), out);
  } else if (verb == "suspend") {  // time passes, no process runs
    now_ = {now_.mono + duration(words.word(1)), now_.wall + duration(words.word(1))};
    for (auto& [name, actor] : actors_)
      if (actor.next_heartbeat != never) actor.next_heartbeat = std::max(actor.next_heartbeat, now_.mono);
  } else if (verb == "set-clock") {  // only the wall clock
    now_.wall = now_.wall + duration(words.word(1));
  } else if (verb == "restart") {
    restart(out);
  } else if (verb == "lose-commit") {
    store_.commits_to_fail = words.count() > 1 ? static_cast<int>(whole(words.word(1))) : 1;
  } else if (verb == "damage") {
    const std::string key = keys::task(id<TaskId>(words.word(1)));
    std::string bytes(store_.get(key).value().value());
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    store_.replace(key, bytes);
    damaged_ = true;
    node_.reset();  // drops cached records, so that they are read again
    restart(out);
  } else if (verb == "repair") {
    const auto folded = replay(store_, store_.last_seq());
    const std::string key = keys::task(id<TaskId>(words.word(1)));
    store_.replace(key, std::string((*folded)->get(key).value().value()));
    damaged_ = false;
  } else if (verb == "mute" || verb == "unmute") {
    actor(words.word(1)).mute = verb == "mute";
  } else if (verb == "deaf" || verb == "hears") {
    actor(words.word(1)).deaf = verb == "deaf";
  } else if (verb == "forget") {  // the agent's process loses its state of the task
    actor(words.word(1)).held.erase(id<TaskId>(words.word(2)));
  } else {
    return false;
  }
  return true;
}

bool ScriptRunner::run_show(Words& words, std::string& out) const {
  const Board& board = node_->board();
  const std::string& verb = words.verb();
  if (verb == "tasks" || verb == "task") {
    for (std::uint64_t n = 1; n <= board.counters().task.value; ++n)
      if (verb == "tasks" || id<TaskId>(words.word(1)).value == n)
        out += in_words(*board.task(TaskId{n})) + "\n";
  } else if (verb == "agents") {
    for (std::uint64_t n = 1; n <= board.counters().agent.value; ++n)
      out += in_words(*board.agent(AgentId{n})) + "\n";
  } else if (verb == "workflow") {
    const Workflow& workflow = *board.workflow(id<WorkflowId>(words.word(1)));
    out += fmt::format("{} of {} tasks open\n", workflow.open, workflow.tasks);
  } else if (verb == "times") {
    const Task& task = *board.task(id<TaskId>(words.word(1)));
    out += fmt::format("began {} after its award, took {}\n", task.started_at - task.awarded_at,
                       task.finished_at - task.started_at);
  } else if (verb == "auction") {
    out += auction_of(store_, id<TaskId>(words.word(1)));
  } else {
    return false;
  }
  return true;
}

void ScriptRunner::process(const std::vector<Input>& inputs, std::string& out) {
  print(node_->process(inputs, now_), out);
}

void ScriptRunner::print(const Committed& done, std::string& out) {
  for (const Event& event : done.saved.events)
    if (const std::string line = in_words(event); !line.empty()) out += line + "\n";
  for (const Send& send : done.sends) {
    const std::string& name = names_.at(send.to);
    const auto found = actors_.find(name);
    const bool lost = found != actors_.end() && (found->second.deaf || found->second.peer != send.to);
    for (const std::string& line : in_words(send.message))
      out += fmt::format("> {}{}{}\n", name, (lost ? " (lost): " : ": "), line);
    if (found != actors_.end() && !lost) hear(found->second, send.message);
  }
  for (const Note& note : done.notes) out += fmt::format("! {}\n", note.text);
  if (done.shut_down) out += "shuts down\n";
}

/// Keeps the state that an agent would keep.
void ScriptRunner::hear(Actor& actor, const Message& message) {
  if (const auto* registered = std::get_if<Registered>(&message)) {
    actor.id = registered->agent;
    actor.secret = registered->secret;
    actor.heartbeat = registered->heartbeat;
    actor.next_heartbeat = now_.mono + registered->heartbeat;
    actor.manager = {};
  } else if (const auto* delegation = std::get_if<Delegation>(&message)) {
    actor.choices = actor.manager.on_delegation(*delegation);
  } else if (const auto* peers = std::get_if<Peers>(&message)) {
    actor.peers_heard = peers->number;
  } else if (const auto* awards = std::get_if<Awards>(&message)) {
    for (const AwardItem& award : awards->awards) {
      actor.held[award.offer.task] = award.epoch;
      actor.capabilities[{award.offer.task, award.epoch}] = award.capability;
    }
  } else if (const auto* revocations = std::get_if<Revocations>(&message)) {
    for (const Revocation& item : revocations->items) {
      const auto held = actor.held.find(item.held.task);
      if (held != actor.held.end() && held->second == item.held.epoch) actor.held.erase(held);
    }
  }
}

/// Until the time has passed, wakes the node when it asks for it and sends heartbeats of agents that are not
/// mute.
void ScriptRunner::advance(Duration by, std::string& out) {
  const Instant end = now_.mono + by;
  int idle = 0;
  while (true) {
    Instant next = std::min(end, std::max(now_.mono, node_->next_wakeup(now_)));
    for (const auto& [name, actor] : actors_)
      if (!actor.mute) next = std::min(next, std::max(now_.mono, actor.next_heartbeat));
    const Duration step = next - now_.mono;
    now_ = {next, now_.wall + step};
    std::vector<Input> inputs;
    for (auto& [name, actor] : actors_) {
      if (actor.mute || actor.next_heartbeat > now_.mono) continue;
      inputs.push_back(FromPeer{actor.peer, heartbeat_of(actor)});
      actor.next_heartbeat = now_.mono + actor.heartbeat;
    }
    std::string happened;
    process(inputs, happened);
    if (!happened.empty())
      out += fmt::format("at {}s:\n{}", format_micros(now_.mono.us - 1'000'000'000), happened);
    idle = happened.empty() && step.us == 0 && inputs.empty() ? idle + 1 : 0;
    if (idle > idle_wakeups_max) throw std::runtime_error("the node asks to be woken, and nothing happens");
    if (next == end && node_->next_wakeup(now_) > end) return;
  }
}

void ScriptRunner::restart(std::string& out) {
  term_ = store_.last_term().next();
  node_ = std::make_unique<Node>(store_, options_of(term_));
  const Result<Committed> started = node_->start(now_);
  if (!started) throw std::runtime_error("cannot start: " + started.error().text);
  print(*started, out);
}

Heartbeat ScriptRunner::heartbeat_of(const Actor& actor) const {
  Heartbeat beat{actor.id, actor.secret, {}};
  for (const auto& [task, epoch] : actor.held) beat.held.push_back({task, epoch});
  return beat;
}

ScriptRunner::Actor& ScriptRunner::actor(const std::string& name) {
  const auto found = actors_.find(name);
  if (found == actors_.end())
    throw std::runtime_error(fmt::format("no agent called {} was registered in this script", name));
  return found->second;
}

}  // namespace bidboard::script
