// One request of a tool, wherever the core runs: sent to the serving controller, or else stepped through the
// same core in this process under the writer lock (no daemon is needed to post, claim or finish). Edge code.
#pragma once

#include <optional>

#include "blackboard/messages.hpp"
#include "blackboard/store/lmdb_store.hpp"
#include "blackboard/text/redaction.hpp"
#include "runtime/home/board_directory.hpp"
#include "runtime/home/curve_keys.hpp"

namespace bidboard {

/// Where requests go: to a board on this machine, or to a controller on another one.
struct Target {
  BoardDirectory board;
  std::string endpoint;  ///< not empty: send there and ignore `board`
  std::optional<CurveKeys> keys;

  Target(BoardDirectory here) : board(std::move(here)) {}  // NOLINT: every board is a target
  Target(std::string elsewhere, std::optional<CurveKeys> own)
      : endpoint(std::move(elsewhere)), keys(std::move(own)) {}
};

struct CallOptions {
  std::string as;                      ///< act as this agent
  std::string token;                   ///< BIDBOARD_TOKEN
  Duration patience = seconds(10);     ///< for an answer, retries included
  StoreOpener open_store = open_lmdb;  ///< used if no controller serves
  Redactor hidden = {};                ///< what the request must not say
};

/// Errors: those of the reply; refused or unavailable, if a controller on another machine does not let us in;
/// timed_out if no reply came (the request may have been done: repeating it is safe during the call, but not
/// after it).
Result<ReplyBody> call(const Target& target, RequestBody body, const CallOptions& options = {});

/// call(), with the type of reply that the request is known to get.
template <class Expected>
Result<Expected> call_for(const Target& target, RequestBody body, const CallOptions& options = {}) {
  Result<ReplyBody> reply = call(target, std::move(body), options);
  if (!reply) return fail(reply.error());
  if (auto* expected = std::get_if<Expected>(&*reply)) return std::move(*expected);
  return fail(Errc::unsupported, "the controller answered with something this version does not expect");
}

}  // namespace bidboard
