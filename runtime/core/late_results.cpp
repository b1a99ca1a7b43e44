#include "runtime/core/late_results.hpp"

#include "blackboard/fmt.hpp"
#include "blackboard/task_limits.hpp"

namespace bidboard {
namespace {

constexpr const char* result_kind = "late_result";
constexpr const char* full_kind = "late_results_full";  ///< says that no more are kept

/// The late results of a task.
struct Kept {
  std::uint32_t count = 0;
  std::size_t bytes = 0;
  bool said_full = false;
  bool has_this = false;
};

/// One award has one holder, so task, epoch and text identify a late result.
Kept look_up(const Board& board, TaskId task, Epoch epoch, const std::string& result) {
  Kept kept;
  std::vector<DiscoveryId> ids;
  board.scan(keys::late_results_of(task), {}, [&](std::string_view, std::string_view value) {
    ids.push_back(DiscoveryId{read_big_endian(value, 0)});
    return true;
  });
  for (const DiscoveryId id : ids) {
    const Discovery* found = board.get<Discovery>(id);
    if (!found) continue;
    kept.count = found->late;
    kept.bytes += found->body.size();
    if (found->kind == full_kind)
      kept.said_full = true;
    else if (found->epoch == epoch && found->body == result)
      kept.has_this = true;
  }
  return kept;
}

}  // namespace

bool is_news(const Core& core, const Task& task, const std::string& result) {
  return task.state != TaskState::done || (!result.empty() && core.board.result_of(task) != result);
}

LateResult keep_late_result(Core& core, const Task& task, AgentId agent, Epoch epoch,
                            const std::string& result) {
  const Kept kept = look_up(core.board, task.id, epoch, result);
  if (kept.has_this) return LateResult::kept;
  if (kept.said_full) return LateResult::not_kept;
  const bool fits = kept.count < max_late_results && kept.bytes + result.size() <= max_late_result_bytes;
  Discovery discovery;
  discovery.id = DiscoveryId{core.board.counters().discovery.value + 1};
  discovery.task = task.id;
  discovery.agent = agent;
  discovery.epoch = epoch;
  discovery.kind = fits ? result_kind : full_kind;
  discovery.title =
      fits ? fmt::format("result of {} that came after its award was over", task.id)
           : fmt::format(
                 "results of {} that come after their award is over are not kept any more: there are {}",
                 task.id, counted(kept.count, "such result"));
  if (fits) discovery.body = result;
  discovery.project = task.spec.project;
  discovery.created_at = core.now.wall;
  discovery.late = kept.count + 1;
  if (!fits) core.note(Note::Level::warning, discovery.title);
  core.emit(DiscoveryPosted{std::move(discovery)});
  return fits ? LateResult::kept : LateResult::not_kept;
}

std::string because_not_kept(LateResult outcome) {
  if (outcome == LateResult::kept) return {};
  return fmt::format(
      "; the result is not kept either, since the task has as many late ones as are kept ({}, or "
      "{} MB together)",
      max_late_results, max_late_result_bytes >> 20);
}

}  // namespace bidboard
