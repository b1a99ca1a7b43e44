// Gemini CLI: `gemini --output-format json`, the prompt on stdin. One JSON object at the end: {response,
// stats, error?}.
#include "agents/clients/known.hpp"
#include "agents/clients/outages.hpp"
#include "agents/json_fields.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/numbers.hpp"
#include "blackboard/text/shell.hpp"

namespace bidboard {
namespace {

/// More output than this is not read as the final object.
constexpr std::size_t object_bytes_max = std::size_t{8} << 20;

class GeminiReader final : public ClientReader {
 public:
  std::string on_line(std::string_view line) override {
    if (object_.empty() && !line.starts_with('{')) return std::string(line) + "\n";
    if (object_.size() < object_bytes_max) object_.append(line).append("\n");
    return {};
  }

  ClientVerdict conclude(const ClientExit& exit) override {
    const auto said = parse_json(object_);
    if (!said || !said->is_object()) return verdict_on_silence("gemini", exit);
    ClientVerdict verdict;
    const std::string answer = text_of(said->find("response"));
    if (const Value* error = said->find("error"); error != nullptr && !error->is_null()) {
      const Value* message = error->find("message");
      verdict = verdict_on(text_of(message ? message : error), count_of(error->find("code")), exit);
    } else if (said->find("response") == nullptr) {
      verdict = verdict_on_silence("gemini", exit);
    } else {
      verdict = verdict_on_answer(answer, exit);
    }
    const Value* models = at_path(*said, "stats.models");
    if (models != nullptr && models->is_object())
      for (const Value::Member& model : models->object())
        verdict.tokens = add_saturated(verdict.tokens, count_of(at_path(model.value, "tokens.total")));
    return verdict;
  }

 private:
  std::string object_;
};

}  // namespace

const CodingClient gemini{"gemini", "GEMINI.md",
                          [](const ClientOptions& options) {
                            std::string command =
                                "gemini --output-format json --approval-mode " +
                                shell_quoted(options.permission.empty() ? "auto_edit" : options.permission);
                            if (!options.model.empty()) command += " -m " + shell_quoted(options.model);
                            return command;
                          },
                          []() -> std::unique_ptr<ClientReader> { return std::make_unique<GeminiReader>(); }};

}  // namespace bidboard
