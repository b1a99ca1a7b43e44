#include "blackboard/events.hpp"

#include <array>

namespace bidboard {
namespace {

constexpr std::array<std::string_view, std::variant_size_v<EventBody>> kinds{
    "term_started",    "config_set",       "task_posted",      "task_moved",    "backoff_over",
    "task_awarded",    "task_started",     "task_progressed",  "task_renewed",  "task_stalled",
    "attempt_ended",   "task_finished",    "task_reopened",    "need_added",    "need_removed",
    "levels_raised",   "task_reserved",    "agent_registered", "agent_seen",    "agent_left",
    "calibrated",      "discovery_posted", "workflow_posted",  "replied",       "client_forgotten",
    "request_refused", "auction_failed",   "task_held",        "hold_lifted",   "task_edited",
    "comment_posted",  "breaker_moved",    "attempt_settled",  "budget_raised", "work_saved"};

}  // namespace

std::string_view kind(const Event& event) { return kinds[event.body.index()]; }

const Auction* auction_in(const Event& event) {
  if (const auto* awarded = std::get_if<TaskAwarded>(&event.body))
    return awarded->decision.id ? &awarded->decision : nullptr;
  if (const auto* failed = std::get_if<AuctionFailed>(&event.body)) return &failed->decision;
  return nullptr;
}

TaskId task_of(const Event& event) {
  return std::visit(
      [](const auto& body) -> TaskId {
        using Body = std::decay_t<decltype(body)>;
        if constexpr (std::is_same_v<Body, TaskPosted>)
          return body.task.id;
        else if constexpr (std::is_same_v<Body, DiscoveryPosted>)
          return body.discovery.task;
        else if constexpr (std::is_same_v<Body, CommentPosted>)
          return body.comment.task;
        else if constexpr (requires { body.task; })
          return body.task;
        else
          return {};
      },
      event.body);
}

AgentId agent_of(const Event& event) {
  return std::visit(
      [](const auto& body) -> AgentId {
        using Body = std::decay_t<decltype(body)>;
        if constexpr (std::is_same_v<Body, AgentRegistered>)
          return body.agent.id;
        else if constexpr (std::is_same_v<Body, DiscoveryPosted>)
          return body.discovery.agent;
        else if constexpr (std::is_same_v<Body, CommentPosted>)
          return body.comment.agent;
        else if constexpr (std::is_same_v<Body, Calibrated>)
          return body.calibration.agent;
        else if constexpr (requires { body.agent; })
          return body.agent;
        else
          return {};
      },
      event.body);
}

}  // namespace bidboard
