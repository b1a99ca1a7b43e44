// What is different on a terminal: the prompt of `bidboard query`, and lines that fit.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <poll.h>

#include "tests/support/build.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

/// A command behind a terminal of its own.
class Typist {
 public:
  explicit Typist(const TestBoard& board, std::vector<std::string> words = {"query"},
                  unsigned short columns = 100) {
    master_ = ::posix_openpt(O_RDWR | O_NOCTTY);
    REQUIRE(master_ >= 0);
    REQUIRE((::grantpt(master_) == 0 && ::unlockpt(master_) == 0));
    const std::string terminal = ::ptsname(master_);
    const std::string home = board.home();
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::setsid();
      ::signal(SIGINT, SIG_DFL);  // a shell's background job ignores it, and so would what it starts
      const int slave = ::open(terminal.c_str(), O_RDWR);
      ::ioctl(slave, TIOCSCTTY, 0);
      winsize size{};
      size.ws_row = 40;
      size.ws_col = columns;
      ::ioctl(slave, TIOCSWINSZ, &size);
      for (int fd = 0; fd <= 2; ++fd) ::dup2(slave, fd);
      ::close(master_);
      ::setenv("TERM", "xterm", 1);
      ::setenv("HOME", home.c_str(), 1);
      ::unsetenv("BIDBOARD_DIR");
      if (::chdir(home.c_str()) != 0) ::_exit(126);
      std::vector<char*> argv{const_cast<char*>(bidboard_binary)};
      for (std::string& word : words) argv.push_back(word.data());
      argv.push_back(nullptr);
      ::execv(bidboard_binary, argv.data());
      ::_exit(127);
    }
  }
  ~Typist() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(master_);
  }
  Typist(const Typist&) = delete;
  Typist& operator=(const Typist&) = delete;

  /// Once the prompt waits: what is typed before would reach a terminal that is not its own yet.
  void type(const std::string& keys) {
    INFO(seen_);
    REQUIRE(eventually([&] { return contains(last_line(), "> "); }, patience));
    press(keys);
  }
  /// In the middle of a line.
  void press(const std::string& keys) {
    seen_.clear();
    REQUIRE(::write(master_, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
  }
  /// Presses the keys again and again, since what comes too early has no effect. Whether the text appears.
  bool insists(const std::string& keys, const std::string& text) {
    seen_.clear();
    return eventually(
        [&] {
          REQUIRE(::write(master_, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
          return contains(read(), text);
        },
        patience);
  }
  /// Whether the text appears after the last keys.
  bool sees(const std::string& text) {
    return eventually([&] { return contains(read(), text); }, patience);
  }
  /// type(), and the answer to it.
  void ask(const std::string& keys, const std::string& answer) {
    type(keys);
    const bool answered = sees(answer);
    INFO(seen_);
    REQUIRE(answered);
  }
  int ends() {
    int status = -1;
    if (!eventually(
            [&] {
              read();
              return ::waitpid(pid_, &status, WNOHANG) == pid_;
            },
            patience))
      return -1;
    pid_ = -1;
    return WEXITSTATUS(status);
  }
  const std::string& seen() const { return seen_; }

 private:
  std::string last_line() {
    read();
    return seen_.substr(seen_.rfind('\n') + 1);
  }
  const std::string& read() {
    pollfd ready{master_, POLLIN, 0};
    char part[4096];
    while (::poll(&ready, 1, 0) > 0 && (ready.revents & POLLIN) != 0) {
      const ssize_t got = ::read(master_, part, sizeof part);
      if (got <= 0) break;
      seen_.append(part, static_cast<std::size_t>(got));
    }
    return seen_;
  }

  int master_ = -1;
  pid_t pid_ = -1;
  std::string seen_;
};

std::string without_colours(std::string text) {
  for (std::size_t at = 0; (at = text.find('\x1b', at)) != std::string::npos;)
    text.erase(at, text.find_first_of("mJAKG", at) - at + 1);
  return text;
}

}  // namespace

TEST_CASE(
    "The SQL prompt goes on to the `;`, Ctrl-C drops the line, Tab completes, and lines are remembered") {
  const TestBoard board;
  board.must({"post", "the only one"});
  {
    Typist typist(board);
    REQUIRE(typist.sees("bidboard> "));
    typist.ask("SELECT title\r", "...> ");
    typist.ask("FROM tasks;\r", "the only one");
    typist.ask("SELECT nonsense\x03", "^C");
    typist.ask("SELECT count(*) + 41 FROM dependen\t;\r", "41\r\n");
    typist.ask(".help\r", ".schema [TABLE]");
    typist.ask("SELECT bogus;\r", "no such column: bogus");
    typist.type(".quit\r");
    CHECK(typist.ends() == 0);
  }
  CHECK(contains(board.read(".bidboard_history"), "dependencies"));
  Typist again(board);
  REQUIRE(again.sees("bidboard> "));
  again.type("\x1b[A\x1b[A\x1b[A\x1b[A");  // up, to the SELECT before .quit, bogus and .help
  REQUIRE(again.sees("dependencies ;"));
  again.press("\x03");
  REQUIRE(again.sees("^C"));
  again.type("\x04");
  CHECK(again.ends() == 0);
}

TEST_CASE("Ctrl-C ends a statement that takes long, and the prompt goes on") {
  const TestBoard board;
  Typist typist(board);
  typist.type("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c;\r");
  CHECK(typist.insists("\x03", "bidboard: interrupted"));
  typist.ask("SELECT 40 + 2;\r", "42");
  typist.type("\x04");
  CHECK(typist.ends() == 0);
}

TEST_CASE("On a narrow terminal run and log break no word, and a running task shows its time and progress") {
  const TestBoard board;
  board.write(
      "job.yaml",
      "tasks:\n  reading: {run: '\"" + std::string(bidboard_binary) +
          "\" progress 0.4 \"half of it\"; until [ -e go ]; do sleep 0.02; done'}\n"
          "  failing: {run: 'echo some quite long reason >&2; exit 3', attempts: 1, needs: [reading]}\n");
  Typist run(board, {"run", "job.yaml", "--agents", "1"}, 44);
  REQUIRE(run.sees("worker1"));
  REQUIRE(run.sees("40 % "));
  CHECK(contains(without_colours(run.seen()), "worker1      t1 reading, "));
  board.write("go", "");
  CHECK(run.ends() == 1);
  for (const std::string& line : lines_of(without_colours(run.seen()))) {
    INFO(line);
    CHECK(line.find("critica\r") == std::string::npos);
    if (!contains(line, "█") && !contains(line, "░") && !contains(line, "…")) CHECK(line.size() <= 45);
  }
  Typist log(board, {"log"}, 80);
  CHECK(log.ends() == 0);
  for (const std::string& line : lines_of(log.seen())) {
    INFO(line);
    CHECK(without_colours(line).size() <= 83);  // "…" has three bytes, and a CR ends the line
  }
}

TEST_CASE("`output --follow` on a terminal waits for the rest of a character that is written in two parts") {
  const TestBoard board;
  board.must({"post", "writes slowly", "--run",
              R"(printf 'caf\303'; until [ -e go ]; do sleep 0.02; done; printf '\251 \033[1m \303')"});
  const Process controller = board.serve();
  const Process agent = board.agent("a", {"--allow-run"});
  REQUIRE(board.becomes("SELECT count(*) FROM tasks WHERE state = 'running'", "1"));
  Typist output(board, {"output", "t1", "--follow"});
  REQUIRE(output.sees("caf"));
  board.write("go", "");
  CHECK(output.ends() == 0);
  CHECK(output.seen() == "caf\u00e9 \\x1b[1m \\xc3");
}

TEST_CASE("A script of statements is read from stdin, up to the first that fails") {
  const TestBoard board;
  CHECK(board.run({"query", "--csv"}, "-- two\nSELECT 1\n  AS a;\nSELECT ';' AS b").out == "a\n1\nb\n;\n");
  const Finished failed = board.run({"query", "--csv"}, "SELECT 1 AS a;\nSELECT bogus;\nSELECT 3;\n");
  CHECK(failed.exit_code == 2);
  CHECK(failed.out == "a\n1\n");
}
