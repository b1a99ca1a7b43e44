// auctions, bids and dependencies: rows that are parts of other records.
#include <array>

#include "blackboard/events.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/query/record_rows.hpp"
#include "blackboard/query/table.hpp"
#include "blackboard/records.hpp"

namespace bidboard::query {
namespace {

constexpr auto text = ColumnType::text;
constexpr auto integer = ColumnType::integer;
constexpr auto real = ColumnType::real;

/// All auctions, those of one task, or one.
Result<RecordSource> auction_source(const Snapshot& snapshot, const Filter& filter) {
  if (filter.lookup < 0)
    return RecordSource(snapshot, KeyScan(snapshot, std::string(1, keys::auction_letter)));
  if (filter.lookup == 0) return RecordSource(snapshot, key_of<AuctionId>(filter, keys::auction));
  const auto task = filter.key ? parse_id<TaskId>(*filter.key) : std::nullopt;
  if (!task) return RecordSource(snapshot, std::vector<std::string>());
  auto found = keys_under<AuctionId>(snapshot, keys::decisions_of(*task), keys::auction);
  if (!found) return fail(found.error());
  return RecordSource(snapshot, std::move(*found));
}

template <class AuctionRowsType>
Result<std::unique_ptr<Rows>> open_auctions(const Snapshot& snapshot, const Filter& filter) {
  Result<RecordSource> source = auction_source(snapshot, filter);
  if (!source) return fail(source.error());
  return std::make_unique<AuctionRowsType>(snapshot, std::move(*source));
}

/// The record of an auction is in the log, inside the event that decided it.
Result<Auction> read_auction(const Snapshot& snapshot, const RecordSource& source) {
  const std::string id = to_string(keys::last_id<AuctionId>(source.key()));
  if (source.value().size() != 8)
    return fail(Errc::corrupt, fmt::format("{}: its position in the log is damaged", id));
  const Seq seq{read_big_endian(source.value(), 0)};
  const auto bytes = snapshot.get(keys::event(seq));
  if (!bytes) return fail_in(id, bytes.error());
  if (!*bytes) {  // its part of the log has been compacted away
    Auction forgotten;
    forgotten.id = keys::last_id<AuctionId>(source.key());
    return forgotten;
  }
  auto event = unseal<Event>(**bytes);
  if (!event) return fail_in(id, event.error());
  const Auction* auction = auction_in(*event);
  if (!auction) return fail(Errc::corrupt, fmt::format("{}: event {} holds no auction", id, seq));
  return *auction;
}

constexpr std::array<RecordColumn<Auction>, 10> auction_columns{{
    {{"id", text, "u1, u2, ..."}, nullptr},
    {{"task", text, "the task it was about"},
     [](const Auction& a, CellContext& c) { return c.scratch.id(a.task); }},
    {{"mechanism", text, "how it was cleared; without bids, the strategy"},
     [](const Auction& a, CellContext&) -> SqlValue { return a.mechanism; }},
    {{"opened_at", real, "when it was announced"},
     [](const Auction& a, CellContext&) { return real_time(a.opened_at.us); }},
    {{"closed_at", real, "when it was decided"},
     [](const Auction& a, CellContext&) { return real_time(a.closed_at.us); }},
    {{"winner", text, "the agent that got the task; null: no bids"},
     [](const Auction& a, CellContext& c) { return c.names.of(a.winner); }},
    {{"price", real, "what the winner may charge"},
     [](const Auction& a, CellContext&) -> SqlValue { return from_micros(a.price); }},
    {{"bid_count", integer, "bids in all; the eight best are kept", true},
     [](const Auction& a, CellContext&) -> SqlValue { return std::int64_t{a.bid_count}; }},
    {{"why", text, "why the winner won, or nobody", true},
     [](const Auction& a, CellContext&) { return text_or_null(a.why); }},
    {{"calibrated", integer, "1: bids were corrected by experience", true},
     [](const Auction& a, CellContext&) -> SqlValue { return std::int64_t{a.calibrated}; }},
}};

class AuctionRows final : public Rows {
 public:
  AuctionRows(const Snapshot& snapshot, RecordSource source)
      : context_{snapshot}, source_(std::move(source)) {}
  Result<bool> next() override {
    auction_.reset();
    return source_.next();
  }
  Result<SqlValue> column(int index) override {
    if (index == 0) return context_.scratch.id(keys::last_id<AuctionId>(source_.key()));
    if (!auction_) {
      auto auction = read_auction(context_.snapshot, source_);
      if (!auction) return fail(auction.error());
      auction_ = std::move(*auction);
    }
    return auction_columns[static_cast<std::size_t>(index)].read(*auction_, context_);
  }
  std::int64_t row_id() const override {
    return static_cast<std::int64_t>(keys::last_id<AuctionId>(source_.key()).value);
  }

 private:
  CellContext context_;
  RecordSource source_;
  std::optional<Auction> auction_;
};

// bids

/// A recorded bid, or an agent among those that were refused for a reason.
struct BidRow {
  const Auction* auction;
  AgentId agent;
  const RecordedBid* bid;
  const RecordedRefusal* refusal;
  std::size_t place = 0;  ///< of the agent among the refused
};

template <Micros RecordedBid::*member>
SqlValue of_bid(const BidRow& row, CellContext&) {
  return row.bid ? SqlValue(from_micros(row.bid->*member)) : null_value();
}

SqlValue refusal_reason(const BidRow& row, CellContext& context) {
  if (!row.refusal) return null_value();
  std::string words(name(row.refusal->reason));
  if (const std::string& detail = detail_of(*row.refusal, row.place); !detail.empty()) words += ": " + detail;
  return context.scratch.keep(std::move(words));
}

constexpr std::array<RecordColumn<BidRow>, 11> bid_columns{{
    {{"auction", text, "the auction it was made in"},
     [](const BidRow& b, CellContext& c) { return c.scratch.id(b.auction->id); }},
    {{"task", text, "the task it was made for"},
     [](const BidRow& b, CellContext& c) { return c.scratch.id(b.auction->task); }},
    {{"agent", text, "who made it, or was refused"},
     [](const BidRow& b, CellContext& c) { return c.names.of(b.agent); }},
    {{"seconds", real, "promised duration"}, of_bid<&RecordedBid::seconds>},
    {{"price", real, "promised price"}, of_bid<&RecordedBid::price>},
    {{"confidence", real, "how sure it is to deliver, 0 to 1"}, of_bid<&RecordedBid::confidence>},
    {{"score", real, "what was compared; lower is better"}, of_bid<&RecordedBid::score>},
    {{"refused", integer, "1: made no bid, or one that did not count"},
     [](const BidRow& b, CellContext&) -> SqlValue { return std::int64_t{b.refusal != nullptr}; }},
    {{"reason", text, "why it was refused"}, refusal_reason},
    {{"wait", real, "seconds until it could begin", true}, of_bid<&RecordedBid::wait>},
    {{"corrected_seconds", real, "duration as experience corrects it", true},
     of_bid<&RecordedBid::corrected_seconds>},
}};

class BidRows final : public Rows {
 public:
  BidRows(const Snapshot& snapshot, RecordSource source) : context_{snapshot}, source_(std::move(source)) {}
  Result<bool> next() override {
    ++count_;
    while (++position_ >= rows_.size()) {
      const Result<bool> more = source_.next();
      if (!more || !*more) return more;
      auto auction = read_auction(context_.snapshot, source_);
      if (!auction) return fail(auction.error());
      auction_ = std::move(*auction);
      unfold();
    }
    return true;
  }
  Result<SqlValue> column(int index) override {
    return bid_columns[static_cast<std::size_t>(index)].read(rows_[position_], context_);
  }
  std::int64_t row_id() const override { return count_; }

 private:
  void unfold() {
    rows_.clear();
    for (const RecordedBid& bid : auction_.bids) rows_.push_back({&auction_, bid.agent, &bid, nullptr});
    for (const RecordedRefusal& refusal : auction_.refusals)
      for (std::size_t i = 0; i < refusal.agents.size(); ++i)
        rows_.push_back({&auction_, refusal.agents[i], nullptr, &refusal, i});
    position_ = SIZE_MAX;
  }

  CellContext context_;
  RecordSource source_;
  Auction auction_;
  std::vector<BidRow> rows_;
  std::size_t position_ = SIZE_MAX;
  std::int64_t count_ = 0;
};

// dependencies

/// Pairs (task, needs), read from the index of dependents or from one task's record.
class DependencyRows final : public Rows {
 public:
  DependencyRows(const Snapshot& snapshot, const Filter& filter) {
    if (filter.lookup == 0) {
      read_needs(snapshot, filter);
      return;
    }
    std::string prefix(1, keys::dependent_letter);
    if (filter.lookup == 1) {
      const auto need = filter.key ? parse_id<TaskId>(*filter.key) : std::nullopt;
      if (!need) return;
      prefix = keys::dependents_of(*need);
    }
    scan_.emplace(snapshot, std::move(prefix));
  }
  Result<bool> next() override {
    ++count_;
    if (damage_) return fail(*damage_);
    if (!scan_) return static_cast<std::size_t>(count_) <= needs_.size();
    return scan_->next();
  }
  Result<SqlValue> column(int index) override {
    if (!scan_) return scratch_.id(index == 0 ? task_ : needs_[static_cast<std::size_t>(count_ - 1)].task);
    return scratch_.id(index == 0 ? keys::last_id<TaskId>(scan_->key())
                                  : TaskId{read_big_endian(scan_->key(), 1)});
  }
  std::int64_t row_id() const override { return count_; }

 private:
  void read_needs(const Snapshot& snapshot, const Filter& filter) {
    const auto id = filter.key ? parse_id<TaskId>(*filter.key) : std::nullopt;
    if (!id) return;
    task_ = *id;
    const auto bytes = snapshot.get(keys::task(*id));
    if (bytes && !*bytes) return;
    auto task = bytes ? unseal<Task>(**bytes) : fail(bytes.error());
    if (task)
      needs_ = std::move(task->spec.needs);
    else
      damage_ = task.error();
  }

  std::optional<KeyScan> scan_;
  TaskId task_;
  std::vector<Need> needs_;
  std::optional<Error> damage_;
  Scratch scratch_;
  std::int64_t count_ = 0;
};

}  // namespace

Table auctions_table() {
  return {"auctions",
          "how tasks were awarded, and rounds without bids",
          columns_of(std::span<const RecordColumn<Auction>>(auction_columns)),
          {{0, Lookup::Kind::unique}, {1, Lookup::Kind::some}},
          1e6,
          open_auctions<AuctionRows>};
}
Table bids_table() {
  return {"bids",
          "the best bids of each auction, and who was refused (eight agents per reason at most)",
          columns_of(std::span<const RecordColumn<BidRow>>(bid_columns)),
          {{0, Lookup::Kind::some}, {1, Lookup::Kind::some}},
          4e6,
          open_auctions<BidRows>};
}
Table dependencies_table() {
  return {"dependencies",
          "which task waits for which",
          {{"task", text, "the one that waits"}, {"needs", text, "the one it waits for"}},
          {{0, Lookup::Kind::some}, {1, Lookup::Kind::some}},
          2e6,
          [](const Snapshot& snapshot, const Filter& filter) -> Result<std::unique_ptr<Rows>> {
            return std::make_unique<DependencyRows>(snapshot, filter);
          }};
}

}  // namespace bidboard::query
