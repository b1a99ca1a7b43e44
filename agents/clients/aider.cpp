// aider: `aider --message-file FILE --yes --no-stream`. No JSON: its exit status decides, unless what it
// printed last is the error of a provider. It commits by itself.
#include "agents/clients/known.hpp"
#include "agents/clients/outages.hpp"
#include "agents/json_fields.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/text/shell.hpp"

namespace bidboard {
namespace {

constexpr std::size_t answer_bytes_max = std::size_t{1} << 20;
constexpr std::size_t tail_bytes = 2'000;  ///< of the output: where errors stand

class AiderReader final : public ClientReader {
 public:
  std::string on_line(std::string_view line) override {
    if (answer_.size() < answer_bytes_max) answer_.append(line).append("\n");
    if (line.starts_with("litellm.")) error_ = line;
    tail_.append(line).append("\n");
    if (tail_.size() > tail_bytes) tail_.erase(0, tail_.size() - tail_bytes);
    return std::string(line) + "\n";
  }

  ClientVerdict conclude(const ClientExit& exit) override {
    if (!error_.empty()) return verdict_on(error_, 0, exit);
    if (exit.code != 0) {
      const ClientExit with_output{exit.code, exit.errors.empty() ? tail_ : exit.errors, exit.now};
      return verdict_on_silence("aider", with_output);
    }
    while (answer_.ends_with('\n')) answer_.pop_back();
    return verdict_on_answer(answer_, exit);
  }

 private:
  std::string answer_;
  std::string error_;  ///< the last line that begins with an exception of its library
  std::string tail_;
};

/// All of it is its answer.
std::string printed(const StandInWork& work) { return work.answer + "\n"; }

}  // namespace

const CodingClient aider{"aider",
                         "CONVENTIONS.md",
                         [](const ClientOptions& options) {
                           std::string command =
                               "aider --message-file /dev/stdin --yes --no-stream --no-pretty";
                           if (!options.model.empty()) command += " --model " + shell_quoted(options.model);
                           return command;
                         },
                         []() -> std::unique_ptr<ClientReader> { return std::make_unique<AiderReader>(); },
                         printed,
                         "pipx install aider-chat",
                         TellsOfCosts::nothing};

}  // namespace bidboard
