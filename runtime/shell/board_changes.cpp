#include "runtime/shell/board_changes.hpp"

#include <unistd.h>

#include <algorithm>

#include "runtime/drivers/clock.hpp"

namespace bidboard {
namespace {

/// Without a controller there is no feed of events, so the board is looked at this often.
constexpr Duration look_interval = milliseconds(500);
/// A feed says at least every ten seconds where the log ends. If it does not, it may not admit us.
constexpr Duration silence_max = seconds(15);
/// However fast a board changes, it is looked at only this often.
constexpr Duration between_looks = milliseconds(20);

void pause(Duration longest) { ::usleep(static_cast<useconds_t>(std::min(look_interval, longest).us)); }

}  // namespace

Result<BoardView> BoardChanges::look() {
  if (const Result<void> there = check(); !there) return fail(there.error());
  Result<BoardView> board = BoardView::open(board_);
  // Perhaps it was replaced just before it was opened.
  if (const Result<void> there = check(); !there) return fail(there.error());
  if (!board) return fail(board.error());
  seen_ = board->snapshot().last_seq();
  looked_at_ = read_clocks().mono;
  return board;
}

bool BoardChanges::await(Duration longest) {
  const auto writer = serving_writer(board_);
  if (!writer) {
    feed_.reset();
    pause(longest);
    return true;
  }
  if (!feed_ || feed_of_ != writer->pid) {
    // What happened before the feed was open is not announced: the caller looks once more.
    if (!open_feed(*writer)) pause(longest);
    return true;
  }
  const Instant until = read_clocks().mono + longest;
  while (true) {
    const std::optional<FeedPiece> piece = feed_->wait(std::max(until - read_clocks().mono, Duration{}));
    const Instant now = read_clocks().mono;
    if (!piece) return now - heard_ > silence_max;
    heard_ = now;
    const std::uint64_t last = piece->first.value + piece->events.size() - 1;
    if (last <= seen_.value) continue;  // that was seen
    if (looked_at_ + between_looks > now) pause(looked_at_ + between_looks - now);
    return true;
  }
}

bool BoardChanges::open_feed(const Writer& writer) {
  Result<std::unique_ptr<Feed>> opened = Feed::open(writer.feed);
  feed_ = opened ? std::move(*opened) : nullptr;
  feed_of_ = writer.pid;
  heard_ = read_clocks().mono;
  return feed_ != nullptr;
}

}  // namespace bidboard
