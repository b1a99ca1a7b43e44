// Agents bid, a mechanism clears: the deciding is done in auction/, the gathering of bids in
// runtime/coordination/bidding.cpp.
#include "runtime/coordination/strategy.hpp"

namespace bidboard {
namespace {

class AuctionStrategy final : public Strategy {
 public:
  std::string_view name() const override { return "auction"; }
  Style style() const override { return Style::bids; }
};

}  // namespace

std::unique_ptr<Strategy> make_auction() { return std::make_unique<AuctionStrategy>(); }

}  // namespace bidboard
