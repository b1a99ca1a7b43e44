// Models that are asked over HTTP and have no tools: any endpoint that speaks OpenAI's chat completions
// (platform.openai.com/docs/api-reference/chat), and Ollama (github.com/ollama/ollama, docs/api.md).
// `bidboard-chat` (agents/chat/main.cpp) sends the request and prints what comes, one JSON event a line.
//
// Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bidboard {

enum class ChatApi : std::uint8_t { openai, ollama };

struct ChatRequest {
  std::string url;
  std::string shown_url;             ///< without a user's name and password
  std::vector<std::string> headers;  ///< "name: value"
  std::string body;                  ///< JSON
  bool is_local = false;             ///< the endpoint is on this machine: no proxy stands between
  std::string flaw;                  ///< why it cannot be sent; empty: it can
};

/// nullptr: it is not set.
using Variables = std::function<const char*(const char* name)>;

/// One question without a history; the answer is streamed. The endpoint is that of the variables that other
/// programs read, too: OPENAI_BASE_URL and OPENAI_API_KEY, or OLLAMA_HOST and OLLAMA_API_KEY.
ChatRequest chat_request(ChatApi api, const std::string& model, std::string_view prompt,
                         const Variables& variable);

/// The payload of a line of the answer: of an event (server-sent events) or a line of JSON. Nothing: it has
/// none.
std::optional<std::string_view> chat_payload(std::string_view line);

/// How the request ended.
struct ChatEnd {
  long status = 0;          ///< of HTTP; 0: there was no answer
  std::string error;        ///< why there was none, or the answer broke off; empty: it was received whole
  std::string body;         ///< of an answer with an error's status
  std::string retry_after;  ///< its header; may be empty
};
/// The last line that `bidboard-chat` prints.
std::string chat_end_line(const ChatEnd& end);

}  // namespace bidboard
