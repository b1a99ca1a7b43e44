#include "runtime/coordination/strategy.hpp"

#include <algorithm>
#include <array>

#include "blackboard/fmt.hpp"
#include "blackboard/text/document.hpp"

namespace bidboard {
namespace {

struct Entry {
  std::string_view name;
  std::unique_ptr<Coordinator> (*make)(const Config&);
};
constexpr std::array entries{
    Entry{"auction", [](const Config&) { return make_auction(); }},
    Entry{"blackboard", [](const Config&) { return make_blackboard(); }},
    Entry{"central", [](const Config&) { return make_central(); }},
    Entry{"fifo", [](const Config&) { return make_fifo(); }},
    Entry{"hierarchy", [](const Config&) { return make_hierarchy(); }},
    Entry{"list", [](const Config&) { return make_list(); }},
    Entry{"peer", [](const Config&) { return make_peer(); }},
    Entry{"random", [](const Config& config) { return make_random(config.seed); }},
    Entry{"single", [](const Config&) { return make_single(); }},
};

}  // namespace

const std::vector<std::string>& strategy_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Entry& entry : entries) all.emplace_back(entry.name);
    return all;
  }();
  return names;
}

Result<void> check_strategy(std::string_view name) {
  if (std::ranges::find(strategy_names(), name) != strategy_names().end()) return {};
  std::string text = fmt::format("unknown strategy '{}'", name);
  if (const std::string near = nearest(name, strategy_names()); !near.empty())
    text += fmt::format(", did you mean '{}'?", near);
  else
    text += ".";
  text += " Known:";
  for (const std::string& known : strategy_names()) text += " " + known;
  return fail(Errc::invalid, text);
}

Result<std::unique_ptr<Coordinator>> make_coordinator(const Config& config) {
  if (const Result<void> known = check_strategy(config.strategy); !known) return fail(known.error());
  return std::ranges::find(entries, config.strategy, &Entry::name)->make(config);
}

}  // namespace bidboard
