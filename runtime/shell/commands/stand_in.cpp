// stand-in: what `--rehearse` starts in the place of a coding agent's client.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "agents/clients/client.hpp"
#include "agents/worktrees/git.hpp"
#include "blackboard/fmt.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/print.hpp"

namespace bidboard {
namespace {

namespace fs = std::filesystem;

/// Where a path leads, links and all, that need not be there yet.
bool is_below_here(const std::string& path) {
  std::error_code error;
  const fs::path here = fs::canonical(".", error);
  const fs::path there = fs::weakly_canonical(here / path, error);
  return !error && std::ranges::mismatch(here, there).in1 == here.end();
}

Result<void> edit(const StandInStep& step) {
  if (!is_below_here(step.subject))
    return fail(Errc::refused, fmt::format("{} leads out of the folder of the task", step.subject));
  std::error_code ignored;  // if it is not there, the file cannot be written either
  fs::create_directories(fs::path("./" + step.subject).parent_path(), ignored);
  const bool appends = step.kind == StandInStep::Kind::append;
  std::ofstream out(step.subject, std::ios::binary | (appends ? std::ios::app : std::ios::trunc));
  out << step.text;
  out.close();
  if (!out) return fail(Errc::storage, fmt::format("cannot write {}", step.subject));
  return {};
}

/// Leaves the lines of both sides, in their order, without the marks between them.
Result<void> keep_both_sides(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string kept, line;
  while (std::getline(in, line))
    if (!line.starts_with("<<<<<<< ") && line != "=======" && !line.starts_with(">>>>>>> "))
      kept += line + "\n";
  in.close();
  return edit({StandInStep::Kind::write, file, kept});
}

Result<void> merge(const Git& git, const std::string& commit) {
  const Result<GitRun> merged =
      git.run_as_someone({"-c", "merge.conflictStyle=merge", "merge", "--no-edit", commit});
  if (!merged) return fail(merged.error());
  if (merged->status == 0) return {};
  const Result<std::string> files = git.ask({"diff", "--name-only", "--diff-filter=U", "-z"});
  if (!files) return fail(files.error());
  if (files->empty()) return fail(Errc::failed, fmt::format("git merge {}: {}", commit, said(*merged)));
  for (const std::string& file : split_zeros(*files)) {
    if (const Result<void> kept = keep_both_sides(file); !kept) return kept;
    if (const auto added = git.ask({"add", "--", file}); !added) return fail(added.error());
  }
  const Result<std::string> committed = git.commit({"commit", "--no-edit"});
  if (!committed) return fail(committed.error());
  return {};
}

Result<void> carry_out(const StandInStep& step) {
  const Git git(".");
  switch (step.kind) {
    case StandInStep::Kind::write:
    case StandInStep::Kind::append:
      return edit(step);
    case StandInStep::Kind::checkout: {
      const Result<std::string> there = git.ask({"checkout", "--detach", step.subject});
      return there ? Result<void>() : fail(there.error());
    }
    case StandInStep::Kind::merge:
      return merge(git, step.subject);
  }
  return {};
}

Result<Exit> stand_in(const std::string& client_name) {
  const CodingClient* client = find_coding_client(client_name);
  if (!client) return fail(Errc::invalid, fmt::format("there is no client {}", client_name));
  const Result<std::string> prompt = read_text("-");
  if (!prompt) return fail(prompt.error());
  const char* task = std::getenv("BIDBOARD_TASK");
  std::vector<StandInStep> steps = stand_in_steps(*prompt, task ? task : "task");
  if (!client->has_tools) steps.clear();
  for (const StandInStep& step : steps)
    if (const Result<void> done = carry_out(step); !done) return fail(done.error());
  write_out(client->printed(stand_in_work(std::move(steps), *prompt)));
  return Exit::ok;
}

}  // namespace

Command stand_in_command() {
  return {"stand-in",
          "",
          "Do a task in the place of a client; agents of `--rehearse` start it",
          "",
          {},
          [](Options& o) -> Action0 {
            auto client = std::make_shared<std::string>();
            o.argument("CLIENT", *client, "The preset whose output is printed");
            return [client](const Globals&) { return stand_in(*client); };
          }};
}

}  // namespace bidboard
