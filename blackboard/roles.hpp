// Who may do what. One table (roles.cpp), consulted by the controller for every request.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace bidboard {

/// Stored: never change a number.
enum class Role : std::uint8_t {
  executive = 0,   ///< the root of a tree of agents
  manager = 1,     ///< leads a subtree
  specialist = 2,  ///< does tasks
  operator_ = 3,   ///< a person or script with the board's file rights: may do everything
  observer = 4,    ///< may only read
};

/// What a request wants to do, as the role table names it.
enum class Action : std::uint8_t {
  post,       ///< post tasks, change their dependencies
  take,       ///< claim or bid, and be awarded
  report,     ///< renew, progress, done, fail: on a task it holds
  direct,     ///< cancel, retry, reassign, pause, edit: on anybody's task
  configure,  ///< change the strategy, stop the controller
  discover,   ///< post discoveries
  comment,    ///< comment on tasks
};

std::string_view name(Role role);
std::string_view name(Action action);
std::optional<Role> parse_role(std::string_view text);
bool may(Role role, Action action);
/// Decides who under it does a task: executives and managers.
bool leads(Role role);

}  // namespace bidboard
