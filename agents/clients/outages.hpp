// Why a provider refused to work, told from what clients print. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "agents/clients/client.hpp"
#include "blackboard/records.hpp"
#include "blackboard/time.hpp"

namespace bidboard {

/// Of an HTTP status; none: the request was at fault, or all went well.
Outage outage_of_status(std::int64_t status);
/// Of an error text or of an answer that is in truth an error; none: it says nothing of the kind.
Outage outage_in(std::string_view text);
/// Whether an answer is in truth the notice of a used up quota, as clients print it instead of an answer.
bool is_limit_text(std::string_view answer);
/// "retry-after: 3600", "try again in 20s", "retry in 5 minutes": how long; nothing: it does not say.
std::optional<Duration> wait_in(std::string_view text);

/// The verdict on an error: unavailable when the text or the status says that the provider is, else failed.
ClientVerdict verdict_on(std::string_view error, std::int64_t status, const ClientExit& exit);
/// The same for a client that said nothing about its end.
ClientVerdict verdict_on_silence(std::string_view client, const ClientExit& exit);

}  // namespace bidboard
