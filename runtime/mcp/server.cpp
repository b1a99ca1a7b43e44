#include "runtime/mcp/server.hpp"

#include <algorithm>
#include <array>

#include "blackboard/fmt.hpp"

namespace bidboard::mcp {
namespace {

constexpr std::string_view modern_version = "2026-07-28";
/// Newest first.
constexpr std::array<std::string_view, 4> legacy_versions{"2025-11-25", "2025-06-18", "2025-03-26",
                                                          "2024-11-05"};
constexpr std::string_view meta_prefix = "io.modelcontextprotocol/";
/// Calls that may wait at once. Another one is answered at once.
constexpr std::size_t waiting_max = 8;
/// The tools of a process do not change. Private, because instructions may name the session's task.
constexpr std::int64_t cache_ms = 3'600'000;
constexpr std::size_t client_bytes_max = 200;

/// Later revisions have no batches.
bool has_batches(std::string_view version) { return version == "2025-03-26" || version == "2024-11-05"; }

const Value* member(const Value& value, std::string_view key) {
  return value.is_object() ? value.find(key) : nullptr;
}

const Value* meta_of(const Call& call, std::string_view key) {
  const Value* meta = call.params.find("_meta");
  return meta ? member(*meta, std::string(meta_prefix) + std::string(key)) : nullptr;
}

std::string name_in(const Value* info) {
  const Value* name = info ? member(*info, "name") : nullptr;
  return name && name->is_string() ? name->string().substr(0, client_bytes_max) : std::string();
}

Value supported_versions() {
  Value versions{Value::Array{}};
  versions.push(modern_version);
  for (const std::string_view version : legacy_versions) versions.push(version);
  return versions;
}

Value tool_capability() {
  Value capabilities{Value::Object{}};
  capabilities.set("tools", Value(Value::Object{}));
  return capabilities;
}

Value identity(const ServerText& text) {
  Value info{Value::Object{}};
  info.set("name", text.name);
  info.set("version", text.version);
  return info;
}

Value as_result(const Said& said) {
  Value part{Value::Object{}};
  part.set("type", "text");
  part.set("text", said.text);
  Value content{Value::Array{}};
  content.push(std::move(part));
  Value result{Value::Object{}};
  result.set("content", std::move(content));
  result.set("isError", said.is_error);
  return result;
}

Value invalid_params(const Call& call, std::string why) {
  return error_answer(call.id, RpcCode::invalid_params, std::move(why));
}

/// What is wrong with the metadata that each request of the modern era carries.
std::optional<Value> flaw_of_meta(const Call& call) {
  const Value* version = meta_of(call, "protocolVersion");
  if (!version)
    return invalid_params(call,
                          "begin with `initialize`, or give each request "
                          "_meta[\"io.modelcontextprotocol/protocolVersion\"]");
  if (!version->is_string()) return invalid_params(call, "the protocol version in _meta must be text");
  if (version->string() != modern_version) {
    Value data{Value::Object{}};
    data.set("supported", supported_versions());
    data.set("requested", *version);
    return error_answer(call.id, RpcCode::unsupported_version, "unsupported protocol version",
                        std::move(data));
  }
  const Value* capabilities = meta_of(call, "clientCapabilities");
  if (!capabilities || !capabilities->is_object())
    return invalid_params(call, "_meta[\"io.modelcontextprotocol/clientCapabilities\"] must be an object");
  return {};
}

}  // namespace

std::optional<std::string> Server::take(const Line& line, Instant now) {
  if (line.too_long)
    return to_json(error_answer({}, RpcCode::invalid_request,
                                fmt::format("a line must not have more than {} MB", line_bytes_max >> 20)));
  Result<Value> value = parse_json(line.text);
  if (!value) return to_json(error_answer({}, RpcCode::parse_error, "not JSON: " + value.error().text));
  std::optional<Value> said = value->is_array() ? answer_batch(std::move(value->array()), now)
                                                : answer(std::move(*value), {false, true, now});
  if (!said) return {};
  return to_json(*said);
}

std::optional<Value> Server::answer_batch(Value::Array batch, Instant now) {
  if (batch.empty()) return error_answer({}, RpcCode::invalid_request, "a batch must not be empty");
  if (!has_batches(version_))
    return error_answer({}, RpcCode::invalid_request,
                        "this version of the protocol has no batches; send one message a line");
  Value answers{Value::Array{}};
  for (Value& message : batch)
    if (std::optional<Value> said = answer(std::move(message), {false, false, now}))
      answers.push(std::move(*said));
  if (answers.array().empty()) return {};
  return answers;
}

std::optional<Value> Server::answer(Value value, Manner manner) {
  Message message = read_message(std::move(value));
  if (auto* unreadable = std::get_if<Unreadable>(&message)) return std::move(unreadable->answer);
  const auto* call = std::get_if<Call>(&message);
  if (!call) return {};
  if (!call->is_notification) return answer_call(*call, manner);
  take_notification(*call);
  return {};
}

void Server::take_notification(const Call& call) {
  if (call.method != "notifications/cancelled") return;
  if (const Value* id = call.params.find("requestId"))
    std::erase_if(waiting_, [&](const Waiting& waiting) { return waiting.id == *id; });
}

std::optional<Value> Server::answer_call(const Call& call, Manner manner) {
  if (call.method == "initialize")
    return manner.may_wait
               ? initialize(call)
               : error_answer(call.id, RpcCode::invalid_request, "`initialize` must not be part of a batch");
  // By the first, a client finds out which eras we speak, and by the second whether we are there.
  const bool probes =
      (call.method == "server/discover" || call.method == "ping") && !meta_of(call, "protocolVersion");
  if (version_.empty() && !probes) {
    manner.modern = true;
    if (std::optional<Value> flaw = flaw_of_meta(call)) return flaw;
    if (const std::string name = name_in(meta_of(call, "clientInfo")); !name.empty()) client_ = name;
  }
  if (call.method == "server/discover" && version_.empty()) return discover(call);
  if (call.method == "ping" && !manner.modern) return result_answer(call.id, Value(Value::Object{}));
  if (call.method == "tools/list") return list_tools(call, manner.modern);
  if (call.method == "tools/call") return call_tool(call, manner);
  return error_answer(call.id, RpcCode::method_not_found,
                      fmt::format("there is no method '{}'; this server has tools/list and tools/call",
                                  short_name(call.method)));
}

Value Server::initialize(const Call& call) {
  const Value* wanted = call.params.find("protocolVersion");
  if (!wanted || !wanted->is_string())
    return invalid_params(call, "`initialize` needs \"protocolVersion\", such as \"2025-11-25\"");
  const auto known = std::ranges::find(legacy_versions, wanted->string());
  version_ = known != legacy_versions.end() ? *known : legacy_versions.front();
  client_ = name_in(call.params.find("clientInfo"));
  Value result{Value::Object{}};
  result.set("protocolVersion", version_);
  result.set("capabilities", tool_capability());
  result.set("serverInfo", identity(text_));
  result.set("instructions", text_.instructions);
  return result_answer(call.id, std::move(result));
}

Value Server::complete(Value result, bool modern) const {
  if (!modern) return result;
  result.set("resultType", "complete");
  Value meta{Value::Object{}};
  meta.set(std::string(meta_prefix) + "serverInfo", identity(text_));
  result.set("_meta", std::move(meta));
  return result;
}

Value Server::discover(const Call& call) const {
  Value result{Value::Object{}};
  result.set("supportedVersions", supported_versions());
  result.set("capabilities", tool_capability());
  result.set("instructions", text_.instructions);
  result.set("ttlMs", cache_ms);
  result.set("cacheScope", "private");
  return result_answer(call.id, complete(std::move(result), true));
}

Value Server::list_tools(const Call& call, bool modern) const {
  if (const Value* cursor = call.params.find("cursor"); cursor && !cursor->is_null())
    return invalid_params(call, "there is no such cursor: all tools are on one page");
  Value tools{Value::Array{}};
  for (const Tool& tool : tools_) tools.push(described(tool));
  Value result{Value::Object{}};
  result.set("tools", std::move(tools));
  if (modern) {
    result.set("ttlMs", cache_ms);
    result.set("cacheScope", "private");
  }
  return result_answer(call.id, complete(std::move(result), modern));
}

std::optional<Value> Server::call_tool(const Call& call, const Manner& manner) {
  const Value* name = call.params.find("name");
  if (!name || !name->is_string()) return invalid_params(call, "\"name\" must be the name of a tool");
  const auto tool = std::ranges::find(tools_, name->string(), &Tool::name);
  if (tool == tools_.end()) {
    std::vector<std::string> names;
    std::string all;
    for (const Tool& known : tools_) {
      names.push_back(known.name);
      all += (all.empty() ? "" : ", ") + known.name;
    }
    const std::string near = suggestion(name->string(), names);
    return invalid_params(call, fmt::format("unknown tool '{}'; {}", short_name(name->string()),
                                            near.empty() ? "the tools are " + all : near));
  }
  const Value* given = call.params.find("arguments");
  Value arguments = given && !given->is_null() ? *given : Value(Value::Object{});
  // An error of the tool and not of the protocol: the model reads it, and can call again.
  if (std::string flaw = flaw_of_arguments(*tool, arguments); !flaw.empty())
    return result_answer(call.id, complete(as_result({std::move(flaw), true}), manner.modern));
  const bool may_wait = manner.may_wait && waiting_.size() < waiting_max;
  if (const std::optional<Said> said = tool->run(arguments, may_wait ? Duration{} : waited_enough))
    return result_answer(call.id, complete(as_result(*said), manner.modern));
  waiting_.push_back({call.id, &*tool, std::move(arguments), manner.modern, manner.now});
  return {};
}

std::vector<std::string> Server::look_again(Instant now) {
  std::vector<std::string> answers;
  std::erase_if(waiting_, [&](const Waiting& waiting) {
    const std::optional<Said> said = waiting.tool->run(waiting.arguments, now - waiting.since);
    if (said)
      answers.push_back(to_json(result_answer(waiting.id, complete(as_result(*said), waiting.modern))));
    return said.has_value();
  });
  return answers;
}

}  // namespace bidboard::mcp
