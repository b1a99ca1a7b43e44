// log: the events, forward or backward. Kind and time are read from the encoded event; the rest decodes it.
#include <algorithm>
#include <array>

#include "blackboard/events.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/format/codec_fields.hpp"
#include "blackboard/format/keys.hpp"
#include "blackboard/format/to_value.hpp"
#include "blackboard/query/key_scan.hpp"
#include "blackboard/query/table.hpp"
#include "blackboard/text/document.hpp"

namespace bidboard::query {
namespace {

enum ColumnIndex { seq_column, at_column, kind_column, task_column, agent_column, body_column };

template <std::size_t... positions>
std::array<std::string_view, sizeof...(positions)> kinds_by_position(std::index_sequence<positions...>) {
  return {kind(Event{{}, EventBody(std::in_place_index<positions>)})...};
}

std::string_view kind_at(std::int64_t position) {
  static const auto kinds = kinds_by_position(std::make_index_sequence<std::variant_size_v<EventBody>>());
  if (position < 0 || position >= static_cast<std::int64_t>(kinds.size())) return "unknown";
  return kinds[static_cast<std::size_t>(position)];
}

class LogRows final : public Rows {
 public:
  LogRows(const Snapshot& snapshot, const Filter& filter)
      : snapshot_(snapshot),
        low_(std::max<std::int64_t>(filter.low, 1)),
        high_(std::min(filter.high, static_cast<std::int64_t>(snapshot.last_seq().value))),
        descending_(filter.descending),
        next_(high_) {
    if (!descending_ && low_ <= high_)
      scan_.emplace(snapshot, std::string(1, keys::log_letter),
                    keys::event(Seq{static_cast<std::uint64_t>(low_)}));
  }

  Result<bool> next() override {
    opened_ = false;
    event_.reset();
    if (descending_) return step_back();
    if (!scan_) return false;
    const Result<bool> more = scan_->next();
    if (!more || !*more) return more;
    seq_ = static_cast<std::int64_t>(read_big_endian(scan_->key(), 1));
    return seq_ <= high_;
  }

  Result<SqlValue> column(int index) override {
    if (index == seq_column) return seq_;
    if (!opened_) {
      const auto payload = sealed_payload(descending_ ? value_ : scan_->value());
      if (!payload) return damaged(payload.error());
      payload_ = *payload;
      record_.reset(payload_);
      opened_ = true;
    }
    if (index == at_column) return real_time(encoded_integer(record_.field(0)).value_or(0));
    if (index == kind_column) {
      EncodedRecord tagged;
      tagged.reset(record_.field(1));
      return kind_at(encoded_integer(tagged.field(0)).value_or(-1));
    }
    if (!event_) {
      auto event = decode<Event>(payload_);
      if (!event) return damaged(event.error());
      event_ = std::move(*event);
    }
    if (index == task_column) return scratch_.id(task_of(*event_));
    if (index == agent_column) return names_.of(agent_of(*event_));
    return scratch_.keep(to_json(to_value(event_->body)));
  }
  std::int64_t row_id() const override { return seq_; }

 private:
  /// The log has no gaps: the first missing event is the one before the oldest.
  Result<bool> step_back() {
    while (next_ >= low_) {
      seq_ = next_--;
      const auto value = snapshot_.get(keys::event(Seq{static_cast<std::uint64_t>(seq_)}));
      if (!value) return fail(value.error());
      if (!*value) continue;  // compacted away
      value_ = **value;
      return true;
    }
    return false;
  }
  tl::unexpected<Error> damaged(Error error) const {
    return fail_in(fmt::format("event {}", seq_), std::move(error));
  }

  const Snapshot& snapshot_;
  std::int64_t low_;
  std::int64_t high_;
  bool descending_;
  std::int64_t next_;
  std::int64_t seq_ = 0;
  std::optional<KeyScan> scan_;
  std::string_view value_;
  bool opened_ = false;
  std::string_view payload_;
  EncodedRecord record_;
  std::optional<Event> event_;
  Scratch scratch_;
  AgentNames names_{snapshot_};
};

}  // namespace

Table log_table() {
  using enum ColumnType;
  return {"log",
          "everything that ever happened, in order",
          {{"seq", integer, "its position, from 1"},
           {"at", real, "when"},
           {"kind", text, "task_posted, task_awarded, ..."},
           {"task", text, "the task it is about"},
           {"agent", text, "the name of the agent it is about"},
           {"body", text, "all of it, as JSON"}},
          {{seq_column, Lookup::Kind::range}},
          1e7,
          [](const Snapshot& snapshot, const Filter& filter) -> Result<std::unique_ptr<Rows>> {
            return std::make_unique<LogRows>(snapshot, filter);
          }};
}

const std::vector<Table>& tables() {
  static const std::vector<Table> all{tasks_table(),     dependencies_table(), agents_table(),
                                      auctions_table(),  bids_table(),         discoveries_table(),
                                      workflows_table(), calibration_table(),  log_table(),
                                      comments_table(),  breakers_table(),     spending_table()};
  return all;
}

}  // namespace bidboard::query
