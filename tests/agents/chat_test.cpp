// Requests to models over HTTP, and what their answers mean: shapes of the APIs' documentation.
#include "agents/clients/chat.hpp"

#include <map>

#include "agents/clients/client.hpp"
#include "blackboard/text/document.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

ChatRequest request(ChatApi api, const std::map<std::string, std::string>& variables,
                    const std::string& prompt = "Hello") {
  return chat_request(api, "m", prompt, [&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}
std::string ollama_at(const std::string& host) {
  return request(ChatApi::ollama, {{"OLLAMA_HOST", host}}).url;
}

ClientVerdict judge(const char* client, const std::vector<std::string>& lines, const ChatEnd& end) {
  const auto reader = find_coding_client(client)->reader();
  for (const std::string& line : lines) reader->on_line(line);
  reader->on_line(chat_end_line(end));
  return reader->conclude({0, {}, WallTime{1'800'000'000'000'000}});
}
std::string chunk(const std::string& text, const std::string& finish = "null") {
  return R"({"choices":[{"index":0,"delta":{"content":")" + text + R"("},"finish_reason":)" + finish + "}]}";
}

}  // namespace

TEST_CASE("a model is asked where the usual variables say, with the key in a header alone") {
  const ChatRequest usual = request(ChatApi::openai, {{"OPENAI_API_KEY", "sk-1"}});
  CHECK(usual.url == "https://api.openai.com/v1/chat/completions");
  CHECK(usual.headers ==
        std::vector<std::string>{"content-type: application/json", "authorization: Bearer sk-1"});
  CHECK_FALSE(usual.is_local);
  CHECK(usual.body.find("sk-1") == std::string::npos);
  const auto body = parse_json(usual.body);
  CHECK(body->find("model")->string() == "m");
  CHECK(body->find("messages")->array()[0].find("content")->string() == "Hello");
  CHECK(request(ChatApi::openai, {{"OPENAI_BASE_URL", "http://localhost:8000/v1/"}}).url ==
        "http://localhost:8000/v1/chat/completions");
  CHECK(request(ChatApi::openai, {{"OPENAI_BASE_URL", "http://localhost:8000/v1/"}}).is_local);
  CHECK(request(ChatApi::openai, {{"OPENAI_API_KEY", ""}}).headers.size() == 1);
  CHECK(
      request(ChatApi::openai, {{"OPENAI_API_KEY", "sk\n-1"}}).flaw.starts_with("the key has a line break"));
  CHECK(request(ChatApi::openai, {{"OPENAI_API_KEY", "sk-1\n"}}).headers == usual.headers);
  const ChatRequest bare = request(ChatApi::openai, {{"OPENAI_BASE_URL", "localhost:8000/v1"}});
  CHECK(bare.url == "http://localhost:8000/v1/chat/completions");
  CHECK(bare.is_local);
  const ChatRequest other =
      request(ChatApi::openai, {{"OPENAI_BASE_URL", "http://me:pw@localhost.example.org/v1"}});
  CHECK_FALSE(other.is_local);
  CHECK(other.shown_url == "http://localhost.example.org/v1/chat/completions");
}

TEST_CASE("OLLAMA_HOST is read as Ollama's own programs read it") {
  CHECK(request(ChatApi::ollama, {}).url == "http://127.0.0.1:11434/api/chat");
  CHECK(ollama_at("gpu1") == "http://gpu1:11434/api/chat");
  CHECK(ollama_at("gpu1:80") == "http://gpu1:80/api/chat");
  CHECK(ollama_at(":4000") == "http://127.0.0.1:4000/api/chat");
  CHECK(ollama_at("0.0.0.0:11434") == "http://127.0.0.1:11434/api/chat");
  CHECK(ollama_at("[::1]") == "http://[::1]:11434/api/chat");
  CHECK(ollama_at("[::1]:4000") == "http://[::1]:4000/api/chat");
  CHECK(ollama_at("https://ollama.com/") == "https://ollama.com/api/chat");
  CHECK(ollama_at("gpu/ollama") == "http://gpu:11434/ollama/api/chat");
}

TEST_CASE("Ollama gets a context that a long prompt fits, which it would cut without a word") {
  const auto context = [](std::size_t bytes) {
    const auto body = parse_json(request(ChatApi::ollama, {}, std::string(bytes, 'x')).body);
    const Value* options = body->find("options");
    return options ? options->find("num_ctx")->integer() : 0;
  };
  CHECK(context(6'000) == 0);
  CHECK(context(7'000) == 8'192);
  CHECK(context(60'000) == 32'768);
  CHECK(context(380'000) == 131'072);
  CHECK(
      request(ChatApi::ollama, {}, std::string(400'000, 'x')).flaw.starts_with("the prompt of 400000 bytes"));
}

TEST_CASE("of a stream only what events carry is a payload") {
  CHECK(chat_payload("data: {\"a\":1}\r") == "{\"a\":1}");
  CHECK(chat_payload("data:{}") == "{}");
  CHECK(chat_payload("{\"done\":true}") == "{\"done\":true}");
  for (const char* line : {"", "\r", ": OPENROUTER PROCESSING", "event: message", "retry: 3"})
    CHECK_FALSE(chat_payload(line).has_value());
}

TEST_CASE("an answer that was cut off, refused, or never came is no result") {
  CHECK(judge("openai", {chunk("All "), chunk("good."), chunk("", "\"stop\"")}, {200, {}, {}, {}}).result ==
        "All good.");
  const auto reason = [](const std::vector<std::string>& lines) {
    const ClientVerdict verdict = judge("openai", lines, {200, {}, {}, {}});
    CHECK(verdict.ending == Ending::failed);
    return verdict.reason;
  };
  CHECK(reason({chunk("All"), chunk("", "\"length\"")}) ==
        "the answer was cut off: it is longer than the model's limit");
  CHECK(reason({chunk("A"), chunk("", "\"content_filter\"")}) ==
        "the answer was stopped by the provider's content filter");
  CHECK(reason({R"({"choices":[{"delta":{"refusal":"I can't."},"finish_reason":"stop"}]})"}) ==
        "the model refused: I can't.");
  CHECK(reason({chunk(" \\n", "\"stop\"")}) == "the model gave no answer");
  CHECK(reason({chunk("FAILED: no data", "\"stop\"")}) == "no data");
  CHECK(reason({chunk(" \\n\\n"), chunk("FAILED: no data", "\"stop\"")}) == "no data");
  const std::string megabyte(1 << 20, 'x');
  std::vector<std::string> endless(9, chunk(megabyte));
  endless.push_back(chunk("y", "\"stop\""));
  CHECK(reason(endless) == "the answer is longer than 8388608 bytes");
  const ClientVerdict broken = judge("openai", {chunk("All")}, {200, {}, {}, {}});
  CHECK(broken.outage == Outage::network);
  CHECK(broken.reason == "the answer broke off");
}

TEST_CASE("errors of an HTTP API are outages where the provider is at fault, in their own words") {
  const std::string limited =
      "{\n  \"error\": {\"message\": \"Rate limit reached\", \"code\": \"rate_limit_exceeded\"}\n}\n";
  const ClientVerdict rests = judge("openai", {}, {429, {}, limited, "3600"});
  CHECK(rests.outage == Outage::rate_limit);
  CHECK(rests.reason == "Rate limit reached (rate_limit_exceeded) (retry-after: 3600)");
  CHECK(rests.until == WallTime{1'800'000'000'000'000} + seconds(3600));
  CHECK(judge("openai", {}, {401, {}, R"({"error":{"message":"no"}})", {}}).outage == Outage::authentication);
  CHECK(judge("openai", {}, {502, {}, "<html>bad gateway</html>", {}}).outage == Outage::overload);
  CHECK(judge("ollama", {}, {404, {}, R"({"error":"model 'x' not found"})", {}}).outage ==
        Outage::missing_binary);
  CHECK(judge("ollama", {}, {0, "could not connect", {}, {}}).outage == Outage::network);
  const ClientVerdict too_long = judge(
      "openai", {}, {400, {}, R"({"error":{"message":"too long","code":"context_length_exceeded"}})", {}});
  CHECK(too_long.ending == Ending::failed);  // the task is at fault
  CHECK(too_long.outage == Outage::none);
  // In the midst of a stream.
  CHECK(judge("ollama", {R"({"error":"model runner has unexpectedly stopped"})"}, {200, {}, {}, {}}).reason ==
        "model runner has unexpectedly stopped");
}

TEST_CASE("an event that cannot be read is no part that may be missing") {
  const ClientVerdict verdict =
      judge("openai", {chunk("You must "), "{\"choices\": \xe9", chunk("delete it", "\"stop\"")},
            {200, {}, {}, {}});
  CHECK(verdict.ending == Ending::failed);
  CHECK(verdict.reason == "a part of the answer could not be read; the task's output shows it");
}

TEST_CASE("thoughts in an answer are no part of it, and hide no failure") {
  const auto answer = [](const std::string& text) {
    return judge("ollama", {chunk(text, "\"stop\"")}, {200, {}, {}, {}});
  };
  CHECK(answer("<think>\\nhm\\n</think>\\n\\nAll good.\\n").result == "All good.");
  CHECK(answer("<think>hm</think>\\n**FAILED:** no data").reason == "no data");
  CHECK(answer("<think>hm</think>").reason == "the model gave no answer");
  CHECK(answer("<think> is a tag").result == "<think> is a tag");
}

TEST_CASE("an answer is whole when its last word, or all of it at once, has come") {
  const std::string last = std::string(*chat_payload("data: [DONE]"));
  CHECK(judge("openai", {chunk("Yes"), last}, {200, {}, {}, {}}).result == "Yes");
  CHECK(judge("openai", {R"({"choices":[{"message":{"content":"Yes"}}]})"}, {200, {}, {}, {}}).result ==
        "Yes");
  CHECK(judge("ollama", {R"({"message":{"content":"Yes"},"done":true})"}, {200, {}, {}, {}}).result == "Yes");
}

TEST_CASE("what is no answer of a model is told as that: a page, a redirect, an error after a status 200") {
  const ClientVerdict page = judge("openai", {}, {200, {}, {}, {}});
  CHECK(page.outage == Outage::network);
  CHECK(page.reason == "the endpoint does not answer as a model does; check its address");
  const ClientVerdict moved = judge("ollama", {}, {301, "https://gpu/api/chat", {}, {}});
  CHECK(moved.outage == Outage::network);
  CHECK(moved.reason == "the endpoint has moved (HTTP status 301) to https://gpu/api/chat");
  const ClientVerdict late =
      judge("openai", {R"({"error":{"code":502,"message":"Provider returned error"}})"}, {200, {}, {}, {}});
  CHECK(late.outage == Outage::overload);
}

TEST_CASE("tokens of an answer are told by kind, and its cost where an endpoint tells it") {
  const std::string usage =
      R"({"choices":[],"usage":{"prompt_tokens":100,"prompt_tokens_details":{"cached_tokens":30},"completion_tokens":7,"cost":0.25}})";
  const ClientVerdict verdict = judge("openai", {chunk("A", "\"stop\""), usage}, {200, {}, {}, {}});
  CHECK(verdict.usage == TokenUsage{70, 30, 7});
  CHECK(verdict.price == 250'000);
  const std::string done =
      R"({"message":{"content":"B"},"done":true,"done_reason":"stop","prompt_eval_count":9,"eval_count":4})";
  CHECK(judge("ollama", {done}, {200, {}, {}, {}}).usage == TokenUsage{9, 0, 4});
  CHECK(judge("ollama", {done}, {200, {}, {}, {}}).result == "B");
}
