// docs/limits.md is printed from the table of bounds. BIDBOARD_REWRITE=1 writes it anew.
#include "blackboard/format/bounds.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "blackboard/task_limits.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

std::string limits_page() {
  std::ostringstream out;
  out << "# Limits of messages\n\n"
         "Printed from `blackboard/format/bounds.cpp` by `tests/blackboard/bounds_test.cpp`; do not edit. A "
         "message with a longer text or list\nis refused before anything is decided about it; the answer "
         "names the field. A message as a whole has 8 MB at most; connections and\nqueues have limits of "
         "their own ([protocol.md](protocol.md#limits)). Of results\nthat come after their award is over, "
         "the first "
      << max_late_results << " of a task are kept, " << (max_late_result_bytes >> 20)
      << " MB together at most; a discovery says when there are more.\n\n"
         "| field | what | text, bytes | list, entries |\n|---|---|---|---|\n";
  for (const Bound& bound : bounds()) {
    out << "| `" << bound.field << "` | " << bound.what << " | ";
    if (bound.bytes > 0) out << bound.bytes;
    out << " | ";
    if (bound.entries > 0) out << bound.entries;
    out << " |\n";
  }
  out << "| any other | | " << default_bytes_max << " | " << default_entries_max << " |\n";
  return out.str();
}

Request posting(TaskSpec spec) {
  Request request;
  request.body = Post{{TaskSpec{}, std::move(spec)}, {}, {}, {}, {}};
  return request;
}

}  // namespace

TEST_CASE("docs/limits.md says what the table of bounds says") {
  const std::string path = std::string(BIDBOARD_SOURCE_DIR) + "/docs/limits.md";
  if (std::getenv("BIDBOARD_REWRITE")) std::ofstream(path) << limits_page();
  std::ifstream file(path);
  const std::string written((std::istreambuf_iterator<char>(file)), {});
  CHECK(written == limits_page());
}

TEST_CASE("a list or text of a message that is too long is named") {
  TaskSpec spec;
  spec.skills.assign(1'000, {"cpp", one});
  CHECK(beyond_bounds(posting(spec)).empty());
  spec.skills.assign(60'000, {"cpp", one});
  CHECK(beyond_bounds(posting(spec)) == "tasks[1].skills has 60000 entries; at most 1000 are allowed");
  spec.skills.assign(3, {std::string(201, 's'), one});
  CHECK(beyond_bounds(posting(spec)) == "tasks[1].skills[0].name has 201 bytes; at most 200 are allowed");
  spec.skills.clear();
  spec.kind = std::string(201, 'k');
  CHECK(beyond_bounds(posting(spec)) == "tasks[1].kind has 201 bytes; at most 200 are allowed");

  Register message;
  message.profile.skills.assign(60'000, {"cpp", one});
  CHECK(beyond_bounds(message) == "skills has 60000 entries; at most 1000 are allowed");
  CHECK(beyond_bounds(Hello{1, 1, {"a", std::string(300, 'f')}}) ==
        "features[1] has 300 bytes; at most 200 are allowed");
  CHECK(beyond_bounds(Heartbeat{AgentId{1}, {}, std::vector<Held>(20'001)}) ==
        "held has 20001 entries; at most 20000 are allowed");
  Bid bid;
  bid.with.resize(1'001);
  CHECK(beyond_bounds(Bids{AgentId{1}, {}, {bid}}) ==
        "bids[0].with has 1001 entries; at most 1000 are allowed");
}
