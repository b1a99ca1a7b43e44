#include "runtime/shell/commands.hpp"

namespace bidboard {

const std::vector<Command>& all_commands() {
  static const std::vector<Command> commands{
      init_command(),       up_command(),          down_command(),     status_command(),
      run_command(),        controller_command(),  doctor_command(),   backup_command(),
      compact_command(),    keys_command(),        trust_command(),    post_command(),
      tasks_command(),      ready_command(),       show_command(),     dep_command(),
      edit_command(),       comment_command(),     wait_command(),     claim_command(),
      renew_command(),      done_command(),        fail_command(),     progress_command(),
      mcp_command(),        cancel_command(),      retry_command(),    pause_command(),
      resume_command(),     reassign_command(),    probe_command(),    merge_command(),
      budget_command(),     agents_command(),      agent_command(),    worktrees_command(),
      explain_command(),    bids_command(),        query_command(),    search_command(),
      log_command(),        watch_command(),       output_command(),   graph_command(),
      gantt_command(),      spend_command(),       auction_command(),  help_command(),
      prime_command(),      completion_command(),  manual_command(),   bench_command(),
      experiment_command(), in_worktree_command(), stand_in_command(),
  };
  return commands;
}

}  // namespace bidboard
