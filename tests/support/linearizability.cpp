#include "tests/support/linearizability.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>

#include "blackboard/checks/check.hpp"
#include "blackboard/fmt.hpp"

namespace bidboard::testing {
namespace {

using What = Operation::What;
using Answer = Operation::Answer;

struct TaskModel {
  enum class State : std::uint8_t { free, held, done } state = State::free;
  std::uint64_t epoch = 0;
  std::string holder;  ///< the present holder, or the last one
  auto operator<=>(const TaskModel&) const = default;
};

/// The task after the operation took effect with this answer; nothing if that answer was impossible.
std::optional<TaskModel> after(const TaskModel& task, const Operation& operation) {
  using State = TaskModel::State;
  const bool was_last = task.holder == operation.client && task.epoch == operation.epoch && task.epoch > 0;
  const bool holds = was_last && task.state == State::held;
  TaskModel next = task;
  bool accepted = false;
  switch (operation.what) {
    case What::claim:
      accepted = task.state == State::free;
      next = {State::held, task.epoch + 1, operation.client};
      if (operation.answer == Answer::accepted && operation.epoch != next.epoch) return {};
      break;
    case What::renew:
      accepted = holds;
      break;
    case What::done:
      accepted = holds || (was_last && task.state == State::done);
      next.state = State::done;
      break;
    case What::fail:
      accepted = holds;
      next.state = State::free;
      break;
  }
  if (operation.answer == Answer::accepted && !accepted) return {};
  if (operation.answer == Answer::refused && accepted) return {};
  return accepted ? next : task;
}

class Search {
 public:
  explicit Search(const std::vector<Operation>& history) : history_(history) {
    BB_CHECK(history.size() <= 60, "a history of one task is short");
    for (std::size_t i = 0; i < history.size(); ++i)
      if (history[i].answer != Answer::unknown) must_ |= bit(i);
  }
  bool from(std::uint64_t taken, const TaskModel& task) {
    if ((taken & must_) == must_) return true;
    if (!tried_.emplace(taken, task).second) return false;
    // The next operation must have been asked before any other remaining one was answered.
    std::int64_t first_answer = INT64_MAX;
    for (std::size_t i = 0; i < history_.size(); ++i)
      if (!(taken & bit(i)) && history_[i].answer != Answer::unknown)
        first_answer = std::min(first_answer, history_[i].answered);
    for (std::size_t i = 0; i < history_.size(); ++i) {
      if ((taken & bit(i)) || history_[i].asked > first_answer) continue;
      const std::optional<TaskModel> next = after(task, history_[i]);
      if (next && from(taken | bit(i), *next)) return true;
    }
    return false;
  }

 private:
  static std::uint64_t bit(std::size_t i) { return std::uint64_t{1} << i; }

  const std::vector<Operation>& history_;
  std::uint64_t must_ = 0;
  std::set<std::pair<std::uint64_t, TaskModel>> tried_;  ///< operations applied, and the task after them
};

}  // namespace

bool is_linearizable(const std::vector<Operation>& history) { return Search(history).from(0, {}); }

std::string words(const std::vector<Operation>& history) {
  static constexpr const char* names[] = {"claim", "renew", "done", "fail"};
  static constexpr const char* answers[] = {"accepted", "refused", "no answer"};
  std::string text;
  for (const Operation& operation : history)
    text +=
        fmt::format("{} by {}, epoch {}: {} [{}, {}]\n", names[static_cast<std::size_t>(operation.what)],
                    operation.client, operation.epoch, answers[static_cast<std::size_t>(operation.answer)],
                    operation.asked, operation.answered);
  return text;
}

}  // namespace bidboard::testing
