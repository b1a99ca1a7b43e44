#include "agents/clients/chat.hpp"

#include <algorithm>
#include <utility>

#include "agents/clients/json_lines.hpp"
#include "blackboard/fmt.hpp"

namespace bidboard {
namespace {

/// Ollama cuts a prompt that does not fit the context, without a word, and its context is small unless it is
/// told otherwise.
constexpr std::int64_t ollama_context = 4096;
constexpr std::int64_t ollama_context_max = 1 << 17;
constexpr std::int64_t room_for_answer = 2048;
constexpr std::int64_t bytes_per_token = 3;  ///< rather too few than too many

std::string text_of(const Variables& variable, const char* name, std::string_view otherwise) {
  const char* value = variable(name);
  return std::string(value && *value ? std::string_view(value) : otherwise);
}

/// Where "host:port" begins and ends in a URL.
std::pair<std::size_t, std::size_t> authority_of(std::string_view url) {
  const std::size_t begin = url.find("://") + 3;
  return {begin, std::min(url.find('/', begin), url.size())};
}

std::string with_scheme(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url.find("://") == std::string::npos ? "http://" + url : url;
}

/// "127.0.0.1:11434", ":11434", "gpu1", "https://ollama.com/": as Ollama's own programs read it.
std::string ollama_url(const std::string& host) {
  const bool has_scheme = host.find("://") != std::string::npos;
  std::string url = with_scheme(host);
  const std::size_t begin = authority_of(url).first;
  if (url.substr(begin, 1) == ":") url.insert(begin, "127.0.0.1");
  // A server that listens everywhere is reached here.
  if (url.substr(begin, 7) == "0.0.0.0") url.replace(begin, 7, "127.0.0.1");
  const std::size_t end = authority_of(url).second;
  const std::string name = url.substr(begin, end - begin);
  const bool has_port = name.find(':', name.find(']') == name.npos ? 0 : name.find(']')) != name.npos;
  if (!has_scheme && !has_port) url.insert(end, ":11434");
  return url;
}

bool is_local(std::string_view url) {
  const auto [begin, end] = authority_of(url);
  std::string_view host = url.substr(begin, end - begin);
  host.remove_prefix(host.rfind('@') == host.npos ? 0 : host.rfind('@') + 1);
  host = host.substr(0, host.starts_with('[') ? host.find(']') + 1 : host.find(':'));
  const bool is_number = host.find_first_not_of("0123456789.") == host.npos;
  return host == "localhost" || host == "0.0.0.0" || host == "[::1]" ||
         (is_number && host.starts_with("127."));
}

std::string without_user(std::string url) {
  const auto [begin, end] = authority_of(url);
  const std::size_t at = url.rfind('@', end);
  if (at != url.npos && at > begin) url.erase(begin, at + 1 - begin);
  return url;
}

Value user_messages(std::string_view prompt) {
  return Value::Array{json_object({{"role", "user"}, {"content", prompt}})};
}

/// 0: what it has by default is enough.
std::int64_t context_for(std::string_view prompt) {
  const std::int64_t needed = static_cast<std::int64_t>(prompt.size()) / bytes_per_token + room_for_answer;
  if (needed <= ollama_context) return 0;
  std::int64_t context = ollama_context;  // by doubling: each other size loads the model again
  while (context < needed) context *= 2;
  return context;
}

}  // namespace

ChatRequest chat_request(ChatApi api, const std::string& model, std::string_view prompt,
                         const Variables& variable) {
  ChatRequest request;
  Value body = json_object({{"model", model}, {"stream", true}, {"messages", user_messages(prompt)}});
  std::string key;
  if (api == ChatApi::openai) {
    request.url =
        with_scheme(text_of(variable, "OPENAI_BASE_URL", "https://api.openai.com/v1")) + "/chat/completions";
    key = text_of(variable, "OPENAI_API_KEY", {});
    body.set("stream_options", json_object({{"include_usage", true}}));
  } else {
    request.url = ollama_url(text_of(variable, "OLLAMA_HOST", "127.0.0.1:11434")) + "/api/chat";
    key = text_of(variable, "OLLAMA_API_KEY", {});
    const std::int64_t context = context_for(prompt);
    if (context > 0) body.set("options", json_object({{"num_ctx", context}}));
    if (context > ollama_context_max)
      request.flaw = fmt::format(
          "the prompt of {} bytes is longer than the largest context that is asked for, {} tokens",
          prompt.size(), ollama_context_max);
  }
  request.headers = {"content-type: application/json"};
  key.resize(key.find_last_not_of("\r\n") + 1);  // as files end
  if (key.find_first_of("\r\n") != key.npos) request.flaw = "the key has a line break in it";
  if (!key.empty()) request.headers.push_back("authorization: Bearer " + key);
  request.body = to_json(body);
  request.shown_url = without_user(request.url);
  request.is_local = is_local(request.url);
  return request;
}

std::optional<std::string_view> chat_payload(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("data:")) {
    line.remove_prefix(5);
    if (line.starts_with(' ')) line.remove_prefix(1);
    if (line == "[DONE]") return R"({"done":true})";
  } else if (!line.starts_with('{')) {
    return {};  // a comment, another field of an event, or the empty line behind it
  }
  return line;
}

std::string chat_end_line(const ChatEnd& end) {
  return json_line({{"bidboard_chat", json_object({{"status", std::int64_t{end.status}},
                                                   {"error", end.error},
                                                   {"body", end.body},
                                                   {"retry_after", end.retry_after}})}});
}

}  // namespace bidboard
