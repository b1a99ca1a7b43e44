#include "agents/clients/outages.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "agents/json_fields.hpp"
#include "blackboard/fmt.hpp"

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
    Phrase{"oauth token has expired", Outage::authentication},
    Phrase{"401 unauthorized", Outage::authentication},
    Phrase{"rate limit", Outage::rate_limit},
    Phrase{"rate_limit", Outage::rate_limit},
    Phrase{"ratelimiterror", Outage::rate_limit},
    Phrase{"too many requests", Outage::rate_limit},
    Phrase{"resource_exhausted", Outage::rate_limit},
    Phrase{"overloaded", Outage::overload},
    Phrase{"internal server error", Outage::overload},
    Phrase{"service unavailable", Outage::overload},
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

/// "20s", ": 3600", " 5 minutes": the number must follow within a few signs.
std::optional<Duration> wait_at(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && at < 4 && !is_digit(text[at])) ++at;
  std::int64_t number = 0;
  const std::size_t begin = at;
  for (; at < text.size() && is_digit(text[at]) && at - begin < 9; ++at)
    number = number * 10 + (text[at] - '0');
  if (at == begin) return {};
  if (at < text.size() && text[at] == '.')  // a fraction of a second does not matter
    for (++at; at < text.size() && is_digit(text[at]);) ++at;
  while (at < text.size() && text[at] == ' ') ++at;
  const std::string_view unit = text.substr(at);
  if (unit.starts_with("ms")) return milliseconds(number);
  if (unit.starts_with("m")) return minutes(number);
  if (unit.starts_with("h")) return minutes(60 * number);
  if (unit.starts_with("d")) return minutes(60 * 24 * number);
  return seconds(number);
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

bool is_limit_text(std::string_view answer) {
  constexpr std::size_t notice_bytes_max = 300;  // an answer about limits is longer than the notice of one
  return answer.size() <= notice_bytes_max && outage_in(answer) == Outage::quota;
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

ClientVerdict verdict_on_silence(std::string_view client, const ClientExit& exit) {
  if (exit.code == command_not_found || exit.code == not_executable) {
    ClientVerdict verdict;
    verdict.ending = Ending::unavailable;
    verdict.outage = Outage::missing_binary;
    verdict.reason = fmt::format("{} is not installed, or not on the PATH", client);
    return verdict;
  }
  const std::string said = last_line(exit.errors);
  ClientVerdict verdict =
      verdict_on(said.empty() ? fmt::format("{} ended without a result", client) : said, 0, exit);
  if (exit.code != 0) verdict.reason = fmt::format("exit {}: {}", exit.code, verdict.reason);
  return verdict;
}

}  // namespace bidboard
