// Agents agree among themselves who takes what (agents/peer.hpp), then claim: the controller only tells them
// who their neighbours are and what there is to do (runtime/coordination/agreement.hpp).
#include "runtime/coordination/strategy.hpp"

namespace bidboard {
namespace {

class PeerStrategy final : public Strategy {
 public:
  std::string_view name() const override { return "peer"; }
  Style style() const override { return Style::agree; }
};

}  // namespace

std::unique_ptr<Strategy> make_peer() { return std::make_unique<PeerStrategy>(); }

}  // namespace bidboard
