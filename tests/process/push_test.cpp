// `bidboard merge` where merging is left to pull requests: the branches of done tasks on a remote.
#include <csignal>
#include <filesystem>
#include <optional>

#include "agents/worktrees/pushing.hpp"
#include "blackboard/saved_work.hpp"
#include "tests/process/project.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

/// A repository whose remote `origin` is another one, without a worktree, beside it.
struct Shared : Project {
  Shared() {
    git({"init", "-q", "--bare", "-b", "main", board.path("origin.git")});
    git({"remote", "add", "origin", board.path("origin.git")});
    git({"push", "-q", "origin", "main"});
  }
  std::string at_origin(const std::string& branch) const {
    return git({"ls-remote", "origin", "refs/heads/" + branch}).substr(0, 40);
  }
  /// t1, and t2 that builds on it.
  void have_two_done() const {
    board.must({"post", "one"});
    board.must({"post", "two", "--need", "t1"});
    REQUIRE(board.task_becomes("t2", "done"));
  }
  std::string commit_of(const std::string& task) const {
    return board.value("SELECT commit_id FROM tasks WHERE id = '" + task + "'");
  }
};

}  // namespace

TEST_CASE("With `merge: {push: REMOTE}` the work of each task becomes a branch there, once") {
  const Shared project;
  const TestBoard& board = project.board;
  board.write("bidboard.yaml", "merge: {push: origin}\n");
  const Process controller = board.serve();
  const Process agent = project.worker();
  CHECK(contains(board.must({"merge"}), "No task has left work in a branch"));
  project.have_two_done();
  const std::string before = project.git({"rev-parse", "main"});
  CHECK(contains(board.must({"merge"}), "to be pushed to origin"));
  CHECK(board.data({"merge", "--json"}).array().size() == 2);
  CHECK(project.at_origin("bidboard/t1").empty());

  const std::string said = board.must({"merge", "--all"});
  CHECK(said == "t1 pushed to origin as bidboard/t1\nt2 pushed to origin as bidboard/t2");
  CHECK(project.at_origin("bidboard/t1") == project.commit_of("t1"));
  CHECK(project.at_origin("bidboard/t2") == project.commit_of("t2"));
  CHECK(project.git({"rev-parse", "main"}) == before);
  CHECK(contains(board.must({"show", "t1"}), "pushed to origin as bidboard/t1"));

  // Merged there, and the branch deleted: it is not pushed again, unless somebody asks for it.
  project.git({"push", "-q", "origin", ":bidboard/t1"});
  CHECK(contains(board.must({"merge", "--all"}), "No work waits to be pushed to origin."));
  CHECK(project.at_origin("bidboard/t1").empty());
  CHECK(board.must({"merge", "t1"}) == "t1 pushed to origin as bidboard/t1");
  CHECK(project.at_origin("bidboard/t1") == project.commit_of("t1"));
}

TEST_CASE("A branch of the remote that has commits which the work lacks is not overwritten") {
  const Shared project;
  const TestBoard& board = project.board;
  const Process controller = board.serve();
  const Process agent = project.worker();
  board.must({"post", "one"});
  REQUIRE(board.task_becomes("t1", "done"));
  project.git({"commit", "-q", "--allow-empty", "-m", "a reviewer's"});
  project.git({"push", "-q", "origin", "main:bidboard/t1"});
  const std::string theirs = project.at_origin("bidboard/t1");
  const Finished refused = board.run({"merge", "--all", "--push", "origin"});
  CHECK(refused.exit_code == 5);
  CHECK(contains(refused.out, "t1 waits: bidboard/t1 of origin has commits that this work lacks"));
  CHECK(project.at_origin("bidboard/t1") == theirs);
  // The reason stands where people look, once.
  CHECK(board.run({"merge", "--all", "--push", "origin"}).exit_code == 5);
  CHECK(contains(board.must({"merge", "--push", "origin"}),
                 "was not pushed: bidboard/t1 of origin has commits"));
  CHECK(contains(board.must({"merge", "--push", "origin"}),
                 "`bidboard merge --all --push origin` pushes them"));
  CHECK(contains(board.must({"show", "t1"}), "not pushed to origin: bidboard/t1 of origin has commits"));
  CHECK(board.value("SELECT count(*) FROM comments") == "1");

  project.git({"push", "-q", "origin", ":bidboard/t1"});
  board.write_script("origin.git/hooks/pre-receive", "#!/bin/sh\nexit 1\n");
  CHECK(contains(board.run({"merge", "--all", "--push", "origin"}).out,
                 "t1 waits: origin does not take it: [remote rejected] (pre-receive hook declined)"));

  project.git({"remote", "set-url", "origin", board.path("nowhere")});
  const Finished unreachable = board.run({"merge", "--all", "--push", "origin"});
  CHECK(unreachable.exit_code == 5);
  CHECK(contains(unreachable.out, "t1 waits: origin cannot be reached: "));
}

TEST_CASE("With `merge: {push: REMOTE, auto: true}` `up` pushes what is done") {
  const Shared project;
  const TestBoard& board = project.board;
  board.write(
      "bidboard.yaml",
      "merge: {push: origin, auto: true}\n"
      "agents: [{name: hand, worktree: task, exec: 'cat > /dev/null; echo x > $BIDBOARD_TASK.txt'}]\n");
  Process up = board.start({"up"});
  REQUIRE(board.becomes("SELECT count(*) FROM agents WHERE state = 'live'", "1"));
  board.must({"post", "one"});
  REQUIRE(board.becomes("SELECT count(*) FROM comments WHERE text = 'pushed to origin as bidboard/t1'", "1"));
  CHECK(project.at_origin("bidboard/t1") == project.commit_of("t1"));
  up.signal(SIGTERM);
  CHECK(up.wait() == 0);
}

TEST_CASE("Work that somebody has brought into the remote's main branch is not pushed again") {
  const Shared project;
  const TestBoard& board = project.board;
  const Process controller = board.serve();
  const Process agent = project.worker();
  board.must({"post", "one"});
  REQUIRE(board.task_becomes("t1", "done"));
  // Somebody brought it in by hand.
  project.git({"push", "-q", "origin", project.commit_of("t1") + ":refs/heads/main"});
  CHECK(
      contains(board.must({"merge", "--all", "--push", "origin"}), "No work waits to be pushed to origin."));
  CHECK(project.at_origin("bidboard/t1").empty());
}

TEST_CASE("A remote that is renamed while `merge --follow` pushes is waited for; one that never was is not") {
  const Shared project;
  const TestBoard& board = project.board;
  board.write("bidboard.yaml", "merge: {push: origin, auto: true}\n");
  const Process controller = board.serve();
  const Process agent = project.worker();
  Process merging = board.start({"merge", "--follow"});
  board.must({"post", "one"});
  REQUIRE(eventually([&] { return contains(merging.out(), "t1 pushed to origin"); }, patience));
  project.git({"remote", "rename", "origin", "upstream"});
  board.must({"post", "two"});
  REQUIRE(eventually([&] { return contains(merging.out(), "waits: the repository of"); }, patience));
  project.git({"remote", "rename", "upstream", "origin"});
  REQUIRE(eventually([&] { return contains(merging.out(), "t2 pushed to origin"); }, patience));
  CHECK(board.run({"merge", "--follow", "--push", "orgin"}).exit_code == 3);
}

TEST_CASE("A refused push is tried again after work that builds on it was pushed") {
  const Shared project;
  const TestBoard& board = project.board;
  board.write("bidboard.yaml", "merge: {push: origin}\n");
  const bool is_served = GENERATE(true, false);
  {
    std::optional<Process> controller(board.serve());
    const Process agent = project.worker();
    project.have_two_done();
  }
  std::optional<Process> controller;
  if (is_served) controller.emplace(board.serve());
  board.write_script("origin.git/hooks/update",
                     "#!/bin/sh\n[ \"$1\" != refs/heads/bidboard/t1 ] || { echo \"request $$\"; exit 1; }\n");
  for (int i = 0; i < 2; ++i)
    CHECK(contains(board.run({"merge", "--all"}).out, "t1 waits: origin does not take it"));
  CHECK(project.at_origin("bidboard/t2") == project.commit_of("t2"));
  CHECK(contains(board.must({"merge"}), "was not pushed: origin does not take it"));
  CHECK(board.value("SELECT count(*) FROM comments WHERE task = 't1'") == "1");  // the hook's words differ
  std::filesystem::remove(board.path("origin.git/hooks/update"));
  CHECK(board.must({"merge", "--all"}) == "t1 pushed to origin as bidboard/t1");
}

TEST_CASE("A rehearsal pushes nothing, but tries it") {
  const Shared project;
  const TestBoard& board = project.board;
  board.write("bidboard.yaml",
              "merge: {push: origin, auto: true}\nagents: [{name: c, preset: claude, worktree: task}]\n");
  Process up = board.start({"up", "--rehearse"});
  REQUIRE(board.becomes("SELECT count(*) FROM agents WHERE state = 'live'", "1"));
  board.must({"post", "write hello.txt: hi"});
  REQUIRE(eventually([&] {
    return contains(board.read(".bidboard/run/merge.log"),
                    "t1 would be pushed, were this no rehearsal, to origin");
  }));
  CHECK(project.at_origin("bidboard/t1").empty());
  CHECK(board.value("SELECT count(*) FROM comments") == "0");
  up.signal(SIGTERM);
  CHECK(up.wait() == 0);
  CHECK(contains(board.must({"merge", "--all"}), "No work waits to be pushed to origin."));
  CHECK(project.at_origin("bidboard/t1").empty());
}

TEST_CASE("What an agent calls its branch is pushed only if it belongs to its task") {
  const Shared project;
  const std::string commit = project.git({"rev-parse", "main"});
  Result<Pushing> pushing = Pushing::to(project.board.home(), "origin", false);
  REQUIRE(pushing);
  for (const char* branch : {"bidboard/t2", "bidboard/t1:refs/heads/main", "bidboard/kept/t2-abc",
                             "bidboard/kept/t1-", "bidboard/kept/t1-a:x", "main"}) {
    INFO(branch);
    CHECK(pushing->push(TaskId{1}, branch, commit).error().code == Errc::refused);
  }
  CHECK(pushing->push(TaskId{1}, "bidboard/t1", std::string(40, 'a')).error().code == Errc::not_found);
  CHECK(pushing->push(TaskId{1}, "bidboard/kept/t1-0a1b", commit));
  CHECK(pushing->was_pushed(TaskId{1}, commit));
  CHECK(project.at_origin("bidboard/kept/t1-0a1b") == commit);
  CHECK(is_plausible({"bidboard/t1", commit}));
  for (const char* branch :
       {"bidboard/t1:refs/heads/main", "bidboard/t1 x", "bidboard/../x", "bidboard/*", "main"})
    CHECK_FALSE(is_plausible({branch, commit}));
}

TEST_CASE("A remote that is not there, or one beside a branch to merge into, is said at once") {
  const Shared project;
  const TestBoard& board = project.board;
  board.write("bidboard.yaml", "merge: {push: upstream, auto: true}\n");
  const Finished up = board.run({"up"});
  CHECK(up.exit_code != 0);
  CHECK(contains(up.err, "has no remote 'upstream'"));
  const Finished both = board.run({"merge", "--push", "origin", "--into", "main"});
  CHECK(both.exit_code == 2);
  CHECK(contains(both.err, "pushing to origin merges nothing"));
  board.write("bidboard.yaml", "merge: {push: origin, into: main}\n");
  CHECK(contains(board.run({"merge"}).err, "leave out those, or leave out push"));
  for (const char* option : {"--push", "--into", "--check"}) {
    const Finished empty = board.run({"merge", "--all", option, ""});
    CHECK(empty.exit_code == 2);
    CHECK(contains(empty.err, fmt::format("{} is empty", option)));
  }
  board.write("bidboard.yaml", "merge: {push: ''}\n");
  CHECK(contains(board.run({"merge"}).err, "is empty, which would merge"));
  board.write("bidboard.yaml", "merge: {push: origin, batch: 2}\n");
  CHECK(contains(board.run({"merge"}).err, "leave out those, or leave out push"));
  board.write("bidboard.yaml", "merge: {push: origin}\n");
  CHECK(board.run({"merge", "--all", "--check", "false"}).exit_code == 2);
  project.git({"config", "remote.sp ace.url", board.path("origin.git")});
  CHECK(contains(board.run({"merge", "--push", "sp ace"}).err, "cannot be a part of a ref's name"));
}
