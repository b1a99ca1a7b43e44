#include "runtime/jobs/trace.hpp"
#include "blackboard/fmt.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace bidboard {
namespace {

constexpr double max_runtime_seconds = 1e9;

/// The kind of tasks of one program: "mProject_ID0000001" → "mProject".
std::string without_number(std::string name) {
  const auto last = name.find_last_not_of("0123456789");
  if (last == name.npos || last + 1 == name.size()) return name;
  std::string_view kept = std::string_view(name).substr(0, last + 1);
  if (kept.ends_with("_ID"))
    kept.remove_suffix(3);
  else if (kept.ends_with('_') || kept.ends_with('-'))
    kept.remove_suffix(1);
  return kept.empty() ? name : std::string(kept);
}

/// Some recorders put a whole script into `program`.
bool is_program_name(std::string_view text) {
  return !text.empty() && text.size() <= 100 && text.find_first_of(" \t\n\r") == text.npos;
}

class TraceReader {
 public:
  explicit TraceReader(std::string file) : diagnostics_(file) {
    plan_.source = std::move(file);
    plan_.traced = true;
  }

  Result<Plan> read(const Value& document) {
    const Value* workflow = document.find("workflow");
    if (const Value* name = document.find("name"); name && name->is_string()) plan_.name = name->string();
    if (plan_.name.empty()) plan_.name = plan_.source;
    if (workflow && workflow->is_object())
      read_workflow(*workflow);
    else
      diagnostics_.add(workflow ? workflow->place : document.place, "'workflow' must be a map",
                       "see WfFormat 1.5");
    check_limits(plan_, diagnostics_);
    if (!plan_.tasks.empty() && check_cycles(plan_, diagnostics_) && diagnostics_.empty()) measure(plan_);
    if (!diagnostics_.empty()) return fail(diagnostics_.error());
    return std::move(plan_);
  }

 private:
  void read_workflow(const Value& workflow) {
    if (const Value* specification = workflow.find("specification")) {
      const Value* execution = workflow.find("execution");
      const Value* tasks = list_in(*specification, "tasks", "workflow.specification");
      const Value* runs = execution ? list_in(*execution, "tasks", "workflow.execution") : nullptr;
      if (!execution)
        diagnostics_.add(workflow.place, "the trace has no workflow.execution",
                         "runtimes are taken from there; record an execution");
      if (!tasks) return;
      read_tasks(*tasks);
      if (runs) read_runs(*runs);
    } else {
      const bool jobs = !workflow.find("tasks") && workflow.find("jobs");
      const Value* tasks = list_in(workflow, jobs ? "jobs" : "tasks", "workflow");
      if (!tasks) return;
      read_tasks(*tasks);
      for (std::size_t i = 0; i < entries_.size(); ++i)
        read_run(*entries_[i].value, plan_.tasks[i], entries_[i]);
    }
    for (std::size_t i = 0; i < entries_.size(); ++i) connect(i);
    for (std::size_t i = 0; i < entries_.size(); ++i) finish(i);
  }

  const Value* list_in(const Value& map, std::string_view key, std::string_view path) {
    const Value* list = map.find(key);
    if (list && list->is_array()) return list;
    diagnostics_.add(list ? list->place : map.place,
                     quoted(fmt::format("{}.{}", path, key)) + " must be a list of tasks",
                     "see WfFormat 1.5");
    return nullptr;
  }

  /// The text under `key`, or nullptr; adds a finding if it is not text.
  const std::string* text_in(const Value& map, std::string_view key) {
    const Value* value = map.find(key);
    if (!value || value->is_null()) return nullptr;
    if (value->is_string() && !value->string().empty()) return &value->string();
    diagnostics_.add(value->place, fmt::format("{} must be text, not {}", quoted(key), value->type_name()),
                     "");
    return nullptr;
  }

  void read_tasks(const Value& list) {
    if (list.array().empty()) diagnostics_.add(list.place, "the trace has no tasks", "record an execution");
    for (const Value& value : list.array()) {
      if (!value.is_object()) {
        diagnostics_.add(value.place, fmt::format("a task must be a map, not {}", value.type_name()), "");
        continue;
      }
      const std::string* title = text_in(value, "name");
      const std::string* id = text_in(value, "id");
      if (!id) id = title;
      if (!id) {
        diagnostics_.add(value.place, "a task without id", "add \"id\"");
        continue;
      }
      const auto [earlier, fresh] = positions_.emplace(*id, static_cast<std::uint32_t>(entries_.size()));
      if (!fresh) {
        const Place first = plan_.tasks[earlier->second].place;
        diagnostics_.add(
            value.place,
            fmt::format("the id {} is defined twice, first at {}:{}", quoted(*id), first.line, first.column),
            "give each task an id of its own");
        continue;
      }
      ids_.push_back(*id);
      entries_.push_back({&value, {}, false});
      PlannedTask& task = plan_.tasks.emplace_back();
      task.place = value.place;
      task.spec.name = *id;
      task.spec.title = title ? *title : *id;
      if (title && *title != *id) by_title_.emplace(*title, positions_.at(*id));
      task.spec.kind.clear();
      if (const std::string* category = text_in(value, "category")) task.spec.kind = *category;
    }
  }

  void read_runs(const Value& list) {
    for (const Value& value : list.array()) {
      if (!value.is_object()) {
        diagnostics_.add(value.place,
                         fmt::format("an executed task must be a map, not {}", value.type_name()), "");
        continue;
      }
      const std::string* id = text_in(value, "id");
      if (!id) id = text_in(value, "name");
      if (!id) {
        diagnostics_.add(value.place, "an executed task without id", "add \"id\"");
        continue;
      }
      const auto position = find(*id);
      if (!position) {
        diagnostics_.add(value.place,
                         fmt::format("the executed task {} is not in the specification", quoted(*id)),
                         diagnostics_.suggest(*id, ids_, "add it there or remove it here"));
      } else if (entries_[*position].executed) {
        diagnostics_.add(value.place, fmt::format("the task {} is executed twice", quoted(*id)),
                         "leave one out");
      } else {
        read_run(value, plan_.tasks[*position], entries_[*position]);
      }
    }
  }

  struct Entry {
    const Value* value = nullptr;
    std::set<std::uint32_t> needs;
    bool executed = false;
  };

  void read_run(const Value& value, PlannedTask& task, Entry& entry) {
    entry.executed = true;
    const Value* runtime = value.find("runtimeInSeconds");
    if (!runtime) runtime = value.find("runtime");
    const std::string subject = fmt::format("task {}: ", quoted(task.spec.name));
    if (!runtime || runtime->is_null())
      diagnostics_.add(value.place, subject + "has no runtime", "add \"runtimeInSeconds\"");
    else if (!runtime->is_number())
      diagnostics_.add(runtime->place,
                       fmt::format("{}its runtime must be a number, not {}", subject, runtime->type_name()),
                       "write seconds");
    else if (runtime->number() < 0)
      diagnostics_.add(runtime->place, subject + "its runtime is negative", "write seconds from 0");
    else if (runtime->number() > max_runtime_seconds)
      diagnostics_.add(runtime->place, subject + "its runtime is above 1e9 seconds", "write seconds");
    else
      task.spec.size = to_micros(runtime->number());
    const Value* command = value.find("command");
    const Value* program = command ? command->find("program") : nullptr;
    if (task.spec.kind.empty() && program && program->is_string() && is_program_name(program->string()))
      task.spec.kind = program->string();
  }

  std::optional<std::uint32_t> find(const std::string& id) const {
    if (const auto found = positions_.find(id); found != positions_.end()) return found->second;
    if (by_title_.count(id) == 1) return by_title_.find(id)->second;
    return {};
  }

  /// Follows the parents and children that the task names.
  void connect(std::size_t position) {
    const auto self = static_cast<std::uint32_t>(position);
    each_name(position, "parents", [&](std::uint32_t parent) { entries_[position].needs.insert(parent); });
    each_name(position, "children", [&](std::uint32_t child) { entries_[child].needs.insert(self); });
  }

  template <class Visit>
  void each_name(std::size_t position, std::string_view key, Visit&& visit) {
    const Value* list = entries_[position].value->find(key);
    if (!list || list->is_null()) return;
    const std::string subject = fmt::format("task {}: ", quoted(ids_[position]));
    if (!list->is_array())
      return diagnostics_.add(list->place, fmt::format("{}{} must be a list of ids", subject, quoted(key)),
                              "see WfFormat 1.5");
    for (const Value& name : list->array()) {
      if (!name.is_string()) {
        diagnostics_.add(name.place, fmt::format("{}{} holds {}", subject, quoted(key), name.type_name()),
                         "write an id");
        continue;
      }
      if (const auto found = find(name.string()))
        visit(*found);
      else
        diagnostics_.add(
            name.place,
            fmt::format("{}{} names the unknown task {}", subject, quoted(key), quoted(name.string())),
            diagnostics_.suggest(name.string(), ids_, "add it to the tasks, or remove it here"));
    }
  }

  void finish(std::size_t position) {
    PlannedTask& task = plan_.tasks[position];
    if (task.spec.kind.empty()) task.spec.kind = without_number(task.spec.title);
    if (!entries_[position].executed)
      diagnostics_.add(task.place,
                       fmt::format("task {}: was specified but not executed", quoted(task.spec.name)),
                       "its runtime is missing in workflow.execution.tasks");
    for (const std::uint32_t need : entries_[position].needs) task.needs.push_back({need, false});
  }

  Diagnostics diagnostics_;
  Plan plan_;
  std::vector<Entry> entries_;  ///< beside plan_.tasks
  std::vector<std::string> ids_;
  std::map<std::string, std::uint32_t> positions_;
  std::multimap<std::string, std::uint32_t> by_title_;
};

}  // namespace

bool is_trace(const Value& document) { return document.find("workflow") != nullptr; }

Result<Plan> read_trace(const Value& document, std::string file) {
  return TraceReader(std::move(file)).read(document);
}

}  // namespace bidboard
