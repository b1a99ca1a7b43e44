#include "runtime/shell/merge_queue.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include "blackboard/fmt.hpp"

namespace bidboard {
namespace {

constexpr std::string_view key_begin = "merge/";

struct FixKey {
  std::string branch;
  std::string settles;  ///< the key without its number
  TaskId of;            ///< whose work it settles
  std::uint64_t number = 0;
};

/// merge/BRANCH/t12/COMMIT/NUMBER; a branch may have slashes.
std::optional<FixKey> read_fix_key(const std::string& key) {
  if (!key.starts_with(key_begin)) return {};
  std::size_t ends[3];
  std::size_t from = std::string::npos;
  for (std::size_t& end : ends) {
    end = key.rfind('/', from);
    if (end == std::string::npos || end <= key_begin.size()) return {};
    from = end - 1;
  }
  const auto of = parse_id<TaskId>(key.substr(ends[2] + 1, ends[1] - ends[2] - 1));
  if (!of) return {};
  FixKey read{key.substr(key_begin.size(), ends[2] - key_begin.size()), key.substr(0, ends[0] + 1), *of, 0};
  const char* last = key.data() + key.size();
  const auto number = std::from_chars(key.data() + ends[0] + 1, last, read.number);
  if (number.ec != std::errc() || number.ptr != last) return {};
  return read;
}

std::string key_without_number(const std::string& branch, const Task& task) {
  return fmt::format("{}{}/{}/{}/", key_begin, branch, task.id, task.commit);
}

/// Posted by a merge: what a task's process posts has that task as its parent, whatever key it gives.
bool is_fix(const Task& task) { return task.spec.kind == fix_kind && !task.spec.parent; }

struct Fixes {
  const Task* last = nullptr;  ///< of those that merges posted
  std::uint64_t last_number = 0;
  std::uint64_t numbers = 0;  ///< the highest that is taken, whoever took it
};

std::map<std::string, Fixes> fixes_in(const std::vector<Task>& tasks) {
  std::map<std::string, Fixes> all;
  for (const Task& task : tasks) {
    const std::optional<FixKey> key = read_fix_key(task.spec.key);
    if (!key) continue;
    Fixes& fixes = all[key->settles];
    fixes.numbers = std::max(fixes.numbers, key->number);
    if (is_fix(task) && key->number > fixes.last_number) {
      fixes.last = &task;
      fixes.last_number = key->number;
    }
  }
  return all;
}

/// How many fixes in a row led to the task: 0 if it is none.
std::size_t fixes_up_to(const Task& task, const std::map<TaskId, const Task*>& known) {
  std::size_t count = 0;
  for (const Task* at = &task; at != nullptr && is_fix(*at);) {
    const std::optional<FixKey> key = read_fix_key(at->spec.key);
    if (!key) break;
    ++count;
    const auto settled = known.find(key->of);
    // What a fix settles was posted before it.
    at = settled != known.end() && settled->second->id < at->id ? settled->second : nullptr;
  }
  return count;
}

Result<void> follow(const Task& fix, const Merging& merging, Waiting& waiting) {
  const TaskId id = waiting.task.id;
  if (!is_over(fix.state)) {
    waiting.fix = fix.id;
    waiting.why = fmt::format("waits for {}: {}", fix.id, fix.spec.title);
    return {};
  }
  if (fix.state != TaskState::done) {
    waiting.why = fmt::format(
        "waits: {}, which was to settle it, is {}; `bidboard retry {}` begins that again, "
        "`bidboard merge {}` tries this one again",
        fix.id, fix.state, fix.id, id);
    return {};
  }
  const Result<bool> both = merging.contains(fix.commit, waiting.task.commit);
  if (!both) return fail(both.error());
  if (*both) {
    waiting.settled_in = fix.id;
    waiting.why = fmt::format("comes with {}", fix.id);
  } else {
    waiting.why = fmt::format(
        "waits: {}, which was to settle it, is done without its commit (it was not merged there, "
        "or only copied); `bidboard merge {}` tries it again, and posts another task if need be",
        fix.id, id);
  }
  return {};
}

std::vector<Unneeded> unneeded_of(const std::vector<Task>& tasks, const std::map<TaskId, const Task*>& known,
                                  const std::string& branch, const std::set<std::string>& lacking) {
  std::vector<Unneeded> found;
  for (const Task& fix : tasks) {
    if (!is_fix(fix) || is_over(fix.state) || is_held(fix.state)) continue;
    const std::optional<FixKey> key = read_fix_key(fix.spec.key);
    const auto of = key ? known.find(key->of) : known.end();
    if (of == known.end() || of->second->state != TaskState::done || of->second->commit.empty() ||
        lacking.contains(of->second->commit))
      continue;
    if (key->settles == key_without_number(branch, *of->second)) found.push_back({fix.id, key->of});
  }
  return found;
}

/// Each after those that it needs and what settles them, else the one that was done first.
std::vector<Waiting> in_order(std::map<TaskId, Waiting>& open) {
  std::vector<TaskId> oldest;
  for (const auto& [id, waiting] : open) oldest.push_back(id);
  std::ranges::stable_sort(oldest, {}, [&](TaskId id) { return open.at(id).task.finished_at.us; });
  std::set<TaskId> placed;
  const auto is_ahead = [&](TaskId id) { return !open.contains(id) || placed.contains(id); };
  const auto follows = [&](TaskId id, bool settled) {
    return !placed.contains(id) && std::ranges::all_of(open.at(id).task.spec.needs, [&](const Need& need) {
      if (!is_ahead(need.task)) return false;
      const auto found = open.find(need.task);
      return !settled || found == open.end() || found->second.settled_in == id ||
             is_ahead(found->second.settled_in);
    });
  };
  std::vector<Waiting> ordered;
  while (placed.size() < open.size()) {
    auto next = std::ranges::find_if(oldest, [&](TaskId id) { return follows(id, true); });
    // Needs form no cycle, but a fix whose needs were edited can need what it holds up.
    if (next == oldest.end())
      next = std::ranges::find_if(oldest, [&](TaskId id) { return follows(id, false); });
    placed.insert(*next);
    ordered.push_back(open.at(*next));
  }
  return ordered;
}

}  // namespace

std::string fix_key(const std::string& branch, const Task& task, std::uint64_t number) {
  return key_without_number(branch, task) + std::to_string(number);
}

bool concerns_merging(const Task& task) {
  return (task.state == TaskState::done && !task.commit.empty()) || read_fix_key(task.spec.key).has_value();
}

Result<MergeQueue> MergeQueue::of(std::vector<Task> tasks, const Merging& merging,
                                  const std::set<TaskId>& chosen) {
  const auto is_candidate = [](const Task& task) {
    return task.state == TaskState::done && !task.commit.empty();
  };
  std::vector<std::string> commits;
  for (const Task& task : tasks)
    if (is_candidate(task)) commits.push_back(task.commit);
  const Result<std::set<std::string>> lacking = merging.lacking(commits);
  if (!lacking) return fail(lacking.error());
  const std::map<std::string, Fixes> fixes = fixes_in(tasks);
  std::map<TaskId, const Task*> known;
  for (const Task& task : tasks) known.emplace(task.id, &task);
  std::map<TaskId, Waiting> open;
  for (const Task& task : tasks) {
    if (!is_candidate(task) || !lacking->contains(task.commit)) continue;
    const std::optional<FixKey> key = read_fix_key(task.spec.key);
    if (key && is_fix(task) && key->branch != merging.into() && !chosen.contains(task.id)) continue;
    Waiting waiting{task, {}, {}, {}, 1, fixes_up_to(task, known)};
    const auto found = fixes.find(key_without_number(merging.into(), task));
    if (found != fixes.end()) {
      waiting.next_fix = found->second.numbers + 1;
      if (const Task* fix = found->second.last; fix && task.id < fix->id)
        if (auto followed = follow(*fix, merging, waiting); !followed) return fail(followed.error());
    }
    open.emplace(task.id, std::move(waiting));
  }
  MergeQueue queue;
  queue.waiting_ = in_order(open);
  queue.unneeded_ = unneeded_of(tasks, known, merging.into(), *lacking);
  return queue;
}

void MergeQueue::settle(const Waiting& tried, bool merged) {
  (merged ? merged_ : kept_back_).insert(tried.task.id);
}

TaskId MergeQueue::missing_for(const Task& task) const {
  for (const Need& need : task.spec.needs) {
    TaskId holder = need.task;  // what brings it in
    bool in = false;
    while (holder && !in) {
      in = merged_.contains(holder);
      const auto found =
          std::ranges::find(waiting_, holder, [](const Waiting& each) { return each.task.id; });
      holder = found == waiting_.end() ? TaskId{} : found->settled_in;
      // A fix begins with the work that it corrects.
      in = in || holder == task.id;
    }
    if (!in && kept_back_.contains(need.task)) return need.task;
  }
  return {};
}

}  // namespace bidboard
