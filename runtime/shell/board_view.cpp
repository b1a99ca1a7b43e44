#include "runtime/shell/board_view.hpp"

#include "blackboard/board/verify.hpp"
#include "blackboard/events.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/format/keys.hpp"
#include "blackboard/format/to_value.hpp"
#include "blackboard/query/query.hpp"
#include "blackboard/spending.hpp"
#include "blackboard/store/lmdb_store.hpp"
#include "runtime/core/breakers.hpp"
#include "runtime/drivers/clock.hpp"

namespace bidboard {
namespace {

template <class T>
Result<std::vector<T>> all_of(const Snapshot& snapshot) {
  std::vector<T> records;
  Result<void> fine;
  const Result<void> read =
      snapshot.scan(keys::all_of<T>(), {}, [&](std::string_view key, std::string_view bytes) {
        Result<T> record = unseal<T>(bytes);
        if (record)
          records.push_back(std::move(*record));
        else
          fine = fail_in(keys::described(key), record.error());
        return fine.has_value();
      });
  if (!fine) return fail(fine.error());
  if (!read) return fail(read.error());
  return records;
}

}  // namespace

BoardView::BoardView(BoardDirectory directory, std::unique_ptr<Snapshot> snapshot)
    : directory_(std::move(directory)), snapshot_(std::move(snapshot)) {}

Result<BoardView> BoardView::open(const BoardDirectory& directory) {
  Result<std::unique_ptr<Snapshot>> snapshot = open_snapshot(directory.path);
  if (!snapshot) return fail(snapshot.error());
  return BoardView(directory, std::move(*snapshot));
}

Result<BoardView> BoardView::open(const Globals& globals) {
  const Result<BoardDirectory> directory = find_board(globals.directory);
  if (!directory) return fail(directory.error());
  return open(*directory);
}

Result<BoardView> BoardView::open_at(const BoardDirectory& directory, std::int64_t seq) {
  Result<BoardView> now = open(directory);
  if (!now || seq == 0) return now;
  const Seq wanted{static_cast<std::uint64_t>(seq)};
  if (seq < 0 || wanted > now->snapshot().last_seq())
    return fail(Errc::not_found, fmt::format("--at must be an event number up to {}, the last one",
                                             now->snapshot().last_seq()));
  auto past = replay(now->snapshot(), wanted);
  if (!past) return fail(past.error());
  BoardView then(directory, std::move(*past));
  const auto bytes = now->snapshot().get(keys::event(wanted));
  if (!bytes) return fail(bytes.error());
  if (*bytes)
    if (const Result<Event> event = unseal<Event>(**bytes)) then.past_ = event->at;
  return then;
}

Result<BoardView> BoardView::open_at(const Globals& globals, std::int64_t seq) {
  const Result<BoardDirectory> directory = find_board(globals.directory);
  if (!directory) return fail(directory.error());
  return open_at(*directory, seq);
}

WallTime BoardView::now() const { return past_.us != 0 ? past_ : read_clocks().wall; }

Result<Task> BoardView::task(TaskId id) const {
  const auto bytes = snapshot_->get(keys::task(id));
  if (!bytes) return fail(bytes.error());
  if (!*bytes)
    return fail(Errc::not_found, fmt::format("there is no task {}; `bidboard tasks` lists all", id));
  return unseal<Task>(**bytes);
}

Result<Workflow> BoardView::workflow(WorkflowId id) const {
  const auto bytes = snapshot_->get(keys::workflow(id));
  if (!bytes) return fail(bytes.error());
  if (!*bytes) return fail(Errc::not_found, fmt::format("there is no workflow {}", id));
  return unseal<Workflow>(**bytes);
}

Result<std::vector<Task>> BoardView::tasks() const { return all_of<Task>(*snapshot_); }
Result<std::vector<Task>> BoardView::ready_tasks() const {
  const Result<std::vector<TaskId>> ids = ids_under(std::string(1, keys::ready_letter));
  if (!ids) return fail(ids.error());
  std::vector<Task> ready;
  for (const TaskId id : *ids) {
    Result<Task> found = task(id);
    if (!found) return fail(found.error());
    ready.push_back(std::move(*found));
  }
  return ready;
}

Result<std::vector<Agent>> BoardView::agents() const { return all_of<Agent>(*snapshot_); }
Result<std::vector<Workflow>> BoardView::workflows() const { return all_of<Workflow>(*snapshot_); }

Result<std::map<std::string, Breaker>> BoardView::open_breakers() const {
  Result<std::vector<Breaker>> all = all_of<Breaker>(*snapshot_);
  if (!all) return fail(all.error());
  std::map<std::string, Breaker> open;
  for (Breaker& breaker : *all)
    if (breaker.state == BreakerState::open) open.emplace(breaker.name, std::move(breaker));
  return open;
}

std::string BoardView::rest_of(const Agent& agent, const std::map<std::string, Breaker>& open) const {
  for (const std::string& name : {own_breaker(agent.profile.name), agent.profile.account})
    if (const auto found = open.find(name); found != open.end() && agent.state == AgentState::live) {
      const Breaker& rest = found->second;
      const std::string why = rest.why.empty() ? "" : fmt::format(" ({})", rest.why);
      const std::string with = name == agent.profile.account ? " with account " + name : "";
      return fmt::format("rests{} for {}: {}{}", with, std::max(rest.until - now(), Duration{}), rest.outage,
                         why);
    }
  return {};
}

Result<std::map<std::string, Calibration>> BoardView::calibrations() const {
  Result<std::vector<Calibration>> all = all_of<Calibration>(*snapshot_);
  if (!all) return fail(all.error());
  std::map<std::string, Calibration> known;
  for (Calibration& record : *all) known.emplace(keys::id_of(record), std::move(record));
  return known;
}

Result<std::vector<Spending>> BoardView::spending() const { return all_of<Spending>(*snapshot_); }

Result<std::string> BoardView::beyond_budget(const Agent& agent) const {
  const Result<Config> config = this->config();
  if (!config) return fail(config.error());
  if (config->budgets.empty()) return std::string();
  for (const std::string& scope : scopes_of(agent.profile)) {
    const auto bytes = snapshot_->get(keys::spending(scope));
    if (!bytes) return fail(bytes.error());
    Spending blank;
    blank.scope = scope;
    const Result<Spending> known = *bytes ? unseal<Spending>(**bytes) : blank;
    if (!known) return fail(known.error());
    if (std::string why = exhausted(*config, *known); !why.empty()) return why;
  }
  return std::string();
}

Result<std::vector<TaskId>> BoardView::ids_under(std::string_view prefix) const {
  std::vector<TaskId> ids;
  const Result<void> read = snapshot_->scan(prefix, {}, [&](std::string_view key, std::string_view) {
    ids.push_back(keys::last_id<TaskId>(key));
    return true;
  });
  if (!read) return fail(read.error());
  return ids;
}

Result<Config> BoardView::config() const {
  const auto bytes = snapshot_->get(keys::config);
  if (!bytes) return fail(bytes.error());
  if (!*bytes) return Config{};
  return unseal<Config>(**bytes);
}

Result<std::vector<std::string>> BoardView::ids_where(std::string_view table,
                                                      std::string_view condition) const {
  Result<Query> query = Query::open(*snapshot_);
  if (!query) return fail(query.error());
  return query->ids_where(table, condition);
}

std::string BoardView::agent_name(AgentId id) const {
  if (!id) return "-";
  const auto bytes = snapshot_->get(keys::agent(id));
  const Result<Agent> agent = bytes && *bytes ? unseal<Agent>(**bytes) : fail(Errc::not_found, {});
  return agent ? agent->profile.name : to_string(id);
}

Result<std::vector<Comment>> BoardView::comments_on(TaskId task) const {
  std::vector<Comment> comments;
  Result<void> fine;
  const Result<void> read =
      snapshot_->scan(keys::comments_on(task), {}, [&](std::string_view key, std::string_view) {
        const auto bytes = snapshot_->get(keys::comment(keys::last_id<CommentId>(key)));
        if (!bytes) fine = fail(bytes.error());
        if (!bytes || !*bytes) return fine.has_value();
        Result<Comment> comment = unseal<Comment>(**bytes);
        if (comment)
          comments.push_back(std::move(*comment));
        else
          fine = fail(comment.error());
        return fine.has_value();
      });
  if (!fine) return fail(fine.error());
  if (!read) return fail(read.error());
  return comments;
}

Result<std::string> BoardView::result_of(const Task& task) const {
  if (task.result_blob.empty()) return task.result;
  const auto bytes = snapshot_->get(keys::blob(task.result_blob));
  if (!bytes) return fail(bytes.error());
  if (!*bytes)
    return fail(Errc::corrupt, fmt::format("the result of {} is missing; run bidboard doctor", task.id));
  return std::string(**bytes);
}

std::string ago(WallTime at, WallTime now) {
  if (at.us == 0) return "-";
  return fmt::format("{} ago", std::max(now - at, Duration{0}));
}

Shown shown_state(TaskState state) {
  switch (state) {
    case TaskState::done:
      return coloured(Colour::green, name(state));
    case TaskState::running:
    case TaskState::awarded:
      return coloured(Colour::cyan, name(state));
    case TaskState::ready:
    case TaskState::offered:
      return coloured(Colour::yellow, name(state));
    case TaskState::failed:
    case TaskState::quarantined:
      return coloured(Colour::red, name(state));
    default:
      return coloured(Colour::dim, name(state));
  }
}

Shown state_and_reason(const Task& task) {
  const Shown state = shown_state(task.state);
  // That of a done task is about an earlier attempt.
  return task.reason.empty() || task.state == TaskState::done ? state : words("{}: {}", state, task.reason);
}

Result<Value> task_to_json(const BoardView& board, const Task& task) {
  const Result<std::string> text = board.result_of(task);
  if (!text) return fail(text.error());
  Value json = to_value(task);
  const Value* spec = json.find("spec");
  Value flat{Value::Object{}};
  flat.set("id", to_string(task.id));
  for (const Value::Member& member : spec->object())
    if (member.key != "name" || !task.spec.name.empty()) flat.set(member.key, member.value);
  for (const Value::Member& member : json.object())
    if (member.key != "spec" && member.key != "result_blob" && member.key != "id")
      flat.set(member.key, member.value);
  Value edits{Value::Array{}};
  for (const EditNote& edit : task.edits) {
    Value item = to_value(edit);
    item.set("agent", edit.agent ? Value(board.agent_name(edit.agent)) : Value());
    edits.push(std::move(item));
  }
  flat.set("edits", std::move(edits));
  flat.set("holder", task.holder ? Value(board.agent_name(task.holder)) : Value());
  Result<Value> result = parse_json(*text);
  flat.set("result", task.state != TaskState::done ? Value() : result ? std::move(*result) : Value(*text));
  return flat;
}

std::vector<std::string> holds_in_words(const Task& task, WallTime now) {
  std::vector<std::string> all;
  if (is_held(task.state) || is_over(task.state)) return all;
  for (const Hold& hold : task.holds) {
    std::string text(name(hold.kind));
    // Rounded up: as long as it lasts, something is left.
    if (hold.until > now)
      text += fmt::format(", for {} more", whole_seconds(hold.until - now + microseconds(999'999)));
    if (!hold.why.empty()) text += fmt::format(": {}", hold.why);
    all.push_back(std::move(text));
  }
  return all;
}

std::string progress_in_words(Micros fraction, const std::string& text) {
  if (fraction <= 0) return text;
  return fmt::format("{} %{}{}", fraction / 10'000, text.empty() ? "" : " ", text);
}

std::string progress_in_words(const Task& task) {
  return is_held(task.state) ? progress_in_words(task.progress, task.progress_text) : std::string();
}

}  // namespace bidboard
