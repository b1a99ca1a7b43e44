#include "agents/clients/outages.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "agents/json_fields.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/numbers.hpp"

namespace bidboard {
namespace {

constexpr int command_not_found = 127;
constexpr int not_executable = 126;

struct Phrase {
  std::string_view text;  ///< lower case
  Outage outage;
};
/// In this order: the first one that occurs decides. Each was seen in the output of a client or its provider.
constexpr std::array phrases{
    Phrase{"credit balance is too low", Outage::credit},
    Phrase{"insufficient_quota", Outage::credit},
    Phrase{"insufficient credit", Outage::credit},
    Phrase{"payment required", Outage::credit},
    Phrase{"credits are depleted", Outage::credit},
    Phrase{"hit your session limit", Outage::quota},
    Phrase{"hit your usage limit", Outage::quota},
    Phrase{"hit your weekly limit", Outage::quota},
    Phrase{"hit your limit", Outage::quota},
    Phrase{"usage limit reached", Outage::quota},
    Phrase{"quota exceeded", Outage::quota},
    Phrase{"exceeded your current quota", Outage::quota},
    Phrase{"exhausted your daily quota", Outage::quota},
    Phrase{"invalid api key", Outage::authentication},
    Phrase{"invalid x-api-key", Outage::authentication},
    Phrase{"incorrect api key", Outage::authentication},
    Phrase{"api key not valid", Outage::authentication},
    Phrase{"authentication_error", Outage::authentication},
    Phrase{"authentication failed", Outage::authentication},
    Phrase{"please run /login", Outage::authentication},
    Phrase{"not logged in", Outage::authentication},
    Phrase{"please set an auth method", Outage::authentication},
    Phrase{"invalid auth method", Outage::authentication},
    Phrase{"oauth token has expired", Outage::authentication},
    Phrase{"401 unauthorized", Outage::authentication},
    Phrase{"rate limit", Outage::rate_limit},
    Phrase{"rate_limit", Outage::rate_limit},
    Phrase{"ratelimiterror", Outage::rate_limit},
    Phrase{"too many requests", Outage::rate_limit},
    Phrase{"resource_exhausted", Outage::rate_limit},
    Phrase{"resource has been exhausted", Outage::rate_limit},
    Phrase{"resource exhausted", Outage::rate_limit},
    Phrase{"overloaded", Outage::overload},
    Phrase{"internal server error", Outage::overload},
    Phrase{"service unavailable", Outage::overload},
    Phrase{"model is at capacity", Outage::overload},
    Phrase{"experiencing high demand", Outage::overload},
    Phrase{"connection refused", Outage::network},
    Phrase{"econnrefused", Outage::network},
    Phrase{"enotfound", Outage::network},
    Phrase{"econnreset", Outage::network},
    Phrase{"fetch failed", Outage::network},
    Phrase{"connection error", Outage::network},
    Phrase{"could not resolve host", Outage::network},
    Phrase{"stream disconnected", Outage::network},
    Phrase{"network error", Outage::network},
};

/// What stands before the time that a provider asks to wait.
constexpr std::array<std::string_view, 5> wait_phrases{"retry-after", "retry after", "try again in",
                                                       "retry in", "available in"};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The next number and its unit; what was read is taken off.
std::optional<Micros> next_span(std::string_view& text) {
  std::int64_t number = 0;
  std::size_t at = 0;
  for (; at < text.size() && is_digit(text[at]) && at < 9; ++at) number = number * 10 + (text[at] - '0');
  if (at == 0) return {};
  if (at < text.size() && text[at] == '.')  // a fraction of a second does not matter
    for (++at; at < text.size() && is_digit(text[at]);) ++at;
  while (at < text.size() && text[at] == ' ') ++at;
  const std::string_view unit = text.substr(at);
  const Micros scale = unit.starts_with("ms")  ? 1'000
                       : unit.starts_with("m") ? minutes(1).us
                       : unit.starts_with("h") ? minutes(60).us
                       : unit.starts_with("d") ? minutes(60 * 24).us
                                               : seconds(1).us;
  while (at < text.size() && text[at] >= 'a' && text[at] <= 'z') ++at;
  text.remove_prefix(at);
  constexpr std::int64_t number_max = 366 * 86'400;  // so that no product overflows
  return clamped(ranges::work_seconds, std::min(number, number_max) * scale);
}

/// "20s", ": 3600", " 5 minutes", " 1 hour 30 minutes": the first number must follow within a few signs.
std::optional<Duration> wait_at(std::string_view text) {
  for (std::size_t skipped = 0; skipped < 4 && !text.empty() && !is_digit(text.front()); ++skipped)
    text.remove_prefix(1);
  std::optional<Micros> sum = next_span(text);
  while (sum) {
    if (text.starts_with(' ')) text.remove_prefix(1);
    const std::optional<Micros> more = next_span(text);
    if (!more) break;
    sum = clamped(ranges::work_seconds, *sum + *more);
  }
  return sum ? std::optional(Duration{*sum}) : std::nullopt;
}

/// The notice of a used up quota, as clients print it instead of an answer.
bool is_limit_text(std::string_view answer) {
  constexpr std::size_t notice_bytes_max = 300;  // an answer about limits is longer than the notice of one
  return answer.size() <= notice_bytes_max && outage_in(answer) == Outage::quota;
}

}  // namespace

Outage outage_of_status(std::int64_t status) {
  if (status == 401 || status == 403) return Outage::authentication;
  if (status == 402) return Outage::credit;
  if (status == 429) return Outage::rate_limit;
  if (status >= 500 && status <= 599) return Outage::overload;
  return Outage::none;
}

Outage outage_in(std::string_view text) {
  const std::string words = lower(text);
  const auto found = std::ranges::find_if(
      phrases, [&](const Phrase& phrase) { return words.find(phrase.text) != std::string::npos; });
  return found == phrases.end() ? Outage::none : found->outage;
}

std::optional<Duration> wait_in(std::string_view text) {
  const std::string words = lower(text);
  for (const std::string_view phrase : wait_phrases)
    if (const std::size_t at = words.find(phrase); at != std::string::npos)
      if (auto wait = wait_at(std::string_view(words).substr(at + phrase.size()))) return wait;
  return {};
}

ClientVerdict verdict_on(std::string_view error, std::int64_t status, const ClientExit& exit) {
  ClientVerdict verdict;
  verdict.reason = one_line(error);
  // The text says more than the status: a quota and a rate limit are both 429.
  verdict.outage = outage_in(error);
  if (const Outage by_status = outage_of_status(status);
      by_status != Outage::none && (verdict.outage == Outage::none || status < 400))
    verdict.outage = by_status;
  if (verdict.outage == Outage::none) return verdict;
  verdict.ending = Ending::unavailable;
  if (const auto wait = wait_in(error)) verdict.until = exit.now + *wait;
  return verdict;
}

ClientVerdict verdict_on_answer(std::string answer, const ClientExit& exit) {
  if (is_limit_text(answer)) return verdict_on(answer, 0, exit);
  ClientVerdict verdict;
  verdict.ending = Ending::done;
  verdict.result = std::move(answer);
  return verdict;
}

ClientVerdict verdict_on_denial(const std::set<std::string>& tools, std::string_view how) {
  ClientVerdict verdict;
  for (const std::string& tool : tools) verdict.reason += (verdict.reason.empty() ? "" : ", ") + tool;
  verdict.reason = fmt::format("it was not allowed to use {}; allow it with {}", verdict.reason, how);
  return verdict;
}

ClientVerdict verdict_on_silence(std::string_view client, const ClientExit& exit) {
  if (exit.code == command_not_found || exit.code == not_executable) {
    ClientVerdict verdict;
    verdict.ending = Ending::unavailable;
    verdict.outage = Outage::missing_binary;
    const std::string said = last_line(exit.errors);
    verdict.reason =
        fmt::format("the command of {} cannot be started{}{}", client, said.empty() ? "" : ": ", said);
    return verdict;
  }
  const std::string said = last_line(exit.errors);
  ClientVerdict verdict =
      verdict_on(said.empty() ? fmt::format("{} ended without a result", client) : said, 0, exit);
  if (exit.code != 0) verdict.reason = fmt::format("exit {}: {}", exit.code, verdict.reason);
  return verdict;
}

}  // namespace bidboard
