#include "blackboard/task_edit.hpp"

#include "blackboard/fmt.hpp"

namespace bidboard {
namespace {

constexpr std::size_t words_bytes_max = 500;
constexpr std::size_t value_bytes_max = 300;
constexpr std::size_t value_bytes_in_words = 100;

/// Calls visit(name, value of the edit, the spec's member) for every field that an edit may have.
template <class Edit, class Spec, class Visit>
void with_fields(Edit& edit, Spec& spec, Visit&& visit) {
  visit("title", edit.title, spec.title);
  visit("body", edit.body, spec.body);
  visit("priority", edit.priority, spec.priority);
  visit("timeout", edit.timeout, spec.timeout);
  visit("skills", edit.skills, spec.skills);
  visit("needs", edit.needs, spec.needs);
  visit("labels", edit.labels, spec.labels);
}

std::string shown(const std::string& text) { return text; }
std::string shown(std::int64_t number) { return std::to_string(number); }
std::string shown(Duration time) { return fmt::format("{}", time); }
std::string shown(const SkillNeed& skill) {
  return skill.level > 0 ? fmt::format("{}>={}", skill.name, format_micros(skill.level)) : skill.name;
}
std::string shown(const Need& need) { return to_string(need.task) + (need.any ? ":any" : ""); }
template <class Item>
std::string shown(const std::vector<Item>& items) {
  std::string text;
  for (const Item& item : items) text += (text.empty() ? "" : ", ") + shown(item);
  return text.empty() ? "none" : text;
}

/// Never in the middle of a character.
std::string cut(const std::string& text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80) --bytes;
  return text.substr(0, bytes) + "...";
}

}  // namespace

void apply(const TaskEdit& edit, TaskSpec& spec) {
  with_fields(edit, spec, [](const char*, const auto& value, auto& field) {
    if (value) field = *value;
  });
}

TaskEdit without_unchanged(TaskEdit edit, const TaskSpec& spec) {
  with_fields(edit, spec, [](const char*, auto& value, const auto& field) {
    if (value && *value == field) value.reset();
  });
  return edit;
}

bool changes_work(const TaskEdit& edit) {
  TaskEdit rest = edit;
  rest.labels.reset();
  return rest != TaskEdit{};
}

std::vector<FieldChange> told(const TaskEdit& edit, const TaskSpec& before) {
  std::vector<FieldChange> changes;
  with_fields(edit, before, [&](const char* name, const auto& value, const auto& field) {
    if (!value) return;
    FieldChange change{name, shown(field), shown(*value)};
    if (change.field == "body") {
      change.before = counted(change.before.size(), "byte");
      change.after = counted(change.after.size(), "byte");
    }
    change.before = cut(change.before, value_bytes_max);
    change.after = cut(change.after, value_bytes_max);
    changes.push_back(std::move(change));
  });
  return changes;
}

std::string in_words(const std::vector<FieldChange>& changes) {
  std::string text;
  for (const FieldChange& change : changes)
    text += fmt::format("{}{} from {} to {}", text.empty() ? "" : "; ", change.field,
                        cut(change.before, value_bytes_in_words), cut(change.after, value_bytes_in_words));
  return cut(text, words_bytes_max);
}

}  // namespace bidboard
