// Pull: ready tasks are announced to everyone who may take them; agents choose, the first valid claim wins.
#include "runtime/coordination/strategy.hpp"

namespace bidboard {
namespace {

class BlackboardStrategy final : public Strategy {
 public:
  std::string_view name() const override { return "blackboard"; }
  bool sees_busy() const override { return false; }
  Style style() const override { return Style::pull; }
};

}  // namespace

std::unique_ptr<Strategy> make_blackboard() { return std::make_unique<BlackboardStrategy>(); }

}  // namespace bidboard
