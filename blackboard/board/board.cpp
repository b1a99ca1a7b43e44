#include "blackboard/board/board.hpp"

#include <algorithm>
#include <set>

#include "blackboard/checks/check.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/format/codec_fields.hpp"
#include "blackboard/secrets.hpp"
#include "blackboard/task_states.hpp"

namespace bidboard {
namespace {

/// Clean records kept between batches; beyond that the cache starts afresh.
constexpr std::size_t cached_records = 100'000;

}  // namespace

Board::Board(Store& store) : store_(store) { discard(); }

void Board::damaged(std::string_view key, const Error& error) {
  throw DamagedRecord{{error.code, fmt::format("record {}: {}", keys::described(key), error.text)}};
}

std::optional<std::string_view> Board::index_value(std::string_view key) const {
  const auto found = overlay_.find(key);
  if (found != overlay_.end()) return found->second;
  const Result<std::optional<std::string_view>> stored = store_.get(key);
  if (!stored) damaged(key, stored.error());
  return *stored;
}

void Board::scan_store(std::string_view prefix, std::string_view from, const Snapshot::Visitor& visit) const {
  if (const Result<void> done = store_.scan(prefix, from, visit); !done)
    throw DamagedRecord{{done.error().code, fmt::format("records of kind '{}': {}",
                                                        keys::name_of(prefix.front()), done.error().text)}};
}

Calibration Board::calibration(AgentId agent, const std::string& kind) const {
  Calibration blank;
  blank.agent = agent;
  blank.kind = kind;
  const Calibration* known = get<Calibration>(keys::calibration(agent, kind));
  return known ? *known : blank;
}

Spending Board::spending(std::string_view scope) const {
  if (const Spending* known = get<Spending>(keys::spending(scope))) return *known;
  Spending blank;
  blank.scope = scope;
  return blank;
}

std::optional<AgentId> Board::agent_named(std::string_view name) const {
  const std::optional<std::string_view> value = index_value(keys::agent_name(name));
  if (!value) return {};
  return AgentId{read_big_endian(*value, 0)};
}

std::optional<TaskId> Board::task_with_key(std::string_view project, std::string_view key) const {
  const std::optional<std::string_view> value = index_value(keys::post_key(project, key));
  if (!value) return {};
  return TaskId{read_big_endian(*value, 0)};
}

std::optional<std::string> Board::blob(std::string_view hash) const {
  const std::optional<std::string_view> bytes = index_value(keys::blob(hash));
  if (!bytes) return {};
  return std::string(*bytes);
}

std::string Board::result_of(const Task& task) const {
  return task.result_blob.empty() ? task.result : blob(task.result_blob).value_or("");
}

std::vector<CommentId> Board::comments_on(TaskId task) const {
  std::vector<CommentId> ids;
  scan(keys::comments_on(task), {}, [&](std::string_view key, std::string_view) {
    ids.push_back(keys::last_id<CommentId>(key));
    return true;
  });
  return ids;
}

void Board::scan(std::string_view prefix, std::string_view from, const Snapshot::Visitor& visit) const {
  auto change = overlay_.lower_bound(std::max(prefix, from));
  const auto is_ours = [&] { return change != overlay_.end() && change->first.starts_with(prefix); };
  bool go_on = true;
  const auto visit_change = [&] {
    if (change->second) go_on = visit(change->first, *change->second);
    ++change;
  };
  scan_store(prefix, from, [&](std::string_view key, std::string_view value) {
    while (go_on && is_ours() && change->first < key) visit_change();
    if (!go_on) return false;
    if (is_ours() && change->first == key)
      visit_change();
    else
      go_on = visit(key, value);
    return go_on;
  });
  while (go_on && is_ours()) visit_change();
}

std::vector<TaskId> Board::tasks_under(std::string_view prefix) const {
  std::vector<TaskId> ids;
  scan(prefix, {}, [&](std::string_view key, std::string_view) {
    ids.push_back(keys::last_id<TaskId>(key));
    return true;
  });
  return ids;
}

std::vector<TaskId> Board::open_tasks() const {
  const std::size_t state_field = field_position<Task>("state");
  std::set<TaskId> open;
  EncodedRecord fields;
  scan_store(keys::all_of<Task>(), {}, [&](std::string_view key, std::string_view bytes) {
    const Result<std::string_view> payload = sealed_payload(bytes);
    if (!payload) damaged(key, payload.error());
    fields.reset(*payload);
    const std::optional<std::int64_t> state = encoded_integer(fields.field(state_field));
    if (!state || !is_over(static_cast<TaskState>(*state)))
      open.insert(open.end(), keys::last_id<TaskId>(key));
    return true;
  });
  caches_.of<Task>().for_each_change([&](TaskId id, const Task* task) {
    if (task && !is_over(task->state))
      open.insert(id);
    else
      open.erase(id);
  });
  return {open.begin(), open.end()};
}

const std::vector<TaskId>& Board::holdings(AgentId agent) const {
  return *holdings_.find(agent,
                         [&](AgentId id) { return std::optional(tasks_under(keys::holdings_of(id))); });
}

const Event& Board::apply(Event event) {
  fold(event);
  return events_.emplace_back(std::move(event));
}

void Board::stage_blob(const std::string& hash, std::string_view bytes) {
  const std::string key = keys::blob(hash);
  if (!index_value(key)) add_key(key, std::string(bytes));
}

Result<Saved> Board::commit(Term term) {
  BB_CHECK(!damage_, "nothing is decided on a board whose configuration or counters cannot be read");
  if (!has_changes()) {
    BB_CHECK(overlay_.empty(), "content is kept only together with an event that names it");
    return Saved{};
  }
  Saved saved{store_.last_seq().next(), {}, {}};
  saved.sealed.reserve(events_.size());
  for (const Event& event : events_) saved.sealed.push_back(seal(event));
  std::vector<Put> puts;
  puts.reserve(overlay_.size() + 2 * events_.size() + 1);
  caches_.for_each([&](auto kind, auto& cache) {
    cache.for_each_change([&](const auto& id, const auto* record) {
      puts.push_back(
          {keys::of_kind<decltype(kind)>(id), record ? std::optional(seal(*record)) : std::nullopt});
    });
  });
  while (!overlay_.empty()) {
    auto entry = overlay_.extract(overlay_.begin());
    puts.push_back({std::move(entry.key()), std::move(entry.mapped())});
  }
  puts.push_back({std::string(keys::counters), seal(counters_)});
  if (const Result<void> done = store_.commit(store_.last_seq(), term, saved.sealed, puts); !done) {
    discard();
    return fail(done.error());
  }
  std::swap(saved.events, events_);
  caches_.for_each([](auto, auto& cache) {
    cache.changes_are_saved();
    cache.trim(cached_records);
  });
  return saved;
}

void Board::discard() {
  events_.clear();
  overlay_.clear();
  holdings_.trim(0);
  caches_.for_each([](auto, auto& cache) { cache.forget_changes(); });
  damage_.reset();
  try {
    config_ = load<Config>(keys::config).value_or(Config{});
    counters_ = load<Counters>(keys::counters).value_or(Counters{});
  } catch (const DamagedRecord& damaged) {
    damage_ = damaged.error;
  }
}

Seq Board::next_seq() const { return {store_.last_seq().value + events_.size() + 1}; }

void Board::add_key(std::string key, std::string value) {
  note_holding(key, true);
  overlay_[std::move(key)] = std::move(value);
}
void Board::remove_key(std::string key) {
  note_holding(key, false);
  overlay_[std::move(key)] = std::nullopt;
}

void Board::note_holding(std::string_view key, bool comes) {
  if (key.front() != keys::holding_letter) return;
  std::vector<TaskId>* const known = holdings_.known(AgentId{read_big_endian(key, 1)});
  if (!known) return;
  const auto task = keys::last_id<TaskId>(key);
  const auto at = std::ranges::lower_bound(*known, task);
  const bool is_there = at != known->end() && *at == task;
  if (comes && !is_there) known->insert(at, task);
  if (!comes && is_there) known->erase(at);
}

}  // namespace bidboard
