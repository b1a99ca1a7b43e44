// Worktrees of tasks over real repositories.
#include "agents/worktrees/worktree.hpp"

#include "agents/worktrees/in_worktree.hpp"
#include "tests/agents/repository.hpp"

using namespace bidboard;
using namespace bidboard::testing;

TEST_CASE("What an attempt leaves uncommitted is in the task's branch, and only that") {
  const Repository repository;
  write(repository.top + "/shared.txt", "the user's own change\n");
  write(repository.top + "/notes.txt", "the user's own file\n");
  const std::string before = repository.ask({"rev-parse", "HEAD"});

  OpenWorktree opened = repository.open(repository.order(1));
  CHECK(read(opened.directory + "/shared.txt") == "one\n");
  write(opened.directory + "/new file é.txt", "made\n");
  write(opened.directory + "/deep/er/x.cpp", "int x;\n");
  write(opened.directory + "/x.o", "object\n");
  fs::remove(opened.directory + "/shared.txt");
  const SavedWork saved = repository.save(opened);
  CHECK(saved.branch == "bidboard/t1");
  CHECK(repository.ask({"rev-parse", "bidboard/t1"}) == saved.commit);
  CHECK(repository.ask({"rev-parse", "bidboard/t1^"}) == before);
  CHECK(repository.ask({"ls-tree", "-r", "--name-only", "bidboard/t1"}) ==
        ".gitignore\ndeep/er/x.cpp\nnew file é.txt");
  CHECK(repository.ask({"log", "-1", "--format=%s|%(trailers:key=Bidboard-Task,valueonly,separator=)",
                        "bidboard/t1"}) == "Do part 1|t1");
  repository.close(opened);

  CHECK(read(repository.top + "/shared.txt") == "the user's own change\n");
  CHECK(read(repository.top + "/notes.txt") == "the user's own file\n");
  CHECK(repository.ask({"rev-parse", "HEAD"}) == before);
  CHECK(repository.ask({"status", "--porcelain"}) == " M shared.txt\n?? notes.txt");
  CHECK(repository.ask({"worktree", "list", "--porcelain"}).find(".bidboard") == std::string::npos);
}

TEST_CASE("Commits of the attempt itself are kept, and what it leaves is a further one") {
  const Repository repository;
  OpenWorktree opened = repository.open(repository.order(1));
  write(opened.directory + "/a.txt", "a\n");
  Git(opened.path).ask({"add", "a.txt"}).value();
  Git(opened.path).commit({"commit", "-q", "-m", "its own"}).value();
  write(opened.directory + "/b.txt", "b\n");
  static_cast<void>(repository.save(opened));
  CHECK(repository.ask({"log", "--format=%s", "main..bidboard/t1"}) == "Do part 1\nits own");
}

TEST_CASE("A task begins with the work of the tasks that it needs") {
  Repository repository;
  const std::string one = repository.attempt(repository.order(1), {{"one.txt", "1\n"}});
  const std::string two = repository.attempt(repository.order(2), {{"two.txt", "2\n"}});
  WorktreeOrder order = repository.order(3);
  order.works = {{TaskId{1}, one}, {TaskId{2}, two}};
  const std::string three = repository.attempt(order, {{"three.txt", "3\n"}});
  CHECK(repository.ask({"ls-tree", "-r", "--name-only", three}) ==
        ".gitignore\none.txt\nshared.txt\nthree.txt\ntwo.txt");
}

TEST_CASE("A conflict between needed tasks ends the attempt, with the files, and leaves nothing behind") {
  Repository repository;
  const std::string one = repository.attempt(repository.order(1), {{"shared.txt", "left\n"}});
  const std::string two = repository.attempt(repository.order(2), {{"shared.txt", "right\n"}});
  WorktreeOrder order = repository.order(3);
  order.works = {{TaskId{1}, one}, {TaskId{2}, two}};
  const Result<OpenWorktree> opened = open_worktree(order);
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == Errc::conflict);
  CHECK(opened.error().text.find("the work of t2 conflicts") == 0);
  CHECK(opened.error().text.find("in shared.txt") != std::string::npos);
  const Result<std::vector<FoundWorktree>> left = list_worktrees(repository.place());
  REQUIRE(left.has_value());
  for (const FoundWorktree& found : *left) CHECK(found.mark->task == TaskId{3});
  for (const FoundWorktree& found : *left) {
    std::string why;
    CHECK(clean_worktree(found, why).value_or(false));
  }
}

TEST_CASE("A commit that is not in the repository is said to be of another machine") {
  const Repository repository;
  WorktreeOrder order = repository.order(2);
  order.works = {{TaskId{1}, std::string(40, 'a')}};
  const Result<OpenWorktree> opened = open_worktree(order);
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().text.find("of t1 is not in this repository") != std::string::npos);
}

TEST_CASE("What a killed attempt left unsaved is kept by the next one, which begins anew") {
  const Repository repository;
  {
    const OpenWorktree killed = repository.open(repository.order(1, 1));
    write(killed.directory + "/half.txt", "half\n");
    write(
        killed.path + "/../../../.git/worktrees/" + fs::path(killed.path).filename().string() + "/index.lock",
        "");
  }
  const OpenWorktree next = repository.open(repository.order(1, 2));
  CHECK_FALSE(fs::exists(repository.place() + "/t1.e1"));
  CHECK_FALSE(fs::exists(next.directory + "/half.txt"));
  const std::string kept =
      repository.ask({"for-each-ref", "--format=%(refname:short)", "refs/heads/bidboard"});
  CHECK(kept.find("bidboard/kept/t1-") == 0);
  CHECK(repository.ask({"show", kept + ":half.txt"}) == "half");
}

TEST_CASE("Killed between the commit and the removal, the worktree is removed later and the branch stays") {
  const Repository repository;
  std::string commit;
  {
    const OpenWorktree killed = repository.open(repository.order(1));
    write(killed.directory + "/a.txt", "a\n");
    commit = repository.save(killed).commit;
  }
  const Result<std::vector<FoundWorktree>> left = list_worktrees(repository.place());
  REQUIRE(left.has_value());
  REQUIRE(left->size() == 1);
  CHECK(left->front().commit == commit);
  CHECK(left->front().branch == "bidboard/t1");
  CHECK_FALSE(left->front().dirty);
  CHECK_FALSE(left->front().in_use);
  std::string why;
  CHECK(clean_worktree(left->front(), why).value_or(false));
  CHECK_FALSE(fs::exists(left->front().path));
  CHECK(repository.ask({"for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads/bidboard"}) ==
        "bidboard/t1 " + commit);
}

TEST_CASE("A worktree in which a process works is neither cleaned nor taken") {
  const Repository repository;
  const OpenWorktree held = repository.open(repository.order(1));
  write(held.directory + "/a.txt", "a\n");
  const Result<std::vector<FoundWorktree>> all = list_worktrees(repository.place());
  REQUIRE(all.has_value());
  REQUIRE(all->size() == 1);
  CHECK(all->front().in_use);
  CHECK(all->front().dirty);
  std::string why;
  CHECK_FALSE(clean_worktree(all->front(), why).value_or(true));
  CHECK(why == "a process works in it");
  CHECK(read(held.directory + "/a.txt") == "a\n");
}

TEST_CASE("The work of an earlier attempt stays in a branch when another one replaces it") {
  Repository repository;
  const std::string first = repository.attempt(repository.order(1, 1), {{"a.txt", "first\n"}});
  const std::string second = repository.attempt(repository.order(1, 2), {{"a.txt", "second\n"}});
  CHECK(repository.ask({"rev-parse", "bidboard/t1"}) == second);
  CHECK(repository.ask({"rev-parse", "bidboard/kept/t1-" + first.substr(0, 12)}) == first);
}

TEST_CASE("A branch that somebody has checked out does not move under them") {
  Repository repository;
  static_cast<void>(repository.attempt(repository.order(1, 1), {{"a.txt", "first\n"}}));
  repository.ask({"checkout", "-q", "bidboard/t1"});
  const OpenWorktree opened = repository.open(repository.order(1, 2));
  write(opened.directory + "/a.txt", "second\n");
  const SavedWork saved = repository.save(opened);
  CHECK(saved.branch == "bidboard/kept/t1-" + saved.commit.substr(0, 12));
  CHECK(repository.ask({"status", "--porcelain"}).empty());
  CHECK(read(repository.top + "/a.txt") == "first\n");
}

TEST_CASE("A repository inside the worktree is not stored as a link, and keeps the worktree from removal") {
  const Repository repository;
  const OpenWorktree opened = repository.open(repository.order(1));
  write(opened.directory + "/a.txt", "a\n");
  fs::create_directories(opened.directory + "/inner");
  Git inner(opened.directory + "/inner");
  inner.ask({"init", "-q"}).value();
  write(opened.directory + "/inner/b.txt", "b\n");
  inner.ask({"add", "-A"}).value();
  inner.commit({"commit", "-q", "-m", "inner"}).value();
  static_cast<void>(repository.save(opened));
  CHECK(repository.ask({"ls-tree", "-r", "--name-only", "bidboard/t1"}) == ".gitignore\na.txt\nshared.txt");
  std::string why;
  CHECK_FALSE(close_worktree(opened.path, why).value_or(true));
  CHECK(why == "it has changes that are in no commit");
  CHECK(read(opened.directory + "/inner/b.txt") == "b\n");
}

TEST_CASE("Markers of a conflict that was to be resolved are no work") {
  Repository repository;
  static_cast<void>(repository.attempt(repository.order(1), {{"shared.txt", "left\n"}}));
  const OpenWorktree opened = repository.open(repository.order(2));
  write(opened.directory + "/shared.txt", "right\n");
  Git git(opened.path);
  git.commit({"commit", "-q", "-a", "-m", "right"}).value();
  CHECK(git.run_as_someone({"merge", "-q", "bidboard/t1"})->status == 1);
  const Result<SavedWork> refused = save_worktree(opened.path);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().text == "conflict markers are left in shared.txt");
  write(opened.directory + "/shared.txt", "left and right\n");
  const SavedWork saved = repository.save(opened);
  CHECK(repository.ask({"rev-list", "--count", "--merges", "main.." + saved.commit}) == "1");
}

TEST_CASE("An agent's worktree goes from task to task: ignored files stay, the rest begins anew") {
  Repository repository;
  WorktreeOrder first = repository.order(1);
  first.per_agent = true;
  {
    const OpenWorktree opened = repository.open(first);
    write(opened.directory + "/a.txt", "a\n");
    write(opened.directory + "/cache.o", "built\n");
    static_cast<void>(repository.save(opened));
    forget_task(opened.path);
  }
  WorktreeOrder second = repository.order(2);
  second.per_agent = true;
  const OpenWorktree opened = repository.open(second);
  CHECK(opened.path == repository.place() + "/agent-ann");
  CHECK(read(opened.directory + "/cache.o") == "built\n");
  CHECK_FALSE(fs::exists(opened.directory + "/a.txt"));
  write(opened.directory + "/b.txt", "b\n");
  static_cast<void>(repository.save(opened));
  CHECK(repository.ask({"log", "--format=%s", "main..bidboard/t1"}) == "Do part 1");
  CHECK(repository.ask({"log", "--format=%s", "main..bidboard/t2"}) == "Do part 2");
}

TEST_CASE("A folder below the top of the repository is the same folder in the worktree") {
  Repository repository;
  write(repository.top + "/sub/dir/x.txt", "x\n");
  repository.ask({"add", "-A"});
  Git(repository.top).commit({"commit", "-q", "-m", "sub"}).value();
  WorktreeOrder order = repository.order(1);
  order.directory = repository.top + "/sub";
  order.below = "dir";
  const OpenWorktree opened = repository.open(order);
  CHECK(read(opened.directory + "/x.txt") == "x\n");
  order = repository.order(2);
  order.below = "..";
  const Result<OpenWorktree> outside = open_worktree(order);
  REQUIRE_FALSE(outside.has_value());
  CHECK(outside.error().text.find("leads out of the worktree") != std::string::npos);
}

TEST_CASE("A folder without a repository, and a repository without a commit, are said to be so") {
  const Repository repository;
  const TempDir bare;
  WorktreeOrder order = repository.order(1);
  order.directory = bare.path();
  const Result<OpenWorktree> nowhere = open_worktree(order);
  REQUIRE_FALSE(nowhere.has_value());
  CHECK(nowhere.error().text.find("is in no git repository") != std::string::npos);
  Git(bare.path()).ask({"init", "-q"}).value();
  const Result<OpenWorktree> empty = open_worktree(order);
  REQUIRE_FALSE(empty.has_value());
  CHECK(empty.error().text.find("has no commit yet") != std::string::npos);
}

TEST_CASE("Without git on the PATH the error says so") {
  const Repository repository;
  const std::string path = ::getenv("PATH");
  ::setenv("PATH", repository.dir.path().c_str(), 1);
  const Result<OpenWorktree> opened = open_worktree(repository.order(1));
  ::setenv("PATH", path.c_str(), 1);
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == Errc::unavailable);
  CHECK(opened.error().text.find("git is not installed here") == 0);
}

TEST_CASE("Variables that were set for another git command lead nowhere, and hooks do not run") {
  const Repository repository;
  write(repository.top + "/.git/hooks/pre-commit", "#!/bin/sh\nexit 1\n");
  write(repository.top + "/.git/hooks/post-checkout", "#!/bin/sh\nexit 1\n");
  for (const char* hook : {"pre-commit", "post-checkout"})
    fs::permissions(repository.top + "/.git/hooks/" + hook, fs::perms::owner_all);
  ::setenv("GIT_DIR", "/nowhere", 1);
  ::setenv("GIT_INDEX_FILE", "/nowhere", 1);
  const OpenWorktree opened = repository.open(repository.order(1));
  write(opened.directory + "/a.txt", "a\n");
  static_cast<void>(repository.save(opened));
  ::unsetenv("GIT_DIR");
  ::unsetenv("GIT_INDEX_FILE");
  CHECK(repository.ask({"show", "bidboard/t1:a.txt"}) == "a");
}

TEST_CASE("What an agent and the process in the worktree tell each other survives the way") {
  const Repository repository;
  WorktreeRun run{repository.order(7, 3), {"/bin/sh", "-c", "echo \"ü\"\n"}, "/tmp/x"};
  run.order.below = "sub";
  run.order.per_agent = true;
  run.order.works = {{TaskId{4}, std::string(40, 'b')}};
  const Result<WorktreeRun> again = read_run(run_text(run));
  REQUIRE(again.has_value());
  CHECK(run_text(*again) == run_text(run));
  CHECK_FALSE(read_run("{}").has_value());
  CHECK_FALSE(read_outcome("nonsense").has_value());
}
