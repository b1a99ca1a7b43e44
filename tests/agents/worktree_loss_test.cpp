// Work that an attempt has committed and then moved away from: in a rebase, by a reset, in a bisection.
#include "agents/worktrees/worktree.hpp"
#include "tests/agents/repository.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

struct Scene : Repository {
  std::string commit_in(const OpenWorktree& opened, const std::string& name,
                        const std::string& content) const {
    write(opened.path + "/" + name, content);
    Git git(opened.path);
    git.ask({"add", "-A"}).value();
    git.commit({"commit", "-q", "-m", "its own " + content}).value();
    return git.commit_of("HEAD").value();
  }
  /// Three commits, of which a rebase onto main has stopped at the second one. The third.
  std::string stop_in_rebase(const OpenWorktree& opened) const {
    commit_in(opened, "a.txt", "a\n");
    commit_in(opened, "shared.txt", "the agent's\n");
    std::string last = commit_in(opened, "c.txt", "c\n");
    user_commits("shared.txt", "the user's\n");
    REQUIRE(Git(opened.path).run_as_someone({"rebase", "main"})->status == 1);
    return last;
  }
  FoundWorktree only_one() const {
    const Result<std::vector<FoundWorktree>> all = list_worktrees(place());
    REQUIRE(all.has_value());
    REQUIRE(all->size() == 1);
    return all->front();
  }
  void clean() const {
    std::string why;
    const Result<bool> cleaned = clean_worktree(only_one(), why);
    INFO((cleaned ? why : cleaned.error().text));
    CHECK(cleaned.value_or(false));
  }
};

}  // namespace

TEST_CASE("Commits of an attempt that was killed in the middle of a rebase are kept") {
  const Scene scene;
  std::string last;
  {
    const OpenWorktree killed = scene.open(scene.order(1, 1));
    last = scene.stop_in_rebase(killed);
  }
  if (GENERATE(true, false)) {
    static_cast<void>(scene.open(scene.order(1, 2)));
    CHECK_FALSE(fs::exists(scene.place() + "/t1.e1"));
  } else {
    scene.clean();
  }
  CHECK(scene.branches_with(last) == "bidboard/kept/t1-" + last.substr(0, 12));
}

TEST_CASE("A rebase, a series of picks or a bisection that is under way is not saved as the work") {
  const Scene scene;
  const OpenWorktree opened = scene.open(scene.order(1));
  const Git git(opened.path);
  std::string last, words;
  SECTION("a rebase whose conflict is resolved") {
    last = scene.stop_in_rebase(opened);
    write(opened.path + "/shared.txt", "both\n");
    git.ask({"add", "-A"}).value();
    words = "a rebase is under way in it: end it with `git rebase --continue`";
  }
  SECTION("a series of picks whose conflict is resolved") {
    scene.commit_in(opened, "shared.txt", "the agent's\n");
    last = scene.commit_in(opened, "c.txt", "c\n");
    scene.user_commits("shared.txt", "the user's\n");
    git.ask({"checkout", "-q", "--detach", "main"}).value();
    REQUIRE(git.run_as_someone({"cherry-pick", last + "~2.." + last})->status == 1);
    write(opened.path + "/shared.txt", "both\n");
    git.ask({"add", "-A"}).value();
    words = "a cherry-pick or revert of several commits is under way in it: end it with `git cherry-pick";
  }
  SECTION("a bisection") {
    scene.commit_in(opened, "a.txt", "a\n");
    last = scene.commit_in(opened, "b.txt", "b\n");
    git.ask({"bisect", "start", "HEAD", "HEAD~2"}).value();
    words = "a bisection is under way in it: end it with `git bisect reset`";
  }
  const Result<SavedWork> refused = save_worktree(opened.path);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::conflict);
  CHECK(refused.error().text.find(words) == 0);
  CHECK(rescue_worktree(opened.path).has_value());
  CHECK(scene.branches_with(last) == "bidboard/kept/t1-" + last.substr(0, 12));
  scene.close(opened);
}

TEST_CASE("Commits that an attempt reset away are kept when it is saved") {
  const Scene scene;
  const OpenWorktree opened = scene.open(scene.order(1));
  scene.commit_in(opened, "a.txt", "a\n");
  const std::string last = scene.commit_in(opened, "b.txt", "b\n");
  Git(opened.path).ask({"reset", "-q", "--hard", "HEAD~2"}).value();
  std::string why;
  CHECK_FALSE(close_worktree(opened.path, why).value_or(true));
  CHECK(why == fmt::format("its commit {} is in no branch", last.substr(0, 12)));
  CHECK(scene.only_one().unsafe == std::vector<std::string>{last});
  write(opened.path + "/c.txt", "c\n");
  const SavedWork saved = scene.save(opened);
  CHECK(saved.branch == "bidboard/t1");
  CHECK(scene.branches_with(last) == "bidboard/kept/t1-" + last.substr(0, 12));
  scene.close(opened);
}

TEST_CASE("What a rebase has put aside of uncommitted changes is kept") {
  const Scene scene;
  const OpenWorktree opened = scene.open(scene.order(1));
  scene.commit_in(opened, "shared.txt", "the agent's\n");
  write(opened.path + "/.gitignore", "aside\n");
  scene.user_commits("shared.txt", "the user's\n");
  REQUIRE(Git(opened.path).run_as_someone({"rebase", "--autostash", "main"})->status == 1);
  REQUIRE(rescue_worktree(opened.path).has_value());
  CHECK(scene.ask({"log", "-m", "-p", "--format=", "--branches=bidboard/kept/*", "--", ".gitignore"})
            .find("+aside") != std::string::npos);
}

TEST_CASE("A commit that was amended is replaced, not kept") {
  const Scene scene;
  const OpenWorktree opened = scene.open(scene.order(1));
  scene.commit_in(opened, "a.txt", "a\n");
  Git(opened.path).commit({"commit", "-q", "--amend", "-m", "better"}).value();
  static_cast<void>(scene.save(opened));
  CHECK(scene.ask({"for-each-ref", "--format=%(refname:short)", "refs/heads/bidboard"}) == "bidboard/t1");
  scene.close(opened);
}

TEST_CASE("Where an agent's worktree was in earlier tasks is no work of the next one") {
  const Scene scene;
  WorktreeOrder order = scene.order(1);
  order.per_agent = true;
  {
    const OpenWorktree opened = scene.open(order);
    scene.commit_in(opened, "a.txt", "a\n");
    static_cast<void>(scene.save(opened));
    forget_task(opened.path);
  }
  scene.ask({"update-ref", "-d", "refs/heads/bidboard/t1"});
  order = scene.order(2);
  order.per_agent = true;
  const OpenWorktree opened = scene.open(order);
  CHECK(opened.path == scene.place() + "/agent-ann");
  scene.commit_in(opened, "b.txt", "b\n");
  static_cast<void>(scene.save(opened));
  CHECK(scene.ask({"for-each-ref", "--format=%(refname:short)", "refs/heads/bidboard"}) == "bidboard/t2");
}

TEST_CASE("A repository that a task leaves in an agent's worktree does not stop its next tasks") {
  const Scene scene;
  WorktreeOrder order = scene.order(1);
  order.per_agent = true;
  const bool with_commit = GENERATE(true, false);
  {
    const OpenWorktree opened = scene.open(order);
    CHECK(opened.path == scene.place() + "/agent-ann");
    write(opened.path + "/a.txt", "a\n");
    write(opened.path + "/inner/b.txt", "b\n");
    const Git inner(opened.path + "/inner");
    inner.ask({"init", "-q"}).value();
    if (with_commit) {
      inner.ask({"add", "-A"}).value();
      inner.commit({"commit", "-q", "-m", "inner"}).value();
    }
    const SavedWork saved = scene.save(opened);
    CHECK(scene.ask({"ls-tree", "-r", "--name-only", saved.commit}) == ".gitignore\na.txt\nshared.txt");
    forget_task(opened.path);
  }
  for (const std::uint64_t task : {2, 3}) {
    order = scene.order(task);
    order.per_agent = true;
    const OpenWorktree opened = scene.open(order);
    CHECK(opened.path == scene.place() + "/agent-ann.2");
    CHECK_FALSE(fs::exists(opened.path + "/inner"));
    write(opened.path + "/x.txt", "x\n");
    static_cast<void>(scene.save(opened));
    forget_task(opened.path);
  }
  CHECK(read(scene.place() + "/agent-ann/inner/b.txt") == "b\n");
  const std::vector<FoundWorktree> all = list_worktrees(scene.place()).value();
  REQUIRE(all.size() == 2);
  CHECK(all.front().path == scene.place() + "/agent-ann");
  CHECK(all.front().dirty);
}

TEST_CASE("An agent's worktree whose repository has forgotten it is left, and a fresh one is opened") {
  const Scene scene;
  WorktreeOrder order = scene.order(1);
  order.per_agent = true;
  static_cast<void>(scene.open(order));
  write(scene.place() + "/agent-ann/a.txt", "a\n");
  fs::remove_all(scene.top + "/.git/worktrees");
  const OpenWorktree opened = scene.open(order);
  CHECK(opened.path == scene.place() + "/agent-ann.2");
  CHECK(read(scene.place() + "/agent-ann/a.txt") == "a\n");
}

TEST_CASE("A task's branch that somebody is rebasing does not move under them") {
  Scene scene;
  static_cast<void>(scene.attempt(scene.order(1, 1), {{"a.txt", "first\n"}}));
  scene.ask({"checkout", "-q", "bidboard/t1"});
  REQUIRE_FALSE(Git(scene.top).commit({"rebase", "-q", "--exec", "false", "--no-ff", "main"}).has_value());
  const std::string before = scene.ask({"rev-parse", "bidboard/t1"});
  const OpenWorktree opened = scene.open(scene.order(1, 2));
  write(opened.directory + "/a.txt", "second\n");
  const SavedWork saved = scene.save(opened);
  CHECK(saved.branch == "bidboard/kept/t1-" + saved.commit.substr(0, 12));
  CHECK(scene.ask({"rev-parse", "bidboard/t1"}) == before);
}
