#include "runtime/shell/command_line.hpp"
#include "blackboard/fmt.hpp"
#include "runtime/shell/caller.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>

namespace bidboard {
namespace {

/// The one place that knows CLI11.
class CliOptions final : public Options {
 public:
  explicit CliOptions(CLI::App& app) : app_(app) {}

  void text(const std::string& names, std::string& value, const std::string& shown,
            const std::string& help) override {
    app_.add_option(names, value, help)->type_name(shown)->capture_default_str();
  }
  void texts(const std::string& names, std::vector<std::string>& values, const std::string& shown,
             const std::string& help) override {
    app_.add_option(names, values, help + " (may be repeated)")->type_name(shown)->allow_extra_args(false);
  }
  void flag(const std::string& names, bool& value, const std::string& help) override {
    app_.add_flag(names, value, help);
  }
  void integer(const std::string& names, std::int64_t& value, const std::string& shown,
               const std::string& help) override {
    app_.add_option(names, value, help)->type_name(shown)->capture_default_str();
  }
  void number(const std::string& names, Micros& value, const std::string& shown,
              const std::string& help) override {
    app_.add_option_function<double>(
            names, [&value](const double& read) { value = to_micros(read); }, help)
        ->type_name(shown)
        ->default_str(format_micros(value));
  }
  void duration(const std::string& names, Duration& value, const std::string& shown,
                const std::string& help) override {
    const auto read = [&value](const std::string& said) {
      const Result<Duration> parsed = parse_duration(said);
      if (!parsed) throw CLI::ValidationError(parsed.error().text);
      value = *parsed;
    };
    app_.add_option_function<std::string>(names, read, help)
        ->type_name(shown)
        ->default_str(value.us == 0 ? "" : format_duration(value));
  }
  void argument(const std::string& name, std::string& value, const std::string& help,
                bool required) override {
    app_.add_option(name, value, help)->required(required)->type_name("");
  }
  void arguments(const std::string& name, std::vector<std::string>& values, const std::string& help,
                 bool required) override {
    app_.add_option(name, values, help)->required(required)->type_name("");
  }

 private:
  CLI::App& app_;
};

std::string footer_of(const Command& command) {
  std::string text;
  if (!command.details.empty()) text += fmt::format("\n{}\n", command.details);
  if (!command.examples.empty()) {
    text += "\nExamples:\n";
    for (const auto& [line, meaning] : command.examples)
      text += fmt::format("  {}\n      {}\n", line, meaning);
  }
  if (!text.empty()) text.pop_back();
  return text;
}

/// A parser for one command alone; `action` is what to do after parsing.
struct Parser {
  CLI::App app;
  Action0 action;

  explicit Parser(const Command& command) : app(command.summary, fmt::format("bidboard {}", command.name)) {
    CliOptions options(app);
    action = command.declare(options);
    app.footer(footer_of(command));
  }
};

Error unknown_command(const std::string& name) {
  std::vector<std::string> names;
  for (const Command& command : all_commands()) names.push_back(command.name);
  const std::string near = nearest(name, names);
  const std::string hint =
      near.empty() ? "`bidboard --help` lists the commands" : fmt::format("did you mean '{}'?", near);
  return {Errc::invalid, fmt::format("unknown command '{}'; {}", name, hint)};
}

int run_command(const Command& command, const Globals& globals, std::vector<std::string> arguments) {
  Parser parser(command);
  try {
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them last first
    parser.app.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    std::fputs(parser.app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& error) {
    return static_cast<int>(
        report({Errc::invalid, fmt::format("{}\nSee `bidboard {} --help`", error.what(), command.name)}));
  }
  if (const Result<void> may = may_run(command.name); !may) return static_cast<int>(report(may.error()));
  const Result<Exit> done = parser.action(globals);
  return static_cast<int>(done ? *done : report(done.error()));
}

}  // namespace

std::string overview_text() {
  std::string text =
      "bidboard: one durable blackboard for agent processes\n\n"
      "Usage: bidboard [-C DIR] COMMAND [OPTIONS]\n"
      "       bidboard COMMAND --help\n"
      "       bidboard help [TOPIC]\n\n"
      "  -C DIR       the folder of the board (default: BIDBOARD_DIR, else .bidboard here or in a folder "
      "above)\n"
      "  --version    print the version\n"
      "\nA number without a unit is seconds; write 250ms, 60s, 5m or 2h for others.\n";
  std::string group;
  for (const Command& command : all_commands()) {
    if (command.group.empty()) continue;  // internal commands that Bidboard starts itself
    if (command.group != group) text += fmt::format("\n{}\n", command.group);
    group = command.group;
    text += fmt::format("  {:<12} {}\n", command.name, command.summary);
  }
  return text;
}

const Command* find_command(std::string_view name) {
  for (const Command& command : all_commands())
    if (command.name == name) return &command;
  return nullptr;
}

std::string help_text(const Command& command) { return Parser(command).app.help(); }

std::vector<std::string> option_names(const Command& command) {
  Parser parser(command);
  std::vector<std::string> names;
  for (const CLI::Option* option : parser.app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

int run_command_line(int argc, char** argv) {
  Globals globals;
  globals.program = argv[0];
  int at = 1;
  for (; at < argc; ++at) {
    const std::string word = argv[at];
    if (word == "--help" || word == "-h") {
      std::fputs(overview_text().c_str(), stdout);
      return 0;
    }
    if (word == "--version") {
      std::puts("bidboard " BIDBOARD_VERSION);
      return 0;
    }
    if (word == "-C" && at + 1 < argc) {
      globals.directory = argv[++at];
    } else if (word.starts_with("-C") && word.size() > 2) {
      globals.directory = word.substr(2);
    } else if (word.starts_with("-")) {
      return static_cast<int>(report(
          {Errc::invalid, fmt::format("unknown option '{}'; `bidboard --help` lists the commands", word)}));
    } else {
      break;
    }
  }
  if (at == argc) {
    std::fputs(overview_text().c_str(), stderr);
    return static_cast<int>(Exit::usage);
  }
  const Command* command = find_command(argv[at]);
  if (!command) return static_cast<int>(report(unknown_command(argv[at])));
  return run_command(*command, globals, std::vector<std::string>(argv + at + 1, argv + argc));
}

}  // namespace bidboard
