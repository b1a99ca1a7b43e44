#include "runtime/node.hpp"

#include <iterator>

namespace bidboard {
namespace {

void take_over(Committed& into, Output&& output) {
  std::move(output.sends.begin(), output.sends.end(), std::back_inserter(into.sends));
  std::move(output.notes.begin(), output.notes.end(), std::back_inserter(into.notes));
  into.watch.insert(into.watch.end(), output.watch.begin(), output.watch.end());
  into.shut_down = into.shut_down || output.shut_down;
}

/// What the requests of a lost batch are told.
void answer_with(Committed& out, const std::vector<Input>& inputs, const Error& error) {
  for (const Input& input : inputs)
    if (const auto* from = std::get_if<FromPeer>(&input))
      if (const auto* request = std::get_if<Request>(&from->message))
        out.sends.push_back({from->peer, Reply{request->number, error.code, error.text, {}}});
  out.notes.push_back({Note::Level::error, "nothing of a batch of " + std::to_string(inputs.size()) +
                                               " inputs was done: " + error.text});
}

}  // namespace

Node::Node(Store& store, ControllerOptions options)
    : board_(store), term_(options.term), controller_(board_, std::move(options)) {}

Result<Committed> Node::start(Now now) {
  Committed out;
  take_over(out, controller_.start(now));
  out.first_event = board_.store().last_seq().next();
  out.events = board_.pending();
  if (const Result<void> saved = board_.commit(term_); !saved) return fail(saved.error());
  return out;
}

Committed Node::process(const std::vector<Input>& inputs, Now now) {
  Result<Committed> done = attempt(inputs, now);
  if (done) return std::move(*done);
  board_.discard();
  controller_.forget_batch(now);
  Committed out;
  if (done.error().code == Errc::corrupt && inputs.size() > 1) {
    // One input met a damaged record; the others need not suffer.
    for (const Input& input : inputs) {
      Committed single = process({input}, now);
      std::move(single.sends.begin(), single.sends.end(), std::back_inserter(out.sends));
      std::move(single.notes.begin(), single.notes.end(), std::back_inserter(out.notes));
      std::move(single.events.begin(), single.events.end(), std::back_inserter(out.events));
      if (out.first_event.value == 0) out.first_event = single.first_event;
      out.watch.insert(out.watch.end(), single.watch.begin(), single.watch.end());
      out.shut_down = out.shut_down || single.shut_down;
    }
    return out;
  }
  answer_with(out, inputs, done.error());
  return out;
}

Result<Committed> Node::attempt(const std::vector<Input>& inputs, Now now) {
  Committed out;
  for (const Input& input : inputs) take_over(out, controller_.step(input, now));
  take_over(out, controller_.tick(now));
  take_over(out, controller_.settle(now));
  if (const auto damage = board_.take_damage()) return fail(*damage);
  if (!board_.has_changes()) return out;
  out.first_event = board_.store().last_seq().next();
  out.events = board_.pending();
  if (const Result<void> saved = board_.commit(term_); !saved) return fail(saved.error());
  return out;
}

}  // namespace bidboard
