// The plain use of every command, without a controller where none is needed.
#include <signal.h>

#include <cstdio>
#include <cstdlib>

#include "blackboard/fmt.hpp"
#include "tests/support/build.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

TEST_CASE("A task's life at the shell: post, ready, show, claim, renew, progress, done") {
  const TestBoard board;
  CHECK(board.must({"post", "First", "--body", "-", "--priority", "3"}, "the whole story") == "t1");
  board.write("notes.md", "from a file");
  CHECK(board.must({"post", "Second", "--body", "@notes.md", "--need", "t1"}) == "t2");
  CHECK(board.value("SELECT body FROM tasks WHERE id = 't2'") == "from a file");
  CHECK(contains(board.must({"ready"}), "First"));
  CHECK_FALSE(contains(board.must({"ready"}), "Second"));
  CHECK(contains(board.must({"show", "1"}), "the whole story"));
  CHECK(contains(board.must({"show", "t2"}), "t1 (ready)"));
  CHECK(board.must({"claim", "t1", "--as", "me"}) == "1");
  CHECK(board.must({"renew", "t1", "--as", "me"}) == "t1 is awarded");
  board.must({"progress", "0.4", "half", "--task", "t1", "--as", "me"});
  CHECK(contains(board.must({"show", "t1"}), "40 % half"));
  CHECK(contains(board.must({"tasks"}), "(40 % half"));
  CHECK(board.must({"done", "t1", "--as", "me", "--epoch", "1", "--result", "@notes.md", "--price", "0.5",
                    "--tokens", "12"}) == "t1 is done");
  CHECK(contains(board.must({"show", "t1"}), "from a file"));
  CHECK(board.value("SELECT result, price, tokens FROM tasks WHERE id = 't1'") == "from a file|0.5|12");
  CHECK(board.must({"claim", "--next", "--as", "me"}) == "t2 1");
  CHECK(contains(board.must({"tasks"}), "Second"));
  CHECK(contains(board.must({"explain", "t1"}), "claimed it at the shell"));
  CHECK(board.must({"doctor", "--deep"}) != "");
}

TEST_CASE("done said twice is done once; another result is refused and kept") {
  const TestBoard board;
  board.must({"post", "a"});
  board.must({"claim", "t1", "--as", "me"});
  board.must({"done", "t1", "--as", "me", "--result", "one"});
  CHECK(board.must({"done", "t1", "--as", "me", "--result", "one"}) == "t1 is done");
  CHECK(board.run({"done", "t1", "--as", "me", "--result", "two"}).exit_code == 5);
  CHECK(board.value("SELECT result FROM tasks") == "one");
  CHECK(board.value("SELECT body FROM discoveries") == "two");
  CHECK(board.value("SELECT count(*) FROM log WHERE kind = 'task_finished'") == "1");
}

TEST_CASE(
    "fail hands its reason to the next attempt, and the last one fails the task and skips what needs it") {
  const TestBoard board;
  board.must({"post", "a", "--attempts", "1"});
  board.must({"post", "b", "--need", "t1"});
  board.must({"post", "c", "--need", "t1:any"});
  board.must({"claim", "t1", "--as", "me"});
  CHECK(board.must({"fail", "t1", "--as", "me", "--reason", "no access"}) == "t1 is failed");
  CHECK(contains(board.must({"show", "t1"}), "no access"));
  CHECK(board.rows("SELECT id, state FROM tasks") ==
        std::vector<std::string>{"t1|failed", "t2|skipped", "t3|ready"});
  CHECK(board.must({"retry", "t1"}) == "t1 is ready");
}

TEST_CASE("wait ends when all tasks have ended, or one of them, and its exit tells how") {
  const TestBoard board;
  for (const char* title : {"a", "b", "c"}) board.must({"post", title, "--attempts", "1"});
  board.must({"claim", "t1", "--as", "me"});
  board.must({"done", "t1", "--as", "me", "--result", "7"});
  CHECK(board.must({"wait", "t1"}) == "t1 is done");
  CHECK(board.must({"wait", "t2", "t1", "--any"}) == "t1 is done");
  CHECK(board.data({"wait", "t1", "--json"}).array().at(0).find("result")->integer() == 7);
  const Finished late = board.run({"wait", "t1", "t2", "--timeout", "10ms"});
  CHECK(late.exit_code == 7);
  CHECK(contains(late.err, "not ended within 10ms: t2"));
  CHECK(board.run({"wait", "t9"}).exit_code == 3);
  Process waits = board.start({"wait", "t1", "2", "t3"});
  REQUIRE(eventually([&] { return contains(waits.out(), "t1 is done"); }, patience));
  board.must({"cancel", "t2", "--reason", "not needed"});
  const Process controller = board.serve();
  REQUIRE(eventually([&] { return contains(waits.out(), "t2 is cancelled: not needed"); }, patience));
  CHECK(waits.running());
  board.must({"claim", "t3", "--as", "me"});
  board.must({"done", "t3", "--as", "me"});
  CHECK(waits.wait() == 1);
}

TEST_CASE("The same key is the same task, however often it is posted") {
  const TestBoard board;
  CHECK(board.must({"post", "clean", "--key", "clean-1"}) == "t1");
  CHECK(board.must({"post", "clean", "--key", "clean-1"}) == "t1");
  CHECK(board.must({"post", "clean", "--key", "clean-2"}) == "t2");
}

TEST_CASE("Steering: pause, resume, cancel, retry, reassign, dep") {
  const TestBoard board;
  for (const char* title : {"a", "b", "c"}) board.must({"post", title});
  CHECK(board.must({"pause", "t1", "t2"}) == "t1 is paused\nt2 is paused");
  CHECK(board.must({"resume", "t1"}) == "t1 is ready");
  CHECK(board.must({"cancel", "t2", "--reason", "not needed"}) == "t2 is cancelled");
  CHECK(contains(board.must({"show", "t2"}), "not needed"));
  CHECK(board.must({"retry", "t2"}) == "t2 is ready");
  CHECK(contains(board.must({"dep", "t1", "t2"}), "t1 needs t2 and is blocked"));
  CHECK(contains(board.must({"dep", "t1", "t2", "--remove"}), "no longer needs t2 and is ready"));
  board.must({"claim", "t3", "--as", "me"});
  CHECK(contains(board.must({"reassign", "t1", "me"}), "for me"));
  CHECK(board.run({"claim", "t1", "--as", "you"}).exit_code == 4);
  CHECK(board.must({"reassign", "t1", "anyone"}) != "");
  CHECK(board.must({"claim", "t1", "--as", "you"}) == "1");
}

TEST_CASE("show and explain name what holds a waiting task back") {
  const TestBoard board;
  board.must({"post", "paused"});
  board.must({"post", "failed once"});
  board.must({"pause", "t1", "--reason", "lunch"});
  CHECK(contains(board.must({"show", "t1"}), "held back   pause: lunch"));
  CHECK(contains(board.must({"explain", "t1"}), "It is held back: pause: lunch."));
  Config config;
  config.backoff = minutes(10);
  board.configure(config);
  for (int attempt = 1; attempt <= 2; ++attempt) {
    board.must({"claim", "t2", "--as", "me"});
    board.must({"fail", "t2", "--as", "me", "--reason", "no"});
  }
  CHECK(contains(board.must({"show", "t2"}), "held back   back-off, "));
  CHECK(contains(board.must({"explain", "t2"}), "It is held back: back-off, "));
  CHECK(board.must({"ready"}).find("t2") == std::string::npos);
  CHECK(board.must({"claim", "t2", "--as", "me"}) == "3");  // a person does not wait for a back-off
}

TEST_CASE("show prints a task's priority and time limit when they are not the usual ones") {
  const TestBoard board;
  board.must({"post", "usual"});
  board.must({"post", "urgent", "--priority", "-7", "--timeout", "90s"});
  const std::string usual = board.must({"show", "t1"});
  CHECK_FALSE(contains(usual, "priority"));
  CHECK_FALSE(contains(usual, "timeout"));
  const std::string urgent = board.must({"show", "t2"});
  CHECK(contains(urgent, "\npriority    -7\n"));
  CHECK(contains(urgent, "\ntimeout     1m30s for each attempt\n"));
  const Value shown = board.data({"show", "t2", "--json"});
  CHECK(shown.find("priority")->integer() == -7);
  CHECK(shown.find("timeout")->number() == 90);
}

TEST_CASE("claim --next takes the most urgent task that the claimer may take, and --wait waits for one") {
  const TestBoard board;
  board.must({"post", "low"});
  board.must({"post", "high", "--priority", "9", "--skill", "cpp"});
  CHECK(board.must({"claim", "--next", "--as", "plain"}) == "t1 1");
  CHECK(board.run({"claim", "--next", "--as", "plain"}).exit_code == 3);
  CHECK(board.must({"claim", "--next", "--as", "expert", "--skill", "cpp=0.9"}) == "t2 1");
  const Process controller = board.serve();
  Process waits = board.start({"claim", "--next", "--wait", "--as", "plain"});
  REQUIRE(board.becomes("SELECT count(*) > 0 FROM log WHERE kind = 'replied'", "1"));
  CHECK(waits.running());
  board.must({"post", "new"});
  CHECK(waits.wait() == 0);
  CHECK(waits.out() == "t3 1\n");
  CHECK(board.run({"claim", "--next", "--wait", "--for", "50ms", "--as", "plain"}).exit_code == 7);
}

TEST_CASE("init twice is harmless, and keeps what it was not told to change") {
  const TestBoard board(false);
  CHECK(contains(board.must({"init", "--strategy", "fifo", "--project", "mine"}), "Made a board"));
  board.must({"post", "kept"});
  CHECK(contains(board.must({"init"}), "There is already a board"));
  CHECK(board.must({"tasks"}) != "");
  CHECK(board.value("SELECT count(*) FROM tasks") == "1");
  const Finished third = board.run({"init", "--mechanism", "vickrey"});
  CHECK(third.exit_code == 0);
  CHECK(contains(third.err, "mechanism: vickrey"));  // bidboard.yaml belongs to its owner and decides in `up`
  const std::string body =
      board.value("SELECT body FROM log WHERE kind = 'config_set' ORDER BY seq DESC LIMIT 1");
  INFO(body);
  CHECK(contains(body, R"("strategy": "fifo", "mechanism": "vickrey")"));
  CHECK(contains(body, R"("project": "mine")"));
}

TEST_CASE("An unknown strategy leaves no half-made board behind") {
  const TestBoard board(false);
  CHECK(board.run({"init", "--strategy", "dictator"}).exit_code == 2);
  CHECK(board.run({"tasks"}).exit_code == 3);
}

TEST_CASE("The strategy that init was told is the one that up runs") {
  const TestBoard board(false);
  board.must({"init", "--strategy", "fifo"});
  board.must({"up", "--detach"});
  CHECK(contains(board.must({"status"}), "strategy    fifo"));
  board.must({"down"});
}

TEST_CASE("Without a bidboard.yaml up leaves the board as it was configured") {
  const TestBoard board(false);
  board.must({"init", "--strategy", "fifo"});
  REQUIRE(std::remove(board.path("bidboard.yaml").c_str()) == 0);
  board.must({"up", "--detach"});
  CHECK(contains(board.must({"status"}), "strategy    fifo"));
  board.must({"down"});
}

TEST_CASE("up --detach returns when its agents are connected, and down leaves nothing running") {
  const TestBoard board;
  board.write("bidboard.yaml", "agents:\n- {name: sim, count: 5, executor: simulated}\n");
  CHECK(contains(board.must({"up", "-d"}), "5 agents"));
  const Value status = board.data({"status", "--json"});
  REQUIRE(status.find("agents") != nullptr);
  CHECK(status.find("agents")->array().size() == 5);
  const std::vector<std::string> pids = board.rows("SELECT pid FROM agents");
  CHECK(board.run({"up"}).exit_code == 5);
  CHECK(contains(board.must({"agents"}), "sim5"));
  board.must({"down"});
  for (const std::string& pid : pids) CHECK_FALSE(process_exists(static_cast<pid_t>(std::stol(pid))));
  CHECK(contains(board.must({"down"}), "Nothing is running"));
}

TEST_CASE("up --detach says what keeps an agent from coming up") {
  const TestBoard board;
  board.write("bidboard.yaml", "agents:\n- {name: watcher, role: observer, executor: simulated}\n");
  const Finished up = board.run({"up", "-d"});
  INFO(up.err);
  CHECK(up.exit_code != 0);
  CHECK(contains(up.err, "watcher"));
  CHECK_FALSE(serving_writer(board.directory()).has_value());
}

TEST_CASE("down stops a controller that was started by hand") {
  const TestBoard board;
  Process controller = board.serve();
  board.must({"down"});
  CHECK(controller.wait() == 0);
}

TEST_CASE("A reader that stops reading does no harm") {
  const TestBoard board;
  board.post(std::vector<TaskSpec>(3000, [] {
    TaskSpec spec;
    spec.title = "one of very many";
    return spec;
  }()));
  for (const char* command : {"tasks", "tasks --json", "log --limit 0", "query \"SELECT * FROM tasks\"",
                              "graph", "completion bash", "--help"}) {
    const std::string line = fmt::format("'{}' {} | head -1", bidboard_binary, command);
    const Finished finished = run_program({"sh", "-c", line}, board.surroundings());
    INFO(line << "\n" << finished.err);
    CHECK(finished.exit_code == 0);
    CHECK(lines_of(finished.out).size() == 1);
    CHECK(finished.err.empty());
  }
  const Finished closed =
      run_program({"sh", "-c", fmt::format("'{}' tasks >&-", bidboard_binary)}, board.surroundings());
  CHECK(closed.exit_code < 128);
}

TEST_CASE("watch prints what happens, until it is stopped") {
  const TestBoard board;
  Process watch = board.start({"watch"});
  REQUIRE(eventually([&] { return contains(watch.out(), "config_set"); }, patience));
  board.must({"post", "news without a controller"});
  CHECK(eventually([&] { return contains(watch.out(), "news without a controller"); }, patience));
  const Process controller = board.serve();
  board.must({"post", "news with one"});
  CHECK(eventually([&] { return contains(watch.out(), "news with one"); }, patience));
  watch.signal(SIGINT);
  CHECK(watch.wait() == 0);
}

TEST_CASE("log tells a task's story, and follows from any event on") {
  const TestBoard board;
  board.must({"post", "a"});
  board.must({"post", "b"});
  board.must({"claim", "t2", "--as", "me"});
  const std::string story = board.must({"log", "--task", "t2"});
  CHECK(contains(story, "task_posted"));
  CHECK(contains(story, "task_awarded"));
  CHECK_FALSE(contains(story, " t1 "));
  CHECK(lines_of(board.must({"log", "--from", "2", "--all"})).size() + 1 ==
        lines_of(board.must({"log", "--from", "1", "--all"})).size());
}

TEST_CASE("A backup is a board of its own") {
  const TestBoard board;
  board.must({"post", "kept"});
  board.must({"backup", board.path("copy")});
  CHECK(contains(board.must({"-C", board.path("copy"), "tasks"}), "kept"));
  board.must({"-C", board.path("copy"), "post", "only there"});
  CHECK(board.value("SELECT count(*) FROM tasks") == "1");
}

TEST_CASE("compact drops the log before the present, and keeps records, reasons and everything that works") {
  const TestBoard board;
  for (const char* title : {"a", "b", "c"}) board.must({"post", title});
  board.must({"claim", "t1", "--as", "me"});
  board.must({"done", "t1", "--as", "me", "--result", "one"});
  const std::string rows = board.must({"query", "SELECT id, state, result FROM tasks"});
  const std::string last = board.value("SELECT max(seq) FROM log");
  CHECK(contains(board.must({"compact"}), "Compacted up to event " + last));
  CHECK(contains(board.must({"explain", "t1"}), "me claimed it at the shell first."));
  CHECK(board.must({"query", "SELECT id, state, result FROM tasks"}) == rows);
  CHECK(board.rows("SELECT kind FROM log ORDER BY seq DESC") == std::vector<std::string>{"task_awarded"});
  CHECK(contains(board.must({"query", "SELECT id FROM tasks", "--at", last}), "t3"));
  const Finished early = board.run({"query", "SELECT count(*) FROM tasks", "--at", "3"});
  CHECK(early.exit_code == 3);
  CHECK(contains(early.err, "compacted at event " + last));
  board.must({"claim", "t2", "--as", "me"});
  board.must({"done", "t2", "--as", "me"});
  CHECK(contains(board.must({"doctor", "--deep"}), "intact"));
  CHECK(*board.data({"compact", "--json"}).find("kept") == Value(2));

  Process controller = board.serve();
  board.must({"post", "while it serves"});
  const std::string now = board.value("SELECT max(seq) FROM log");
  CHECK(contains(board.must({"compact"}), "Compacted up to event " + now));
}

TEST_CASE("BIDBOARD_DIR and -C choose the board, else it is looked for upward") {
  const TestBoard board;
  board.must({"post", "found"});
  REQUIRE(std::system(fmt::format("mkdir -p '{}'", board.path("deep/down")).c_str()) == 0);
  ProcessOptions options = board.surroundings();
  options.directory = board.path("deep/down");
  CHECK(contains(board.run({"tasks"}, options).out, "found"));
  options.directory = "/";
  CHECK(board.run({"tasks"}, options).exit_code == 3);
  CHECK(contains(board.run({"-C", board.home(), "tasks"}, options).out, "found"));
  options.environment["BIDBOARD_DIR"] = board.home();
  CHECK(contains(board.run({"tasks"}, options).out, "found"));
}

TEST_CASE("Every command's help has an example") {
  const TestBoard board(false);
  int commands = 0;
  for (const std::string& line : lines_of(board.must({"--help"}))) {
    if (!line.starts_with("  ") || line[2] == ' ' || line[2] == '-') continue;
    const std::string command = line.substr(2, line.find(' ', 2) - 2);
    const Finished help = board.run({command, "--help"});
    INFO(command);
    CHECK(help.exit_code == 0);
    CHECK(contains(help.out, "Examples:\n  "));
    CHECK(contains(help.out, "bidboard " + command));
    ++commands;
  }
  CHECK(commands > 30);
}

TEST_CASE("The manual page names every command and lets no text act as roff") {
  const TestBoard board(false);
  const std::string page = board.must({"manual"});
  CHECK(page.starts_with(".TH BIDBOARD 1"));
  for (const std::string& line : lines_of(board.must({"--help"})))
    if (line.starts_with("  ") && line[2] >= 'a' && line[2] <= 'z')
      CHECK(contains(page, ".SS " + line.substr(2, line.find(' ', 2) - 2) + "\n"));
  for (const std::string& line : lines_of(page))
    if (line.starts_with("."))
      CHECK((line == ".nf" || line == ".fi" || line == ".TP" || line.starts_with(".S") ||
             line.starts_with(".TH ") || line.starts_with(".B ") || line.starts_with(".I ")));
}

TEST_CASE("Completions are scripts that bash accepts, and complete commands and options") {
  const TestBoard board(false);
  for (const char* shell : {"bash", "zsh", "fish"})
    CHECK(contains(board.must({"completion", shell}), "claim"));
  board.write("completion.sh", board.must({"completion", "bash"}) + "\n");
  const Finished accepted = run_program({"bash", "-n", board.path("completion.sh")});
  INFO(accepted.err);
  CHECK(accepted.exit_code == 0);
  const auto completed = [&](const std::string& words, int at) {
    return run_program(
               {"bash", "-c",
                fmt::format(". '{}'; COMP_WORDS=({}); COMP_CWORD={}; _bidboard; echo \"${{COMPREPLY[@]}}\"",
                            board.path("completion.sh"), words, at)})
        .out;
  };
  CHECK(completed("bidboard cla", 1) == "claim\n");
  CHECK(completed("bidboard -C /tmp claim --ne", 4) == "--next\n");
}
