// Down a tree of managers, each a process of its own that gives a task to the least loaded of its members
// that can take it, or hands it back. The rule stands in agents/manager.cpp, the carrying of messages in
// runtime/coordination/delegation.cpp.
#include "runtime/coordination/strategy.hpp"

namespace bidboard {
namespace {

class HierarchyStrategy final : public Strategy {
 public:
  std::string_view name() const override { return "hierarchy"; }
  bool sees_busy() const override { return false; }
  Style style() const override { return Style::delegate; }
};

}  // namespace

std::unique_ptr<Strategy> make_hierarchy() { return std::make_unique<HierarchyStrategy>(); }

}  // namespace bidboard
