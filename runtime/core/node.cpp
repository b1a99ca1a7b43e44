#include "runtime/core/node.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "blackboard/checks/sabotage.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/format/named_keys.hpp"

namespace bidboard {
namespace {

void take_over(Committed& into, Output&& output) {
  std::move(output.sends.begin(), output.sends.end(), std::back_inserter(into.sends));
  std::move(output.notes.begin(), output.notes.end(), std::back_inserter(into.notes));
  into.watch.insert(into.watch.end(), output.watch.begin(), output.watch.end());
  into.shut_down = into.shut_down || output.shut_down;
  into.compact.insert(into.compact.end(), output.compact.begin(), output.compact.end());
}

/// After a failure, deadlines and awards are not tried again for this long.
constexpr Duration pause_after_failure = seconds(1);

/// The error that answers the requests of a lost batch.
void answer_with(Committed& out, const std::vector<Input>& inputs, const Error& error) {
  for (const Input& input : inputs)
    if (const auto* from = std::get_if<FromPeer>(&input))
      if (const auto* request = std::get_if<Request>(&from->message))
        out.sends.push_back({from->peer, Reply{request->number, error.code, error.text, {}}});
  const std::string what = inputs.empty()
                               ? "deadlines and awards were not acted on: "
                               : fmt::format("nothing of a batch of {} inputs was done: ", inputs.size());
  out.notes.push_back({Note::Level::error, what + error.text});
}

/// The records that will probably be read to decide about these inputs.
std::vector<std::string> keys_named_in(const std::vector<Input>& inputs) {
  std::vector<std::string> keys;
  for (const Input& input : inputs)
    if (const auto* from = std::get_if<FromPeer>(&input)) add_keys_named_in(from->message, keys);
  return keys;
}

}  // namespace

Node::Node(Store& store, ControllerOptions options)
    : board_(store), term_(options.term), controller_(board_, std::move(options)) {}

Result<Committed> Node::start(Now now) {
  return decide([&](Committed& out) { take_over(out, controller_.start(now)); });
}

Instant Node::next_wakeup(Now now) const {
  try {
    return std::max(controller_.next_wakeup(now), resume_at_);
  } catch (const DamagedRecord&) {  // the store cannot be read at present
    return std::max(now.mono + pause_after_failure, resume_at_);
  }
}

Committed Node::process(const std::vector<Input>& inputs, Now now) {
  if (board_.damage()) forget_batch(now);  // perhaps the store can be read again
  const std::vector<Input> earlier = std::exchange(deaths_, {});
  board_.store().prefetch([&] { return keys_named_in(inputs); });
  Result<Committed> done = decide([&](Committed& out) {
    for (const Input& input : earlier) take_over(out, controller_.step(input, now));
    for (const Input& input : inputs) take_over(out, controller_.step(input, now));
    take_over(out, controller_.tick(now));
    take_over(out, controller_.settle(now));
  });
  if (done) return std::move(*done);
  forget_batch(now);
  resume_at_ = now.mono + pause_after_failure;
  if (done.error().code == Errc::corrupt) {
    std::vector<Input> all = earlier;
    all.insert(all.end(), inputs.begin(), inputs.end());
    return one_by_one(all, now);
  }
  keep_deaths(earlier);
  keep_deaths(inputs);
  Committed out;
  answer_with(out, inputs, done.error());
  out.shut_down = done.error().code == Errc::conflict;
  return out;
}

/// One input needs a damaged record, or a deadline or an award does; the other inputs must not fail with it.
Committed Node::one_by_one(const std::vector<Input>& inputs, Now now) {
  Committed all;
  const auto run = [&](const std::vector<Input>& some, const std::function<void(Committed&)>& steps) {
    Result<Committed> done = decide(steps);
    if (!done) {
      forget_batch(now);
      answer_with(all, some, done.error());
      if (done.error().code != Errc::corrupt) keep_deaths(some);
      return;
    }
    if (all.saved.events.empty()) all.saved.first = done->saved.first;
    std::move(done->sends.begin(), done->sends.end(), std::back_inserter(all.sends));
    std::move(done->notes.begin(), done->notes.end(), std::back_inserter(all.notes));
    std::move(done->saved.events.begin(), done->saved.events.end(), std::back_inserter(all.saved.events));
    std::move(done->saved.sealed.begin(), done->saved.sealed.end(), std::back_inserter(all.saved.sealed));
    all.watch.insert(all.watch.end(), done->watch.begin(), done->watch.end());
    all.compact.insert(all.compact.end(), done->compact.begin(), done->compact.end());
    all.shut_down = all.shut_down || done->shut_down;
  };
  for (const Input& input : inputs)
    run({input}, [&](Committed& out) { take_over(out, controller_.step(input, now)); });
  run({}, [&](Committed& out) { take_over(out, controller_.tick(now)); });
  run({}, [&](Committed& out) { take_over(out, controller_.settle(now)); });
  return all;
}

void Node::forget_batch(Now now) {
  board_.discard();
  // Agents whose records cannot be read are left out; they return with their next heartbeat.
  static_cast<void>(decide([&](Committed&) { controller_.forget_batch(now); }));
}

void Node::keep_deaths(const std::vector<Input>& inputs) {
  std::copy_if(inputs.begin(), inputs.end(), std::back_inserter(deaths_),
               [](const Input& input) { return std::holds_alternative<ProcessEnded>(input); });
}

Result<Committed> Node::decide(const std::function<void(Committed&)>& steps) {
  if (board_.damage()) return fail(*board_.damage());
  Committed out;
  try {
    steps(out);
  } catch (const DamagedRecord& damaged) {
    return fail(damaged.error);
  }
  if (!board_.has_changes()) return out;
  Result<Saved> saved = board_.commit(term_);
  if (!saved && sabotaged("commit")) return out;
  if (!saved) return fail(saved.error());
  out.saved = std::move(*saved);
  return out;
}

}  // namespace bidboard
