#include "blackboard/roles.hpp"

#include <array>

namespace bidboard {
namespace {

struct Row {
  Role role;
  std::string_view name;
  //                post   take   report direct configure discover comment
  std::array<bool, 7> may;
};
constexpr std::array table{
    Row{Role::executive, "executive", {true, false, true, true, false, true, true}},
    Row{Role::manager, "manager", {true, false, true, true, false, true, true}},
    Row{Role::specialist, "specialist", {true, true, true, false, false, true, true}},
    Row{Role::operator_, "operator", {true, true, true, true, true, true, true}},
    Row{Role::observer, "observer", {false, false, false, false, false, false, false}},
};
constexpr std::array<std::string_view, 7> actions{"post",      "take",     "report", "direct",
                                                  "configure", "discover", "comment"};

}  // namespace

std::string_view name(Role role) {
  for (const Row& row : table)
    if (row.role == role) return row.name;
  return "unknown";
}

std::string_view name(Action action) { return actions[static_cast<std::size_t>(action)]; }

std::optional<Role> parse_role(std::string_view text) {
  for (const Row& row : table)
    if (row.name == text) return row.role;
  return {};
}

bool may(Role role, Action action) {
  for (const Row& row : table)
    if (row.role == role) return row.may[static_cast<std::size_t>(action)];
  return false;
}

bool leads(Role role) { return role == Role::executive || role == Role::manager; }

}  // namespace bidboard
