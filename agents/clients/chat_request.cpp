#include <algorithm>

#include "agents/clients/chat.hpp"
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

/// "127.0.0.1:11434", ":11434", "gpu1", "https://ollama.com/": as Ollama's own programs read it.
std::string ollama_url(std::string host) {
  const bool has_scheme = host.find("://") != std::string::npos;
  if (!has_scheme) host = "http://" + host;
  while (host.ends_with('/')) host.pop_back();
  const std::size_t begin = host.find("://") + 3;
  if (host.substr(begin, 1) == ":") host.insert(begin, "127.0.0.1");
  // A server that listens everywhere is reached here.
  if (host.substr(begin, 7) == "0.0.0.0") host.replace(begin, 7, "127.0.0.1");
  const bool has_port =
      host.find(':', host.find(']', begin) == host.npos ? begin : host.find(']', begin)) != host.npos;
  return has_scheme || has_port ? host : host + ":11434";
}

bool is_local(std::string_view url) {
  const std::string_view host = url.substr(url.find("://") + 3);
  return std::ranges::any_of(std::initializer_list<std::string_view>{"localhost", "127.", "[::1]"},
                             [&](std::string_view name) { return host.starts_with(name); });
}

Value user_messages(std::string_view prompt) {
  return Value::Array{json_object({{"role", "user"}, {"content", prompt}})};
}

/// 0: what it has by default is enough.
std::int64_t context_for(std::string_view prompt) {
  const std::int64_t needed = static_cast<std::int64_t>(prompt.size()) / bytes_per_token + room_for_answer;
  if (needed <= ollama_context) return 0;
  std::int64_t context = ollama_context;  // by doubling: each other size loads the model again
  while (context < needed && context < ollama_context_max) context *= 2;
  return context;
}

}  // namespace

ChatRequest chat_request(ChatApi api, const std::string& model, std::string_view prompt,
                         const Variables& variable) {
  ChatRequest request;
  Value body = json_object({{"model", model}, {"stream", true}, {"messages", user_messages(prompt)}});
  std::string key;
  if (api == ChatApi::openai) {
    std::string base = text_of(variable, "OPENAI_BASE_URL", "https://api.openai.com/v1");
    while (base.ends_with('/')) base.pop_back();
    request.url = base + "/chat/completions";
    key = text_of(variable, "OPENAI_API_KEY", {});
    body.set("stream_options", json_object({{"include_usage", true}}));
  } else {
    request.url = ollama_url(text_of(variable, "OLLAMA_HOST", "127.0.0.1:11434")) + "/api/chat";
    key = text_of(variable, "OLLAMA_API_KEY", {});
    if (const std::int64_t context = context_for(prompt); context > 0)
      body.set("options", json_object({{"num_ctx", context}}));
  }
  request.headers = {"content-type: application/json"};
  if (!key.empty()) request.headers.push_back("authorization: Bearer " + key);
  request.body = to_json(body);
  request.is_local = is_local(request.url);
  return request;
}

std::optional<std::string_view> chat_payload(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("data:")) {
    line.remove_prefix(5);
    if (line.starts_with(' ')) line.remove_prefix(1);
    if (line == "[DONE]") return {};
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
