// How an agent turns what it is offered into work. Pure.
#pragma once

#include <vector>

#include "agents/executor.hpp"
#include "blackboard/messages.hpp"

namespace bidboard {

/// What the executor is to do about an award.
Assignment assignment_of(const AwardItem& award, AgentId agent);
/// The results of needed tasks as one JSON object, keyed by their name, or their id when they have none.
std::string needs_json(const std::vector<NeedResult>& needs);
/// Pull: in which order to claim the offered tasks: by priority, then where our skill is best, then as
/// offered. The controller awards as many as there is room for.
std::vector<TaskId> tasks_to_take(const std::vector<TaskOffer>& offers, const AgentProfile& profile);
/// Live bids of an agent that asks nobody: the standard bid for each, and for several together when it saves
/// set-up cost.
std::vector<Bid> standard_bids(const std::vector<TaskOffer>& offers, const AgentProfile& profile);
/// How long an agent that asks nobody takes it to need: by its formula, if it has one that answers.
Micros own_seconds(const TaskOffer& offer, const AgentProfile& profile);
/// A bundle bid as it is told.
Bid said_of(const BundleBid& bundle);
/// The first few of the other offers that a bid for this one might take along.
std::vector<RelatedTask> related_to(const TaskOffer& offer, const std::vector<TaskOffer>& offers);
/// What the controller is told of an ending.
ReportItem::What what_of(Ending ending);

}  // namespace bidboard
