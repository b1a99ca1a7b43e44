// The tables whose rows are one record each and few enough to be decoded whole.
#include <array>

#include "blackboard/fmt.hpp"
#include "blackboard/query/record_rows.hpp"
#include "blackboard/query/table.hpp"
#include "blackboard/records.hpp"

namespace bidboard::query {
namespace {

constexpr auto text = ColumnType::text;
constexpr auto integer = ColumnType::integer;
constexpr auto real = ColumnType::real;

template <class Number>
SqlValue whole(Number number) {
  return static_cast<std::int64_t>(number);
}

// agents

SqlValue skills_in_words(const Agent& agent, CellContext& context) {
  std::string words;
  for (const Skill& skill : agent.profile.skills) {
    if (!words.empty()) words += ',';
    words += fmt::format("{}={}", skill.name, format_micros(skill.level));
  }
  if (words.empty()) return null_value();
  return context.scratch.keep(std::move(words));
}

SqlValue running(const Agent& agent, CellContext& context) {
  std::int64_t count = 0;
  const Result<void> read =
      context.snapshot.scan(keys::holdings_of(agent.id), {}, [&](std::string_view, std::string_view) {
        ++count;
        return true;
      });
  if (!read) context.error = read.error();
  return count;
}

constexpr std::array<RecordColumn<Agent>, 14> agent_columns{{
    {{"id", text, "a1, a2, ..."}, nullptr},
    {{"name", text, "how people call it"},
     [](const Agent& a, CellContext&) -> SqlValue { return a.profile.name; }},
    {{"role", text, "executive, manager, specialist, operator or observer"},
     [](const Agent& a, CellContext&) -> SqlValue { return name(a.profile.role); }},
    {{"parent", text, "its manager's name"},
     [](const Agent& a, CellContext&) { return text_or_null(a.profile.parent); }},
    {{"state", text, "live, gone or shell"},
     [](const Agent& a, CellContext&) -> SqlValue { return name(a.state); }},
    {{"skills", text, "name=level,name=level"}, skills_in_words},
    {{"running", integer, "tasks it holds"}, running},
    {{"capacity", integer, "tasks at once"},
     [](const Agent& a, CellContext&) { return whole(a.profile.capacity); }},
    {{"pid", integer, "its process"},
     [](const Agent& a, CellContext&) { return a.profile.pid == 0 ? null_value() : whole(a.profile.pid); }},
    {{"seen_at", real, "last recorded sign of life"},
     [](const Agent& a, CellContext&) { return real_time(a.seen_at.us); }},
    {{"project", text, "works for this project only", true},
     [](const Agent& a, CellContext&) { return text_or_null(a.profile.project); }},
    {{"speed", real, "work done per second", true},
     [](const Agent& a, CellContext&) -> SqlValue { return from_micros(a.profile.speed); }},
    {{"finished", integer, "results accepted, ever", true},
     [](const Agent& a, CellContext&) { return whole(a.finished); }},
    {{"failed", integer, "attempts that ended otherwise, ever", true},
     [](const Agent& a, CellContext&) { return whole(a.failed); }},
}};

Result<std::unique_ptr<Rows>> open_agents(const Snapshot& snapshot, const Filter& filter) {
  const auto rows = [&](RecordSource source) {
    return std::make_unique<RecordRows<Agent, AgentId>>(snapshot, std::move(source), agent_columns);
  };
  if (filter.lookup != 1) return rows(records<Agent>(snapshot, filter));
  std::vector<std::string> found;
  if (filter.key && filter.key->size() < 500) {
    const auto id = snapshot.get(keys::agent_name(*filter.key));
    if (!id) return fail(id.error());
    if (*id && (*id)->size() == 8) found.push_back(keys::agent(AgentId{read_big_endian(**id, 0)}));
  }
  return rows(RecordSource(snapshot, std::move(found)));
}

}  // namespace

SqlValue AgentNames::of(AgentId agent) {
  if (!agent) return null_value();
  const auto [entry, fresh] = known_.try_emplace(agent, to_string(agent));
  if (fresh) {
    const auto bytes = snapshot_.get(keys::agent(agent));
    const auto record = bytes && *bytes ? unseal<Agent>(**bytes) : fail(Errc::not_found, {});
    if (record) entry->second = record->profile.name;
  }
  return std::string_view(entry->second);
}

namespace {

// discoveries

constexpr std::array<RecordColumn<Discovery>, 9> discovery_columns{{
    {{"id", text, "d1, d2, ..."}, nullptr},
    {{"task", text, "the task it was made on"},
     [](const Discovery& d, CellContext& c) { return c.scratch.id(d.task); }},
    {{"agent", text, "who made it"}, [](const Discovery& d, CellContext& c) { return c.names.of(d.agent); }},
    {{"epoch", integer, "the attempt it was made in"},
     [](const Discovery& d, CellContext&) { return whole(d.epoch.value); }},
    {{"kind", text, "late_result, or its maker's word"},
     [](const Discovery& d, CellContext&) -> SqlValue { return d.kind; }},
    {{"title", text, "one line"}, [](const Discovery& d, CellContext&) -> SqlValue { return d.title; }},
    {{"body", text, "all of it"}, [](const Discovery& d, CellContext&) { return text_or_null(d.body); }},
    {{"project", text, "the project it belongs to"},
     [](const Discovery& d, CellContext&) -> SqlValue { return d.project; }},
    {{"created_at", real, "when it was made"},
     [](const Discovery& d, CellContext&) { return real_time(d.created_at.us); }},
}};

Result<std::unique_ptr<Rows>> open_discoveries(const Snapshot& snapshot, const Filter& filter) {
  return std::make_unique<RecordRows<Discovery, DiscoveryId>>(snapshot, records<Discovery>(snapshot, filter),
                                                              discovery_columns);
}

// comments

constexpr std::array<RecordColumn<Comment>, 5> comment_columns{{
    {{"id", text, "c1, c2, ..."}, nullptr},
    {{"task", text, "the task it is on"},
     [](const Comment& c, CellContext& x) { return x.scratch.id(c.task); }},
    {{"agent", text, "who wrote it; NULL: an operator"},
     [](const Comment& c, CellContext& x) { return x.names.of(c.agent); }},
    {{"at", real, "when"}, [](const Comment& c, CellContext&) { return real_time(c.at.us); }},
    {{"text", text, "all of it"}, [](const Comment& c, CellContext&) -> SqlValue { return c.text; }},
}};

Result<std::unique_ptr<Rows>> open_comments(const Snapshot& snapshot, const Filter& filter) {
  const auto rows = [&](RecordSource source) {
    return std::make_unique<RecordRows<Comment, CommentId>>(snapshot, std::move(source), comment_columns);
  };
  if (filter.lookup != 1) return rows(records<Comment>(snapshot, filter));
  const auto task = filter.key ? parse_id<TaskId>(*filter.key) : std::nullopt;
  if (!task) return rows(RecordSource(snapshot, std::vector<std::string>{}));
  auto found = keys_under<CommentId>(snapshot, keys::comments_on(*task), keys::comment);
  if (!found) return fail(found.error());
  return rows(RecordSource(snapshot, std::move(*found)));
}

// workflows

constexpr std::array<RecordColumn<Workflow>, 9> workflow_columns{{
    {{"id", text, "w1, w2, ..."}, nullptr},
    {{"name", text, "its name"}, [](const Workflow& w, CellContext&) -> SqlValue { return w.name; }},
    {{"source", text, "the file it came from"},
     [](const Workflow& w, CellContext&) { return text_or_null(w.source); }},
    {{"state", text, "open or ended"},
     [](const Workflow& w, CellContext&) -> SqlValue {
       return w.open > 0 ? std::string_view("open") : "ended";
     }},
    {{"tasks", integer, "how many tasks it has"},
     [](const Workflow& w, CellContext&) { return whole(w.tasks); }},
    {{"open", integer, "how many of them have not ended"},
     [](const Workflow& w, CellContext&) { return whole(w.open); }},
    {{"posted_at", real, "when it was posted"},
     [](const Workflow& w, CellContext&) { return real_time(w.posted_at.us); }},
    {{"finished_at", real, "when its last task ended"},
     [](const Workflow& w, CellContext&) { return real_time(w.finished_at.us); }},
    {{"project", text, "the project it belongs to", true},
     [](const Workflow& w, CellContext&) { return text_or_null(w.project); }},
}};

Result<std::unique_ptr<Rows>> open_workflows(const Snapshot& snapshot, const Filter& filter) {
  return std::make_unique<RecordRows<Workflow, WorkflowId>>(snapshot, records<Workflow>(snapshot, filter),
                                                            workflow_columns);
}

// calibration

constexpr std::array<RecordColumn<Calibration>, 6> calibration_columns{{
    {{"agent", text, "whose promises"},
     [](const Calibration& c, CellContext& x) { return x.names.of(c.agent); }},
    {{"kind", text, "for which kind of tasks"},
     [](const Calibration& c, CellContext&) -> SqlValue { return c.kind; }},
    {{"samples", integer, "attempts it was learned from"},
     [](const Calibration& c, CellContext&) { return whole(c.samples); }},
    {{"seconds_ratio", real, "delivered / promised seconds"},
     [](const Calibration& c, CellContext&) -> SqlValue { return from_micros(c.seconds_ratio); }},
    {{"price_ratio", real, "delivered / promised price"},
     [](const Calibration& c, CellContext&) -> SqlValue { return from_micros(c.price_ratio); }},
    {{"success", real, "share of attempts that ended in a result"},
     [](const Calibration& c, CellContext&) -> SqlValue { return from_micros(c.success); }},
}};

Result<std::unique_ptr<Rows>> open_calibration(const Snapshot& snapshot, const Filter& filter) {
  const auto rows = [&](RecordSource source) {
    return std::make_unique<RecordRows<Calibration, void>>(snapshot, std::move(source), calibration_columns);
  };
  if (filter.lookup < 0) return rows(RecordSource(snapshot, KeyScan(snapshot, keys::all_of<Calibration>())));
  auto agent = filter.key ? parse_id<AgentId>(*filter.key) : std::nullopt;
  if (filter.key && filter.key->size() < 500) {
    const auto id = snapshot.get(keys::agent_name(*filter.key));
    if (!id) return fail(id.error());
    if (*id && (*id)->size() == 8) agent = AgentId{read_big_endian(**id, 0)};
  }
  if (!agent) return rows(RecordSource(snapshot, std::vector<std::string>{}));
  return rows(RecordSource(snapshot, KeyScan(snapshot, keys::calibrations_of(*agent))));
}

// breakers

constexpr std::array<RecordColumn<Breaker>, 7> breaker_columns{{
    {{"name", text, "an account, or agent/ and an agent's name"},
     [](const Breaker& b, CellContext&) -> SqlValue { return b.name; }},
    {{"state", text, "closed, open (it rests) or half open (one task probes)"},
     [](const Breaker& b, CellContext&) -> SqlValue { return name(b.state); }},
    {{"outage", text, "why it rested last"},
     [](const Breaker& b, CellContext&) -> SqlValue {
       return b.outage == Outage::none ? SqlValue() : SqlValue(name(b.outage));
     }},
    {{"until", real, "open: when one task probes"},
     [](const Breaker& b, CellContext&) { return real_time(b.until.us); }},
    {{"openings", integer, "rests in a row, without a result in between"},
     [](const Breaker& b, CellContext&) { return whole(b.openings); }},
    {{"probe", text, "half open: the task that probes"},
     [](const Breaker& b, CellContext& c) { return c.scratch.id(b.probe); }},
    {{"why", text, "in the client's own words"},
     [](const Breaker& b, CellContext&) { return text_or_null(b.why); }},
}};

Result<std::unique_ptr<Rows>> open_breakers(const Snapshot& snapshot, const Filter&) {
  return std::make_unique<RecordRows<Breaker, void>>(
      snapshot, RecordSource(snapshot, KeyScan(snapshot, keys::all_of<Breaker>()).at_least(2)),
      breaker_columns);
}

// spending

std::string_view scope_word(const Spending& s) {
  return std::string_view(s.scope).substr(0, s.scope.find(':'));
}
std::string_view scope_name(const Spending& s) {
  const std::size_t colon = s.scope.find(':');
  return colon == std::string::npos ? std::string_view() : std::string_view(s.scope).substr(colon + 1);
}

constexpr std::array<RecordColumn<Spending>, 8> spending_columns{{
    {{"scope", text, "board, day, project, workflow, agent, account, kind or task"},
     [](const Spending& s, CellContext&) -> SqlValue { return scope_word(s); }},
    {{"name", text, "which one; a day as 2026-11-29, in UTC"},
     [](const Spending& s, CellContext&) -> SqlValue {
       return scope_name(s).empty() ? SqlValue() : SqlValue(scope_name(s));
     }},
    {{"money", real, "what its attempts have cost, whatever their outcome"},
     [](const Spending& s, CellContext&) -> SqlValue { return from_micros(s.spent.money); }},
    {{"tokens", integer, "the same in tokens"},
     [](const Spending& s, CellContext&) { return whole(s.spent.tokens); }},
    {{"attempts", integer, "those that cost something"},
     [](const Spending& s, CellContext&) { return whole(s.attempts); }},
    {{"price_per_attempt", real, "their mean"},
     [](const Spending& s, CellContext&) -> SqlValue {
       return s.attempts == 0 ? SqlValue() : SqlValue(from_micros(s.spent.money / s.attempts));
     }},
    {{"raised", real, "money allowed beside the configured budget"},
     [](const Spending& s, CellContext&) -> SqlValue { return from_micros(s.raised.money); }},
    {{"raised_tokens", integer, "tokens allowed beside it"},
     [](const Spending& s, CellContext&) { return whole(s.raised.tokens); }},
}};

Result<std::unique_ptr<Rows>> open_spending(const Snapshot& snapshot, const Filter&) {
  return std::make_unique<RecordRows<Spending, void>>(
      snapshot, RecordSource(snapshot, KeyScan(snapshot, keys::all_of<Spending>()).at_least(2)),
      spending_columns);
}

}  // namespace

Table agents_table() {
  return {"agents",
          "who works here, or did",
          columns_of(std::span<const RecordColumn<Agent>>(agent_columns)),
          {{0, Lookup::Kind::unique}, {1, Lookup::Kind::unique}},
          50,
          open_agents};
}
Table discoveries_table() {
  return {"discoveries",
          "what agents found and posted",
          columns_of(std::span<const RecordColumn<Discovery>>(discovery_columns)),
          {{0, Lookup::Kind::unique}},
          1e4,
          open_discoveries};
}
Table comments_table() {
  return {"comments",
          "what people and agents noted on tasks",
          columns_of(std::span<const RecordColumn<Comment>>(comment_columns)),
          {{0, Lookup::Kind::unique}, {1, Lookup::Kind::some}},
          1e4,
          open_comments};
}
Table workflows_table() {
  return {"workflows",
          "tasks that were posted together",
          columns_of(std::span<const RecordColumn<Workflow>>(workflow_columns)),
          {{0, Lookup::Kind::unique}},
          1e3,
          open_workflows};
}
Table breakers_table() {
  return {"breakers",
          "accounts and agents that rest, did, or failed a task",
          columns_of(std::span<const RecordColumn<Breaker>>(breaker_columns)),
          {},
          50,
          open_breakers};
}
Table spending_table() {
  return {"spending",
          "what attempts have cost, by what they were for",
          columns_of(std::span<const RecordColumn<Spending>>(spending_columns)),
          {},
          200,
          open_spending};
}
Table calibration_table() {
  return {"calibration",
          "what agents delivered against what they promised",
          columns_of(std::span<const RecordColumn<Calibration>>(calibration_columns)),
          {{0, Lookup::Kind::some}},
          500,
          open_calibration};
}

}  // namespace bidboard::query
