// The coordination strategies by name. They differ only in who decides which agent gets a ready task: all use
// the same award path (runtime/core/award.hpp), where every rule is enforced. A strategy is a file in this
// folder and a line in strategy.cpp.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/core/coordinator.hpp"

namespace bidboard {

/// What drivers pass to the controller. Errors: invalid, naming the known strategies.
Result<std::unique_ptr<Coordinator>> make_coordinator(const Config& config);
/// Errors: as for make_coordinator.
Result<void> check_strategy(std::string_view name);
const std::vector<std::string>& strategy_names();

std::unique_ptr<Coordinator> make_auction();
std::unique_ptr<Coordinator> make_blackboard();
std::unique_ptr<Coordinator> make_central();
std::unique_ptr<Coordinator> make_fifo();
std::unique_ptr<Coordinator> make_hierarchy();
std::unique_ptr<Coordinator> make_list();
std::unique_ptr<Coordinator> make_peer();
std::unique_ptr<Coordinator> make_random(std::uint64_t seed);
std::unique_ptr<Coordinator> make_single();

}  // namespace bidboard
