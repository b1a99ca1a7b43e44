#include "runtime/mcp/tool.hpp"

#include <algorithm>

#include "blackboard/fmt.hpp"
#include "blackboard/text/utf8.hpp"

namespace bidboard::mcp {
namespace {

using Type = Parameter::Type;

Value schema_of(const Parameter& parameter) {
  Value schema{Value::Object{}};
  switch (parameter.type) {
    case Type::text:
      schema.set("type", "string");
      break;
    case Type::texts: {
      schema.set("type", "array");
      Value items{Value::Object{}};
      items.set("type", "string");
      schema.set("items", std::move(items));
      break;
    }
    case Type::number:
      schema.set("type", "number");
      break;
    case Type::integer:
      schema.set("type", "integer");
      break;
  }
  if (parameter.least) schema.set("minimum", *parameter.least);
  if (parameter.most) schema.set("maximum", *parameter.most);
  if (!parameter.help.empty()) schema.set("description", parameter.help);
  return schema;
}

std::string expected(const Parameter& parameter) {
  switch (parameter.type) {
    case Type::text:
      return "text";
    case Type::texts:
      return "a list of texts";
    case Type::number:
    case Type::integer:
      break;
  }
  const std::string kind = parameter.type == Type::number ? "a number" : "a whole number";
  if (parameter.least && parameter.most)
    return fmt::format("{} from {} to {}", kind, *parameter.least, *parameter.most);
  return parameter.least ? fmt::format("{} of at least {}", kind, *parameter.least) : kind;
}

bool fits(const Parameter& parameter, const Value& value) {
  switch (parameter.type) {
    case Type::text:
      return value.is_string();
    case Type::texts:
      return value.is_array() &&
             std::ranges::all_of(value.array(), [](const Value& item) { return item.is_string(); });
    case Type::number:
      if (!value.is_number()) return false;
      break;
    case Type::integer:
      if (!value.is_integer()) return false;
      break;
  }
  // Written so that what compares with nothing (NaN) does not fit.
  return (!parameter.least || value.number() >= static_cast<double>(*parameter.least)) &&
         (!parameter.most || value.number() <= static_cast<double>(*parameter.most));
}

}  // namespace

std::string short_name(std::string_view name) {
  constexpr std::size_t bytes_max = 100;
  return std::string(utf8_prefix(name, bytes_max)) + (name.size() > bytes_max ? "…" : "");
}

std::string suggestion(std::string_view name, const std::vector<std::string>& candidates) {
  const std::string near = nearest(short_name(name), candidates);
  return near.empty() ? near : fmt::format("did you mean '{}'?", near);
}

Value described(const Tool& tool) {
  Value schema{Value::Object{}};
  schema.set("type", "object");
  Value properties{Value::Object{}};
  Value required{Value::Array{}};
  for (const Parameter& parameter : tool.parameters) {
    properties.set(parameter.name, schema_of(parameter));
    if (parameter.required) required.push(parameter.name);
  }
  schema.set("properties", std::move(properties));
  if (!required.array().empty()) schema.set("required", std::move(required));
  Value hints{Value::Object{}};
  hints.set("readOnlyHint", tool.read_only);
  if (!tool.read_only) hints.set("destructiveHint", false);
  hints.set("openWorldHint", false);
  Value description{Value::Object{}};
  description.set("name", tool.name);
  description.set("description", tool.description);
  description.set("inputSchema", std::move(schema));
  description.set("annotations", std::move(hints));
  return description;
}

std::string flaw_of_arguments(const Tool& tool, const Value& arguments) {
  if (!arguments.is_object()) return fmt::format("the arguments of {} must be an object", tool.name);
  std::vector<std::string> names;
  for (const Parameter& parameter : tool.parameters) {
    names.push_back(parameter.name);
    const Value* value = arguments.find(parameter.name);
    if (value && value->is_null()) value = nullptr;  // clients send null for what they leave out
    if (!value && parameter.required)
      return fmt::format("{} needs the argument '{}': {}", tool.name, parameter.name, expected(parameter));
    if (value && !fits(parameter, *value))
      return fmt::format("'{}' of {} must be {}, not {}", parameter.name, tool.name, expected(parameter),
                         value->is_number() ? to_json(*value) : std::string(value->type_name()));
  }
  for (const Value::Member& member : arguments.object()) {
    if (std::ranges::find(names, member.key) != names.end()) continue;
    std::string all;
    for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
    const std::string near = suggestion(member.key, names);
    return fmt::format("{} has no argument '{}'; {}", tool.name, short_name(member.key),
                       near.empty() ? fmt::format("it takes {}", all) : near);
  }
  return {};
}

std::string text_argument(const Value& arguments, std::string_view name) {
  const Value* value = arguments.find(name);
  return value && value->is_string() ? value->string() : std::string();
}

std::vector<std::string> texts_argument(const Value& arguments, std::string_view name) {
  std::vector<std::string> texts;
  const Value* value = arguments.find(name);
  if (value && value->is_array())
    for (const Value& item : value->array())
      if (item.is_string()) texts.push_back(item.string());
  return texts;
}

std::int64_t integer_argument(const Value& arguments, std::string_view name, std::int64_t otherwise) {
  const Value* value = arguments.find(name);
  return value && value->is_integer() ? value->integer() : otherwise;
}

}  // namespace bidboard::mcp
