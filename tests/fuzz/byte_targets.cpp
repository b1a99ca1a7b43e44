// Targets that take our binary formats: messages and stored values.
#include <cstdlib>
#include <memory>
#include <vector>

#include "blackboard/board/verify.hpp"
#include "blackboard/checks/check.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/format/keys.hpp"
#include "blackboard/format/to_value.hpp"
#include "blackboard/messages.hpp"
#include "blackboard/store/memory_store.hpp"
#include "blackboard/text/document.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/support/random_world.hpp"

namespace bidboard::fuzz {
namespace {

/// What decodes is encoded to bytes that decode to the same value.
template <class T>
Result<T> read(std::string_view bytes) {
  Result<T> value = decode<T>(bytes);
  if (!value) return value;
  const std::string said = encode(*value);
  const Result<T> heard = decode<T>(said);
  BB_CHECK(heard.has_value(), "what was encoded decodes");
  BB_CHECK(encode(*heard) == said, "what was encoded decodes to the same");
  return value;
}

template <class T>
void read_record(std::string_view bytes) {
  const Result<T> value = read<T>(bytes);
  if constexpr (requires { to_value(*value); })
    if (value) static_cast<void>(to_json(to_value(*value)));
  static_cast<void>(unseal<T>(bytes));
}

/// Events, each behind a byte that holds its length, as a log: replayed, or refused with a reason.
void replay_log(std::string_view bytes) {
  MemoryStore store;
  std::vector<std::string> events;
  while (!bytes.empty()) {
    const std::size_t length = static_cast<unsigned char>(bytes[0]);
    const std::string_view event = bytes.substr(1, length);
    bytes.remove_prefix(std::min(bytes.size(), length + 1));
    const Result<Event> decoded = decode<Event>(event);
    if (decoded) events.push_back(seal(*decoded));
  }
  BB_CHECK(store.commit(Seq{}, Term{1}, events, {}).has_value(), "a store in memory takes any events");
  const auto replayed = replay(store, store.last_seq());
  if (replayed) static_cast<void>(verify(**replayed));
}

/// The planted bug: an agent's number above a limit, reached only by a valid message with one unusual field.
void planted_bug(const Message& message) {
  if (!bug_is_planted()) return;
  const auto* beat = std::get_if<Heartbeat>(&message);
  BB_CHECK(!beat || beat->agent.value < 64, "the planted bug was found");
}

}  // namespace

bool bug_is_planted() { return std::getenv("BIDBOARD_PLANTED_BUG") != nullptr; }

void wire_frames(Bytes bytes) {
  const Result<Frame> frame = read<Frame>(text_of(bytes));
  if (frame) planted_bug(frame->message);
  static_cast<void>(read<FeedFrame>(text_of(bytes)));
}

void stored_records(Bytes bytes) {
  if (bytes.empty()) return;
  const std::string_view rest = text_of(bytes.subspan(1));
  switch (bytes[0] % 11) {
    case 0:
      return read_record<Task>(rest);
    case 1:
      return read_record<Agent>(rest);
    case 2:
      return read_record<Calibration>(rest);
    case 3:
      read_record<Comment>(rest);
      return read_record<Discovery>(rest);
    case 4:
      return read_record<Workflow>(rest);
    case 5:
      return read_record<Client>(rest);
    case 6:
      return read_record<Config>(rest);
    case 7:
      return read_record<Counters>(rest);
    case 8: {
      const Result<Event> event = read<Event>(rest);
      if (event) static_cast<void>(to_json(to_value(event->body)));
      return;
    }
    case 9:
      return read_record<Seq>(rest);
    default:
      return replay_log(rest);
  }
}

void controller_inputs(Bytes bytes) {
  const testing::RandomRun run = testing::run_random_world(testing::Choices(bytes), 60);
  BB_CHECK(run.broken.empty(), run.broken.empty() ? "" : run.broken.front().c_str());
}

}  // namespace bidboard::fuzz
