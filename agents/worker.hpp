// How an agent turns offers and awards into work. Pure.
#pragma once

#include <vector>

#include "agents/executor.hpp"
#include "blackboard/messages.hpp"

namespace bidboard {

/// The executor's assignment for an award.
Assignment assignment_of(const AwardItem& award, AgentId agent);
/// The results of needed tasks as one JSON object, keyed by task name, or by id if there is none.
std::string needs_json(const std::vector<NeedResult>& needs);
/// Pull: the order in which to claim the offered tasks: by priority, then by our skill level, then as
/// offered. The controller awards as many as fit.
std::vector<TaskId> tasks_to_take(const std::vector<TaskOffer>& offers, const AgentProfile& profile);
/// Live bids of an agent without an external bidder: the standard bid for each task, and for several together
/// where that saves set-up cost.
std::vector<Bid> standard_bids(const std::vector<TaskOffer>& offers, const AgentProfile& profile);
/// How long an agent without an external bidder expects the task to take: by its formula, if that gives a
/// value.
Micros own_seconds(const TaskOffer& offer, const AgentProfile& profile);
/// A bundle bid as it is sent.
Bid said_of(const BundleBid& bundle);
/// The first few of the other offers that a bid for this one might include.
std::vector<RelatedTask> related_to(const TaskOffer& offer, const std::vector<TaskOffer>& offers);
/// The report to the controller about an ending.
ReportItem::What what_of(Ending ending);

}  // namespace bidboard
