#include "runtime/shell/board_changes.hpp"

#include <unistd.h>

#include <algorithm>

namespace bidboard {
namespace {

/// Without a controller there is no feed of events, so the board is looked at this often.
constexpr Duration look_interval = milliseconds(500);

}  // namespace

void BoardChanges::await(Duration longest) {
  const auto writer = serving_writer(board_);
  if (!writer) {
    feed_.reset();
    ::usleep(static_cast<useconds_t>(std::min(look_interval, longest).us));
    return;
  }
  if (!feed_ || feed_of_ != writer->pid) {
    Result<std::unique_ptr<Feed>> opened = Feed::open(writer->feed);
    feed_ = opened ? std::move(*opened) : nullptr;
    feed_of_ = writer->pid;
    if (!feed_) ::usleep(static_cast<useconds_t>(std::min(look_interval, longest).us));
    // What happened before the feed was open is not announced: the caller looks once more.
    return;
  }
  static_cast<void>(feed_->wait(longest));
}

}  // namespace bidboard
