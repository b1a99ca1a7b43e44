#include "runtime/jobs/job_file.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "blackboard/fmt.hpp"
#include "blackboard/task_limits.hpp"
#include "blackboard/text/labels.hpp"
#include "runtime/jobs/agent_entry.hpp"
#include "runtime/jobs/key_table.hpp"
#include "runtime/jobs/prices.hpp"
#include "runtime/jobs/requirements.hpp"
#include "runtime/jobs/variables.hpp"

namespace bidboard {
namespace {

using Words = std::vector<std::pair<std::string, Place>>;

struct TaskEntry {
  TaskSpec spec;
  Words needs;
};

void read_title(KeyReader& reader, const Value& value, TaskEntry& entry) {
  const auto title = reader.text(value);
  if (!title) return;
  if (title->empty() || title->find('\n') != title->npos)
    return reader.refuse(value.place, "must be one line", "put further lines into body");
  entry.spec.title = *title;
}

void read_labels(KeyReader& reader, const Value& value, TaskEntry& entry) {
  for (const auto& [label, place] : reader.words(value)) {
    if (!is_label(label)) reader.refuse(place, "holds " + quoted(label), std::string(label_rule));
    entry.spec.labels.push_back(label);
  }
  put_in_order(entry.spec.labels);
}

constexpr std::array<Key<TaskEntry>, 18> task_table{{
    {{"title", "text", "the task's name", "one line for people, and for the agent what to do"}, read_title},
    {{"body", "text", "none", "everything else the agent should know"},
     [](KeyReader& r, const Value& v, TaskEntry& e) { e.spec.body = r.text(v).value_or(""); }},
    {{"run", "text", "none", "a shell command that does the task, for agents with allow_run"},
     [](KeyReader& r, const Value& v, TaskEntry& e) { e.spec.run = r.text(v).value_or(""); }},
    {{"kind", "text", "task", "tasks of one kind take similarly long; bids are corrected per kind"},
     [](KeyReader& r, const Value& v, TaskEntry& e) { e.spec.kind = r.name(v).value_or("task"); }},
    {{"project", "text", "the file's project", "the project it belongs to"},
     [](KeyReader& r, const Value& v, TaskEntry& e) { e.spec.project = r.name(v).value_or(""); }},
    {{"needs", "list of task names", "none",
      "tasks that must be done before; with `:any` behind the name it is enough that they ended"},
     [](KeyReader& r, const Value& v, TaskEntry& e) { e.needs = r.words(v); }},
    {{"skills", "list of names, `name>=level` for a least level", "none",
      "what its agent must be able to do"},
     [](KeyReader& r, const Value& v, TaskEntry& e) { e.spec.skills = r.skill_needs(v); }},
    {{"size", "number", "1", "expected work: seconds at speed 1"},
     [](KeyReader& r, const Value& v, TaskEntry& e) {
       e.spec.size = r.number(v, ranges::work_seconds).value_or(one);
     }},
    {{"priority", "whole number", "0", "higher is decided first"},
     [](KeyReader& r, const Value& v, TaskEntry& e) {
       e.spec.priority = r.whole(v, ranges::priority).value_or(0);
     }},
    {{"timeout", "duration", "30m", "an attempt that takes longer is stopped"},
     [](KeyReader& r, const Value& v, TaskEntry& e) {
       e.spec.timeout = r.duration(v, milliseconds(1)).value_or(minutes(30));
     }},
    {{"attempts", "whole number", "3", "how many attempts at most"},
     [](KeyReader& r, const Value& v, TaskEntry& e) {
       e.spec.attempts = static_cast<std::uint32_t>(r.whole(v, ranges::attempts).value_or(3));
     }},
    {{"stall_after", "duration", "0 (never)", "silence after which an attempt is reported as stalled"},
     [](KeyReader& r, const Value& v, TaskEntry& e) {
       e.spec.stall_after = r.duration(v, {}).value_or(Duration{});
     }},
    {{"repeatable", "true or false", "true",
      "false: after an attempt with unknown outcome a person decides, instead of another attempt"},
     [](KeyReader& r, const Value& v, TaskEntry& e) { e.spec.repeatable = r.flag(v).value_or(true); }},
    {{"budget", "number", "0 (no bound)", "the most it may cost"},
     [](KeyReader& r, const Value& v, TaskEntry& e) {
       e.spec.budget = r.number(v, ranges::price).value_or(0);
     }},
    {{"labels", "list of words", "none", "words to find it by: `bidboard tasks --label WORD`"}, read_labels},
    {{"env", "map of name to text, or list of NAME=VALUE", "none",
      "variables of its command, which anyone who reads the board can read"},
     [](KeyReader& r, const Value& v, TaskEntry& e) { e.spec.env = read_variables(r, v); }},
    {{"secrets", "list of names", "none", "its agent must offer these secrets"},
     [](KeyReader& r, const Value& v, TaskEntry& e) { e.spec.secrets = read_secret_names(r, v); }},
    {{"dir", "text", "the agent's", "where it is executed, below the working directory of its agent"},
     [](KeyReader& r, const Value& v, TaskEntry& e) { e.spec.dir = r.text(v).value_or(""); }},
}};

/// The file's own keys; agents and tasks are read when all of these are.
struct Job {
  const KnownNames& known;
  Plan plan;
  std::vector<ModelPrice> prices = {};
  const Value* agents = nullptr;
  const Value* tasks = nullptr;
};

constexpr std::array<Key<Job>, 8> job_table{{
    {{"name", "text", "the file's name", "what the workflow is called on the board"},
     [](KeyReader& r, const Value& v, Job& j) { j.plan.name = r.name(v).value_or(""); }},
    {{"project", "text", "the board's", "the project its tasks belong to"},
     [](KeyReader& r, const Value& v, Job& j) { j.plan.project = r.name(v).value_or(""); }},
    {{"strategy", "text", "the board's", "who decides which agent gets a ready task"},
     [](KeyReader& r, const Value& v, Job& j) {
       j.plan.strategy = r.choice(v, j.known.strategies).value_or("");
     }},
    {{"mechanism", "text", "the board's", "how an auction is cleared"},
     [](KeyReader& r, const Value& v, Job& j) {
       j.plan.mechanism = r.choice(v, j.known.mechanisms).value_or("");
     }},
    {{"agents", "list of agents", "the board's own agents", "agents that are started for this job"},
     [](KeyReader&, const Value& v, Job& j) { j.agents = &v; }},
    {{"prices", "map", "the board's", "what a million tokens of a model cost, as in bidboard.yaml"},
     [](KeyReader& r, const Value& v, Job& j) { j.prices = read_prices(r, v); }},
    {{"shared", "true or false", "false",
      "although the job has agents of its own, the board's other agents may do its tasks too"},
     [](KeyReader& r, const Value& v, Job& j) { j.plan.shared = r.flag(v).value_or(false); }},
    {{"tasks", "map of name to task", "required", "the work itself"},
     [](KeyReader&, const Value& v, Job& j) { j.tasks = &v; }},
}};

bool is_task_name(std::string_view name) {
  return !name.empty() && name.size() <= 200 && name.find_first_of(": \t\n\r") == name.npos;
}

class JobReader {
 public:
  JobReader(std::string file, const KnownNames& known)
      : diagnostics_(file), job_{known, {}, {}, nullptr, nullptr} {
    job_.plan.source = std::move(file);
  }

  Result<Plan> read(const Value& document) {
    KeyReader reader(diagnostics_, "");
    if (!require_map(reader, document, "tasks: {first: {run: ...}}")) return fail(diagnostics_.error());
    read_keys(reader, document, job_table, job_);
    if (job_.plan.name.empty()) job_.plan.name = stem(job_.plan.source);
    if (job_.agents) read_agent_list();
    read_tasks(document.place);
    check_limits(job_.plan, diagnostics_);
    if (check_cycles(job_.plan, diagnostics_) && diagnostics_.empty()) measure(job_.plan);
    if (job_.agents && !job_.plan.shared) check_requirements(job_.plan, diagnostics_);
    if (!diagnostics_.empty()) return fail(diagnostics_.error());
    return std::move(job_.plan);
  }

 private:
  void read_agent_list() {
    if (job_.agents->is_array() && job_.agents->array().empty())
      diagnostics_.add(job_.agents->place, "the list of agents is empty",
                       "add an agent, or leave 'agents' out to use the board's own");
    job_.plan.agents = read_agents(*job_.agents, false, diagnostics_);
    apply_prices(job_.plan.agents, job_.prices);
  }

  void read_tasks(Place document) {
    if (!job_.tasks) return diagnostics_.add(document, "a job needs tasks", "add tasks: {first: {run: ...}}");
    if (!job_.tasks->is_object())
      return diagnostics_.add(job_.tasks->place,
                              fmt::format("'tasks' must be a map, not {}", job_.tasks->type_name()),
                              "write the name of each task as a key: first: {run: ...}");
    if (job_.tasks->object().empty())
      return diagnostics_.add(job_.tasks->place, "a job needs tasks", "add first: {run: ...}");
    for (const Value::Member& member : job_.tasks->object()) {
      positions_.emplace(member.key, static_cast<std::uint32_t>(names_.size()));
      names_.push_back(member.key);
    }
    std::vector<Words> needs;
    for (const Value::Member& member : job_.tasks->object()) needs.push_back(read_task(member));
    for (std::size_t i = 0; i < needs.size(); ++i) resolve(job_.plan.tasks[i], needs[i]);
  }

  Words read_task(const Value::Member& member) {
    PlannedTask& task = job_.plan.tasks.emplace_back();
    task.place = member.place;
    KeyReader reader(diagnostics_, "task " + quoted(member.key));
    TaskEntry entry;
    if (!is_task_name(member.key))
      reader.refuse(member.place, "is not a task name", "use up to 200 letters without spaces and ':'");
    if (require_map(reader, member.value, "{run: ...} or {title: ...}")) {
      read_keys(reader, member.value, task_table, entry);
      const auto given = [&](std::string_view key) {
        const Value* value = member.value.find(key);
        return value && !value->is_null();
      };
      if (!given("title") && !given("run"))
        reader.refuse(member.place, "has neither title nor run",
                      "say what to do: add title: ... or run: ...");
      if (given("run") && entry.spec.run.empty() && member.value.find("run")->is_string())
        reader.refuse(member.value.find("run")->place, "has an empty command",
                      "write a command, or a title instead");
    }
    task.spec = std::move(entry.spec);
    task.spec.name = member.key;
    if (task.spec.title.empty()) task.spec.title = member.key;
    if (task.spec.project.empty()) task.spec.project = job_.plan.project;
    return std::move(entry.needs);
  }

  void resolve(PlannedTask& task, const Words& needs) {
    const std::string subject = fmt::format("task {}: ", quoted(task.spec.name));
    for (const auto& [text, place] : needs) {
      const auto colon = text.rfind(':');
      const std::string needed = text.substr(0, colon);
      if (colon != text.npos && text.substr(colon) != ":any") {
        diagnostics_.add(place, fmt::format("{}needs {}", subject, quoted(text)),
                         "behind a name only ':any' may stand");
        continue;
      }
      const auto found = positions_.find(needed);
      if (found == positions_.end()) {
        diagnostics_.add(place, fmt::format("{}needs unknown task {}", subject, quoted(needed)),
                         diagnostics_.suggest(needed, names_, "add it to tasks, or remove the need"));
        continue;
      }
      const PlannedNeed need{found->second, colon != text.npos};
      const bool twice = std::any_of(task.needs.begin(), task.needs.end(),
                                     [&](const PlannedNeed& earlier) { return earlier.task == need.task; });
      if (twice)
        diagnostics_.add(place, fmt::format("{}needs {} twice", subject, quoted(needed)), "leave one out");
      else
        task.needs.push_back(need);
    }
  }

  Diagnostics diagnostics_;
  Job job_;
  std::vector<std::string> names_;
  std::map<std::string, std::uint32_t> positions_;
};

}  // namespace

Result<Plan> read_job(const Value& document, std::string file, const KnownNames& known) {
  return JobReader(std::move(file), known).read(document);
}

std::string job_file_reference() {
  return fmt::format("### The file\n\n{}\n### A task\n\n{}\n### An agent\n\n{}",
                     markdown_table(infos<Job>(job_table)), markdown_table(infos<TaskEntry>(task_table)),
                     markdown_table(agent_keys(false)));
}

}  // namespace bidboard
