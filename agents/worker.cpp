#include "agents/worker.hpp"

#include <algorithm>

#include "auction/eligibility.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/text/document.hpp"

namespace bidboard {

Assignment assignment_of(const AwardItem& award, AgentId agent) {
  Assignment assignment;
  assignment.task = award.offer.task;
  assignment.epoch = award.epoch;
  assignment.token = fmt::format("{}:{}:{}:{}", agent, award.offer.task, award.epoch.value, award.capability);
  assignment.spec = award.offer.spec;
  assignment.attempt = award.offer.attempt;
  assignment.failures = award.offer.failures;
  assignment.needs_json = needs_json(award.needs);
  assignment.idempotency_key = fmt::format("{}/{}", award.offer.spec.project, award.offer.task);
  assignment.deadline = award.deadline;
  assignment.comments = award.comments;
  assignment.budget_left = award.budget_left;
  assignment.works = award.works;
  return assignment;
}

std::string needs_json(const std::vector<NeedResult>& needs) {
  Value object{Value::Object{}};
  for (const NeedResult& need : needs) {
    Value entry{Value::Object{}};
    entry.set("task", to_string(need.task));
    entry.set("state", name(need.state));
    Result<Value> json = parse_json(need.result);
    entry.set("result", json ? std::move(*json) : Value(need.result));
    object.set(need.name.empty() ? to_string(need.task) : need.name, std::move(entry));
  }
  return to_json(object);
}

std::vector<TaskId> tasks_to_take(const std::vector<TaskOffer>& offers, const AgentProfile& profile) {
  std::vector<const TaskOffer*> order;
  for (const TaskOffer& offer : offers) order.push_back(&offer);
  std::stable_sort(order.begin(), order.end(), [&](const TaskOffer* a, const TaskOffer* b) {
    return std::pair(-a->spec.priority, -skill_level(a->spec, profile)) <
           std::pair(-b->spec.priority, -skill_level(b->spec, profile));
  });
  std::vector<TaskId> wanted;
  for (const TaskOffer* offer : order) wanted.push_back(offer->task);
  return wanted;
}

std::vector<Bid> standard_bids(const std::vector<TaskOffer>& offers, const AgentProfile& profile) {
  std::vector<SingleBid> singles;
  for (const TaskOffer& offer : offers)
    singles.push_back({offer.task, &offer.spec, standard_bid(offer.spec, profile)});
  std::vector<Bid> bids;
  for (const auto& [task, spec, bid] : singles)
    bids.push_back({task, false, bid.seconds, bid.price, bid.confidence, {}, {}});
  for (const BundleBid& bundle : set_up_bundles(singles, profile)) bids.push_back(said_of(bundle));
  return bids;
}

Micros own_seconds(const TaskOffer& offer, const AgentProfile& profile) {
  if (profile.bids == BidStyle::formula) {
    const std::uint32_t made = std::max(offer.attempt, 1U) - 1;
    if (const Result<BidVector> bid = formula_bid(offer.spec, made, profile)) return bid->seconds;
  }
  return standard_bid(offer.spec, profile).seconds;
}

Bid said_of(const BundleBid& bundle) {
  const auto& [seconds, price, confidence] = bundle.bid;
  return {bundle.tasks.front(),
          false,
          seconds,
          price,
          confidence,
          {},
          {bundle.tasks.begin() + 1, bundle.tasks.end()}};
}

std::vector<RelatedTask> related_to(const TaskOffer& offer, const std::vector<TaskOffer>& offers) {
  std::vector<RelatedTask> related;
  for (const TaskOffer& other : offers) {
    if (related.size() + 1 == bundle_tasks_max) break;
    if (other.task != offer.task && are_related(other.spec, offer.spec))
      related.push_back({other.task, other.spec});
  }
  return related;
}

ReportItem::What what_of(Ending ending) {
  switch (ending) {
    case Ending::done:
      return ReportItem::What::finished;
    case Ending::failed:
      return ReportItem::What::failed;
    case Ending::stopped:
    case Ending::unknown:
      return ReportItem::What::unknown;
    case Ending::unavailable:
      return ReportItem::What::unavailable;
  }
  return ReportItem::What::unknown;
}

}  // namespace bidboard
