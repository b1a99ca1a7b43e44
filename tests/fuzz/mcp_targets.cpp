// What clients send to `bidboard mcp`, and the files of theirs that `mcp install` changes.
#include <string>

#include "blackboard/checks/check.hpp"
#include "runtime/mcp/client_config.hpp"
#include "runtime/mcp/server.hpp"
#include "tests/fuzz/targets.hpp"

namespace bidboard::fuzz {
namespace {

using mcp::Parameter;

mcp::Server small_server() {
  using Type = Parameter::Type;
  mcp::Tool echo{"echo",
                 "Says it again",
                 {{"text", Type::text, "", true},
                  {"list", Type::texts, ""},
                  {"share", Type::number, "", false, 0, 1},
                  {"times", Type::integer, "", false, 1, 3}},
                 true,
                 [](const Value& arguments, Duration waited) -> std::optional<mcp::Said> {
                   BB_CHECK(arguments.find("text")->is_string(),
                            "arguments are checked before a tool is called");
                   if (mcp::integer_argument(arguments, "times", 0) > 1 && waited < seconds(1)) return {};
                   return mcp::Said{mcp::text_argument(arguments, "text")};
                 }};
  return mcp::Server({"small", "1", "`echo`"}, {echo});
}

void check_answer(const std::string& answer) {
  BB_CHECK(answer.find('\n') == answer.npos, "an answer is one line");
  const Result<Value> value = parse_json(answer);
  BB_CHECK(value.has_value() && (value->is_array() || value->find("id")), "an answer is JSON and has an id");
}

void check_config(const mcp::Client& client, std::string_view text) {
  const Result<std::string> with = mcp::with_server(client, text, "bidboard");
  if (!with) return;
  BB_CHECK(mcp::with_server(client, *with, "bidboard") == *with, "installing twice is installing once");
  const Result<std::string> without = mcp::without_server(client, *with);
  BB_CHECK(without && mcp::without_server(client, *without) == *without, "removing twice is removing once");
  static_cast<void>(mcp::changed_lines(text, *with));
}

}  // namespace

void mcp_lines(Bytes bytes) {
  const std::string_view text = text_of(bytes);
  mcp::Server server = small_server();
  // Short, so that inputs of a fuzzer reach it.
  mcp::Lines lines(4096);
  Instant now{};
  const auto take_all = [&] {
    while (const std::optional<mcp::Line> line = lines.next()) {
      if (const auto answer = server.take(*line, now)) check_answer(*answer);
      now = now + milliseconds(300);
      for (const std::string& answer : server.look_again(now)) check_answer(answer);
    }
  };
  lines.feed(text.substr(0, text.size() / 2));
  take_all();
  lines.feed(text.substr(text.size() / 2));
  lines.end();
  take_all();
  for (const mcp::Client& client : mcp::clients()) check_config(client, text);
}

}  // namespace bidboard::fuzz
