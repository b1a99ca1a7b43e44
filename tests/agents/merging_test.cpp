// Merging the work of tasks into a branch, over real repositories.
#include "agents/worktrees/merging.hpp"

#include "tests/agents/repository.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

struct Scene : Repository {
  MergePlace where(const std::string& check = {}) const { return {top, "", check, place()}; }
  Merging merging(MergePlace given) const {
    Result<Merging> begun = Merging::begin(std::move(given));
    INFO((begun ? "" : begun.error().text));
    REQUIRE(begun.has_value());
    return std::move(*begun);
  }
  MergeResult merge(MergePlace given, std::uint64_t task, const std::string& commit) const {
    Merging by = merging(std::move(given));
    const Result<MergeResult> result = by.merge({{TaskId{task}, fmt::format("Do part {}", task), commit}});
    INFO((result ? "" : result.error().text));
    REQUIRE(result.has_value());
    return *result;
  }
};

}  // namespace

TEST_CASE("A commit is merged into the branch that is checked out, and the folder follows") {
  Scene scene;
  const std::string work = scene.attempt(scene.order(1), {{"a.txt", "a\n"}});
  write(scene.top + "/untracked.txt", "the user's\n");
  const MergeResult result = scene.merge(scene.where("test -e a.txt && test -e shared.txt"), 1, work);
  CHECK(result.end == MergeEnd::merged);
  CHECK(scene.ask({"rev-parse", "main"}) == result.target);
  CHECK(scene.ask({"log", "-1", "--format=%s"}) == "Merge t1: Do part 1");
  CHECK(read(scene.top + "/a.txt") == "a\n");
  CHECK(read(scene.top + "/untracked.txt") == "the user's\n");
  CHECK(scene.ask({"status", "--porcelain"}) == "?? untracked.txt");
  CHECK(scene.merge(scene.where(), 1, work).end == MergeEnd::already);
  CHECK(scene.ask({"worktree", "list", "--porcelain"}).find("/merge") == std::string::npos);
}

TEST_CASE("A folder with changes is not touched, and the branch in it does not move") {
  Scene scene;
  const std::string work = scene.attempt(scene.order(1), {{"a.txt", "a\n"}});
  const std::string before = scene.ask({"rev-parse", "main"});
  write(scene.top + "/shared.txt", "the user's own change\n");
  const MergeResult result = scene.merge(scene.where(), 1, work);
  CHECK(result.end == MergeEnd::blocked);
  CHECK(result.output.find("which has changes: commit or stash them") != std::string::npos);
  CHECK(scene.ask({"rev-parse", "main"}) == before);
  CHECK(read(scene.top + "/shared.txt") == "the user's own change\n");
  CHECK_FALSE(std::filesystem::exists(scene.top + "/a.txt"));
}

TEST_CASE("A branch that is nowhere checked out moves without any folder") {
  Scene scene;
  const std::string work = scene.attempt(scene.order(1), {{"a.txt", "a\n"}});
  scene.ask({"checkout", "-q", "-b", "elsewhere"});
  write(scene.top + "/shared.txt", "the user's own change\n");
  MergePlace place = scene.where();
  place.into = "main";
  CHECK(scene.merge(place, 1, work).end == MergeEnd::merged);
  CHECK(scene.ask({"show", "main:a.txt"}) == "a");
  CHECK(read(scene.top + "/shared.txt") == "the user's own change\n");
}

TEST_CASE("A conflict leaves the branch where it was, and names the files and what came in between") {
  Scene scene;
  const std::string work = scene.attempt(scene.order(1), {{"shared.txt", "theirs\n"}, {"a.txt", "a\n"}});
  scene.user_commits("shared.txt", "mine\n");
  const std::string before = scene.ask({"rev-parse", "main"});
  Merging merging = scene.merging(scene.where());
  const Result<MergeResult> result = merging.merge({{TaskId{1}, "Do part 1", work}});
  REQUIRE(result.has_value());
  CHECK(result->end == MergeEnd::conflict);
  CHECK(result->files == "shared.txt");
  CHECK(merging.others_on(work, result->files).find("by the user") != std::string::npos);
  CHECK(scene.ask({"rev-parse", "main"}) == before);
  CHECK(scene.ask({"status", "--porcelain"}).empty());
}

TEST_CASE("A check that fails, or takes too long, leaves the branch where it was") {
  Scene scene;
  const std::string work = scene.attempt(scene.order(1), {{"a.txt", "a\n"}});
  const std::string before = scene.ask({"rev-parse", "main"});
  const std::string fails_with_it = "test -e a.txt || exit 0; echo so it is; echo wrong >&2; exit 1";
  const MergeResult failed = scene.merge(scene.where(fails_with_it), 1, work);
  CHECK(failed.end == MergeEnd::check_failed);
  CHECK(failed.output.find("so it is") != std::string::npos);
  CHECK(failed.output.find("wrong") != std::string::npos);
  CHECK(scene.merge(scene.where("test ! -e a.txt"), 1, work).output == "(it printed nothing; exit 1)");
  MergePlace slow = scene.where("test -e a.txt || exit 0; sleep 600");
  slow.check_time = milliseconds(50);
  const MergeResult ended = scene.merge(slow, 1, work);
  CHECK(ended.end == MergeEnd::check_failed);
  CHECK(ended.output.find("the check was ended after 50ms") != std::string::npos);
  CHECK(scene.ask({"rev-parse", "main"}) == before);
}

TEST_CASE("A check that fails without the work too, or that cannot be executed, decides nothing") {
  Scene scene;
  const std::string work = scene.attempt(scene.order(1), {{"a.txt", "a\n"}});
  const std::string before = scene.ask({"rev-parse", "main"});
  for (const std::string command : {"echo broken before; exit 1", "no-such-check"}) {
    const MergeResult result = scene.merge(scene.where(command), 1, work);
    INFO(command << "\n" << result.output);
    CHECK(result.end == MergeEnd::blocked);
    CHECK(result.output.find("the check fails on main already, without this work") == 0);
    CHECK(result.output.find(command == "no-such-check" ? "not found" : "broken before") !=
          std::string::npos);
  }
  CHECK(scene.ask({"rev-parse", "main"}) == before);
}

TEST_CASE("Works are checked together, up to the first that cannot be merged") {
  Scene scene;
  std::vector<MergeWork> works;
  const auto add = [&](const std::string& file, const std::string& text) {
    const std::uint64_t task = works.size() + 1;
    works.push_back({TaskId{task}, "Part", scene.attempt(scene.order(task), {{file, text}})});
  };
  add("a.txt", "a\n");
  add("b.txt", "b\n");
  add("a.txt", "other\n");
  add("c.txt", "c\n");
  const std::string counts = scene.dir.path() + "/checks";
  Merging merging = scene.merging(scene.where("echo >> '" + counts + "'"));
  const Result<MergeResult> first = merging.merge(works);
  REQUIRE(first.has_value());
  CHECK(first->end == MergeEnd::merged);
  CHECK(first->taken == 2);
  CHECK(read(counts) == "\n");
  CHECK(scene.ask({"rev-parse", "main"}) == first->target);
  CHECK(scene.ask({"log", "--first-parent", "--format=%(trailers:key=Bidboard-Task,valueonly,separator=)",
                   "main", "-2"}) == "t2\nt1");
  works.erase(works.begin(), works.begin() + 2);
  const Result<MergeResult> second = merging.merge(works);
  REQUIRE(second.has_value());
  CHECK(second->end == MergeEnd::conflict);
  CHECK(second->taken == 1);
  CHECK(second->files == "a.txt");
  works.erase(works.begin());
  CHECK(merging.merge(works).value().end == MergeEnd::merged);
  CHECK(read(scene.top + "/c.txt") == "c\n");
}

TEST_CASE("A check of many that fails moves nothing, and says how many it was of") {
  Scene scene;
  std::vector<MergeWork> works;
  for (const std::string file : {"a.txt", "b.txt"}) {
    const std::uint64_t task = works.size() + 1;
    works.push_back({TaskId{task}, "Part", scene.attempt(scene.order(task), {{file, "x\n"}})});
  }
  const std::string before = scene.ask({"rev-parse", "main"});
  const Result<MergeResult> result = scene.merging(scene.where("test ! -e b.txt")).merge(works);
  REQUIRE(result.has_value());
  CHECK(result->end == MergeEnd::check_failed);
  CHECK(result->taken == 2);
  CHECK(scene.ask({"rev-parse", "main"}) == before);
}

TEST_CASE("What is merged is what was checked, whatever commit the check leaves behind") {
  Scene scene;
  const std::string work = scene.attempt(scene.order(1), {{"a.txt", "a\n"}});
  const MergeResult result = scene.merge(scene.where("git checkout -q --detach HEAD^1"), 1, work);
  CHECK(result.end == MergeEnd::merged);
  CHECK(scene.ask({"rev-parse", "main"}) == result.target);
  CHECK(scene.ask({"ls-tree", "-r", "--name-only", "main"}).find("a.txt") != std::string::npos);
}

TEST_CASE("A folder with changes is seen before a check that may take long") {
  Scene scene;
  const std::string work = scene.attempt(scene.order(1), {{"a.txt", "a\n"}});
  write(scene.top + "/shared.txt", "mine\n");
  const std::string checked = scene.dir.path() + "/checked";
  CHECK(scene.merge(scene.where("touch '" + checked + "'"), 1, work).end == MergeEnd::blocked);
  CHECK_FALSE(std::filesystem::exists(checked));
}

TEST_CASE("A branch that moves during the check is not set back: the merge begins again") {
  Scene scene;
  const std::string work = scene.attempt(scene.order(1), {{"a.txt", "a\n"}});
  scene.ask({"checkout", "-q", "-b", "elsewhere"});
  // The first check commits something else to main, as another person would.
  MergePlace place =
      scene.where(fmt::format("[ -e '{0}/once' ] || {{ touch '{0}/once'; cd '{1}' && git -c user.name=o -c "
                              "user.email=o@x commit-tree "
                              "-p main -m other 'main^{{tree}}' > '{0}/other' && git update-ref "
                              "refs/heads/main $(cat '{0}/other'); }}",
                              scene.dir.path(), scene.top));
  place.into = "main";
  CHECK(scene.merge(place, 1, work).end == MergeEnd::merged);
  const std::string other = read(scene.dir.path() + "/other");
  CHECK(Git(scene.top).holds({"merge-base", "--is-ancestor", other.substr(0, 40), "main"}).value_or(false));
  CHECK(scene.ask({"show", "main:a.txt"}) == "a");
}

TEST_CASE("What a killed merge left is thrown away, and two do not run at once") {
  Scene scene;
  const std::string work = scene.attempt(scene.order(1), {{"a.txt", "a\n"}});
  scene.ask({"worktree", "add", "-q", "--detach", scene.place() + "/merge", "main"});
  write(scene.place() + "/merge/half.txt", "half\n");
  {
    const Merging under_way = scene.merging(scene.where());
    const Result<Merging> second = Merging::begin(scene.where());
    REQUIRE_FALSE(second.has_value());
    CHECK(second.error().code == Errc::conflict);
  }
  scene.ask({"worktree", "add", "-q", "--detach", scene.place() + "/merge", "main"});
  write(scene.place() + "/merge/half.txt", "half\n");
  CHECK(scene.merge(scene.where("test ! -e half.txt"), 1, work).end == MergeEnd::merged);
  CHECK(scene.ask({"ls-tree", "-r", "--name-only", "main"}) == ".gitignore\na.txt\nshared.txt");
}

TEST_CASE("A branch that does not exist is not made") {
  Scene scene;
  MergePlace place = scene.where();
  place.into = "nowhere";
  const Result<Merging> begun = Merging::begin(place);
  REQUIRE_FALSE(begun.has_value());
  CHECK(begun.error().code == Errc::not_found);
  CHECK(begun.error().text.find("no branch 'nowhere'") != std::string::npos);
}

TEST_CASE("A file that git ignores in the user's folder is not overwritten by a merge") {
  Scene scene;
  scene.user_commits(".gitignore", ".bidboard/\n.env\n");
  const WorktreeOrder order = scene.order(1);
  OpenWorktree opened = scene.open(order);
  write(opened.directory + "/.env", "the agent's\n");
  Git(opened.path).ask({"add", "--force", ".env"}).value();
  const std::string work = scene.save(opened).commit;
  scene.close(opened);
  const std::string before = scene.ask({"rev-parse", "main"});
  write(scene.top + "/.env", "the user's secret\n");
  const MergeResult result = scene.merge(scene.where(), 1, work);
  CHECK(result.end == MergeEnd::blocked);
  CHECK(result.output.find(".env") != std::string::npos);
  CHECK(result.output.find("Please move or remove them") != std::string::npos);
  CHECK(read(scene.top + "/.env") == "the user's secret\n");
  CHECK(scene.ask({"rev-parse", "main"}) == before);
}

TEST_CASE("A commit with files in the board's folder is not merged, wherever the branch is checked out") {
  Scene scene;
  const std::string live = scene.top + "/.bidboard/data.mdb";
  write(live, "the live board\n");
  const std::string name = GENERATE(".bidboard/data.mdb", ".BIDBOARD/other", ".bidboard/new");
  OpenWorktree opened = scene.open(scene.order(1));
  write(opened.directory + "/" + name, "the agent's\n");
  Git(opened.path).ask({"add", "--force", name}).value();
  const std::string work = scene.save(opened).commit;
  scene.close(opened);
  MergePlace place = scene.where();
  if (GENERATE(false, true)) {
    scene.ask({"checkout", "-q", "-b", "elsewhere"});
    place.into = "main";
  }
  const std::string before = scene.ask({"rev-parse", "main"});
  const MergeResult result = scene.merge(place, 1, work);
  CHECK(result.end == MergeEnd::blocked);
  CHECK(result.output.find(name) != std::string::npos);
  CHECK(result.output.find("git rm --cached") != std::string::npos);
  CHECK(scene.ask({"rev-parse", "main"}) == before);
  CHECK(read(live) == "the live board\n");
}

TEST_CASE("A branch that is being rebased or bisected in a folder does not move under it") {
  Scene scene;
  const std::string work = scene.attempt(scene.order(1), {{"a.txt", "a\n"}});
  scene.ask({"branch", "other"});
  scene.user_commits("shared.txt", "the user's\n");
  MergePlace place = scene.where();
  place.into = "main";
  const std::string folder = GENERATE("", "linked");
  std::string words;
  Git there(scene.top);
  if (!folder.empty()) {
    scene.ask({"checkout", "-q", "other"});
    scene.ask({"worktree", "add", "-q", scene.dir.path() + "/linked", "main"});
    there = Git(scene.dir.path() + "/linked");
  }
  if (GENERATE(true, false)) {
    words = "is being rebased";
    there.commit({"rebase", "-q", "--exec", "false", "--no-ff", "main~1"}).has_value();
  } else {
    words = "is being bisected";
    there.ask({"commit", "--allow-empty", "-q", "-m", "x"}).has_value();
    there.ask({"bisect", "start", "main", "other"}).has_value();
    there.ask({"checkout", "-q", "--detach", "main"}).value();
  }
  const std::string before = scene.ask({"rev-parse", "main"});
  const MergeResult result = scene.merge(place, 1, work);
  CHECK(result.end == MergeEnd::blocked);
  CHECK(result.output.find("main " + words + " in " + there.folder()) == 0);
  CHECK(scene.ask({"rev-parse", "main"}) == before);
}

TEST_CASE("A commit that git cannot merge is said to be so, as one of which nothing was decided") {
  Scene scene;
  const std::string tree = scene.ask({"rev-parse", "main^{tree}"});
  const std::string alone = Git(scene.top).commit({"commit-tree", "-m", "no parent", tree}).value();
  const std::string before = scene.ask({"rev-parse", "main"});
  const MergeResult result = scene.merge(scene.where(), 1, alone);
  CHECK(result.end == MergeEnd::blocked);
  CHECK(result.output.find("refusing to merge unrelated histories") != std::string::npos);
  CHECK(scene.ask({"rev-parse", "main"}) == before);
}
