#include "auction/bundles.hpp"

#include <algorithm>

namespace bidboard {
namespace {

constexpr std::size_t neighbours_max = 4;

/// The tasks in groups of related ones, each in the given order.
std::vector<std::vector<const SingleBid*>> groups_of(const std::vector<SingleBid>& singles) {
  std::vector<std::vector<const SingleBid*>> groups;
  for (const SingleBid& single : singles) {
    const auto group = std::ranges::find_if(
        groups, [&](const auto& g) { return are_related(*g.front()->spec, *single.spec); });
    if (group == groups.end())
      groups.push_back({&single});
    else if (group->size() < bundle_tasks_max)
      group->push_back(&single);
  }
  return groups;
}

void add(BundleBid& bundle, const SingleBid& single, const AgentProfile& agent) {
  BidVector& sum = bundle.bid;
  const bool first = bundle.tasks.empty();
  const Micros saved = first ? 0 : std::min(agent.set_up, single.bid.seconds);
  const Micros cheaper = std::min(mul_micros(saved, agent.price_per_second), single.bid.price);
  bundle.tasks.push_back(single.task);
  sum.seconds = std::min(sum.seconds + single.bid.seconds - saved, max_bid_seconds);
  sum.price = std::min(sum.price + single.bid.price - cheaper, max_bid_price);
  sum.confidence = std::min(sum.confidence, single.bid.confidence);
}

}  // namespace

bool are_related(const TaskSpec& one_task, const TaskSpec& other) {
  return one_task.kind == other.kind && one_task.project == other.project;
}

std::vector<BundleBid> set_up_bundles(const std::vector<SingleBid>& singles, const AgentProfile& agent) {
  std::vector<BundleBid> bundles;
  if (agent.set_up <= 0) return bundles;
  for (const auto& group : groups_of(singles))
    for (std::size_t first = 0; first + 1 < group.size(); ++first) {
      BundleBid bundle;
      add(bundle, *group[first], agent);
      for (std::size_t next = first + 1; next < std::min(first + neighbours_max, group.size()); ++next) {
        add(bundle, *group[next], agent);
        if (bundles.size() == bundle_bids_max) return bundles;
        bundles.push_back(bundle);
        std::ranges::sort(bundles.back().tasks);
      }
    }
  return bundles;
}

BidVector share_of(const BundleBid& bundle) {
  const auto size = static_cast<Micros>(bundle.tasks.size());
  return {bundle.bid.seconds / size, bundle.bid.price / size, bundle.bid.confidence};
}

}  // namespace bidboard
