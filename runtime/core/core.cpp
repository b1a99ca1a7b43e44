#include "runtime/core/core.hpp"

#include <utility>

#include "blackboard/checks/check.hpp"
#include "runtime/core/pieces.hpp"

namespace bidboard {
namespace {

/// Numbers begin with the controller's term, so that they increase from one controller to the next.
constexpr int term_shift = 32;

}  // namespace

Core::Core(Board& b, ControllerOptions o)
    : board(b), options(std::move(o)), secrets(options.secret_key), leases(b.config().lease) {
  reset_coordinator();
}

void Core::emit(EventBody body) {
  Event event{now.wall, std::move(body)};
  Change change = change_before(*this, event);
  change.event = &board.apply(std::move(event));
  unreacted_.push_back(change);
  // Events that a reaction emits wait here until the reactions to its cause have run: a chain of a million
  // skipped tasks must not nest a million calls.
  if (!reacting_) react();
}

void Core::react() {
  reacting_ = true;
  try {
    while (!unreacted_.empty()) {
      const Change change = unreacted_.back();
      unreacted_.pop_back();
      react_to(*this, change);
    }
  } catch (...) {  // a record that cannot be read: the whole batch is discarded
    unreacted_.clear();
    reacting_ = false;
    throw;
  }
  reacting_ = false;
}

void Core::send(PeerId to, Message message) {
  if (to.value == 0) return;
  in_pieces(std::move(message), [&](Message piece) { out.sends.push_back({to, std::move(piece)}); });
}

void Core::send(AgentId to, Message message) {
  if (const auto session = sessions.find(to); session != sessions.end())
    send(session->second.peer, std::move(message));
}

void Core::send_award(PeerId to, AwardItem award) { awards_[to].awards.push_back(std::move(award)); }

void Core::note(Note::Level level, std::string text) { out.notes.push_back({level, std::move(text)}); }

void Core::settle() {
  coordinator->settle(*this);
  settle_due_ = false;
}

void Core::reset_coordinator() {
  if (!coordinator || coordinator->name() != board.config().strategy) {
    Result<std::unique_ptr<Coordinator>> made = options.coordinators(board.config());
    BB_CHECK(made.has_value(),
             "a stored configuration names a known strategy, since unknown ones are refused");
    coordinator = std::move(*made);
  }
  coordinator->forget(*this);
  wake();
}

std::uint64_t Core::next_number() { return (options.term.value << term_shift) + ++numbers_drawn_; }

void Core::begin(Now at) {
  now = at;
  out = {};
  awards_.clear();
  if (!options.serving) return;
  leases.notice_time(at.mono);
  clocks.notice(*this);
}

Output Core::finish() {
  for (auto& [peer, message] : awards_) send(peer, std::move(message));
  awards_.clear();
  return std::exchange(out, {});
}

}  // namespace bidboard
