#include "experiments/workload.hpp"

#include <algorithm>
#include <array>

#include "blackboard/fmt.hpp"
#include "blackboard/random.hpp"

namespace bidboard {
namespace {

constexpr Micros usual_seconds = 10 * one;
constexpr Micros coding_seconds = 60 * one;

/// exp(1.2 × z) at the 17 quantiles 0.01, 1/16, 2/16, ..., 15/16, 0.99 of the standard normal z, in
/// micro-units. A table, so that the same seed gives the same workload on every machine.
constexpr std::array<Micros, 17> log_normal{61'322,    158'667,   251'473,   344'874,   445'131,   556'253,
                                            682'244,   827'975,   1'000'000, 1'207'767, 1'465'750, 1'797'742,
                                            2'246'532, 2'899'609, 3'976'568, 6'302'489, 16'307'375};

Micros heavy_tailed(Random& random) {
  const std::uint64_t between = random.below((log_normal.size() - 1) << 20);
  const std::size_t i = between >> 20;
  const auto share = static_cast<Micros>(between & ((1 << 20) - 1));
  return mul_micros(coding_seconds, log_normal[i] + (((log_normal[i + 1] - log_normal[i]) * share) >> 20));
}

/// Builds a plan task by task.
class Builder {
 public:
  explicit Builder(std::uint64_t seed) : random_(seed) {}

  std::uint32_t add(std::string kind, Micros size, const std::vector<std::uint32_t>& needs) {
    PlannedTask task;
    task.spec.name = fmt::format("n{}", plan_.tasks.size() + 1);
    task.spec.title = fmt::format("{} {}", kind, task.spec.name);
    task.spec.kind = std::move(kind);
    task.spec.size = size;
    for (const std::uint32_t need : needs) task.needs.push_back({need, false});
    plan_.tasks.push_back(std::move(task));
    return static_cast<std::uint32_t>(plan_.tasks.size() - 1);
  }
  std::uint32_t add(const std::string& kind, const std::vector<std::uint32_t>& needs) {
    return add(kind, random_.between(usual_seconds / 2, usual_seconds * 3 / 2), needs);
  }
  /// Up to `count` different tasks from `first` to `last`.
  std::vector<std::uint32_t> some_of(std::uint32_t first, std::uint32_t last, std::uint64_t count) {
    std::vector<std::uint32_t> chosen;
    for (; count > 0; --count)
      chosen.push_back(first + static_cast<std::uint32_t>(random_.below(last - first)));
    std::sort(chosen.begin(), chosen.end());
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
    return chosen;
  }
  Random& random() { return random_; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(plan_.tasks.size()); }
  Plan finish(const std::string& name) {
    plan_.name = name;
    plan_.traced = true;
    measure(plan_);
    return std::move(plan_);
  }

 private:
  Plan plan_;
  Random random_;
};

void chain(Builder& b, std::uint32_t tasks) {
  for (std::uint32_t i = 0; i < tasks; ++i)
    b.add("link", i == 0 ? std::vector<std::uint32_t>{} : std::vector{i - 1});
}

/// Stages of at most 20 parallel tasks.
void fork_join(Builder& b, std::uint32_t tasks) {
  constexpr std::uint32_t width = 20;
  std::vector<std::uint32_t> before;
  while (b.size() < tasks) {
    const std::uint32_t fork = b.add("fork", before);
    std::vector<std::uint32_t> branches;
    const std::uint32_t left = tasks - b.size();
    for (std::uint32_t i = 0; i < std::min(width, left > 1 ? left - 1 : 1); ++i)
      branches.push_back(b.add("branch", {fork}));
    before = {b.add("join", branches)};
  }
}

void layered(Builder& b, std::uint32_t tasks, std::uint32_t width) {
  for (std::uint32_t i = 0; i < tasks; ++i) {
    const std::uint32_t layer = i / width;
    const std::string kind = fmt::format("layer{}", layer % 4);
    if (layer == 0)
      b.add(kind, {});
    else
      b.add(kind, b.some_of((layer - 1) * width, layer * width, 1 + b.random().below(3)));
  }
}

void random_graph(Builder& b, std::uint32_t tasks) {
  constexpr std::uint32_t window = 10;
  for (std::uint32_t i = 0; i < tasks; ++i) {
    const std::string kind = fmt::format("kind{}", b.random().below(4));
    if (i == 0)
      b.add(kind, {});
    else
      b.add(kind, b.some_of(i > window ? i - window : 0, i, b.random().below(4)));
  }
}

void coding_project(Builder& b, std::uint32_t tasks) {
  const auto add = [&](const char* kind, const std::vector<std::uint32_t>& needs) {
    return b.add(kind, heavy_tailed(b.random()), needs);
  };
  const std::uint32_t plan = add("plan", {});
  std::vector<std::uint32_t> modules;
  constexpr std::uint32_t tasks_per_module = 5;
  while (b.size() + tasks_per_module + 2 <= tasks || modules.empty()) {
    const std::uint32_t design = add("design", {plan});
    // Half of the modules depend on an earlier one.
    std::vector<std::uint32_t> needs{design};
    if (!modules.empty() && b.random().below(2) == 0)
      needs.push_back(modules[b.random().below(modules.size())]);
    const std::uint32_t write = add("code", needs);
    const std::uint32_t test = add("test", {write});
    const std::uint32_t document = add("document", {write});
    modules.push_back(add("patch", {test}));
    if (b.random().below(3) == 0) modules.push_back(document);
  }
  add("review", {add("integrate", modules)});
}

}  // namespace

std::string_view name(Shape shape) {
  constexpr std::array<std::string_view, 6> names{"trace",   "chain",  "fork-join",
                                                  "layered", "random", "coding-project"};
  return names[static_cast<std::size_t>(shape)];
}

const std::vector<std::string>& generator_names() {
  static const std::vector<std::string> names{"chain", "coding-project", "fork-join", "layered", "random"};
  return names;
}

Plan make_workload(const WorkloadSpec& spec, std::uint64_t seed, std::uint32_t agents) {
  constexpr std::uint32_t usual_width = 12;
  Builder b(seed);
  const std::uint32_t tasks = spec.per_agent ? spec.tasks * agents : spec.tasks;
  switch (spec.shape) {
    case Shape::trace:
      return spec.trace;
    case Shape::chain:
      chain(b, tasks);
      break;
    case Shape::fork_join:
      fork_join(b, tasks);
      break;
    case Shape::layered:
      layered(b, tasks, spec.per_agent ? agents : usual_width);
      break;
    case Shape::random:
      random_graph(b, tasks);
      break;
    case Shape::coding_project:
      coding_project(b, tasks);
      break;
  }
  return b.finish(spec.name);
}

}  // namespace bidboard
