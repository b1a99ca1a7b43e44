// help, completion: texts for people and for shells.
#include "blackboard/fmt.hpp"
#include "experiments/experiment.hpp"
#include "experiments/measures.hpp"

#include "runtime/jobs/job_file.hpp"
#include "runtime/jobs/settings.hpp"
#include "runtime/shell/command_line.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/output.hpp"

namespace bidboard {

/// docs/strategies.md, built in by CMake.
extern const char* const strategies_page;

namespace {

std::string exit_codes() {
  std::string table = "| code | meaning |\n|---|---|\n";
  for (std::size_t code = 0; code < exit_meanings.size(); ++code)
    table += fmt::format("| {} | {} |\n", code, exit_meanings[code]);
  return table;
}

struct Topic {
  const char* name;
  const char* summary;
  std::string (*text)();
};

/// Topics of `bidboard help` beside the commands.
const std::vector<Topic>& topics() {
  static const std::vector<Topic> all{
      {"strategies", "Strategies, mechanisms, scores of bids: what to choose when",
       [] { return std::string(strategies_page); }},
      {"jobs", "Keys of a job file (`bidboard run`)", job_file_reference},
      {"settings", "Keys of bidboard.yaml (`bidboard up`)", settings_reference},
      {"experiments", "Keys of an experiment file (`bidboard experiment run`)", experiment_reference},
      {"metrics", "Measures of experiments, and their formulas", measures_reference},
      {"exit-codes", "Exit codes of all commands", exit_codes},
  };
  return all;
}

std::string described_topics() {
  std::string text = "Topics:";
  for (const Topic& topic : topics()) text += fmt::format("\n  {:<12} {}", topic.name, topic.summary);
  return text;
}

Result<Exit> help(const std::string& wanted) {
  const auto print = [](const std::string& text) {
    write_out(text);
    return Exit::ok;
  };
  if (wanted.empty()) return print(fmt::format("{}\n{}\n", overview_text(), described_topics()));
  std::vector<std::string> known;
  for (const Topic& topic : topics()) {
    if (topic.name == wanted) return print(topic.text());
    known.emplace_back(topic.name);
  }
  if (const Command* command = find_command(wanted)) return print(help_text(*command));
  for (const Command& command : all_commands()) known.push_back(command.name);
  const std::string near = nearest(wanted, known);
  return fail(Errc::invalid, fmt::format("no help on '{}'; {}", wanted,
                                         near.empty() ? "`bidboard help` lists commands and topics"
                                                      : fmt::format("did you mean '{}'?", near)));
}

std::string joined(const std::vector<std::string>& words, const char* between = " ") {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : between).append(word);
  return text;
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const Command& command : all_commands())
    if (!command.group.empty()) names.push_back(command.name);
  return names;
}

std::string bash_completion() {
  std::string text = fmt::format(
      "_bidboard() {{\n  local word=\"${{COMP_WORDS[COMP_CWORD]}}\" command=\"\" i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n    case \"${{COMP_WORDS[i]}}\" in\n      -C) ((i++)) ;;\n"
      "      -*) ;;\n"
      "      *) command=\"${{COMP_WORDS[i]}}\"; break ;;\n    esac\n  done\n  case \"$command\" in\n"
      "    '') COMPREPLY=($(compgen -W '{}' -- \"$word\")) ;;\n",
      joined(command_names()));
  for (const Command& command : all_commands())
    if (!command.group.empty())
      text +=
          fmt::format("    {}) COMPREPLY=($(compgen -W '{}' -- \"$word\") $(compgen -f -- \"$word\")) ;;\n",
                      command.name, joined(option_names(command)));
  return text + "  esac\n}\ncomplete -o filenames -F _bidboard bidboard\n";
}

std::string zsh_quoted(std::string text) {
  for (std::size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 4)
    text.replace(at, 1, "'\\''");
  for (std::size_t at = 0; (at = text.find(':', at)) != std::string::npos; at += 2) text.insert(at, "\\");
  return text;
}

std::string zsh_completion() {
  std::string text = "#compdef bidboard\n_bidboard() {\n  local -a commands\n  commands=(\n";
  for (const Command& command : all_commands())
    if (!command.group.empty())
      text += fmt::format("    '{}:{}'\n", command.name, zsh_quoted(command.summary));
  text +=
      "  )\n  if ((CURRENT == 2)); then _describe command commands; return; fi\n  case \"$words[2]\" in\n";
  for (const Command& command : all_commands())
    if (!command.group.empty())
      text += fmt::format("    {}) compadd -- {}; _files ;;\n", command.name, joined(option_names(command)));
  return text + "  esac\n}\ncompdef _bidboard bidboard\n";
}

std::string fish_completion() {
  std::string text;
  for (const Command& command : all_commands()) {
    if (command.group.empty()) continue;
    std::string summary = command.summary;
    for (std::size_t at = 0; (at = summary.find('\'', at)) != std::string::npos; at += 2)
      summary.insert(at, "\\");
    text += fmt::format("complete -c bidboard -n __fish_use_subcommand -f -a {} -d '{}'\n", command.name,
                        summary);
    for (const std::string& option : option_names(command))
      text += fmt::format("complete -c bidboard -n '__fish_seen_subcommand_from {}' -l {}\n", command.name,
                          option.substr(2));
  }
  return text;
}

Result<Exit> completion(const std::string& shell) {
  if (shell == "bash")
    write_out(bash_completion());
  else if (shell == "zsh")
    write_out(zsh_completion());
  else if (shell == "fish")
    write_out(fish_completion());
  else
    return fail(Errc::invalid, fmt::format("no completion for '{}'; use bash, zsh or fish", shell));
  return Exit::ok;
}

}  // namespace

Command help_command() {
  return {"help",
          "Help",
          "Print help on a command or a topic",
          described_topics(),
          {{"bidboard help", "list commands and topics"},
           {"bidboard help jobs", "every key of a job file"},
           {"bidboard help strategies", "which strategy and mechanism to choose"}},
          [](Options& o) -> Action0 {
            auto topic = std::make_shared<std::string>();
            o.argument("TOPIC", *topic, "A command or a topic", false);
            return [topic](const Globals&) { return help(*topic); };
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
