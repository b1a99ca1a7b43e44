// What `bidboard-chat` prints of the answers of models (chat.hpp), and what it means.
#include "agents/clients/chat.hpp"

#include <algorithm>
#include <optional>

#include "agents/clients/json_lines.hpp"
#include "agents/clients/known.hpp"
#include "agents/clients/outages.hpp"
#include "agents/json_fields.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/text/shell.hpp"

namespace bidboard {
namespace {

constexpr std::size_t answer_bytes_max = std::size_t{8} << 20;  ///< as of any result
/// What a model thought, where the endpoint leaves that in the answer.
constexpr std::string_view thought_begin = "<think>";
constexpr std::string_view thought_end = "</think>";
/// With this word, as the prompt says, a model without tools says that it cannot do a task.
constexpr std::string_view failed_word = "FAILED:";

/// What was said, without thoughts and the white space around.
std::string_view said_in(std::string_view answer) {
  constexpr std::string_view blank = " \t\r\n";
  answer.remove_prefix(std::min(answer.find_first_not_of(blank), answer.size()));
  if (const std::size_t end = answer.find(thought_end);
      answer.starts_with(thought_begin) && end != answer.npos)
    return said_in(answer.substr(end + thought_end.size()));
  return answer.substr(0, answer.find_last_not_of(blank) + 1);
}

/// Why it cannot be done, if the answer begins so; a model may make the word bold.
std::optional<std::string> failure_in(std::string_view said) {
  said.remove_prefix(std::min(said.find_first_not_of('*'), said.size()));
  if (!said.starts_with(failed_word)) return {};
  said.remove_prefix(failed_word.size());
  said.remove_prefix(std::min(said.find_first_not_of("* "), said.size()));
  return one_line(said);
}

class ChatReader final : public JsonLinesReader {
 public:
  explicit ChatReader(std::string_view client) : client_(client) {}

  ClientVerdict conclude(const ClientExit& exit) override {
    ClientVerdict verdict = ended_ ? judge(exit) : verdict_on_silence(client_, exit);
    verdict.usage = usage_;
    verdict.price = price_;
    return verdict;
  }

 private:
  std::string on_event(Value event) override {
    if (const Value* end = event.find("bidboard_chat")) {
      ended_ = true;
      status_ = count_of(end->find("status"));
      broken_ = text_of(end->find("error"));
      retry_after_ = text_of(end->find("retry_after"));
      const std::string body = text_of(end->find("body"));
      const Result<Value> told = parse_json(body);
      if (told && told->is_object()) note_error(*told);
      if (error_.empty()) error_ = body;
      return take_lines(true);
    }
    spoke_ = spoke_ || event.find("choices") || event.find("message") || event.find("error");
    note_error(event);
    note_usage(event);
    note_message(event.find("message"));  // Ollama
    if (const std::string why = text_of(event.find("done_reason")); !why.empty()) finish_ = why;
    const Value* done = event.find("done");
    const bool is_whole = (done && done->is_bool() && done->boolean()) || at_path(event, "choices.0.message");
    if (is_whole && finish_.empty()) finish_ = "stop";
    for (const char* form : {"choices.0.delta", "choices.0.message"}) note_message(at_path(event, form));
    if (const std::string why = text_of(at_path(event, "choices.0.finish_reason")); !why.empty())
      finish_ = why;
    return take_lines(false);
  }

  void note_unreadable() override { unreadable_ = true; }

  void note_message(const Value* message) {
    if (!message || !message->is_object()) return;
    const std::string text = text_of(message->find("content"));
    refusal_ += text_of(message->find("refusal"));
    if (!text.empty() || message->find("reasoning_content") || message->find("thinking")) note_sign();
    too_long_ = too_long_ || answer_.size() + text.size() > answer_bytes_max;
    if (!too_long_) answer_ += text;
  }

  /// {"error": {"message", "code"}}, {"error": "text"}
  void note_error(const Value& event) {
    const Value* error = event.find("error");
    if (!error || error->is_null()) return;
    if (error->is_string()) error_ = error->string();
    if (!error->is_object()) return;
    error_ = text_of(error->find("message"));
    const std::string code = text_of(error->find("code"));
    if (status_ == 0) error_status_ = count_of(error->find("code"));
    if (!code.empty()) error_ += (error_.empty() ? "" : " ") + fmt::format("({})", code);
  }

  /// OpenAI's form, in which what was cached is a part of what was read, or Ollama's. OpenRouter tells the
  /// cost.
  void note_usage(const Value& event) {
    if (const Value* usage = event.find("usage"); usage && usage->is_object()) {
      const std::int64_t input = count_of(usage->find("prompt_tokens"));
      const std::int64_t cached =
          std::min(count_of(at_path(*usage, "prompt_tokens_details.cached_tokens")), input);
      usage_ = {input - cached, cached, count_of(usage->find("completion_tokens"))};
      price_ = told_price(usage->find("cost"));
    }
    if (event.find("eval_count"))
      usage_ = {count_of(event.find("prompt_eval_count")), 0, count_of(event.find("eval_count"))};
  }

  ClientVerdict judge(const ClientExit& exit) const {
    if (status_ == 0) return unreachable(broken_);
    if (status_ < 200 || status_ > 299 || !error_.empty()) return on_error(exit);
    ClientVerdict failed;
    if (unreadable_) {  // it would be so again: no outage, after which the task is tried for ever
      failed.reason = "a part of the answer could not be read; the task's output shows it";
      return failed;
    }
    if (broken_.empty() && !spoke_)
      return unreachable("the endpoint does not answer as a model does; check its address");
    if (!broken_.empty() || finish_.empty())
      return unreachable("the answer broke off" + (broken_.empty() ? "" : ": " + broken_));
    const std::string_view said = said_in(answer_);
    if (!refusal_.empty())
      failed.reason = "the model refused: " + one_line(refusal_);
    else if (too_long_)
      failed.reason = fmt::format("the answer is longer than {} bytes", answer_bytes_max);
    else if (finish_ == "length")
      failed.reason = "the answer was cut off: it is longer than the model's limit";
    else if (finish_ == "content_filter")
      failed.reason = "the answer was stopped by the provider's content filter";
    else if (said.empty())
      failed.reason = "the model gave no answer";
    else if (const auto why = failure_in(said))
      failed.reason = *why;
    else
      return verdict_on_answer(std::string(said), exit);
    return failed;
  }

  static ClientVerdict unreachable(const std::string& why) {
    ClientVerdict verdict;
    verdict.ending = Ending::unavailable;
    verdict.outage = Outage::network;
    verdict.reason = one_line(why);
    return verdict;
  }

  ClientVerdict on_error(const ClientExit& exit) const {
    if (status_ > 299 && status_ < 400)
      return unreachable(fmt::format("the endpoint has moved (HTTP status {}) to {}", status_, broken_));
    std::string text = error_.empty() ? fmt::format("HTTP status {}", status_) : error_;
    if (!retry_after_.empty()) text += fmt::format(" (retry-after: {})", retry_after_);
    // In a stream, the status was sent before the error.
    const bool is_late = status_ < 400 && error_status_ >= 400;
    ClientVerdict verdict = verdict_on(text, is_late ? error_status_ : status_, exit);
    if (status_ == 404 && verdict.outage == Outage::none) {  // no other task will find the model, either
      verdict.ending = Ending::unavailable;
      verdict.outage = Outage::missing_binary;
    }
    return verdict;
  }

  /// What came since the last call, in whole lines.
  std::string take_lines(bool all) {
    const std::size_t end = all ? answer_.size() : answer_.rfind('\n') + 1;
    if (end <= shown_) return {};
    std::string lines = answer_.substr(shown_, end - shown_);
    shown_ = end;
    if (!lines.ends_with('\n')) lines += '\n';
    return lines;
  }

  std::string_view client_;
  std::string answer_;
  std::size_t shown_ = 0;  ///< bytes of it
  std::string refusal_;
  std::string finish_;             ///< why the answer ended; empty: it did not
  std::string error_;              ///< the provider's
  std::int64_t error_status_ = 0;  ///< as the error itself tells it
  bool too_long_ = false;
  bool unreadable_ = false;
  bool spoke_ = false;  ///< an event of a model came
  bool ended_ = false;
  std::int64_t status_ = 0;
  std::string broken_;
  std::string retry_after_;
  TokenUsage usage_;
  Micros price_ = 0;
};

std::string command_of(std::string_view client, const ClientOptions& options) {
  return fmt::format("bidboard-chat {} --model {}", client, shell_quoted(options.model));
}

const std::string& end_of_good_answer() {
  static const std::string line = chat_end_line({200, {}, {}, {}});
  return line;
}

std::string printed_by_openai(const StandInWork& work) {
  const Value choice = json_object(
      {{"index", 0}, {"delta", json_object({{"content", work.answer}})}, {"finish_reason", "stop"}});
  return json_line({{"choices", Value::Array{choice}}}) +
         json_line({{"choices", Value::Array{}},
                    {"usage", json_object({{"prompt_tokens", work.tokens_in},
                                           {"completion_tokens", work.tokens_out}})}}) +
         end_of_good_answer();
}

std::string printed_by_ollama(const StandInWork& work) {
  return json_line({{"message", json_object({{"content", work.answer}})},
                    {"done", true},
                    {"done_reason", "stop"},
                    {"prompt_eval_count", work.tokens_in},
                    {"eval_count", work.tokens_out}}) +
         end_of_good_answer();
}

}  // namespace

const CodingClient openai{
    .name = "openai",
    .instructions = {},
    .command = [](const ClientOptions& options) { return command_of("openai", options); },
    .reader = []() -> std::unique_ptr<ClientReader> { return std::make_unique<ChatReader>("openai"); },
    .printed = printed_by_openai,
    .install = {},
    .tells = TellsOfCosts::tokens,
    .has_tools = false,
    .needs_model = true};

const CodingClient ollama{
    .name = "ollama",
    .instructions = {},
    .command = [](const ClientOptions& options) { return command_of("ollama", options); },
    .reader = []() -> std::unique_ptr<ClientReader> { return std::make_unique<ChatReader>("ollama"); },
    .printed = printed_by_ollama,
    .install = {},
    .tells = TellsOfCosts::tokens,
    .has_tools = false,
    .needs_model = true};

}  // namespace bidboard
