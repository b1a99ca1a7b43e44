#include "runtime/fleet/workforce.hpp"

#include <unistd.h>

#include <filesystem>

#include "blackboard/fmt.hpp"
#include "runtime/jobs/agent_entry.hpp"

namespace bidboard {
namespace {

std::string log_file(const BoardDirectory& board, const std::string& name) {
  return fmt::format("{}/{}.log", board.run(), name);
}

}  // namespace

std::string own_program() {
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "bidboard" : path.string();
}

ChildSpec controller_child(const BoardDirectory& board, bool durable, const std::string& listen) {
  ChildSpec child{
      "controller", {own_program(), "-C", board.path, "controller"}, true, log_file(board, "controller"), {},
      true,         [board] { return !serving_writer(board); }};
  if (!durable) child.argv.push_back("--no-sync");
  if (!listen.empty()) child.argv.push_back("--listen=" + listen);
  return child;
}

ChildSpec merging_child(const BoardDirectory& board) {
  return {"merge", {own_program(), "-C", board.path, "merge", "--follow"}, true, log_file(board, "merge"), {},
          false};
}

ChildSpec agent_child(const BoardDirectory& board, const PlannedAgent& agent,
                      const std::string& work_directory) {
  const std::string& name = agent.profile.name;
  // --name is there for people who read the list of processes. "--option=value" in one word, so that a value
  // that begins with a dash is not taken for an option.
  return {name,
          {own_program(), "-C", board.path, "agent", "--name=" + name, "--description=-",
           "--dir=" + work_directory},
          agent.restart,
          log_file(board, name),
          to_json(describe_agent(agent)),
          false};
}

}  // namespace bidboard
