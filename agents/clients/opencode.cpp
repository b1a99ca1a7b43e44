// opencode: `opencode run --format json`, the prompt on stdin. Events, one a line; each step tells its price
// and tokens.
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

class OpencodeReader final : public JsonLinesReader {
 public:
  ClientVerdict conclude(const ClientExit& exit) override {
    ClientVerdict verdict;
    if (!error_.empty())
      verdict = verdict_on(error_, status_, exit);
    else if (!denied_.empty())
      verdict = verdict_on_denial(denied_, "`permission` in its configuration");
    else if (!finished_ || exit.code != 0)
      verdict = verdict_on_silence("opencode", exit);
    else
      verdict = verdict_on_answer(answer_, exit);
    verdict.price = price_;
    verdict.usage = usage_;
    return verdict;
  }

 private:
  std::string on_event(Value event) override {
    const std::string type = text_of(event.find("type"));
    if (type == "text") {
      answer_ = text_of(at_path(event, "part.text"));
      note_sign();
      return answer_ + "\n";
    }
    if (type == "tool_use") {
      note_sign();
      return on_tool(event);
    }
    if (type == "step_finish") {
      finished_ = true;
      price_ = add_saturated(price_, told_price(at_path(event, "part.cost")));
      const auto count = [&](std::string_view field) { return count_of(at_path(event, field)); };
      usage_ =
          usage_ + TokenUsage{add_saturated(count("part.tokens.input"), count("part.tokens.cache.write")),
                              count("part.tokens.cache.read"),
                              add_saturated(count("part.tokens.output"), count("part.tokens.reasoning"))};
    }
    if (type == "error") {
      const Value* message = at_path(event, "error.data.message");
      error_ = text_of(message != nullptr ? message : event.find("error"));
      status_ = count_of(at_path(event, "error.data.statusCode"));
      return error_ + "\n";
    }
    return {};
  }

  /// Where it would have to ask a person, it ends after the tool, with success and without an answer.
  std::string on_tool(const Value& event) {
    const std::string tool = one_line(text_of(at_path(event, "part.tool")));
    if (text_of(at_path(event, "part.state.error")).find("rejected permission") != std::string::npos)
      denied_.insert(tool);
    return fmt::format("[{}]\n", tool);
  }

  bool finished_ = false;
  std::set<std::string> denied_;
  std::string answer_;  ///< the last text
  std::string error_;
  std::int64_t status_ = 0;
  Micros price_ = 0;
  TokenUsage usage_;
};

std::string printed(const StandInWork& work) {
  const auto event = [](std::string_view type, Value part) {
    return json_line({{"type", type}, {"part", std::move(part)}});
  };
  std::string out = event("step_start", json_object({{"type", "step-start"}}));
  for (const StandInStep& step : work.steps) {
    const bool writes = step.kind == StandInStep::Kind::write;
    out += event("tool_use", json_object({{"tool", !command_of(step).empty() ? "bash"
                                                   : writes                  ? "write"
                                                                             : "edit"},
                                          {"state", json_object({{"status", "completed"}})}}));
  }
  out += event("text", json_object({{"text", work.answer}}));
  return out + event("step_finish", json_object({{"cost", from_micros(work.price)},
                                                 {"tokens", json_object({{"input", work.tokens_in},
                                                                         {"output", work.tokens_out}})}}));
}

}  // namespace

const CodingClient opencode{
    "opencode",
    "AGENTS.md",
    [](const ClientOptions& options) {
      // Without a title it asks the model for one, and does not tell what that cost.
      std::string command = "opencode run --format json --title \"$BIDBOARD_TASK\"";
      if (!options.model.empty()) command += " -m " + shell_quoted(options.model);
      return command;
    },
    []() -> std::unique_ptr<ClientReader> { return std::make_unique<OpencodeReader>(); },
    printed,
    "npm install -g opencode-ai"};

}  // namespace bidboard
