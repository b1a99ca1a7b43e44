// The command line clients of coding agents: what is known of each, one file per client. A client works on
// one task per process, like any command (agents/executors/command.hpp); what it prints, and not its exit
// status alone, decides how the attempt ended. How each behaves was looked up, and seen with the versions
// that docs/coding-agents.md names.
//
// Pure.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "agents/clients/stand_in.hpp"
#include "agents/executor.hpp"
#include "agents/token_price.hpp"
#include "blackboard/records.hpp"
#include "blackboard/time.hpp"

namespace bidboard {

/// How the client's process ended by itself.
struct ClientExit {
  int code = 0;
  std::string_view errors;  ///< the end of what it wrote to stderr
  WallTime now;
};

/// How the attempt ended. `ending` is done, failed or unavailable.
struct ClientVerdict {
  Ending ending = Ending::failed;
  std::string result;  ///< when done: its final answer
  std::string reason;  ///< else: the client's own error, in a line
  Outage outage = Outage::none;
  WallTime until;    ///< unavailable: until when, as the provider says; 0: it does not say
  Micros price = 0;  ///< in USD; 0: not told
  TokenUsage usage;  ///< of all models; nothing: not told
};

/// Reads the output of one process of a client.
class ClientReader {
 public:
  virtual ~ClientReader() = default;
  /// A line of its stdout. Returns what people should see of it; may be empty.
  virtual std::string on_line(std::string_view line) = 0;
  /// Call once, after the last line.
  virtual ClientVerdict conclude(const ClientExit& exit) = 0;
  /// Whether the model said or did something since the last call. It shows that the provider works: what the
  /// client says of itself (an error, another try) is not meant.
  bool take_sign() { return std::exchange(sign_, false); }

 protected:
  void note_sign() { sign_ = true; }

 private:
  bool sign_ = false;
};

struct ClientOptions {
  std::string model;       ///< empty: the client's default
  std::string permission;  ///< what it may do without asking, in the client's own words; empty: change files
};

/// What a client says of its costs.
enum class TellsOfCosts : std::uint8_t {
  nothing,
  tokens,  ///< and no price
  price,   ///< and tokens
};

struct CodingClient {
  std::string_view name;
  std::string_view instructions;  ///< the file of a project that it reads before it begins; empty: none
  std::string (*command)(const ClientOptions& options);
  std::unique_ptr<ClientReader> (*reader)();
  /// What it prints of such work, in whole lines: for a rehearsal, in which a stand-in does it.
  std::string (*printed)(const StandInWork& work);
  std::string_view install;  ///< the command that installs it; empty: it comes with bidboard
  TellsOfCosts tells = TellsOfCosts::price;
  bool has_tools = true;     ///< it can execute commands and change files
  bool needs_model = false;  ///< it has no default
};

std::span<const CodingClient> coding_clients();
/// nullptr: there is none of that name.
const CodingClient* find_coding_client(std::string_view name);

/// The prompt for an attempt: the task, results of its needs, comments on it, why earlier attempts failed,
/// and how to say that it cannot be done. Text of others is quoted as data. Results are bounded: what is left
/// out is named. `has_tools`: the client's.
std::string prompt_of(const Assignment& assignment, bool has_tools = true);

}  // namespace bidboard
