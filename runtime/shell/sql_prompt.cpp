#include "runtime/shell/sql_prompt.hpp"

#include <histedit.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <iostream>
#include <optional>

#include "blackboard/query/query.hpp"
#include "runtime/shell/print.hpp"

namespace bidboard {
namespace {

constexpr int remembered_lines = 1'000;

volatile sig_atomic_t interrupted = 0;
void on_interrupt(int) { interrupted = 1; }

bool is_blank(const std::string& text) { return text.find_first_not_of(" \t\r\n;") == std::string::npos; }

std::string trimmed(std::string text) {
  text.erase(text.find_last_not_of(" \t\r\n;") + 1);
  text.erase(0, std::min(text.size(), text.find_first_not_of(" \t\r\n")));
  return text;
}

/// Lines become statements: a line that begins with a point is one alone, anything else lasts until `;`.
class Statements {
 public:
  bool begun() const { return !is_blank(text_); }
  void drop() { text_.clear(); }
  /// The statement that this line completes, or nothing.
  std::optional<std::string> add(const std::string& line) {
    if (!begun() && line.starts_with('.')) return trimmed(line);
    text_ += line;
    if (!text_.ends_with('\n')) text_ += '\n';
    if (!Query::ends_statement(text_)) return {};
    const std::string whole = trimmed(std::exchange(text_, {}));
    return whole.empty() ? std::nullopt : std::optional(whole);
  }
  /// What is left at the end of the input.
  std::optional<std::string> rest() {
    const std::string last = trimmed(std::exchange(text_, {}));
    return last.empty() ? std::nullopt : std::optional(last);
  }

 private:
  std::string text_;
};

bool ends_prompt(const std::string& statement) { return statement == ".quit" || statement == ".exit"; }

/// A line editor on a terminal.
class Editor {
 public:
  explicit Editor(const SqlPrompt& prompt) : prompt_(prompt) {
    std::setlocale(LC_CTYPE, "");  // the editor counts characters, not bytes
    history_ = ::history_init();
    HistEvent event;
    ::history(history_, &event, H_SETSIZE, remembered_lines);
    ::history(history_, &event, H_SETUNIQUE, 1);
    if (!prompt_.history_file.empty()) ::history(history_, &event, H_LOAD, prompt_.history_file.c_str());
    editor_ = ::el_init("bidboard", stdin, stdout, stderr);
    ::el_set(editor_, EL_CLIENTDATA, this);
    ::el_set(editor_, EL_PROMPT, &Editor::prompt_text);
    ::el_set(editor_, EL_EDITOR, "emacs");
    ::el_set(editor_, EL_HIST, ::history, history_);
    // Ctrl-C arrives as a character while a line is edited; during a statement it is a signal.
    ::el_set(editor_, EL_SETTY, "-d", "-isig", nullptr);
    ::el_set(editor_, EL_ADDFN, "bidboard-drop", "drop the statement", &Editor::drop);
    ::el_set(editor_, EL_ADDFN, "bidboard-complete", "complete a word", &Editor::complete);
    ::el_set(editor_, EL_BIND, "^C", "bidboard-drop", nullptr);
    ::el_set(editor_, EL_BIND, "^I", "bidboard-complete", nullptr);
    ::el_set(editor_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  }
  ~Editor() {
    ::el_end(editor_);
    ::history_end(history_);
  }
  Editor(const Editor&) = delete;
  Editor& operator=(const Editor&) = delete;

  /// Nothing at the end of the input.
  std::optional<std::string> line(bool goes_on) {
    goes_on_ = goes_on;
    dropped_ = false;
    // The editor would take the terminal only after it has printed the prompt: a Ctrl-C in between was a
    // signal, which ended nothing and left no prompt.
    ::el_set(editor_, EL_PREP_TERM, 1);
    int length = 0;
    const char* text = ::el_gets(editor_, &length);
    if (!text || length <= 0) return {};
    return std::string(text, static_cast<std::size_t>(length));
  }
  /// Whether Ctrl-C ended the last line.
  bool dropped() const { return dropped_; }

  /// Kept at once: the next session finds it, however this one ends.
  void remember(const std::string& line) {
    if (is_blank(line)) return;
    HistEvent event;
    ::history(history_, &event, H_ENTER, line.substr(0, line.find_last_not_of(" \t\r\n") + 1).c_str());
    if (!prompt_.history_file.empty()) ::history(history_, &event, H_SAVE, prompt_.history_file.c_str());
  }

 private:
  static Editor& of(EditLine* editor) {
    void* self = nullptr;
    ::el_get(editor, EL_CLIENTDATA, &self);
    return *static_cast<Editor*>(self);
  }
  static const char* prompt_text(EditLine* editor) {
    return of(editor).goes_on_ ? "     ...> " : "bidboard> ";
  }
  static unsigned char drop(EditLine* editor, int) {
    of(editor).dropped_ = true;
    write_out("^C\n");
    return CC_NEWLINE;
  }
  /// What all candidates agree on is inserted; if that is nothing, they are listed.
  static unsigned char complete(EditLine* editor, int) {
    const LineInfo* info = ::el_line(editor);
    const std::string before(info->buffer, info->cursor);
    const std::size_t begin =
        before.find_last_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    std::string word = before.substr(begin == std::string::npos ? 0 : begin + 1);
    if (begin == 0 && before[0] == '.') word = before;
    const std::vector<std::string> found = candidates(of(editor).prompt_.words, word);
    if (found.empty()) return CC_ERROR;
    std::string shared = found.front();
    for (const std::string& candidate : found)
      shared.resize(static_cast<std::size_t>(
          std::mismatch(shared.begin(), shared.end(), candidate.begin(), candidate.end()).first -
          shared.begin()));
    if (found.size() == 1) shared += ' ';
    if (shared.size() > word.size()) {
      ::el_deletestr(editor, static_cast<int>(word.size()));
      return ::el_insertstr(editor, shared.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
    }
    std::string list = "\n";
    for (const std::string& candidate : found) list += candidate + "  ";
    write_out(list + "\n");
    return CC_REDISPLAY;
  }
  static std::vector<std::string> candidates(const std::vector<std::string>& words,
                                             const std::string& begun) {
    std::vector<std::string> found;
    const auto lower = [](unsigned char c) { return std::tolower(c); };
    for (const std::string& word : words)
      if (word.size() >= begun.size() && std::equal(begun.begin(), begun.end(), word.begin(),
                                                    [&](char a, char b) { return lower(a) == lower(b); }))
        found.push_back(word);
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
  }

  const SqlPrompt& prompt_;
  History* history_ = nullptr;
  EditLine* editor_ = nullptr;
  bool goes_on_ = false;
  bool dropped_ = false;
};

Result<Exit> read_pipe(const SqlPrompt& prompt) {
  Statements statements;
  for (std::string line; std::getline(std::cin, line);) {
    const auto statement = statements.add(line);
    if (!statement) continue;
    if (ends_prompt(*statement)) return Exit::ok;
    if (const Result<void> ran = prompt.run(*statement); !ran) return fail(ran.error());
  }
  if (const auto last = statements.rest())
    if (const Result<void> ran = prompt.run(*last); !ran) return fail(ran.error());
  return Exit::ok;
}

}  // namespace

bool take_interrupt() { return std::exchange(interrupted, 0) != 0; }

Result<Exit> run_sql_prompt(const SqlPrompt& prompt) {
  if (::isatty(STDIN_FILENO) == 0) return read_pipe(prompt);
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  ::sigaction(SIGINT, &action, nullptr);
  say("{}", prompt.greeting);
  Editor editor(prompt);
  Statements statements;
  while (true) {
    flush_out();
    const auto line = editor.line(statements.begun());
    if (editor.dropped()) {
      statements.drop();
      continue;
    }
    if (!line) break;
    editor.remember(*line);
    const auto statement = statements.add(*line);
    if (!statement) continue;
    if (ends_prompt(*statement)) return Exit::ok;
    static_cast<void>(take_interrupt());
    if (const Result<void> ran = prompt.run(*statement); !ran) report(ran.error());
  }
  say("");
  return Exit::ok;
}

}  // namespace bidboard
