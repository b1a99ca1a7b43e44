// aider: `aider --message-file FILE --yes --no-stream`. No JSON: its exit status decides, unless what it
// printed last is the error of a provider. It commits by itself.
#include "agents/clients/known.hpp"
#include "agents/clients/outages.hpp"
#include "agents/json_fields.hpp"
#include "blackboard/fmt.hpp"

namespace bidboard {
namespace {

constexpr std::size_t answer_bytes_max = std::size_t{1} << 20;
constexpr std::size_t tail_bytes = 2'000;  ///< of the output: where errors stand

class AiderReader final : public ClientReader {
 public:
  std::string on_line(std::string_view line) override {
    if (answer_.size() < answer_bytes_max) answer_.append(line).append("\n");
    tail_.append(line).append("\n");
    if (tail_.size() > tail_bytes) tail_.erase(0, tail_.size() - tail_bytes);
    return std::string(line) + "\n";
  }

  ClientVerdict conclude(const ClientExit& exit) override {
    // Names of its library's exceptions: an answer does not hold them by accident.
    if (const std::size_t at = tail_.find("litellm."); at != std::string::npos)
      return verdict_on(std::string_view(tail_).substr(at), 0, exit);
    if (exit.code != 0) {
      const ClientExit with_output{exit.code, exit.errors.empty() ? tail_ : exit.errors, exit.now};
      return verdict_on_silence("aider", with_output);
    }
    ClientVerdict verdict;
    verdict.ending = Ending::done;
    while (answer_.ends_with('\n')) answer_.pop_back();
    verdict.result = answer_;
    return verdict;
  }

 private:
  std::string answer_;
  std::string tail_;
};

}  // namespace

const CodingClient aider{"aider", "CONVENTIONS.md",
                   [](const ClientOptions& options) {
                     std::string command = "aider --message-file /dev/stdin --yes --no-stream --no-pretty";
                     if (!options.model.empty()) command += " --model " + shell_quoted(options.model);
                     return command;
                   },
                   []() -> std::unique_ptr<ClientReader> { return std::make_unique<AiderReader>(); }};

}  // namespace bidboard
