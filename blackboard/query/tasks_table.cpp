// tasks: a million rows are common, so fields are found inside the encoded record and nothing is decoded
// whole.
#include <algorithm>
#include <array>

#include "blackboard/format/codec_fields.hpp"
#include "blackboard/query/record_rows.hpp"
#include "blackboard/query/table.hpp"
#include "blackboard/records.hpp"

namespace bidboard::query {
namespace {

struct TaskRow {
  const Snapshot& snapshot;
  EncodedRecord task;
  EncodedRecord spec;
  bool spec_found = false;
  Scratch scratch;
  std::optional<Error> error;  ///< set by a cell that could not be read
  AgentNames names = AgentNames(snapshot);

  std::string_view field(std::size_t position) { return task.field(position); }
  std::string_view spec_field(std::size_t position) {
    static const std::size_t spec_position = field_position<Task>("spec");
    if (!spec_found) spec.reset(task.field(spec_position));
    spec_found = true;
    return spec.field(position);
  }
};

// Which field a column reads is part of its type, so that each column costs one plain function.
template <std::size_t length>
struct FieldName {
  char text[length];
  consteval FieldName(const char (&name)[length]) { std::copy_n(name, length, text); }
};
template <FieldName name>
std::string_view task_field(TaskRow& row) {
  static const std::size_t position = field_position<Task>(name.text);
  return row.field(position);
}
template <FieldName name>
std::string_view spec_field(TaskRow& row) {
  static const std::size_t position = field_position<TaskSpec>(name.text);
  return row.spec_field(position);
}

using Field = std::string_view (*)(TaskRow&);

template <Field field>
SqlValue text(TaskRow& row) {
  return encoded_text(field(row)).value_or("");
}
template <Field field>
SqlValue optional_text(TaskRow& row) {
  return text_or_null(encoded_text(field(row)).value_or(""));
}
template <Field field>
SqlValue integer(TaskRow& row) {
  return encoded_integer(field(row)).value_or(0);
}
template <Field field>
SqlValue micros(TaskRow& row) {
  return from_micros(encoded_integer(field(row)).value_or(0));
}
template <Field field>
SqlValue time(TaskRow& row) {
  return real_time(encoded_integer(field(row)).value_or(0));
}
template <class IdType, Field field>
SqlValue id(TaskRow& row) {
  return row.scratch.id(IdType{static_cast<std::uint64_t>(encoded_integer(field(row)).value_or(0))});
}
template <Field field>
SqlValue agent(TaskRow& row) {
  return row.names.of(AgentId{static_cast<std::uint64_t>(encoded_integer(field(row)).value_or(0))});
}
SqlValue state(TaskRow& row) {
  return name(static_cast<TaskState>(encoded_integer(task_field<"state">(row)).value_or(0)));
}
/// "a,b", from a list of texts.
SqlValue labels(TaskRow& row) {
  EncodedRecord list;
  list.reset(spec_field<"labels">(row));
  std::string words;
  for (std::size_t at = 0; at < list.size(); ++at)
    words.append(at > 0 ? "," : "").append(encoded_text(list.field(at)).value_or(""));
  if (words.empty()) return null_value();
  return row.scratch.keep(std::move(words));
}
SqlValue result(TaskRow& row) {
  const auto hash = encoded_text(task_field<"result_blob">(row)).value_or("");
  if (hash.empty()) return text_or_null(encoded_text(task_field<"result">(row)).value_or(""));
  const auto blob = row.snapshot.get(keys::blob(hash));
  if (!blob) row.error = blob.error();
  return blob && *blob ? SqlValue(**blob) : null_value();
}

struct TaskColumn {
  Column column;
  SqlValue (*read)(TaskRow&);
};
constexpr auto real = ColumnType::real;
constexpr std::array<TaskColumn, 30> columns{{
    {{"id", ColumnType::text, "t1, t2, ..."}, id<TaskId, task_field<"id">>},
    {{"title", ColumnType::text, "one line for people"}, text<spec_field<"title">>},
    {{"kind", ColumnType::text, "groups tasks that take similarly long"}, text<spec_field<"kind">>},
    {{"project", ColumnType::text, "the project it belongs to"}, text<spec_field<"project">>},
    {{"state", ColumnType::text, "blocked, ready, ..., done: see docs/states.md"}, state},
    {{"parent", ColumnType::text, "the task it is part of"}, id<TaskId, spec_field<"parent">>},
    {{"workflow", ColumnType::text, "the workflow it was posted with"},
     id<WorkflowId, spec_field<"workflow">>},
    {{"priority", ColumnType::integer, "higher first"}, integer<spec_field<"priority">>},
    {{"holder", ColumnType::text, "the agent that holds it, or that ended it"}, agent<task_field<"holder">>},
    {{"epoch", ColumnType::integer, "how often it has been awarded"}, integer<task_field<"epoch">>},
    {{"attempts", ColumnType::integer, "attempts begun since the last retry"},
     integer<task_field<"attempts">>},
    {{"created_at", real, "when it was posted"}, time<task_field<"created_at">>},
    {{"ready_at", real, "when it last became ready"}, time<task_field<"ready_at">>},
    {{"awarded_at", real, "when it was last awarded"}, time<task_field<"awarded_at">>},
    {{"started_at", real, "when work on it last began"}, time<task_field<"started_at">>},
    {{"finished_at", real, "when it ended"}, time<task_field<"finished_at">>},
    {{"reason", ColumnType::text, "why it is in its state"}, optional_text<task_field<"reason">>},
    {{"result", ColumnType::text, "what its agent delivered"}, result},
    {{"name", ColumnType::text, "its name in a job file or trace", true}, optional_text<spec_field<"name">>},
    {{"body", ColumnType::text, "everything beyond the title", true}, optional_text<spec_field<"body">>},
    {{"run", ColumnType::text, "its own shell command", true}, optional_text<spec_field<"run">>},
    {{"size", real, "expected work in seconds at speed 1", true}, micros<spec_field<"size">>},
    {{"open_needs", ColumnType::integer, "needed tasks that have not ended", true},
     integer<task_field<"open_needs">>},
    {{"price", real, "what it cost", true}, micros<task_field<"price">>},
    {{"tokens", ColumnType::integer, "tokens spent on it, when told", true}, integer<task_field<"tokens">>},
    {{"progress", real, "0 to 1, as its agent reported", true}, micros<task_field<"progress">>},
    {{"auction", ColumnType::text, "the auction that awarded it last", true},
     id<AuctionId, task_field<"auction">>},
    {{"labels", ColumnType::text, "its labels: a,b", true}, labels},
    {{"branch", ColumnType::text, "the git branch with its work, if it had a worktree", true},
     optional_text<task_field<"branch">>},
    {{"commit_id", ColumnType::text, "the commit of its work", true}, optional_text<task_field<"commit">>},
}};

class TaskRows final : public Rows {
 public:
  TaskRows(const Snapshot& snapshot, RecordSource source)
      : source_(std::move(source)), row_{snapshot, {}, {}, false, {}, {}, AgentNames(snapshot)} {}

  Result<bool> next() override {
    opened_ = false;
    return source_.next();
  }
  Result<SqlValue> column(int index) override {
    if (index == 0) return row_.scratch.id(keys::last_id<TaskId>(source_.key()));
    if (!opened_) {
      const auto payload = sealed_payload(source_.value());
      if (!payload) return fail_in(to_string(keys::last_id<TaskId>(source_.key())), payload.error());
      row_.task.reset(*payload);
      row_.spec_found = false;
      opened_ = true;
    }
    const SqlValue value = columns[static_cast<std::size_t>(index)].read(row_);
    if (row_.error) return fail(*std::exchange(row_.error, std::nullopt));
    return value;
  }
  std::int64_t row_id() const override {
    return static_cast<std::int64_t>(keys::last_id<TaskId>(source_.key()).value);
  }

 private:
  RecordSource source_;
  TaskRow row_;
  bool opened_ = false;
};

constexpr int id_column = 0;
constexpr int workflow_column = 6;
static_assert(columns[workflow_column].column.name == "workflow");

Result<std::unique_ptr<Rows>> open(const Snapshot& snapshot, const Filter& filter) {
  if (filter.lookup != 1) return std::make_unique<TaskRows>(snapshot, records<Task>(snapshot, filter));
  const auto workflow = filter.key ? parse_id<WorkflowId>(*filter.key) : std::nullopt;
  if (!workflow)
    return std::make_unique<TaskRows>(snapshot, RecordSource(snapshot, std::vector<std::string>()));
  auto tasks = keys_under<TaskId>(snapshot, keys::members_of(*workflow), keys::task);
  if (!tasks) return fail(tasks.error());
  return std::make_unique<TaskRows>(snapshot, RecordSource(snapshot, std::move(*tasks)));
}

}  // namespace

Table tasks_table() {
  return {"tasks",
          "the work itself, and what became of it",
          columns_of(std::span<const TaskColumn>(columns)),
          {{id_column, Lookup::Kind::unique}, {workflow_column, Lookup::Kind::some}},
          1e6,
          open};
}

}  // namespace bidboard::query
