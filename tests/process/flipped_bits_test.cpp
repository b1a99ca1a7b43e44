// Damage on the disk: single bits of a kept board are flipped. doctor must report the damage, or be right
// that nothing is damaged; it never crashes.
#include <fstream>
#include <sstream>

#include "blackboard/fmt.hpp"
#include "blackboard/random.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/recorded_dag.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

constexpr const char* question = "SELECT id, title, state, attempts, epoch, result, reason FROM tasks";

/// 60; 10,000 in a soak of 20 rounds.
std::uint64_t flips() { return soak_rounds() > 1 ? 500 * soak_rounds() : 60; }

std::string kept_board() {
  std::ifstream file(fmt::format("{}/tests/data/board-1/data.mdb", BIDBOARD_SOURCE_DIR), std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

struct Damaged {
  const TestBoard board;
  const std::string whole = kept_board();
  std::string answer;

  Damaged() {
    write(whole);
    answer = board.must({"query", question, "--csv"});
  }
  void write(const std::string& bytes) const {
    std::ofstream(board.directory().path + "/data.mdb", std::ios::binary | std::ios::trunc) << bytes;
  }
  /// True: doctor found something. REQUIREs an explained end, and a right answer when it found nothing.
  bool is_found(std::string bytes) const {
    write(bytes);
    const Finished doctor = board.run({"doctor", "--deep"});
    INFO(doctor.out << doctor.err);
    REQUIRE((doctor.exit_code == 0 || doctor.exit_code == 1));
    if (doctor.exit_code == 0) CHECK(board.must({"query", question, "--csv"}) == answer);
    return doctor.exit_code == 1;
  }
  bool is_found(std::size_t byte, int bit) const {
    std::string bytes = whole;
    bytes[byte] = static_cast<char>(bytes[byte] ^ (1 << bit));
    INFO("bit " << bit << " of byte " << byte);
    return is_found(std::move(bytes));
  }
};

}  // namespace

TEST_CASE("Flipped bits that hide unreferenced records are found") {
  const Damaged damaged;
  CHECK(damaged.is_found(4'224, 4));   // the pointer to the root
  CHECK(damaged.is_found(16'410, 1));  // a pointer within a page
  CHECK(damaged.is_found(24'596, 0));
}

TEST_CASE("A flipped bit in the number of a commit does not turn the board back into its empty first state") {
  const Damaged damaged;
  const std::size_t odd = 4'096;
  CHECK(damaged.is_found(144, 7));
  CHECK(damaged.is_found(144, 0));
  CHECK(damaged.is_found(odd + 144, 1));
  CHECK(damaged.is_found(odd + 151, 7));
  CHECK(damaged.board.run({"post", "not onto that"}).exit_code == 1);
}

TEST_CASE("Flipped bits lead to a finding or to nothing, never to a wrong answer or an unexplained crash") {
  const Damaged damaged;
  Random random(1);
  int found = 0;
  for (std::uint64_t i = 0; i < flips(); ++i)
    found += damaged.is_found(random.below(damaged.whole.size()), static_cast<int>(random.below(8)));
  CHECK(found > 0);
}

TEST_CASE("A truncated file, or one that is not a store, is named") {
  const Damaged damaged;
  damaged.write("");  // as a killed `init` leaves it
  CHECK(damaged.board.run({"doctor"}).exit_code == 3);
  for (const std::size_t bytes : {1u, 100u, 4'096u, 5'000u, 12'288u, 20'000u})
    CHECK(damaged.is_found(damaged.whole.substr(0, bytes)));
  CHECK(damaged.is_found(std::string(30'000, 'x')));
}
