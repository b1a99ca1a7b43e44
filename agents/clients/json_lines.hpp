// Clients that print one JSON event a line. Pure.
#pragma once

#include <string>

#include "agents/clients/client.hpp"
#include "blackboard/text/document.hpp"

namespace bidboard {

/// Lines that are no JSON objects are shown as they are.
class JsonLinesReader : public ClientReader {
 public:
  std::string on_line(std::string_view line) final {
    Result<Value> event = parse_json(line);
    return event && event->is_object() ? on_event(std::move(*event)) : std::string(line) + "\n";
  }

 private:
  /// Returns what people should see of it, in whole lines; may be empty.
  virtual std::string on_event(Value event) = 0;
};

}  // namespace bidboard
