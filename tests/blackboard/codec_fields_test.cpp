#include "blackboard/format/codec_fields.hpp"

#include "blackboard/format/codec.hpp"
#include "blackboard/random.hpp"
#include "blackboard/records.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

TEST_CASE("fields read from the encoded form equal the decoded ones") {
  Random random(7);
  for (int round = 0; round < 300; ++round) {
    Task task;
    task.id = TaskId{random.next() >> random.below(64)};
    task.spec.title = std::string(random.below(300), 'x');
    task.spec.body = std::string(random.below(3) == 0 ? 70'000 : 3, 'y');
    task.spec.priority = random.between(-100'000'000'000, 100'000'000'000) >> random.below(40);
    task.spec.needs.resize(random.below(40));
    task.spec.repeatable = random.below(2) == 0;
    task.price = -static_cast<std::int64_t>(random.next() >> (1 + random.below(63)));
    task.failures.resize(random.below(20));
    const std::string bytes = encode(task);
    CHECK(encoded_length(bytes) == bytes.size());
    EncodedRecord record, spec;
    record.reset(bytes);
    CHECK(encoded_integer(record.field(field_position<Task>("price"))) == task.price);
    spec.reset(record.field(field_position<Task>("spec")));
    CHECK(encoded_integer(spec.field(field_position<TaskSpec>("priority"))) == task.spec.priority);
    CHECK(encoded_integer(spec.field(field_position<TaskSpec>("repeatable"))) ==
          std::int64_t{task.spec.repeatable});
    CHECK(encoded_text(spec.field(field_position<TaskSpec>("title"))) == task.spec.title);
    CHECK(encoded_text(spec.field(field_position<TaskSpec>("body"))) == task.spec.body);
    CHECK(record.field(1'000).empty());
  }
}

TEST_CASE("cut or twisted bytes read as nothing, never beyond their end") {
  Task task;
  task.spec.title = "a title";
  task.spec.needs.resize(20);
  const std::string whole = encode(task);
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    const std::string bytes = whole.substr(0, cut);
    CHECK(encoded_length(bytes) == 0);
    EncodedRecord record;
    record.reset(bytes);
    CHECK(record.field(40).empty());
  }
  Random random(3);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = whole;
    for (int i = 0; i < 3; ++i) bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    EncodedRecord record;
    record.reset(bytes);
    for (std::size_t field = 0; field < 30; ++field) {
      const std::string_view found = record.field(field);
      CHECK(found.size() <= bytes.size());
      const auto text = encoded_text(found);
      if (text) CHECK(text->size() <= found.size());
    }
  }
  CHECK(encoded_length("\xdd\xff\xff\xff\xff") == 0);
  CHECK(encoded_length(std::string(100'000, '\x91')) == 0);
  CHECK_FALSE(encoded_integer("").has_value());
  CHECK_FALSE(encoded_integer("\xcf\xff\xff\xff\xff\xff\xff\xff\xff").has_value());
  CHECK_FALSE(encoded_text("\xa5"
                           "abc")
                  .has_value());
}
