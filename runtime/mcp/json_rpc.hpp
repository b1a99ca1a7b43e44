// JSON-RPC 2.0: one message of it, and the answers to it. Which methods there are is not known here. Pure.
#pragma once

#include <string>
#include <variant>

#include "blackboard/text/document.hpp"

namespace bidboard::mcp {

/// Of JSON-RPC 2.0, section 5.1, and of the protocol's revision 2026-07-28.
enum class RpcCode : int {
  parse_error = -32700,
  invalid_request = -32600,
  method_not_found = -32601,
  invalid_params = -32602,
  unsupported_version = -32022,
};

/// A request, or without an id a notification, which is never answered.
struct Call {
  Value id;
  bool is_notification = false;
  std::string method;
  Value params{Value::Object{}};
};
/// An answer to a request of ours. We send none, so it is ignored.
struct Response {};
/// Not a message of JSON-RPC; the error that answers it.
struct Unreadable {
  Value answer;
};
using Message = std::variant<Call, Response, Unreadable>;

Message read_message(Value value);

Value result_answer(const Value& id, Value result);
/// `data`: null for none.
Value error_answer(const Value& id, RpcCode code, std::string text, Value data = {});

}  // namespace bidboard::mcp
