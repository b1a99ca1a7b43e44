// help, prime, completion: for people, for agents' prompts and for shells.
#include <cstdio>
#include "experiments/experiment.hpp"
#include "experiments/measures.hpp"

#include "runtime/jobs/job_file.hpp"
#include "runtime/jobs/settings.hpp"
#include "runtime/shell/command_line.hpp"
#include "runtime/shell/commands.hpp"

namespace bidboard {
namespace {

constexpr const char* primer = R"(# Working with Bidboard

This folder has a blackboard: tasks with dependencies, shared by several agents. Use it through the shell tool `bidboard`.

- See what there is: `bidboard tasks`, `bidboard ready`, `bidboard show t12`. Add `--json` for data.
- Take work: `bidboard claim --next --as NAME` prints a task and the epoch of your award. Exit code 5 means that somebody else was
  faster: take another one. Work only on tasks you hold.
- Say how far you are: `bidboard progress 0.4 "what you are doing"`. Prolong a long claim: `bidboard renew t12 --as NAME`.
- Deliver: `bidboard done t12 --as NAME --epoch E --result @result.json`. Give up: `bidboard fail t12 --as NAME --reason "why"`; the
  reason is handed to whoever tries next.
- Found more to do? `bidboard post "title" --body "details" --need t12 --skill "cpp>=0.5"`. Keep tasks small enough for one sitting.
- Ask in SQL: `bidboard query "SELECT id, title, state FROM tasks WHERE state != 'done'"`; `bidboard query .schema` lists columns.
- Why did somebody get a task, or why does nobody? `bidboard explain t12`.

Inside a task that Bidboard started for you, BIDBOARD_TASK, BIDBOARD_EPOCH and BIDBOARD_NEEDS (a file with the results of the tasks
before) are set, and you act as that task's agent: `bidboard progress 0.5 "..."` needs no names. Your answer is your process's output
and exit status; `done` is not needed there.

Exit codes: 0 ok, 1 failed, 2 usage, 3 not found, 4 refused by a rule, 5 conflict, 6 nobody available, 7 timed out.
)";

constexpr const char* exit_codes = R"(| code | meaning |
|---|---|
| 0 | done |
| 1 | failed: the environment, the store, or a job with tasks that did not get done |
| 2 | usage: the command line or a file is wrong |
| 3 | not found: no such board, task, agent or file |
| 4 | refused by a rule: role, token, skill |
| 5 | conflict: somebody else was faster, or the state does not allow it |
| 6 | unavailable: no agent or controller can do it |
| 7 | timed out |
)";

Result<Exit> help(const std::string& topic) {
  std::string text;
  if (topic.empty())
    text = overview_text();
  else if (topic == "jobs")
    text = job_file_reference();
  else if (topic == "settings")
    text = settings_reference();
  else if (topic == "experiments")
    text = experiment_reference();
  else if (topic == "metrics")
    text = measures_reference();
  else if (topic == "exit-codes")
    text = exit_codes;
  else if (const Command* command = find_command(topic))
    text = help_text(*command);
  else
    return fail(Errc::invalid, "no help on '" + topic +
                                   "'; there is help on every command, and on jobs, settings, "
                                   "experiments, metrics and exit-codes");
  std::fputs(text.c_str(), stdout);
  return Exit::ok;
}

std::string joined(const std::vector<std::string>& words, const char* between = " ") {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const Command& command : all_commands())
    if (!command.group.empty()) names.push_back(command.name);
  return names;
}

void print_bash() {
  std::printf(
      "_bidboard() {\n  local word=\"${COMP_WORDS[COMP_CWORD]}\" command=\"\" i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n    case \"${COMP_WORDS[i]}\" in\n      -C) ((i++)) ;;\n    "
      "  -*) ;;\n"
      "      *) command=\"${COMP_WORDS[i]}\"; break ;;\n    esac\n  done\n  case \"$command\" in\n"
      "    '') COMPREPLY=($(compgen -W '%s' -- \"$word\")) ;;\n",
      joined(command_names()).c_str());
  for (const Command& command : all_commands())
    if (!command.group.empty())
      std::printf("    %s) COMPREPLY=($(compgen -W '%s' -- \"$word\") $(compgen -f -- \"$word\")) ;;\n",
                  command.name.c_str(), joined(option_names(command)).c_str());
  std::printf("  esac\n}\ncomplete -o filenames -F _bidboard bidboard\n");
}

std::string zsh_quoted(std::string text) {
  for (std::size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 4)
    text.replace(at, 1, "'\\''");
  for (std::size_t at = 0; (at = text.find(':', at)) != std::string::npos; at += 2) text.insert(at, "\\");
  return text;
}

void print_zsh() {
  std::printf("#compdef bidboard\n_bidboard() {\n  local -a commands\n  commands=(\n");
  for (const Command& command : all_commands())
    if (!command.group.empty())
      std::printf("    '%s:%s'\n", command.name.c_str(), zsh_quoted(command.summary).c_str());
  std::printf(
      "  )\n  if ((CURRENT == 2)); then _describe command commands; return; fi\n  case \"$words[2]\" in\n");
  for (const Command& command : all_commands())
    if (!command.group.empty())
      std::printf("    %s) compadd -- %s; _files ;;\n", command.name.c_str(),
                  joined(option_names(command)).c_str());
  std::printf("  esac\n}\ncompdef _bidboard bidboard\n");
}

void print_fish() {
  for (const Command& command : all_commands()) {
    if (command.group.empty()) continue;
    std::string summary = command.summary;
    for (std::size_t at = 0; (at = summary.find('\'', at)) != std::string::npos; at += 2)
      summary.insert(at, "\\");
    std::printf("complete -c bidboard -n __fish_use_subcommand -f -a %s -d '%s'\n", command.name.c_str(),
                summary.c_str());
    for (const std::string& option : option_names(command))
      std::printf("complete -c bidboard -n '__fish_seen_subcommand_from %s' -l %s\n", command.name.c_str(),
                  option.substr(2).c_str());
  }
}

Result<Exit> completion(const std::string& shell) {
  if (shell == "bash")
    print_bash();
  else if (shell == "zsh")
    print_zsh();
  else if (shell == "fish")
    print_fish();
  else
    return fail(Errc::invalid, "there are completions for bash, zsh and fish");
  return Exit::ok;
}

}  // namespace

Command help_command() {
  return {"help",
          "Help",
          "Print help on a command, on job files, settings or exit codes",
          "",
          {{"bidboard help jobs", "every key of a job file"},
           {"bidboard help settings", "every key of bidboard.yaml"}},
          [](Options& o) -> Action0 {
            auto topic = std::make_shared<std::string>();
            o.argument("TOPIC", *topic, "A command, jobs, settings or exit-codes", false);
            return [topic](const Globals&) { return help(*topic); };
          }};
}

Command prime_command() {
  return {"prime",
          "Help",
          "Print what an agent needs to know to use the board",
          "For AGENTS.md, or the first prompt of a session.",
          {{"bidboard prime >> AGENTS.md", "tell every agent of this folder"}},
          [](Options&) -> Action0 {
            return [](const Globals&) -> Result<Exit> {
              std::fputs(primer, stdout);
              return Exit::ok;
            };
          }};
}

Command completion_command() {
  return {"completion",
          "Help",
          "Print a completion script for bash, zsh or fish",
          "",
          {{"eval \"$(bidboard completion bash)\"", "in ~/.bashrc"},
           {"bidboard completion fish > ~/.config/fish/completions/bidboard.fish", "for fish"}},
          [](Options& o) -> Action0 {
            auto shell = std::make_shared<std::string>();
            o.argument("SHELL", *shell, "bash, zsh or fish");
            return [shell](const Globals&) { return completion(*shell); };
          }};
}

}  // namespace bidboard
