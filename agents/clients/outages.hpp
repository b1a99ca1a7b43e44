// Why a provider refused to work, told from what clients print. Pure.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "agents/clients/client.hpp"
#include "blackboard/records.hpp"
#include "blackboard/time.hpp"

namespace bidboard {

/// Of an HTTP status; none: the request was at fault, or all went well.
Outage outage_of_status(std::int64_t status);
/// Of an error text or of an answer that is in truth an error; none: it says nothing of the kind.
Outage outage_in(std::string_view text);
/// "retry-after: 3600", "try again in 20s", "retry in 5 minutes": how long; nothing: it does not say.
std::optional<Duration> wait_in(std::string_view text);

/// The verdict on an error: unavailable when the text or the status says that the provider is, else failed.
ClientVerdict verdict_on(std::string_view error, std::int64_t status, const ClientExit& exit);
/// Done, with this answer; unless the answer is in truth the notice of a used up quota.
ClientVerdict verdict_on_answer(std::string answer, const ClientExit& exit);
/// Failed, since it was not allowed to use these tools. `how`: where the user allows them.
ClientVerdict verdict_on_denial(const std::set<std::string>& tools, std::string_view how = "`permission:`");
/// The same for a client that said nothing about its end.
ClientVerdict verdict_on_silence(std::string_view client, const ClientExit& exit);

}  // namespace bidboard
