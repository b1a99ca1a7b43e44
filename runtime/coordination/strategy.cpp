#include "runtime/coordination/strategy.hpp"

#include "blackboard/text/document.hpp"

namespace bidboard {

const std::vector<std::string>& strategy_names() {
  static const std::vector<std::string> names{"auction", "blackboard", "central", "fifo",  "hierarchy",
                                              "list",    "peer",       "random",  "single"};
  return names;
}

Result<std::unique_ptr<Strategy>> make_strategy(std::string_view name, std::uint64_t seed) {
  if (name == "auction") return make_auction();
  if (name == "blackboard") return make_blackboard();
  if (name == "central") return make_central();
  if (name == "fifo") return make_fifo();
  if (name == "hierarchy") return make_hierarchy();
  if (name == "list") return make_list();
  if (name == "peer") return make_peer();
  if (name == "random") return make_random(seed);
  if (name == "single") return make_single();
  std::string text = "unknown strategy '" + std::string(name) + "'";
  if (const std::string near = nearest(name, strategy_names()); !near.empty())
    text += ", did you mean '" + near + "'?";
  else
    text += ".";
  text += " Known:";
  for (const std::string& known : strategy_names()) text += " " + known;
  return fail(Errc::invalid, text);
}

}  // namespace bidboard
