#include "runtime/shell/command_line.hpp"
#include "blackboard/fmt.hpp"
#include "runtime/shell/caller.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <new>

#include "blackboard/text/readable.hpp"
#include "runtime/jobs/diagnostics.hpp"
#include "runtime/shell/print.hpp"

namespace bidboard {
namespace {

/// "must be ..." is about the option; a sentence of its own names the value.
std::string in_place(const std::string& name, const std::string& error) {
  return error.starts_with("must ") ? fmt::format("{} {}", name, error) : fmt::format("{}: {}", name, error);
}

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
  void maybe_text(const std::string& names, std::optional<std::string>& value, const std::string& shown,
                  const std::string& help) override {
    app_.add_option_function<std::string>(
            names, [&value](const std::string& text) { value = text; }, help)
        ->type_name(shown);
  }
  void flag(const std::string& names, bool& value, const std::string& help) override {
    app_.add_flag(names, value, help);
  }
  void integer(const std::string& names, std::int64_t& value, const std::string& shown,
               const std::string& help, const NumberRange& range) override {
    read_by(names, value, shown, help, [range](const std::string& text) {
      return read_whole(text, range);
    })->default_str(std::to_string(value));
  }
  void number(const std::string& names, Micros& value, const std::string& shown, const std::string& help,
              const NumberRange& range) override {
    read_by(names, value, shown, help, [range](const std::string& text) {
      return read_number(text, range);
    })->default_str(format_micros(value));
  }
  void duration(const std::string& names, Duration& value, const std::string& shown,
                const std::string& help) override {
    read_by(names, value, shown, help, parse_duration)
        ->default_str(value.us <= 0 ? "" : format_duration(value));
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
  /// The library would read "0x10" and "nan" too.
  template <class T, class Read>
  CLI::Option* read_by(const std::string& names, T& value, const std::string& shown, const std::string& help,
                       Read read) {
    const std::string name = names.substr(0, names.find(','));
    const auto take = [&value, name, read](const std::string& text) {
      const auto parsed = read(text);
      if (!parsed) throw CLI::ValidationError(in_place(name, parsed.error().text));
      value = *parsed;
    };
    return app_.add_option_function<std::string>(names, take, help)->type_name(shown);
  }

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

/// What other tools call it.
constexpr std::pair<std::string_view, std::string_view> called_elsewhere[] = {
    {"list ls", "`bidboard tasks`"},
    {"close finish complete resolve", "`bidboard done`"},
    {"stop halt shutdown", "`bidboard down` or `bidboard cancel`"},
    {"start serve daemon", "`bidboard up`"},
    {"add new create", "`bidboard post`"},
    {"delete rm remove kill", "`bidboard cancel`"},
    {"get info view describe", "`bidboard show`"},
    {"take grab accept", "`bidboard claim`"},
    {"sql select", "`bidboard query`"},
    {"depend depends need needs block", "`bidboard dep`"},
    {"history events", "`bidboard log`"},
    {"logs", "`bidboard log` or `bidboard output`"},
    {"tail follow monitor", "`bidboard watch`"},
    {"why", "`bidboard explain`"},
    {"workers worker", "`bidboard agents`"},
    {"check fsck verify", "`bidboard doctor`"},
    {"version", "`bidboard --version`"},
};

Error unknown_command(const std::string& name) {
  for (const auto& [others, ours] : called_elsewhere)
    if (fmt::format(" {} ", others).find(fmt::format(" {} ", name)) != std::string::npos)
      return {Errc::invalid, fmt::format("unknown command '{}'; use {}", name, ours)};
  std::vector<std::string> names;
  for (const Command& command : all_commands()) names.push_back(command.name);
  const std::string near = nearest(name, names);
  const std::string hint =
      near.empty() ? "`bidboard --help` lists the commands" : fmt::format("did you mean '{}'?", near);
  return {Errc::invalid, fmt::format("unknown command {}; {}", bidboard::quoted(name), hint)};
}

/// What the command did not take, and whether one of it may be a misspelt option. A "--" only ends options.
struct Rest {
  std::vector<std::string> words;
  bool has_option = false;
};

Rest rest_of(const Parser& parser) {
  Rest rest;
  bool only_words = false;
  for (const std::string& word : parser.app.remaining()) {
    if (word == "--" && !only_words) {
      only_words = true;
      continue;
    }
    rest.has_option = rest.has_option || (!only_words && word.starts_with("-") && word.size() > 1);
    rest.words.push_back(word);
  }
  return rest;
}

/// Words that the command did not take: an unknown option, or text that lacks its quotes.
Error unexpected(const Parser& parser, const Command& command, const Rest& rest_words) {
  const std::vector<std::string>& words = rest_words.words;
  const auto see_help = [&](const std::string& what, const std::string& fix = "") {
    return Error{Errc::invalid,
                 fmt::format("{}; {}", what,
                             fix.empty() ? fmt::format("see `bidboard {} --help`", command.name) : fix)};
  };
  for (const std::string& word : words) {
    if (!rest_words.has_option || !word.starts_with("-") || word.size() < 2) continue;
    const std::string name = word.substr(0, word.find('='));
    const std::string near = name.starts_with("--") ? nearest(name, option_names(command)) : "";
    return see_help(fmt::format("unknown option {}", bidboard::quoted(name)),
                    near.empty() ? "" : fmt::format("did you mean '{}'?", near));
  }
  std::string rest;
  for (const std::string& word : words) rest += (rest.empty() ? "" : " ") + word;
  for (const CLI::Option* option : parser.app.get_options()) {
    const std::string name = option->get_single_name();
    if (!option->get_positional() || (name != "TITLE" && name != "TEXT" && name != "SQL")) continue;
    std::string all;
    for (const std::string& word : option->results()) all += word + " ";
    all += rest;
    return see_help("too many words", fmt::format("if {} is one {}, put it into quotes: \"{}\"",
                                                  bidboard::quoted(all), name, readable(all)));
  }
  return see_help(fmt::format("too many words: {}", bidboard::quoted(rest)));
}

/// The library's words in ours.
Error in_our_words(const CLI::ParseError& error, Parser& parser, const Command& command) {
  std::string text = error.what();
  constexpr std::string_view not_converted = "Could not convert: ";
  if (text.starts_with(not_converted)) text.erase(0, not_converted.size());
  const std::string name = text.substr(0, text.find_first_of(": "));
  const CLI::Option* option = parser.app.get_option_no_throw(name);
  if (error.get_name() == "RequiredError") {
    text = name + " is missing";
  } else if (option && option->get_items_expected_max() == 0) {
    text = name + " takes no value";
  } else if (option && error.get_name() == "ArgumentMismatch") {
    text = option->count() > 1 ? name + " is given twice"
                               : fmt::format("{} needs a value: {} {}", name, name, option->get_type_name());
  }
  return {Errc::invalid, fmt::format("{}; see `bidboard {} --help`", text, command.name)};
}

int run_command(const Command& command, const Globals& globals, std::vector<std::string> arguments) {
  Parser parser(command);
  parser.app.allow_extras();
  try {
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them last first
    parser.app.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    write_out(parser.app.help());
    return 0;
  } catch (const CLI::ParseError& error) {
    const Rest rest = rest_of(parser);
    return static_cast<int>(
        report(rest.has_option ? unexpected(parser, command, rest) : in_our_words(error, parser, command)));
  }
  if (const Rest rest = rest_of(parser); !rest.words.empty())
    return static_cast<int>(report(unexpected(parser, command, rest)));
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

namespace {

int dispatch(int argc, char** argv) {
  Globals globals;
  globals.program = argv[0];
  int at = 1;
  for (; at < argc; ++at) {
    const std::string word = argv[at];
    if (word == "--help" || word == "-h") {
      write_out(overview_text());
      return 0;
    }
    if (word == "--version") {
      say("bidboard {}", BIDBOARD_VERSION);
      return 0;
    }
    if (word == "-C" && at + 1 < argc) {
      globals.directory = argv[++at];
    } else if (word.starts_with("-C") && word.size() > 2) {
      globals.directory = word.substr(2);
    } else if (word.starts_with("-")) {
      return static_cast<int>(
          report({Errc::invalid, fmt::format("unknown option {}; `bidboard --help` lists the commands",
                                             bidboard::quoted(word))}));
    } else {
      break;
    }
  }
  if (at == argc) {
    write_error(overview_text());
    return static_cast<int>(Exit::usage);
  }
  const Command* command = find_command(argv[at]);
  if (!command) return static_cast<int>(report(unknown_command(argv[at])));
  return run_command(*command, globals, std::vector<std::string>(argv + at + 1, argv + argc));
}

}  // namespace

int run_command_line(int argc, char** argv) {
  occupy_standard_descriptors();
  const auto failed = [](const std::string& why) {
    try {
      return static_cast<int>(report({Errc::failed, why}));
    } catch (const OutputFailed&) {  // what was still kept cannot be written either
      return static_cast<int>(report({Errc::failed, why}));
    }
  };
  try {
    const int code = dispatch(argc, argv);
    flush_out();
    return code;
  } catch (const OutputFailed& lost) {
    return failed(fmt::format("cannot write to standard output: {}", std::strerror(lost.error)));
  } catch (const std::filesystem::filesystem_error& error) {
    return failed(error.what());
  } catch (const std::bad_alloc&) {
    return failed("out of memory");
  } catch (const std::exception& error) {
    return failed(fmt::format("internal error: {}; please report it", error.what()));
  }
}

}  // namespace bidboard
