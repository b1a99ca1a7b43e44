#include "blackboard/records.hpp"

#include <algorithm>

namespace bidboard {

void Task::upcast() {
  if (not_before.us != 0) place(*this, {HoldKind::backoff, std::exchange(not_before, {}), {}});
  if (state == TaskState::paused && !hold_of(*this, HoldKind::pause))
    place(*this, {HoldKind::pause, {}, reason});
}

Duration waits_for_others(const Config& config, const AgentProfile& agent) {
  if (agent.account.empty()) return {};
  const auto limits = std::ranges::find(config.accounts, agent.account, &AccountLimits::name);
  return limits == config.accounts.end() ? Duration{} : limits->after;
}

const Hold* hold_of(const Task& task, HoldKind kind) {
  const auto found = std::ranges::find(task.holds, kind, &Hold::kind);
  return found == task.holds.end() ? nullptr : &*found;
}

bool is_plausible(const SavedWork& work) {
  // It becomes words of git commands.
  const auto plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '/' ||
           c == '.' || c == '_' || c == '-';
  };
  const auto hexadecimal = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  constexpr std::size_t branch_bytes_max = 200;
  return (work.commit.size() == 40 || work.commit.size() == 64) &&
         std::ranges::all_of(work.commit, hexadecimal) && work.branch.starts_with("bidboard/") &&
         work.branch.size() <= branch_bytes_max && std::ranges::all_of(work.branch, plain) &&
         work.branch.find("..") == std::string::npos;
}

void place(Task& task, Hold hold) {
  lift(task, hold.kind);
  const auto at = std::ranges::lower_bound(task.holds, hold.kind, {}, &Hold::kind);
  task.holds.insert(at, std::move(hold));
}

void lift(Task& task, HoldKind kind) {
  std::erase_if(task.holds, [&](const Hold& hold) { return hold.kind == kind; });
}

}  // namespace bidboard
