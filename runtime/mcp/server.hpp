// The server's side of the Model Context Protocol, for tools: a line in, a line or none out. It speaks both
// eras: `initialize` up to 2025-11-25, and the stateless 2026-07-28, in which each request says its version.
// Pure but for the tools' functions; time is a parameter.
//
// Source: modelcontextprotocol.io/specification, revisions 2024-11-05 to 2026-07-28.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "blackboard/time.hpp"
#include "runtime/mcp/json_rpc.hpp"
#include "runtime/mcp/lines.hpp"
#include "runtime/mcp/tool.hpp"

namespace bidboard::mcp {

struct ServerText {
  std::string name;
  std::string version;
  std::string instructions;  ///< name the tools: clients may hide tools behind a search
};

class Server {
 public:
  Server(ServerText text, std::vector<Tool> tools) : text_(std::move(text)), tools_(std::move(tools)) {}

  /// What answers the line, without a line break; nothing for notifications, and for a call that waits.
  std::optional<std::string> take(const Line& line, Instant now);
  /// Answers of waiting calls that can be given by now.
  std::vector<std::string> look_again(Instant now);
  bool waits() const { return !waiting_.empty(); }
  /// What the client calls itself; empty until it has said so.
  const std::string& client() const { return client_; }

 private:
  /// How a request is answered.
  struct Manner {
    bool modern = false;   ///< by 2026-07-28
    bool may_wait = true;  ///< not in a batch, whose answers go together
    Instant now;
  };
  struct Waiting {
    Value id;
    const Tool* tool;
    Value arguments;
    bool modern;
    Instant since;
  };

  std::optional<Value> answer(Value message, Manner manner);
  std::optional<Value> answer_batch(Value::Array batch, Instant now);
  std::optional<Value> answer_call(const Call& call, Manner manner);
  void take_notification(const Call& call);
  Value initialize(const Call& call);
  Value discover(const Call& call) const;
  Value list_tools(const Call& call, bool modern) const;
  std::optional<Value> call_tool(const Call& call, const Manner& manner);
  /// With what every result of the era has.
  Value complete(Value result, bool modern) const;

  ServerText text_;
  std::vector<Tool> tools_;
  std::vector<Waiting> waiting_;
  std::string client_;
  std::string version_;  ///< agreed on by `initialize`; empty: none was, and requests say theirs
};

}  // namespace bidboard::mcp
