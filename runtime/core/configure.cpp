#include "runtime/core/configure.hpp"

#include "auction/clearing.hpp"
#include "blackboard/fmt.hpp"
#include "runtime/core/posting.hpp"
#include "runtime/core/tasks.hpp"

namespace bidboard {
namespace {

/// What is wrong with a configuration; empty when nothing is.
std::string flaw_of(const Config& config) {
  constexpr Duration longest = minutes(60 * 24 * 7);
  const auto span = [&](const char* what, Duration value) -> std::string {
    if (value.us > 0 && value <= longest) return {};
    return fmt::format("{} is {} us; it must be above zero and at most a week", what, value.us);
  };
  for (const std::string& flaw : {span("bid_timeout", config.bid_timeout),
                                  span("heartbeat", config.heartbeat), span("lease", config.lease)})
    if (!flaw.empty()) return flaw;
  if (config.lease < config.heartbeat * 2)
    return fmt::format("lease ({}) is less than two heartbeats of {}: a single lost message would end it",
                       config.lease, config.heartbeat);
  if (config.backoff.us < 0 || config.backoff > longest) return "backoff must be between zero and a week";
  if (config.seconds_weight < 0 || config.price_weight < 0) return "weights must not be negative";
  if (config.seconds_weight == 0 && config.price_weight == 0) return "one of the weights must be above zero";
  return {};
}

/// Agents learn the heartbeat interval when they register. Connected agents must be sent a change, or they
/// lose their leases.
void tell_heartbeats(Core& core) {
  const Config& config = core.board.config();
  core.leases.set_term(config.lease, core.now.mono);
  for (const auto& [id, session] : core.sessions) {
    if (session.peer.value == 0) continue;
    core.leases.renew(id, core.now.mono);
    const std::string secret = core.secrets.registration(id, core.board.agent(id)->incarnation);
    core.send(session.peer, Registered{id, secret, config.heartbeat, config.lease, core.options.term});
  }
}

}  // namespace

Result<Nothing> configure(Core& core, const Configure& request) {
  if (const auto made = core.options.coordinators(request.config); !made) return fail(made.error());
  if (const std::string flaw = flaw_of(request.config); !flaw.empty())
    return fail(Errc::invalid, "configuration refused: " + flaw);
  if (const auto mechanism = find_mechanism(request.config.mechanism); !mechanism)
    return fail(Errc::invalid, mechanism.error().text);
  const bool ordered = core.coordinator->orders_by_bottom_level();
  const Config& before = core.board.config();
  const bool other_heartbeats =
      before.heartbeat != request.config.heartbeat || before.lease != request.config.lease;
  withdraw_offers(core);
  core.emit(ConfigSet{request.config});
  core.reset_coordinator();
  if (other_heartbeats) tell_heartbeats(core);
  if (core.coordinator->orders_by_bottom_level() != ordered) relevel_all(core, !ordered);
  return Nothing{};
}

}  // namespace bidboard
