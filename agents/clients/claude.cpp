// Claude Code: `claude -p --output-format stream-json --verbose`, the prompt on stdin. The last line of the
// stream is the result. Success is `is_error: false`; its exit status is said to lie both ways.
#include <set>

#include "agents/clients/json_lines.hpp"
#include "agents/clients/known.hpp"
#include "agents/clients/outages.hpp"
#include "agents/json_fields.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/numbers.hpp"
#include "blackboard/text/shell.hpp"

namespace bidboard {
namespace {

class ClaudeReader final : public JsonLinesReader {
 public:
  ClientVerdict conclude(const ClientExit& exit) override {
    if (result_.is_null()) return verdict_on_silence("claude", exit);
    ClientVerdict verdict = judged(exit);
    verdict.price = told_price(result_.find("total_cost_usd"));
    verdict.usage = usage();
    if (verdict.ending == Ending::unavailable && verdict.until.us == 0) verdict.until = resets_at_;
    return verdict;
  }

 private:
  std::string on_event(Value event) override {
    const std::string type = text_of(event.find("type"));
    if (type == "assistant") {
      // Of an error the client makes an answer of its own.
      if (text_of(at_path(event, "message.model")) != "<synthetic>") note_sign();
      return said(event);
    }
    if (type == "rate_limit_event") note_limit(event);
    if (type == "result") result_ = std::move(event);
    return {};
  }

  /// The text and the names of the tools of a turn.
  static std::string said(const Value& event) {
    std::string out;
    const Value* content = at_path(event, "message.content");
    if (content == nullptr || !content->is_array()) return out;
    for (const Value& block : content->array()) {
      const std::string type = text_of(block.find("type"));
      if (type == "text") out += text_of(block.find("text")) + "\n";
      if (type == "tool_use")
        out += fmt::format("[{}] {}\n", text_of(block.find("name")), one_line(text_of(block.find("input"))));
    }
    return out;
  }

  /// The stream tells of limits that still allow work, too.
  void note_limit(const Value& event) {
    if (text_of(at_path(event, "rate_limit_info.status")) != "rejected") return;
    const Value* at = at_path(event, "rate_limit_info.resetsAt");  // seconds since 1970
    if (at != nullptr) resets_at_ = WallTime{micros_of(at)};
  }

  ClientVerdict judged(const ClientExit& exit) const {
    const Value* is_error = result_.find("is_error");
    const std::string answer = text_of(result_.find("result"));
    const std::string subtype = text_of(result_.find("subtype"));
    if (is_error != nullptr && is_error->is_bool() && is_error->boolean())
      return verdict_on(answer.empty() ? subtype : answer, count_of(result_.find("api_error_status")), exit);
    ClientVerdict verdict;
    if (subtype != "success" && !subtype.empty()) {
      verdict.reason = answer.empty() ? subtype : fmt::format("{}: {}", subtype, one_line(answer));
      return verdict;
    }
    ClientVerdict finished = verdict_on_answer(answer, exit);
    const std::set<std::string> denied = denied_tools();
    return finished.ending == Ending::done && !denied.empty() ? verdict_on_denial(denied) : finished;
  }

  std::set<std::string> denied_tools() const {
    const Value* denials = result_.find("permission_denials");
    std::set<std::string> names;
    if (denials != nullptr && denials->is_array())
      for (const Value& denial : denials->array()) names.insert(text_of(denial.find("tool_name")));
    return names;
  }

  /// `modelUsage` covers all models, `usage` the main loop only.
  TokenUsage usage() const {
    TokenUsage sum;
    const Value* models = result_.find("modelUsage");
    if (models != nullptr && models->is_object() && !models->object().empty()) {
      for (const Value::Member& model : models->object()) {
        const auto count = [&](std::string_view field) { return count_of(model.value.find(field)); };
        sum = sum + TokenUsage{add_saturated(count("inputTokens"), count("cacheCreationInputTokens")),
                               count("cacheReadInputTokens"), count("outputTokens")};
      }
      return sum;
    }
    const auto count = [&](std::string_view field) { return count_of(at_path(result_, field)); };
    return {add_saturated(count("usage.input_tokens"), count("usage.cache_creation_input_tokens")),
            count("usage.cache_read_input_tokens"), count("usage.output_tokens")};
  }

  Value result_;
  WallTime resets_at_;
};

/// Called `tool_use`, by the names of its own tools.
Value tool_use(const StandInStep& step, std::string id) {
  const std::string command = command_of(step);
  Value tool = json_object({{"type", "tool_use"}, {"id", std::move(id)}});
  tool.set("name", !command.empty() ? "Bash" : step.kind == StandInStep::Kind::write ? "Write" : "Edit");
  tool.set("input", command.empty() ? json_object({{"file_path", step.subject}, {"content", step.text}})
                                    : json_object({{"command", command}}));
  return tool;
}

std::string printed(const StandInWork& work) {
  const auto turn = [](std::string_view role, Value block) {
    return json_line(
        {{"type", role},
         {"message", json_object({{"role", role}, {"content", Value::Array{std::move(block)}}})}});
  };
  std::string out = json_line({{"type", "system"}, {"subtype", "init"}, {"model", "stand-in"}});
  for (std::size_t i = 0; i < work.steps.size(); ++i) {
    const std::string id = fmt::format("toolu_{}", i + 1);
    out += turn("assistant", tool_use(work.steps[i], id));
    out += turn("user", json_object({{"type", "tool_result"}, {"tool_use_id", id}, {"content", "ok"}}));
  }
  out += turn("assistant", json_object({{"type", "text"}, {"text", work.answer}}));
  return out + json_line({{"type", "result"},
                          {"subtype", "success"},
                          {"is_error", false},
                          {"result", work.answer},
                          {"total_cost_usd", from_micros(work.price)},
                          {"usage", json_object({{"input_tokens", work.tokens_in},
                                                 {"output_tokens", work.tokens_out}})}});
}

}  // namespace

const CodingClient claude{"claude",
                          "CLAUDE.md",
                          [](const ClientOptions& options) {
                            // The prompt asks for `bidboard fail`, which would be denied.
                            std::string command =
                                "claude -p --output-format stream-json --verbose "
                                "--allowedTools 'Bash(bidboard:*),mcp__bidboard' --permission-mode " +
                                shell_quoted(options.permission.empty() ? "acceptEdits" : options.permission);
                            if (!options.model.empty()) command += " --model " + shell_quoted(options.model);
                            // It stops by itself before it costs more.
                            return command + " ${BIDBOARD_BUDGET:+--max-budget-usd \"$BIDBOARD_BUDGET\"}";
                          },
                          []() -> std::unique_ptr<ClientReader> { return std::make_unique<ClaudeReader>(); },
                          printed,
                          "npm install -g @anthropic-ai/claude-code"};

}  // namespace bidboard
