// Codex: `codex exec --json -`, the prompt on stdin. Events, one a line; it tells tokens, but no price, and
// limits only in prose. It is said to exit with 0 after `turn.failed`.
#include <algorithm>

#include "agents/clients/json_lines.hpp"
#include "agents/clients/known.hpp"
#include "agents/clients/outages.hpp"
#include "agents/json_fields.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/text/shell.hpp"

namespace bidboard {
namespace {

class CodexReader final : public JsonLinesReader {
 public:
  ClientVerdict conclude(const ClientExit& exit) override {
    ClientVerdict verdict;
    if (!failed_.empty())
      verdict = verdict_on(failed_, 0, exit);
    else if (!completed_ && !error_.empty())
      verdict = verdict_on(error_, 0, exit);
    else if (!completed_)
      verdict = verdict_on_silence("codex", exit);
    else
      verdict = verdict_on_answer(answer_, exit);
    verdict.usage = usage_;
    return verdict;
  }

 private:
  std::string on_event(Value event) override {
    const std::string type = text_of(event.find("type"));
    const Value* item = event.find("item");
    if (type == "item.completed" && item != nullptr) {
      if (text_of(item->find("type")) != "error") note_sign();
      return on_item(*item);
    }
    if (type == "turn.completed") {
      completed_ = true;
      failed_.clear();
      note_usage(event);
    }
    if (type == "turn.failed") failed_ = text_of(at_path(event, "error.message"));
    if (type == "error") error_ = text_of(event.find("message"));
    return type == "error" ? error_ + "\n" : std::string{};
  }

  /// Each turn tells the sum since the thread began; what was cached is a part of what was read.
  void note_usage(const Value& event) {
    const std::int64_t input = count_of(at_path(event, "usage.input_tokens"));
    const std::int64_t cached = std::min(count_of(at_path(event, "usage.cached_input_tokens")), input);
    const TokenUsage told{input - cached, cached, count_of(at_path(event, "usage.output_tokens"))};
    if (total_of(told) > total_of(usage_)) usage_ = told;
  }

  std::string on_item(const Value& item) {
    const std::string type = text_of(item.find("type"));
    if (type == "agent_message") {
      answer_ = text_of(item.find("text"));
      return answer_ + "\n";
    }
    if (type != "command_execution") return {};
    const std::int64_t code = count_of(item.find("exit_code"));
    return fmt::format("[{}]{}\n", one_line(text_of(item.find("command"))),
                       code == 0 ? std::string{} : fmt::format(" exit {}", code));
  }

  bool completed_ = false;
  std::string answer_;  ///< the last message
  std::string failed_;
  std::string error_;
  TokenUsage usage_;
};

std::string printed(const StandInWork& work) {
  const auto completed = [](Value item) {
    return json_line({{"type", "item.completed"}, {"item", std::move(item)}});
  };
  std::string out = json_line({{"type", "thread.started"}, {"thread_id", "stand-in"}});
  out += json_line({{"type", "turn.started"}});
  for (const StandInStep& step : work.steps) {
    const std::string command = command_of(step);
    const Value change = json_object({{"path", step.subject}, {"kind", "update"}});
    out +=
        completed(command.empty()
                      ? json_object({{"type", "file_change"}, {"changes", Value::Array{change}}})
                      : json_object({{"type", "command_execution"}, {"command", command}, {"exit_code", 0}}));
  }
  out += completed(json_object({{"type", "agent_message"}, {"text", work.answer}}));
  return out + json_line({{"type", "turn.completed"},
                          {"usage", json_object({{"input_tokens", work.tokens_in},
                                                 {"output_tokens", work.tokens_out}})}});
}

}  // namespace

const CodingClient codex{
    "codex",
    "AGENTS.md",
    [](const ClientOptions& options) {
      // Without network access the sandbox blocks the controller's socket, and with it the
      // shell tool.
      std::string command =
          "codex exec --json --skip-git-repo-check -s " +
          shell_quoted(options.permission.empty() ? "workspace-write" : options.permission) +
          " -c sandbox_workspace_write.network_access=true";
      if (!options.model.empty()) command += " -m " + shell_quoted(options.model);
      return command + " -";
    },
    []() -> std::unique_ptr<ClientReader> { return std::make_unique<CodexReader>(); },
    printed,
    "npm install -g @openai/codex",
    TellsOfCosts::tokens};

}  // namespace bidboard
