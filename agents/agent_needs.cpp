// For an agent whose task needs more results than fit into an award: it fetches them, then begins.
#include <utility>

#include "agents/agent.hpp"

namespace bidboard {

void AgentMachine::fetch_needs(const Work& work, Actions& out) const {
  const AwardItem& award = *work.fetches;
  FetchNeeds ask{id_, secret_, {award.offer.task, award.epoch}, 0, 0};
  ask.from = static_cast<std::uint32_t>(award.needs.size());
  if (work.needs_cut) {
    ask.from -= 1;
    ask.offset = award.needs.back().result.size();
  }
  out.push_back(Say{std::move(ask)});
}

void AgentMachine::on_needs(const NeedsPage& page, Actions& out) {
  const auto held = held_.find(page.held.task);
  if (held == held_.end() || held->second.epoch != page.held.epoch || !held->second.fetches) return;
  Work& work = held->second;
  std::vector<NeedResult>& here = work.fetches->needs;
  const std::size_t from = here.size() - (work.needs_cut ? 1 : 0);
  const std::size_t offset = work.needs_cut ? here.back().result.size() : 0;
  if (page.from != from || page.offset != offset) return;  // a duplicate page
  bool goes_on = work.needs_cut;
  for (const NeedResult& need : page.needs) {
    if (std::exchange(goes_on, false))
      here.back().result += need.result;
    else
      here.push_back(need);
  }
  work.needs_cut = !page.complete && page.next_offset > 0;
  if (!page.complete) return fetch_needs(work, out);
  const AwardItem award = *std::exchange(work.fetches, std::nullopt);
  begin(award, out);
}

}  // namespace bidboard
