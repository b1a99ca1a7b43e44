// docs/states.md is printed from the transition table. BIDBOARD_REWRITE=1 writes it anew.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "blackboard/task_states.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

std::string states_page() {
  std::ostringstream out;
  out << "# The life of a task\n\n"
         "Printed from `blackboard/task_states.cpp` by `tests/blackboard/states_doc_test.cpp`; do not "
         "edit.\n\n"
         "## States\n\n| state | meaning | over |\n|---|---|---|\n";
  for (int i = 1; i <= static_cast<int>(TaskState::quarantined); ++i) {
    const auto state = static_cast<TaskState>(i);
    out << "| `" << name(state) << "` | " << meaning(state) << " | " << (is_over(state) ? "yes" : "")
        << " |\n";
  }
  out << "\n## Moves\n\nEvery legal move; anything else is refused.\n\n| from | move | to |\n|---|---|---|\n";
  for (const Transition& row : transitions())
    out << "| `" << name(row.from) << "` | " << name(row.move) << " | `" << name(row.to) << "` |\n";
  out << "\n## Writes about a task\n\nA report, `renew`, `progress`, `done` or `fail` shows an epoch and a "
         "capability. The outcome is one of:\n\n"
         "| outcome | meaning |\n|---|---|\n";
  for (const Write write : {Write::accepted, Write::duplicate, Write::stale, Write::late, Write::forged})
    out << "| " << name(write) << " | " << meaning(write) << " |\n";
  return out.str();
}

}  // namespace

TEST_CASE("docs/states.md says what the transition table says") {
  const std::string path = std::string(BIDBOARD_SOURCE_DIR) + "/docs/states.md";
  if (std::getenv("BIDBOARD_REWRITE")) std::ofstream(path) << states_page();
  std::ifstream file(path);
  const std::string written((std::istreambuf_iterator<char>(file)), {});
  CHECK(written == states_page());
}
