// One request of a tool, wherever the decision core happens to run: sent to the serving controller, else
// stepped through the same core in this process under the writer lock (no daemon is needed to post, claim or
// finish). Edge code.
#pragma once

#include "blackboard/messages.hpp"
#include "runtime/board_directory.hpp"

namespace bidboard {

struct CallOptions {
  std::string as;                   ///< act as this agent
  std::string token;                ///< BIDBOARD_TOKEN
  Duration patience = seconds(10);  ///< for an answer, retries included
};

/// Errors: those of the reply; timed_out when no answer came (the request may have been done: it is repeated
/// safely while the call lasts, not beyond).
Result<ReplyBody> call(const BoardDirectory& board, RequestBody body, const CallOptions& options = {});

/// call(), and the kind of reply that the request is known to get.
template <class Expected>
Result<Expected> call_for(const BoardDirectory& board, RequestBody body, const CallOptions& options = {}) {
  Result<ReplyBody> reply = call(board, std::move(body), options);
  if (!reply) return fail(reply.error());
  if (auto* expected = std::get_if<Expected>(&*reply)) return std::move(*expected);
  return fail(Errc::unsupported, "the controller answered with something this version does not expect");
}

}  // namespace bidboard
