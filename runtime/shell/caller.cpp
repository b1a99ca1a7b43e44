#include "runtime/shell/caller.hpp"

#include <cstdlib>

#include "runtime/home/key_directory.hpp"

namespace bidboard {
namespace {

std::string variable(const char* name) {
  const char* text = std::getenv(name);
  return text ? text : "";
}

}  // namespace

CallOptions caller(const std::string& as) {
  CallOptions options;
  options.as = as;
  options.token = variable("BIDBOARD_TOKEN");
  return options;
}

Result<Target> target_at(const std::string& endpoint, const std::string& key_file) {
  if (key_file.empty()) return Target(endpoint, {});
  Result<CurveKeys> keys = read_client_keys(key_file);
  if (!keys) return fail(keys.error());
  return Target(endpoint, std::move(*keys));
}

Result<Target> find_target(const Globals& globals) {
  const std::string elsewhere = variable(connect_variable);
  if (globals.directory.empty() && !elsewhere.empty()) return target_at(elsewhere, variable("BIDBOARD_KEY"));
  Result<BoardDirectory> board = find_board(globals.directory);
  if (!board) return fail(board.error());
  return Target(std::move(*board));
}

}  // namespace bidboard
