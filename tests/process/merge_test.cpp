// `bidboard merge` over the work of agents, on one repository.
#include <csignal>
#include <filesystem>

#include "tests/process/project.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"

using namespace bidboard;
using namespace bidboard::testing;

TEST_CASE(
    "`bidboard merge` brings all work in, in the order of needs, and makes tasks of what does not fit") {
  const Project project;
  const TestBoard& board = project.board;
  board.write("job.yaml", R"(
agents:
  - {name: hand, worktree: task, exec: 'cat > /dev/null; sh "$BIDBOARD_DIR/../$BIDBOARD_TASK.sh"'}
tasks:
  a: {title: Write a}
  b: {title: Write b on top of a, needs: [a]}
  c: {title: Change the shared file}
)");
  board.write("t1.sh", "echo a > a.txt");
  board.write("t2.sh", "test -e a.txt && echo b > b.txt");
  board.write("t3.sh", "echo theirs > shared.txt");
  board.must({"run", "job.yaml"});
  CHECK(contains(board.must({"merge"}), "`bidboard merge --all` merges them into main in this order."));
  CHECK(board.data({"merge", "--json"}).array().size() == 3);

  // The user goes on in the main folder meanwhile.
  board.write("shared.txt", "mine\n");
  CHECK(contains(board.must({"merge"}), "Nothing is merged now: main is checked out in"));
  const Finished blocked = board.run({"merge", "--all"});
  CHECK(blocked.exit_code == 5);
  CHECK(contains(blocked.out, "t1 waits: main is checked out in"));
  CHECK(contains(blocked.out, "t2 waits for t1, which it needs"));
  project.git({"commit", "-q", "-a", "-m", "my own reasons"});
  const Finished merged = board.run({"merge", "--all"});
  INFO(merged.out << merged.err);
  CHECK(merged.exit_code == 5);
  CHECK(contains(merged.out, "t1 merged into main at "));
  CHECK(contains(merged.out, "t2 merged into main at "));
  CHECK(contains(merged.out, "t3 conflicts with main; t4 is to resolve it"));
  CHECK(board.read("b.txt") == "b\n");
  CHECK(board.read("shared.txt") == "mine\n");
  CHECK(project.no_worktrees());

  // Both sides and their reasons; asked again, there is still one task for it.
  const std::string body = board.value("SELECT body FROM tasks WHERE id = 't4'");
  CHECK(contains(body, "> Change the shared file"));
  CHECK(contains(body, "my own reasons"));
  CHECK(contains(board.run({"merge", "--all"}).out, "t3 waits for t4: Merge t3 into main"));

  const std::string theirs = board.value("SELECT commit_id FROM tasks WHERE id = 't3'");
  board.write("t4.sh", "git checkout -q --detach main && ! git -c user.name=x -c user.email=x@x merge -q " +
                           theirs + " > /dev/null && echo 'mine and theirs' > shared.txt");
  const Process controller = board.serve();
  const Process agent = board.agent("solver", {"--worktree", "task", "--exec",
                                               "cat > /dev/null; sh \"$BIDBOARD_DIR/../$BIDBOARD_TASK.sh\""});
  REQUIRE(board.task_becomes("t4", "done"));
  const std::string said = board.must({"merge", "--all"});
  CHECK(contains(said, "t3 comes with t4"));
  CHECK(contains(said, "t4 merged into main at "));
  CHECK(board.read("shared.txt") == "mine and theirs\n");
  CHECK(board.must({"merge"}) == "All work of done tasks is in main.");
  CHECK(board.must({"merge", "t1"}) == "t1 is in main already");
}

TEST_CASE("A check that fails after a merge becomes a task that begins with the work") {
  const Project project;
  const TestBoard& board = project.board;
  board.write("bidboard.yaml", "merge: {check: 'test ! -e bad.txt || { echo bad.txt is there; exit 1; }'}\n");
  project.git({"commit", "-q", "--allow-empty", "-m", "x"});
  const Process controller = board.serve();
  const Process agent = board.agent(
      "solo",
      {"--worktree", "task", "--exec",
       "cat > /dev/null; if [ -e bad.txt ]; then rm bad.txt; touch good.txt; else touch bad.txt; fi"});
  board.must({"post", "work"});
  REQUIRE(board.task_becomes("t1", "done"));
  CHECK(contains(board.run({"merge", "t1"}).out, "t1 merges, but the check fails; t2 is to correct it"));
  CHECK(contains(board.value("SELECT body FROM tasks WHERE id = 't2'"), "> bad.txt is there"));
  REQUIRE(board.task_becomes("t2", "done"));
  CHECK(contains(board.must({"merge", "--all"}), "t2 merged into main at "));
  CHECK(std::filesystem::exists(board.path("good.txt")));
  CHECK_FALSE(std::filesystem::exists(board.path("bad.txt")));
}

namespace {

/// Agents that do each task by running t12.sh of the board's folder in a worktree.
struct Scripted : Project {
  static constexpr const char* exec = "cat > /dev/null; sh \"$BIDBOARD_DIR/../$BIDBOARD_TASK.sh\"";
  Process controller = board.serve();
  Process agent = board.agent("hand", {"--worktree", "task", "--exec", exec});

  /// Posts a task with this script and waits for its end. Its commit.
  std::string done(const std::string& script, std::vector<std::string> options = {}) {
    const std::string id = fmt::format("t{}", ++posted);
    board.write(id + ".sh", script);
    options.insert(options.begin(), {"post", "Part " + id});
    board.must(std::move(options));
    return finish(id);
  }
  std::string finish(const std::string& id) const {
    REQUIRE(board.task_becomes(id, "done"));
    return board.value(fmt::format("SELECT coalesce(commit_id, '') FROM tasks WHERE id = '{}'", id));
  }
  void user_writes(const std::string& name, const std::string& content) const {
    board.write(name, content);
    commit("by the user");
  }
  Finished merge(std::vector<std::string> options = {"--all"}) const {
    options.insert(options.begin(), "merge");
    return board.run(std::move(options));
  }
  std::string tasks() const { return board.value("SELECT count(*) FROM tasks"); }
  /// Of the next task, which the merge posts.
  void next_script(const std::string& script) { board.write(fmt::format("t{}.sh", ++posted), script); }

  int posted = 0;
};

std::string resolving(const std::string& branch, const std::string& commit) {
  return fmt::format(
      "git checkout -q --detach {} && ! git -c user.name=x -c user.email=x@x merge -q {} > /dev/null && "
      "echo both > shared.txt",
      branch, commit);
}

}  // namespace

TEST_CASE(
    "A conflict is not settled by a task that is done without the commit: it is said, and can be tried "
    "again") {
  Scripted project;
  const TestBoard& board = project.board;
  const std::string work = project.done("echo theirs > shared.txt; echo a > a.txt");
  project.user_writes("shared.txt", "mine\n");
  project.next_script("true");  // changes nothing
  CHECK(contains(project.merge().out, "t1 conflicts with main; t2 is to resolve it"));
  project.finish("t2");
  const Finished again = project.merge();
  CHECK(again.exit_code == 5);
  CHECK(contains(again.out, "t1 waits: t2, which was to settle it, is done without its commit"));
  CHECK(contains(again.out, "`bidboard merge t1` tries it again"));
  CHECK(project.tasks() == "2");
  CHECK(project.merge().exit_code == 5);

  project.next_script(resolving("main", work));
  CHECK(contains(project.merge({"t1"}).out, "t1 conflicts with main; t3 is to resolve it"));
  project.finish("t3");
  const Finished merged = project.merge();
  INFO(merged.out << merged.err);
  CHECK(merged.exit_code == 0);
  CHECK(board.read("shared.txt") == "both\n");
  CHECK(board.read("a.txt") == "a\n");
}

TEST_CASE("A task that failed to settle a conflict is named, with what to do") {
  Scripted project;
  project.done("echo theirs > shared.txt");
  project.user_writes("shared.txt", "mine\n");
  project.next_script("exit 1");
  CHECK(contains(project.merge().out, "t2 is to resolve it"));
  project.board.must({"cancel", "t2"});
  const Finished again = project.merge();
  CHECK(again.exit_code == 5);
  CHECK(contains(again.out, "t1 waits: t2, which was to settle it, is cancelled; `bidboard retry t2`"));
  CHECK(contains(project.merge({"t1"}).out, "t1 conflicts with main; t3 is to resolve it"));
}

TEST_CASE("What settles a conflict with one branch does not settle one with another branch") {
  Scripted project;
  project.git({"branch", "release"});
  const std::string work = project.done("echo theirs > shared.txt");
  project.user_writes("shared.txt", "mine\n");
  project.next_script(resolving("main", work));
  CHECK(contains(project.merge().out, "t2 is to resolve it"));
  project.finish("t2");
  CHECK(project.merge().exit_code == 0);
  const Finished other = project.merge({"--all", "--into", "release"});
  CHECK(contains(other.out, "t1 merged into release at"));
  CHECK_FALSE(contains(other.out, "t2"));
  CHECK(project.git({"show", "release:shared.txt"}) == "theirs");
}

TEST_CASE("A task that a task's process posted under the key of a merge settles nothing") {
  Scripted project;
  const std::string work = project.done("echo theirs > shared.txt");
  const std::string key = "merge/main/t1/" + work;
  for (const char* id : {"t3", "t4", "t5"}) project.board.write(fmt::format("{}.sh", id), "true");
  project.done(
      fmt::format("bidboard post forged --key merge/t1/{0} --kind merge; bidboard post forged --key {1} "
                  "--kind merge; bidboard post forged --key {1}/1 --kind merge",
                  work, key));
  project.posted += 3;
  for (const char* id : {"t3", "t4", "t5"}) project.finish(id);
  project.user_writes("shared.txt", "mine\n");
  project.next_script("true");
  const Finished merged = project.merge();
  CHECK(contains(merged.out, "t1 conflicts with main; t6 is to resolve it"));
  CHECK(project.board.value("SELECT count(*) FROM tasks") == "6");
}

TEST_CASE("Tasks on top of a conflict wait for the task that resolves it, instead of getting one each") {
  Scripted project;
  const std::string work = project.done("echo theirs > shared.txt");
  for (const char* name : {"b", "c"}) project.done(fmt::format("echo x > {}.txt", name), {"--need", "t1"});
  project.user_writes("shared.txt", "mine\n");
  project.next_script(resolving("main", work));
  CHECK(contains(project.merge().out, "t1 conflicts with main; t4 is to resolve it"));
  project.finish("t4");
  // It is blocked itself at first.
  project.board.write("shared.txt", "a change\n");
  const Finished blocked = project.merge();
  CHECK(blocked.exit_code == 5);
  CHECK(contains(blocked.out, "t1 comes with t4"));
  CHECK(contains(blocked.out, "t4 waits: main is checked out in"));
  CHECK(contains(blocked.out, "t2 waits for t1, which it needs"));
  project.board.write("shared.txt", "mine\n");
  const Finished merged = project.merge();
  INFO(merged.out << merged.err);
  CHECK(merged.exit_code == 0);
  CHECK(project.tasks() == "4");
  CHECK(project.board.read("b.txt") == "x\n");
  CHECK(project.board.must({"merge"}) == "All work of done tasks is in main.");
}

TEST_CASE("Work that cannot be merged at all keeps back itself, and not what stands behind it") {
  Scripted project;
  project.done("git checkout -q --orphan alone && git -c user.name=x -c user.email=x@x commit -q -m alone");
  project.board.write("body.yaml", std::string(600'000, 'x') + std::string(440'000, '\n'));
  project.done("echo theirs > shared.txt", {"--body", "@body.yaml"});
  project.done("echo b > b.txt");
  project.user_writes("shared.txt", "mine\n");
  project.next_script("true");
  const Finished merged = project.merge();
  INFO(merged.out << merged.err);
  CHECK(merged.exit_code == 5);
  CHECK(contains(merged.out, "t1 waits: git merge failed: fatal: refusing to merge unrelated histories"));
  CHECK(contains(merged.out, "t2 conflicts with main; t4 is to resolve it"));
  CHECK(contains(merged.out, "t3 merged into main at "));
  CHECK(contains(project.board.value("SELECT body FROM tasks WHERE id = 't4'"),
                 "`bidboard show t2` has all of it"));
}

TEST_CASE("The queue of a merge is read with few git processes, and with the board closed") {
  Scripted project;
  const TestBoard& board = project.board;
  const std::filesystem::path tools = board.path("tools.sh.d");
  std::filesystem::create_directories(tools);
  const std::string real = run_program({"/bin/sh", "-c", "command -v git"}, {}).out;
  board.write_script("tools.sh.d/git",
                     fmt::format("#!/bin/sh\necho x >> '{0}/calls'\n"
                                 "grep -q data.mdb /proc/$PPID/maps 2>/dev/null && echo x >> '{0}/open'\n"
                                 "exec {1} \"$@\"\n",
                                 tools.string(), real.substr(0, real.find('\n'))));
  const auto calls = [&] {
    board.write("tools.sh.d/calls", "");
    ProcessOptions options = board.surroundings();
    options.environment["PATH"] = tools.string() + ":" + ::getenv("PATH");
    const Finished queue = board.run({"merge"}, options);
    CHECK(queue.exit_code == 0);
    CHECK(contains(queue.out, "to be merged"));
    return board.read("tools.sh.d/calls");
  };
  project.done("echo 1 > 1.txt");
  const std::string with_one = calls();
  for (const char* name : {"2", "3", "4"}) project.done(fmt::format("echo x > {}.txt", name));
  CHECK(calls() == with_one);
  CHECK(with_one != "");
  CHECK_FALSE(std::filesystem::exists(tools / "open"));
}

TEST_CASE(
    "`up` with `merge: {auto: true}` merges each task's work when it is done, and what waited when it can") {
  const Project project;
  const TestBoard& board = project.board;
  board.write("bidboard.yaml", R"(
agents:
  - {name: hand, worktree: task, exec: 'cat > /dev/null; echo "$BIDBOARD_TASK" > "$BIDBOARD_TASK.txt"'}
merge: {into: main, check: 'test ! -e t2.txt', auto: true}
)");
  const Process up = board.start({"up"});
  board.await_agents(1);
  const auto in_main = [&](const std::string& task) {
    return eventually([&] { return std::filesystem::exists(board.path(task + ".txt")); });
  };
  board.must({"post", "one"});
  REQUIRE(in_main("t1"));
  // A check that fails becomes a task, which the agent's next work does not settle.
  board.must({"post", "two"});
  REQUIRE(board.task_becomes("t3", "done"));
  CHECK(board.value("SELECT title FROM tasks WHERE id = 't3'") ==
        "Correct t2, whose merge into main fails the check");

  board.write("shared.txt", "mine\n");
  const std::string posted = board.must({"post", "three"});
  REQUIRE(eventually(
      [&] { return contains(board.read(".bidboard/run/merge.log"), posted + " waits: main is"); }));
  project.git({"commit", "-q", "-a", "-m", "my own reasons"});
  REQUIRE(in_main(posted));
  CHECK_FALSE(std::filesystem::exists(board.path("t2.txt")));
  board.must({"down"});
}

TEST_CASE("`merge: {auto: true}` where nothing can be merged is said by `up` at once") {
  const TestBoard board;
  board.write("bidboard.yaml", "agents: [{name: plain, exec: cat}]\nmerge: {auto: true}\n");
  CHECK(contains(board.run({"up"}).err, "add into: BRANCH"));
  board.write("bidboard.yaml", "agents: [{name: plain, exec: cat}]\nmerge: {into: main, auto: true}\n");
  const Finished up = board.run({"up"});
  INFO(up.err);
  CHECK(up.exit_code != 0);
  CHECK(contains(up.err, "is in no git repository"));
  CHECK(board.run({"merge", "--follow", "t1"}).exit_code == 2);
  CHECK(board.run({"merge", "--all", "--json"}).exit_code == 2);
}

TEST_CASE("The queue of a merge says what waits for what, and where nobody leaves work") {
  const Project project;
  const TestBoard& board = project.board;
  const Process controller = board.serve();
  Process agent = project.worker();
  CHECK(contains(board.must({"merge"}), "No task has left work in a branch"));
  board.must({"post", "one"});
  board.must({"post", "two", "--need", "t1"});
  REQUIRE(board.task_becomes("t2", "done"));
  agent.signal(SIGTERM);
  REQUIRE(agent.wait() == 0);
  CHECK(board.run({"merge", "--all", "--check", "test ! -e t1.txt"}).exit_code == 5);
  const std::string queue = board.must({"merge"});
  INFO(queue);
  CHECK(contains(queue, "waits for t3: Correct t1, whose merge into main fails the check"));
  CHECK(contains(queue, "waits for t1, which it needs"));
  CHECK_FALSE(contains(queue, "to be merged"));
  CHECK_FALSE(contains(queue, "merge --all"));

  // The user does it by hand: nobody has to be paid for it any more. What was merged stands on the board,
  // too.
  project.git({"merge", "-q", "bidboard/t1"});
  const std::string said = board.must({"merge", "--all"});
  INFO(said);
  CHECK(contains(said, "t3 is cancelled: the work of t1 is in main"));
  CHECK(contains(said, "t2 merged into main at "));
  CHECK(board.value("SELECT state FROM tasks WHERE id = 't3'") == "cancelled");
  CHECK(contains(board.must({"show", "t2"}), "merged into main at "));
  CHECK(board.value("SELECT count(*) FROM comments") == "1");
}

TEST_CASE("Looking at the queue cancelled tasks") {
  const Project project;
  const TestBoard& board = project.board;
  const Process controller = board.serve();
  Process agent = project.worker();
  board.must({"post", "one"});
  REQUIRE(board.task_becomes("t1", "done"));
  agent.signal(SIGTERM);
  REQUIRE(agent.wait() == 0);
  CHECK(board.run({"merge", "--all", "--check", "test ! -e t1.txt"}).exit_code == 5);
  REQUIRE(board.value("SELECT state FROM tasks WHERE id = 't2'") == "ready");
  project.git({"merge", "-q", "bidboard/t1"});
  CHECK(board.must({"merge"}) == "All work of done tasks is in main.");
  CHECK(board.value("SELECT state FROM tasks WHERE id = 't2'") == "ready");
  CHECK(contains(board.must({"merge", "--all"}), "t2 is cancelled: the work of t1 is in main"));
}

TEST_CASE("Fixes that change nothing are not followed by further ones without end") {
  const Project project;
  const TestBoard& board = project.board;
  board.write("bidboard.yaml", "merge: {into: main, check: 'test ! -e bad.txt'}\n");
  const Process controller = board.serve();
  const Process agent = board.agent(
      "hand",
      {"--worktree", "task", "--exec", "cat > /dev/null; test $BIDBOARD_TASK != t1 || echo x > bad.txt"});
  board.must({"post", "bad"});
  REQUIRE(board.task_becomes("t1", "done"));
  CHECK(contains(board.run({"merge", "--all"}).out, "t2 is to correct it"));
  REQUIRE(board.task_becomes("t2", "done"));
  CHECK(contains(board.run({"merge", "--all"}).out, "t3 is to correct it"));
  REQUIRE(board.task_becomes("t3", "done"));
  const Finished stopped = board.run({"merge", "--all"});
  INFO(stopped.out);
  CHECK(contains(stopped.out, "t3 merges, but the check fails, and 2 fixes in a row did not settle that"));
  CHECK(board.value("SELECT count(*) FROM tasks") == "3");
  CHECK(contains(board.run({"merge", "t3"}).out, "t4 is to correct it"));
}

TEST_CASE("With --batch, one work of many that fails the check is found by halves") {
  const Project project;
  const TestBoard& board = project.board;
  std::string job =
      "agents:\n  - {name: hand, worktree: task, exec: 'cat > /dev/null; echo x > "
      "\"$BIDBOARD_TASK.txt\"'}\ntasks:\n";
  for (int i = 1; i <= 8; ++i) job += fmt::format("  part{0}: {{title: Part {0}}}\n", i);
  board.write("job.yaml", job);
  board.must({"run", "job.yaml"});
  const std::string count = board.path("../checks");
  const Finished merged =
      board.run({"merge", "--all", "--batch", "8", "--check", "echo x >> '" + count + "'; test ! -e t5.txt"});
  INFO(merged.out << merged.err);
  CHECK(merged.exit_code == 5);
  CHECK(contains(merged.out, "t5 merges, but the check fails; t9 is to correct it"));
  for (const std::string good : {"t1", "t2", "t3", "t4", "t6", "t7", "t8"})
    CHECK(contains(merged.out, good + " merged into main at "));
  CHECK_FALSE(std::filesystem::exists(board.path("t5.txt")));
  // 8 fail, the branch alone passes, 4 pass, 4 fail, 2 fail, 1 fails, 3 pass.
  CHECK(lines_of(board.read("../checks")).size() == 7);
  CHECK(project.no_worktrees());
}
