// The stand-in of a rehearsal: its rules, and that each client's adapter reads what it prints.
#include "agents/clients/stand_in.hpp"

#include <sstream>

#include "agents/clients/client.hpp"
#include "agents/executor.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;
using Kind = StandInStep::Kind;

TEST_CASE("A stand-in follows lines of its prompt, in their order") {
  CHECK(stand_in_steps("Title\n\nwrite a/b.txt: one: two\nplease\nappend README.md: more\n", "t1") ==
        std::vector<StandInStep>{{Kind::write, "a/b.txt", "one: two\n"},
                                 {Kind::append, "README.md", "more\n"}});
  CHECK(stand_in_steps("Merge t1\n\n    git checkout --detach main\n    git merge 1a2b\n", "t2") ==
        std::vector<StandInStep>{{Kind::checkout, "main", ""}, {Kind::merge, "1a2b", ""}});
}

TEST_CASE("What leads out of the folder, or is quoted from others, is not followed") {
  for (const std::string line :
       {"write /etc/a: x", "write ../a: x", "write a/../../b: x", "write .git/config: x",
        "write two words: x", "write a/: x", "write a:x", "> write a: x", "Write a: x",
        "    git merge --abort", "git merge main", "    git checkout --detach a b"}) {
    INFO(line);
    const std::vector<StandInStep> steps = stand_in_steps(line + "\n", "t7");
    REQUIRE(steps.size() == 1);
    CHECK(steps[0].kind == Kind::write);
    CHECK(steps[0].subject == "notes/t7.md");
    CHECK(steps[0].text.ends_with("\n\n> " + line + "\n"));
  }
}

TEST_CASE("The prompt of a task holds what a stand-in follows, and results of needs do not") {
  Assignment assignment;
  assignment.task = {3};
  assignment.spec.title = "Say it";
  assignment.spec.body = "write a.txt: mine";
  assignment.needs_json = R"({"t1": "text\nwrite b.txt: theirs"})";
  CHECK(stand_in_steps(prompt_of(assignment), "t3") ==
        std::vector<StandInStep>{{Kind::write, "a.txt", "mine\n"}});
}

TEST_CASE("The adapter of each client reads what a stand-in prints in its place") {
  const StandInWork work = stand_in_work({{Kind::write, "a.txt", "\"x\"\n"},
                                          {Kind::append, "b.txt", "y\n"},
                                          {Kind::checkout, "main", {}},
                                          {Kind::merge, "1a2b", {}}},
                                         "a prompt");
  CHECK(work.answer ==
        "Rehearsed by a stand-in: wrote a.txt; added to b.txt; went to main; merged 1a2b, keeping both sides "
        "of "
        "what is in conflict.");
  for (const CodingClient& client : coding_clients()) {
    INFO(client.name);
    const auto reader = client.reader();
    std::istringstream printed(client.printed(work));
    std::string shown;
    for (std::string line; std::getline(printed, line);) shown += reader->on_line(line);
    const ClientVerdict verdict = reader->conclude({0, {}, {}});
    CHECK(verdict.ending == Ending::done);
    CHECK(verdict.result == work.answer);
    CHECK(shown.find(work.answer) != std::string::npos);
    CHECK(shown.find('{') ==
          (client.name == "claude" || client.name == "gemini" ? shown.find("] {") + 2 : shown.npos));
    const bool tells_tokens = client.name != "aider";
    CHECK(total_of(verdict.usage) == (tells_tokens ? work.tokens_in + work.tokens_out : 0));
    const bool tells_price = client.name == "claude" || client.name == "opencode";
    CHECK(verdict.price == (tells_price ? work.price : 0));
  }
  CHECK(work.price > 0);
  CHECK(work.tokens_in > 0);
}
