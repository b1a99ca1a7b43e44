// Clients that print one JSON event a line. Pure.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>

#include "agents/clients/client.hpp"
#include "blackboard/text/document.hpp"

namespace bidboard {

using JsonMembers = std::initializer_list<std::pair<std::string_view, Value>>;
inline Value json_object(JsonMembers members) {
  Value object{Value::Object{}};
  for (const auto& [key, value] : members) object.set(key, value);
  return object;
}
inline std::string json_line(JsonMembers members) { return to_json(json_object(members)) + "\n"; }

/// Lines that are no JSON objects are shown as they are.
class JsonLinesReader : public ClientReader {
 public:
  std::string on_line(std::string_view line) final {
    Result<Value> event = parse_json(line);
    if (event && event->is_object()) return on_event(std::move(*event));
    note_unreadable();
    return std::string(line) + "\n";
  }

 private:
  /// Returns what people should see of it, in whole lines; may be empty.
  virtual std::string on_event(Value event) = 0;
  virtual void note_unreadable() {}
};

}  // namespace bidboard
