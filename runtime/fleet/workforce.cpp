#include "runtime/fleet/workforce.hpp"

#include <unistd.h>

#include <filesystem>

namespace bidboard {
namespace {

std::string log_file(const BoardDirectory& board, const std::string& name) {
  return board.run() + "/" + name + ".log";
}

}  // namespace

std::string own_program() {
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "bidboard" : path.string();
}

ChildSpec controller_child(const BoardDirectory& board, bool durable, const std::string& listen) {
  ChildSpec child{
      "controller", {own_program(), "-C", board.path, "controller"}, true, log_file(board, "controller")};
  if (!durable) child.argv.push_back("--no-sync");
  if (!listen.empty()) child.argv.push_back("--listen=" + listen);
  return child;
}

ChildSpec agent_child(const BoardDirectory& board, const PlannedAgent& agent,
                      const std::string& work_directory) {
  const AgentProfile& profile = agent.profile;
  std::vector<std::string> argv{own_program(), "-C", board.path, "agent"};
  // One word per option, so that a value that begins with a dash stays a value.
  const auto option = [&](const std::string& name, const std::string& value) {
    argv.push_back(name + "=" + value);
  };
  option("--name", profile.name);
  option("--role", std::string(name(profile.role)));
  option("--speed", format_micros(profile.speed));
  option("--capacity", std::to_string(profile.capacity));
  option("--directory", work_directory);
  for (const Skill& skill : profile.skills) option("--skill", skill.name + "=" + format_micros(skill.level));
  if (!profile.parent.empty()) option("--parent", profile.parent);
  if (!profile.project.empty()) option("--project", profile.project);
  if (!profile.cost_formula.empty()) option("--cost", profile.cost_formula);
  if (profile.price_per_second != 0) option("--price-per-second", format_micros(profile.price_per_second));
  if (profile.set_up != 0) option("--set-up", format_micros(profile.set_up));
  if (profile.allow_run) argv.push_back("--allow-run");
  if (!agent.bid.empty()) option("--bid", agent.bid);
  if (profile.bids == BidStyle::live && agent.bid.empty()) argv.push_back("--live");
  if (!agent.answers_bids) argv.push_back("--no-bids");
  if (!agent.price_field.empty()) option("--price-field", agent.price_field);
  if (!agent.tokens_field.empty()) option("--tokens-field", agent.tokens_field);
  if (!agent.result_field.empty()) option("--result-field", agent.result_field);
  switch (agent.executor) {
    case ExecutorKind::simulated:
      argv.push_back("--simulate");
      break;
    case ExecutorKind::coprocess:
      option("--coprocess", agent.exec);
      break;
    case ExecutorKind::command:
      if (!agent.exec.empty()) option("--exec", agent.exec);
      if (agent.json_input) option("--input", "json");
      break;
  }
  return {profile.name, std::move(argv), agent.restart, log_file(board, profile.name)};
}

}  // namespace bidboard
