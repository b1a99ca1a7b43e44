#include "runtime/mcp/json_rpc.hpp"

namespace bidboard::mcp {
namespace {

Value envelope(const Value& id) {
  Value answer{Value::Object{}};
  answer.set("jsonrpc", "2.0");
  answer.set("id", id);
  return answer;
}

}  // namespace

Value result_answer(const Value& id, Value result) {
  Value answer = envelope(id);
  answer.set("result", std::move(result));
  return answer;
}

Value error_answer(const Value& id, RpcCode code, std::string text, Value data) {
  Value error{Value::Object{}};
  error.set("code", static_cast<int>(code));
  error.set("message", std::move(text));
  if (!data.is_null()) error.set("data", std::move(data));
  Value answer = envelope(id);
  answer.set("error", std::move(error));
  return answer;
}

Message read_message(Value value) {
  const auto invalid = [](const Value& id, std::string why) {
    return Unreadable{error_answer(id, RpcCode::invalid_request, std::move(why))};
  };
  if (!value.is_object()) return invalid({}, "a message is a JSON object");
  const Value* id = value.find("id");
  const bool id_fits = id && (id->is_string() || id->is_number());
  const Value known_id = id_fits ? *id : Value();
  const Value* version = value.find("jsonrpc");
  if (!version || *version != Value("2.0")) return invalid(known_id, "\"jsonrpc\" must be \"2.0\"");
  const Value* method = value.find("method");
  if (!method && (value.find("result") || value.find("error"))) return Response{};
  if (id && !id_fits) return invalid({}, "\"id\" must be text or a number");
  if (!method || !method->is_string()) return invalid(known_id, "\"method\" must be text");
  Call call{known_id, id == nullptr, method->string(), Value(Value::Object{})};
  if (const Value* params = value.find("params")) {
    if (!params->is_object() && !call.is_notification)
      return Unreadable{error_answer(known_id, RpcCode::invalid_params, "\"params\" must be an object")};
    if (params->is_object()) call.params = *params;
  }
  return call;
}

}  // namespace bidboard::mcp
