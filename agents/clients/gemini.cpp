// Gemini CLI: `gemini --output-format stream-json`, the prompt on stdin. Events, one a line, the last one is
// the result. With `--output-format json` it prints one object at the end, {response, stats, error?}; an
// error that stops it before it begins goes to stderr, as such an object or as a line.
#include <algorithm>
#include <charconv>
#include <map>
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

/// More output than this is not read as the final object, or as an answer.
constexpr std::size_t object_bytes_max = std::size_t{8} << 20;

/// The provider's own message, where the client quotes its whole answer: `[API Error: {"error": {...}}]`.
std::string provider_message(const std::string& text) {
  const std::size_t begin = text.find('{');
  const std::size_t end = text.rfind('}');
  if (begin == std::string::npos || end == std::string::npos || end < begin) return text;
  const auto quoted = parse_json(text.substr(begin, end - begin + 1));
  const Value* message = quoted ? at_path(*quoted, "error.message") : nullptr;
  return message != nullptr && message->is_string() ? message->string() : text;
}

/// The object that stands at the end of what it wrote to stderr; empty: there is none.
std::string_view object_at_end(std::string_view errors) {
  const std::size_t begin = errors.starts_with("{\n") ? 0 : errors.rfind("\n{\n");
  return begin == std::string_view::npos ? std::string_view{} : errors.substr(begin);
}

/// Of the last `status: 429` in what it wrote to stderr; 0: there is none. Its stream tells no status.
std::int64_t status_in(std::string_view errors) {
  constexpr std::string_view label = "status: ";
  const std::size_t at = errors.rfind(label);
  if (at == std::string_view::npos) return 0;
  std::int64_t status = 0;
  std::from_chars(errors.data() + at + label.size(), errors.data() + errors.size(), status);
  return status;
}

/// The whole, the part of it that was read, and the part of that which was cached. All else counts as
/// written: thoughts are billed like output, and its count of output lacks them.
TokenUsage usage_of(std::int64_t total, std::int64_t read, std::int64_t cached) {
  const std::int64_t input = std::min(read, total);
  const std::int64_t from_cache = std::min(cached, input);
  return {input - from_cache, from_cache, total - input};
}

TokenUsage usage_of_model(const Value& model) {
  const auto count = [&](std::string_view field) { return count_of(at_path(model, field)); };
  return usage_of(count("tokens.total"), add_saturated(count("tokens.prompt"), count("tokens.tool")),
                  count("tokens.cached"));
}

class GeminiReader final : public ClientReader {
 public:
  std::string on_line(std::string_view line) override {
    if (object_.empty()) {
      const auto event = parse_json(line);
      if (event && event->is_object() && event->find("type") != nullptr) return on_event(*event);
      if (!line.starts_with('{')) return std::string(line) + "\n";
    }
    if (object_.size() < object_bytes_max) object_.append(line).append("\n");
    return {};
  }

  ClientVerdict conclude(const ClientExit& exit) override {
    if (!result_.is_null()) return on_result(exit);
    const auto said = parse_json(object_.empty() ? object_at_end(exit.errors) : object_);
    if (!said || !said->is_object()) return verdict_on_silence("gemini", exit);
    ClientVerdict verdict;
    if (const Value* error = said->find("error"); error != nullptr && !error->is_null()) {
      const Value* message = error->find("message");
      verdict = verdict_on(provider_message(text_of(message ? message : error)),
                           count_of(error->find("code")), exit);
    } else if (said->find("response") == nullptr) {
      verdict = verdict_on_silence("gemini", exit);
    } else {
      verdict = verdict_on_answer(text_of(said->find("response")), exit);
    }
    const Value* models = at_path(*said, "stats.models");
    if (models != nullptr && models->is_object())
      for (const Value::Member& model : models->object())
        verdict.usage = verdict.usage + usage_of_model(model.value);
    return verdict;
  }

 private:
  std::string on_event(const Value& event) {
    const std::string type = text_of(event.find("type"));
    if (type == "message" && text_of(event.find("role")) == "assistant") {
      std::string piece = text_of(event.find("content"));
      if (answer_.size() < object_bytes_max) answer_ += piece;
      note_sign();
      return piece;
    }
    if (type == "tool_use") {
      note_sign();
      return on_tool(event);
    }
    if (type == "tool_result" && text_of(at_path(event, "error.type")) == "policy_violation")
      denied_.insert(tools_[text_of(event.find("tool_id"))]);
    if (type != "result") return {};
    result_ = event;
    return answer_.empty() ? std::string{} : "\n";
  }

  /// What it said before is no answer.
  std::string on_tool(const Value& event) {
    const std::string name = text_of(event.find("tool_name"));
    tools_[text_of(event.find("tool_id"))] = name;
    const std::string_view line_end = answer_.empty() ? "" : "\n";
    answer_.clear();
    return fmt::format("{}[{}] {}\n", line_end, name, one_line(text_of(event.find("parameters"))));
  }

  ClientVerdict on_result(const ClientExit& exit) const {
    ClientVerdict verdict;
    if (text_of(result_.find("status")) == "success") {
      verdict = verdict_on_answer(answer_, exit);
      if (verdict.ending == Ending::done && !denied_.empty()) verdict = verdict_on_denial(denied_);
    } else {
      verdict = verdict_on(provider_message(text_of(at_path(result_, "error.message"))),
                           status_in(exit.errors), exit);
    }
    const auto count = [&](std::string_view field) { return count_of(at_path(result_, field)); };
    verdict.usage = usage_of(count("stats.total_tokens"), count("stats.input_tokens"), count("stats.cached"));
    return verdict;
  }

  std::string object_;
  std::string answer_;                        ///< since the last tool
  Value result_;                              ///< the last event
  std::map<std::string, std::string> tools_;  ///< their names by the ids of their calls
  std::set<std::string> denied_;
};

std::string printed(const StandInWork& work) {
  std::string out = json_line({{"type", "init"}, {"model", "stand-in"}});
  for (std::size_t i = 0; i < work.steps.size(); ++i) {
    const StandInStep& step = work.steps[i];
    const std::string command = command_of(step);
    const std::string id = fmt::format("tool-{}", i + 1);
    const bool writes = step.kind == StandInStep::Kind::write;
    out += json_line(
        {{"type", "tool_use"},
         {"tool_name", !command.empty() ? "run_shell_command"
                       : writes         ? "write_file"
                                        : "replace"},
         {"tool_id", id},
         {"parameters", command.empty() ? json_object({{"file_path", step.subject}, {"content", step.text}})
                                        : json_object({{"command", command}})}});
    out += json_line({{"type", "tool_result"}, {"tool_id", id}, {"status", "success"}});
  }
  out += json_line({{"type", "message"}, {"role", "assistant"}, {"content", work.answer}, {"delta", true}});
  return out + json_line({{"type", "result"},
                          {"status", "success"},
                          {"stats", json_object({{"total_tokens", work.tokens_in + work.tokens_out}})}});
}

}  // namespace

const CodingClient gemini{
    "gemini",
    "GEMINI.md",
    [](const ClientOptions& options) {
      const std::string mode = options.permission.empty() ? "auto_edit" : options.permission;
      std::string command = "gemini --output-format stream-json --approval-mode " + shell_quoted(mode);
      // Else it has no tool for the shell to say `bidboard fail` with. Where everything is allowed, the list
      // would forbid all other commands.
      if (mode != "yolo") command += " --allowed-tools 'run_shell_command(bidboard),mcp_bidboard_*'";
      if (!options.model.empty()) command += " -m " + shell_quoted(options.model);
      return command;
    },
    []() -> std::unique_ptr<ClientReader> { return std::make_unique<GeminiReader>(); },
    printed,
    "npm install -g @google/gemini-cli",
    TellsOfCosts::tokens};

}  // namespace bidboard
