#include "blackboard/format/codec.hpp"

#include <set>

#include "blackboard/format/codec_fields.hpp"
#include "blackboard/format/to_value.hpp"
#include "blackboard/messages.hpp"
#include "blackboard/random.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_records.hpp"

using namespace bidboard;

namespace {

/// A record of an earlier version: `Task` had fewer fields then.
std::string with_fields(std::string bytes, std::size_t count) {
  // An array of 16 to 65,535 fields begins with 0xdc and its length.
  REQUIRE(static_cast<unsigned char>(bytes[0]) == 0xdc);
  bytes[1] = static_cast<char>(count >> 8);
  bytes[2] = static_cast<char>(count);
  return bytes;
}

template <class T>
void comes_back(Random& random) {
  for (int round = 0; round < 200; ++round) {
    T record{};
    randomise(random, record);
    const Result<T> again = unseal<T>(seal(record));
    REQUIRE(again.has_value());
    CHECK(*again == record);
    CHECK(encode(*again) == encode(record));
  }
}

}  // namespace

TEST_CASE("every record comes back as it was stored") {
  Random random(11);
  comes_back<Task>(random);
  comes_back<Agent>(random);
  comes_back<Calibration>(random);
  comes_back<Discovery>(random);
  comes_back<Workflow>(random);
  comes_back<Client>(random);
  comes_back<Config>(random);
  comes_back<Counters>(random);
}

TEST_CASE("every event and message comes back, whatever alternative it is") {
  Random random(12);
  std::set<std::size_t> events, messages;
  for (int round = 0; round < 2'000; ++round) {
    Event event;
    randomise(random, event);
    events.insert(event.body.index());
    const Result<Event> event_again = unseal<Event>(seal(event));
    REQUIRE(event_again.has_value());
    CHECK(encode(*event_again) == encode(event));

    Message message;
    randomise(random, message);
    messages.insert(message.index());
    const Result<Message> message_again = decode<Message>(encode(message));
    REQUIRE(message_again.has_value());
    CHECK(encode(*message_again) == encode(message));
  }
  CHECK(events.size() == std::variant_size_v<EventBody>);
  CHECK(messages.size() == std::variant_size_v<Message>);
}

TEST_CASE("numbers keep their whole range") {
  Task task;
  task.id = TaskId{UINT64_MAX};
  task.price = INT64_MIN;
  task.tokens = INT64_MAX;
  task.attempts = UINT32_MAX;
  CHECK(*decode<Task>(encode(task)) == task);
}

TEST_CASE("a shorter record is an older version: what it lacks has its default") {
  Random random(13);
  Task task;
  randomise(random, task);
  task.state = TaskState::ready;
  const std::string whole = encode(task);
  std::size_t fields = 0;
  for_each_field(task, [&](const char*, const auto&) { ++fields; });
  // The last field cut off, bytes and count.
  std::string shorter = with_fields(whole, fields - 1);
  EncodedRecord record;
  record.reset(whole);
  shorter.resize(whole.size() - record.field(field_position<Task>("commit")).size());
  const Result<Task> older = decode<Task>(shorter);
  REQUIRE(older.has_value());
  CHECK(older->commit.empty());
  CHECK(older->spec == task.spec);
}

TEST_CASE("a longer record is a newer version and refused, and so is a newer format") {
  const Task task;
  const std::string whole = encode(task);
  std::size_t fields = 0;
  for_each_field(task, [&](const char*, const auto&) { ++fields; });
  CHECK(decode<Task>(with_fields(whole, fields + 1) + '\0').error().code == Errc::corrupt);
  std::string sealed = seal(Task{});
  sealed[0] = static_cast<char>(format_version + 1);
  CHECK(unseal<Task>(sealed).error().code == Errc::unsupported);
  sealed[0] = 0;
  CHECK(unseal<Task>(sealed).error().code == Errc::corrupt);
}

TEST_CASE("one flipped bit anywhere in a stored value is found") {
  const std::string sealed = seal(Discovery{{3}, {4}, {5}, {6}, "kind", "title", "body", "project", {7}});
  for (std::size_t bit = 8; bit < sealed.size() * 8; ++bit) {  // the version byte is checked by itself
    std::string damaged = sealed;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    CHECK(unseal<Discovery>(damaged).error().code == Errc::corrupt);
  }
  for (std::size_t length = 0; length < sealed.size(); ++length)
    CHECK_FALSE(unseal<Discovery>(sealed.substr(0, length)).has_value());
}

TEST_CASE("enumeration values outside their range are refused, at either end") {
  const auto reencoded = [](TaskState state) {
    return decode<Event>(encode(Event{{1}, TaskMoved{{1}, state, {}}}));
  };
  CHECK(reencoded(TaskState::blocked).has_value());
  CHECK(reencoded(TaskState::quarantined).has_value());
  CHECK_FALSE(reencoded(TaskState{0}).has_value());
  CHECK_FALSE(reencoded(TaskState{13}).has_value());
}

TEST_CASE("hostile bytes are refused without asking for memory they do not fill") {
  using namespace std::string_literals;
  const std::vector<std::string> hostile{
      ""s,
      "\xdd\xff\xff\xff\xff"s,                  // a list of four thousand million
      "\xdc\xff\xff"s,                          // a list of 65,535, empty
      "\xdb\xff\xff\xff\xff"s,                  // text of 4 GB
      "\xc6\xff\xff\xff\xff"s,                  // binary of 4 GB
      "\xdf\xff\xff\xff\xff"s,                  // a map
      "\xc9\xff\xff\xff\xff\x01"s,              // an extension
      "\xc1"s,                                  // never used by msgpack
      std::string(1'000'000, '\x91'),           // lists in lists
      encode(Message{Hello{}}) + "x"s,          // more behind the end
      "\x92\xcc\xff\x90"s,                      // no such alternative
      "\x93\x00\x90\x90"s,                      // a tagged value of three
      "\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00"s,  // a floating-point number
  };
  for (const std::string& bytes : hostile) CHECK(decode<Message>(bytes).error().code == Errc::corrupt);
}

TEST_CASE("random damage to a message gives an error or another message, never more") {
  Random random(14);
  for (int round = 0; round < 3'000; ++round) {
    Message message;
    randomise(random, message);
    std::string bytes = encode(message);
    for (int flips = 0; flips < 3 && !bytes.empty(); ++flips)
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    const Result<Message> read = decode<Message>(bytes);
    if (read) CHECK(decode<Message>(encode(*read)).has_value());
  }
}

TEST_CASE("an id that was drawn at random is printed as it was drawn") {
  const ClientForgotten forgotten{ClientId{UINT64_MAX - 1}};
  CHECK(to_json(to_value(EventBody{forgotten})) == R"({"client": 18446744073709551614})");
}
