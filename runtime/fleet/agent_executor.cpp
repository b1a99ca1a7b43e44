#include "runtime/fleet/agent_executor.hpp"

#include "agents/clients/client.hpp"
#include "agents/executors/command.hpp"
#include "agents/executors/coprocess.hpp"
#include "agents/simulated.hpp"
#include "runtime/fleet/workforce.hpp"

namespace bidboard {

std::unique_ptr<Executor> make_executor(const BoardDirectory& board, const PlannedAgent& agent,
                                        AgentVariables variables, const Elsewhere& elsewhere) {
  const std::string program = own_program();
  const Workplace place{board.path,
                        agent.profile.name,
                        agent.dir.empty() ? board.home() : agent.dir,
                        program.substr(0, program.find_last_of('/') + 1),
                        elsewhere.connect,
                        elsewhere.key_file,
                        std::move(variables.env),
                        std::move(variables.secrets)};
  switch (agent.executor) {
    case ExecutorKind::simulated:
      return std::make_unique<SimulatedExecutor>(
          SimulatedOptions{agent.profile, one, agent.noise, agent.failure_rate, agent.seed});
    case ExecutorKind::coprocess: {
      CoprocessOptions made;
      made.place = place;
      made.exec = agent.exec;
      made.bids = agent.answers_bids;
      return std::make_unique<CoprocessExecutor>(std::move(made));
    }
    case ExecutorKind::command:
      break;
  }
  CommandOptions made;
  made.place = place;
  made.exec = agent.exec;
  made.input = agent.json_input ? TaskInput::json : TaskInput::text;
  made.client = find_coding_client(agent.preset);
  made.allow_run = agent.profile.allow_run;
  made.bid = agent.bid;
  made.price_field = agent.price_field;
  made.tokens_field = agent.tokens_field;
  made.result_field = agent.result_field;
  made.token_price = agent.token_price;
  made.bid_timeout = agent.bid_timeout;
  if (agent.worktree != WorktreeMode::none)
    made.worktree = WorktreeUse{program, agent.worktree == WorktreeMode::agent};
  return std::make_unique<CommandExecutor>(std::move(made));
}

}  // namespace bidboard
