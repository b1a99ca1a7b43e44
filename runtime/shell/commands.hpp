// The commands, by file of runtime/shell/commands/.
#pragma once

#include "runtime/jobs/plan.hpp"
#include "runtime/jobs/settings.hpp"
#include "runtime/shell/command.hpp"

namespace bidboard {

// board.cpp
Command init_command();
Command controller_command();
// care.cpp
Command doctor_command();
Command backup_command();
Command compact_command();
// trust.cpp
Command trust_command();
// keys.cpp
Command keys_command();
// post.cpp
Command post_command();
Command dep_command();
// edit.cpp
Command edit_command();
Command comment_command();
// tasks.cpp
Command tasks_command();
Command ready_command();
Command show_command();
// search.cpp
Command search_command();
// wait.cpp
Command wait_command();
// work.cpp
Command claim_command();
Command renew_command();
Command done_command();
Command fail_command();
Command progress_command();
// direct.cpp
Command cancel_command();
Command retry_command();
Command pause_command();
Command resume_command();
Command reassign_command();
Command probe_command();
Command budget_command();
Command spend_command();
// agents.cpp
Command agents_command();
// agent.cpp
Command agent_command();
// up.cpp
Command up_command();
/// bidboard.yaml beside the board, its paths absolute; the defaults if there is none. Errors: as
/// read_settings(), read_text().
Result<Settings> load_settings(const BoardDirectory& board);
Command down_command();
Command status_command();
// run.cpp
Command run_command();
/// The strategies and mechanisms that files may name.
KnownNames known_names();

// auctions.cpp
Command explain_command();
Command bids_command();
Command gantt_command();
Command graph_command();
Command auction_command();
// events.cpp
Command log_command();
Command watch_command();
Command output_command();
// stand_in.cpp
Command stand_in_command();
// worktrees.cpp
Command worktrees_command();
Command in_worktree_command();
// merge.cpp
Command merge_command();
// query.cpp
Command query_command();
// bench.cpp
Command bench_command();
// experiment.cpp
Command experiment_command();
// help.cpp
Command help_command();
Command prime_command();
Command completion_command();
// mcp.cpp
Command mcp_command();
// manual.cpp
Command manual_command();

}  // namespace bidboard
