// Shell processes act on the same tasks concurrently while the controller starts, crashes and stays away; one
// order of events per task must explain all replies.
#include "tests/support/linearizability.hpp"

#include <chrono>
#include <map>
#include <optional>

#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/recorded_dag.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

using What = Operation::What;
using Answer = Operation::Answer;

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// A person at a shell: one command at a time.
class Shell {
 public:
  Shell(const TestBoard& board, std::string name) : board_(board), name_(std::move(name)) {}

  bool busy() const { return process_.has_value(); }

  void begin(const std::string& task, Random& random) {
    Known& known = known_[task];
    operation_ = {};
    operation_.client = name_;
    operation_.what = next_of(known, random);
    operation_.epoch = known.epoch;
    static constexpr const char* verbs[] = {"claim", "renew", "done", "fail"};
    std::vector<std::string> words{verbs[static_cast<std::size_t>(operation_.what)], task, "--as", name_};
    if (operation_.what != What::claim) {
      words.push_back("--epoch");
      words.push_back(std::to_string(known.epoch));
    }
    task_ = task;
    operation_.asked = now_us();
    process_.emplace(board_.start(words));
  }

  /// The finished operation and its task, if it has finished.
  std::optional<std::pair<std::string, Operation>> take() {
    if (!process_ || process_->running()) return {};
    operation_.answered = now_us();
    const int exit_code = process_->wait();
    Known& known = known_[task_];
    if (exit_code == 0) {
      operation_.answer = Answer::accepted;
      if (operation_.what == What::claim) known.epoch = operation_.epoch = std::stoull(process_->out());
    } else {
      operation_.answer = exit_code == 4 || exit_code == 5 ? Answer::refused : Answer::unknown;
    }
    const bool ends = operation_.what == What::done || operation_.what == What::fail;
    known.ended_by = ends ? std::optional(operation_.what) : std::nullopt;
    process_.reset();
    return std::pair(task_, operation_);
  }

 private:
  struct Known {
    std::uint64_t epoch = 0;       ///< last granted
    std::optional<What> ended_by;  ///< how this client ended that epoch; it sends nothing else about it
  };

  static What next_of(const Known& known, Random& random) {
    if (known.epoch == 0 || random.chance(250'000)) return What::claim;
    if (known.ended_by) return *known.ended_by;
    const std::uint64_t dice = random.below(10);
    return dice < 4 ? What::renew : dice < 9 ? What::fail : What::done;
  }

  const TestBoard& board_;
  std::string name_;
  std::map<std::string, Known> known_;
  std::optional<Process> process_;
  std::string task_;
  Operation operation_;
};

Operation operation(What what, const char* client, std::uint64_t epoch, Answer answer, std::int64_t asked,
                    std::int64_t answered) {
  return {what, client, epoch, answer, asked, answered};
}

}  // namespace

TEST_CASE("Replies to shells about a task fit one order of events although controllers crash") {
  const std::size_t operations = 250 * soak_rounds();
  const std::uint64_t seed = test_seed(11);
  INFO("BIDBOARD_SEED=" << seed);
  Random random(seed);
  const TestBoard board;
  Config config;
  config.project = "order";
  config.backoff = {};
  board.configure(config);
  std::vector<Shell> clients;
  for (const char* name : {"ann", "bob", "cat", "dan"}) clients.emplace_back(board, name);
  std::map<std::string, std::vector<Operation>> histories;
  std::optional<Process> controller;
  std::vector<std::string> open;
  std::size_t begun = 0;
  const auto collect = [&] {
    bool all_idle = true;
    for (Shell& client : clients) {
      if (auto done = client.take()) histories[done->first].push_back(done->second);
      all_idle = all_idle && !client.busy();
    }
    return all_idle;
  };
  while (begun < operations) {
    // No more than 40 operations per task: the search is exponential in the operations that overlap.
    std::erase_if(open, [&](const std::string& task) { return histories[task].size() >= 40; });
    while (open.size() < 2) open.push_back(board.must({"post", "wanted", "--attempts", "1000"}));
    collect();
    for (Shell& client : clients)
      if (!client.busy() && ++begun) client.begin(open[random.below(open.size())], random);
    if (random.chance(60'000)) {
      if (controller) {
        controller->kill();
        controller.reset();
      } else {
        controller.emplace(board.start({"controller"}));
      }
    }
    ::poll(nullptr, 0, static_cast<int>(random.below(6)));
  }
  REQUIRE(eventually(collect, patience));
  std::size_t accepted = 0;
  for (const auto& [task, history] : histories) {
    INFO(task << "\n" << words(history));
    CHECK(is_linearizable(history));
    for (const Operation& done : history) accepted += done.answer == Answer::accepted;
  }
  CHECK(accepted * 10 > operations);  // not only refusals
}

TEST_CASE("A history that no order of events explains is rejected") {
  const Operation ann = operation(What::claim, "ann", 1, Answer::accepted, 0, 10);
  SECTION("two winners of one epoch") {
    CHECK_FALSE(is_linearizable({ann, operation(What::claim, "bob", 1, Answer::accepted, 5, 12)}));
  }
  SECTION("a claim is granted while another holds the task") {
    CHECK_FALSE(is_linearizable({ann, operation(What::claim, "bob", 2, Answer::accepted, 20, 30),
                                 operation(What::renew, "ann", 1, Answer::accepted, 40, 50)}));
  }
  SECTION("a claim is refused though nobody had the task yet") {
    CHECK_FALSE(is_linearizable({operation(What::claim, "bob", 0, Answer::refused, 0, 5),
                                 operation(What::claim, "ann", 1, Answer::accepted, 6, 10)}));
  }
  SECTION("a stale write is accepted") {
    CHECK_FALSE(is_linearizable({ann, operation(What::fail, "ann", 1, Answer::accepted, 11, 12),
                                 operation(What::claim, "bob", 2, Answer::accepted, 13, 14),
                                 operation(What::done, "ann", 1, Answer::accepted, 15, 16)}));
  }
  SECTION("an acknowledged claim is forgotten") {
    CHECK_FALSE(is_linearizable({ann, operation(What::renew, "ann", 1, Answer::refused, 20, 30)}));
  }
}

TEST_CASE("Overlapping and unanswered operations may have happened in any order that their times allow") {
  using O = Operation;
  CHECK(is_linearizable({}));
  CHECK(is_linearizable({operation(What::claim, "ann", 0, Answer::refused, 0, 10),
                         operation(What::claim, "bob", 1, Answer::accepted, 5, 12)}));
  // No answer: it happened later, or not at all.
  const O lost = operation(What::claim, "ann", 0, Answer::unknown, 0, 10);
  CHECK(is_linearizable({lost, operation(What::claim, "bob", 1, Answer::accepted, 20, 30)}));
  CHECK(is_linearizable({lost, operation(What::claim, "bob", 0, Answer::refused, 20, 30)}));
  CHECK(is_linearizable({lost, operation(What::claim, "bob", 1, Answer::accepted, 20, 30),
                         operation(What::fail, "bob", 1, Answer::accepted, 40, 50),
                         operation(What::claim, "bob", 0, Answer::refused, 60, 70)}));
}
