#include "blackboard/format/bounds.hpp"

#include <algorithm>
#include <array>

#include "blackboard/fmt.hpp"
#include "blackboard/task_limits.hpp"

namespace bidboard {
namespace {

constexpr std::size_t frame = frame_bytes_max;
constexpr std::size_t name_bytes = 200;
constexpr std::size_t reference_bytes = 1'000;

constexpr std::array table{
    Bound{"title", "a task's title (1,000 bytes when it is posted)", frame, 0},
    Bound{"body", "a task's body (1 MB with its command when it is posted)", frame, 0},
    Bound{"run", "a task's command", frame, 0},
    Bound{"kind", "a task's kind", name_bytes, 0},
    Bound{"project", "a project", name_bytes, 0},
    Bound{"labels", "labels of a task (32 of 64 bytes each when it is posted); each", name_bytes, 1'000},
    Bound{"add_labels", "labels that an edit adds; each", name_bytes, 1'000},
    Bound{"remove_labels", "labels that an edit removes; each", name_bytes, 1'000},
    Bound{"comments", "comments on a task; a further one is refused", 0, max_comments},
    Bound{"comments.text", "a comment", max_comment_bytes, 0},
    Bound{"key", "a task's key", reference_bytes, 0},
    Bound{"name", "a task's name in a file", reference_bytes, 0},
    Bound{"profile.name", "an agent's name (64 bytes when it registers)", frame, 0},
    Bound{"skills.name", "a skill", name_bytes, 0},
    Bound{"skills", "skills of an agent or of a task", 0, 1'000},
    Bound{"needs", "needs of a task (10,000 when it is posted)", 0, 20'000},
    Bound{"batch_needs", "needs between the tasks of one request", 0, 2'000'000},
    Bound{"tasks", "tasks of one request", 0, 1'000'000},
    Bound{"workflow", "a workflow's name", reference_bytes, 0},
    Bound{"source", "what a workflow was read from", reference_bytes * 10, 0},
    Bound{"parent", "an agent's manager", name_bytes, 0},
    Bound{"host", "an agent's host", reference_bytes, 0},
    Bound{"account", "an agent's account (64 bytes when it registers)", name_bytes, 0},
    Bound{"accounts", "accounts with limits", 0, 1'000},
    Bound{"as", "an agent's name (64 bytes)", frame, 0},
    Bound{"agent", "an agent's name", name_bytes, 0},
    Bound{"token", "a token", reference_bytes, 0},
    Bound{"secret", "an agent's secret", reference_bytes, 0},
    Bound{"capability", "an award's capability", reference_bytes, 0},
    Bound{"proof", "a peer's proof", reference_bytes, 0},
    Bound{"endpoint", "where an agent listens", reference_bytes, 0},
    Bound{"strategy", "a strategy's name", name_bytes, 0},
    Bound{"mechanism", "a mechanism's name", name_bytes, 0},
    Bound{"features", "features of a client; each", name_bytes, 100},
    Bound{"result", "a result, or why a task failed", frame, 0},
    Bound{"text", "the same, or words on progress, from an agent; a comment (16 KB when it is posted)", frame,
          0},
    Bound{"reason", "a reason", 1 << 20, 0},
    Bound{"held", "awards that an agent holds", 0, 20'000},
    Bound{"with", "tasks of one bid", 0, 1'000},
    Bound{"crews", "sorts of agents under a manager", 0, 10'000},
    Bound{"env.name", "a variable that a task sets", name_bytes, 0},
    Bound{"env", "variables that a task sets (64 KB in all when it is posted)", 0, 100},
    Bound{"secrets", "names of secrets that a task requires or an agent offers; each", name_bytes, 100},
    Bound{"dir", "where a task is executed", reference_bytes, 0},
    Bound{"branch", "a git branch with the work of a task", name_bytes, 0},
    Bound{"commit", "a git commit", name_bytes, 0},
    Bound{"works", "commits of the tasks that a task needs", 0, 20'000},
};

const Bound* bound_of(std::string_view list, std::string_view field) {
  const Bound* found = nullptr;
  for (const Bound& bound : table) {
    if (bound.field == field && !found) found = &bound;
    const std::size_t dot = bound.field.find('.');
    if (dot != std::string_view::npos && bound.field.substr(0, dot) == list &&
        bound.field.substr(dot + 1) == field)
      return &bound;
  }
  return found;
}

/// Walks through a message until something exceeds its bound.
class Walk {
 public:
  std::string found;

  /// `list`: the list whose item this is the field of.
  template <class T>
  void look(std::string_view list, std::string_view field, const T& value) {
    if (!found.empty()) return;
    if constexpr (std::is_same_v<T, std::string>) {
      const Bound* bound = value.size() > smallest_bytes ? bound_of(list, field) : nullptr;
      refuse(field, value.size(), true, bound && bound->bytes > 0 ? bound->bytes : default_bytes_max);
    } else if constexpr (requires { value.has_value(); }) {
      if (value) look(list, field, *value);
    } else if constexpr (requires { value.begin(); }) {
      const Bound* bound = value.size() > smallest_entries ? bound_of(list, field) : nullptr;
      refuse(field, value.size(), false, bound && bound->entries > 0 ? bound->entries : default_entries_max);
      std::size_t at = 0;
      for (const auto& item : value) {
        if (!found.empty()) return;
        look_at_item(field, item);
        if (!found.empty()) found = fmt::format("{}[{}]{}{}", field, at, found[0] == ' ' ? "" : ".", found);
        ++at;
      }
    } else if constexpr (HasFields<T>) {
      fields(field, value);
    } else if constexpr (requires { value.index(); }) {
      std::visit([&](const auto& body) { fields({}, body); }, value);
    }
  }

  template <class T>
  void fields(std::string_view list, const T& value) {
    for_each_field(value, [&](const char* field, const auto& member) { look(list, field, member); });
  }

 private:
  // Shorter than these nothing is refused: most texts and lists, which need not be looked up.
  static constexpr std::size_t smallest_bytes = name_bytes;
  static constexpr std::size_t smallest_entries = 100;

  template <class T>
  void look_at_item(std::string_view field, const T& item) {
    if constexpr (std::is_same_v<T, std::string>) {
      look({}, field, item);
      if (!found.empty()) found = found.substr(found.find(' '));
    } else if constexpr (HasFields<T>) {
      fields(field, item);
    }
  }

  void refuse(std::string_view field, std::size_t size, bool bytes, std::size_t most) {
    if (size <= most) return;
    found =
        fmt::format("{} has {} {}; at most {} are allowed", field, size, bytes ? "bytes" : "entries", most);
  }
};

}  // namespace

std::span<const Bound> bounds() { return table; }

std::string beyond_bounds(const Message& message) {
  Walk walk;
  std::visit([&](const auto& body) { walk.fields({}, body); }, message);
  return walk.found;
}

}  // namespace bidboard
