// Gantt charts of boards and of experiments' runs, as the command prints them.
#include "tests/support/catch.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

TEST_CASE("gantt draws who worked on what, what was lost and what is under way") {
  const TestBoard board;
  CHECK(board.run({"gantt"}).exit_code == 3);
  board.must({"post", "plan <it>"});
  board.must({"claim", "t1", "--as", "ann"});
  board.must({"done", "t1", "--as", "ann"});
  board.must({"post", "break", "--attempts", "2"});
  board.must({"claim", "t2", "--as", "bob"});
  board.must({"fail", "t2", "--as", "bob", "--reason", "broken"});
  board.must({"post", "go on"});
  board.must({"claim", "t3", "--as", "ann"});
  const std::string text = board.must({"gantt"});
  INFO(text);
  CHECK(text.starts_with("ann  "));
  CHECK(text.find("\nbob  ") != text.npos);
  CHECK(text.find('x') != text.npos);
  CHECK(text.find("░") != text.npos);
  const std::string svg = board.must({"gantt", "--svg"});
  CHECK(svg.starts_with("<svg xmlns='http://www.w3.org/2000/svg'"));
  CHECK(svg.find("t1 plan &lt;it&gt;, ann: 0 to ") != svg.npos);
  const std::size_t lost = svg.find("<g class='lost'>");
  REQUIRE(lost != svg.npos);
  CHECK(svg.find("t2 break, bob: ", lost) < svg.find("</g>", lost));
  CHECK(svg.find("not accepted", lost) < svg.find("</g>", lost));
  CHECK(contains(svg, "t3 go on, ann: "));
  CHECK(contains(svg, ", under way</title>"));
  CHECK(board.must({"gantt", "--html"}).starts_with("<!doctype html>"));
  CHECK(board.run({"gantt", "--html", "--svg"}).exit_code == 2);
  CHECK(board.run({"gantt", "--cell", "w0.a0.f0.s0.1"}).exit_code == 2);
}

TEST_CASE("a chart had the control characters of a title in it, and forged lines") {
  const TestBoard board;
  board.must({"post", "plan\n    99  forged \x1b[31m \u202e \u009b"});
  board.must({"claim", "t1", "--as", "ann"});
  for (const char* form : {"--svg", "--html"}) {
    const std::string chart = board.must({"gantt", form});
    INFO(chart);
    CHECK(contains(chart, "plan\\n    99  forged"));
    for (const char* raw : {"\x1b", "\u202e", "\u009b", "\n    99"}) CHECK_FALSE(contains(chart, raw));
  }
}

TEST_CASE("a DOT file is run by simulated agents, and its job can be drawn") {
  const TestBoard board;
  board.write("build.dot", "digraph build { fetch [seconds=1]; fetch -> {lint test} -> link }\n");
  board.must({"run", board.path("build.dot"), "--agents", "2", "--scale", "0.01"});
  board.must({"post", "other work"});
  board.must({"claim", "t5", "--as", "ann"});
  const std::string svg = board.must({"gantt", "build", "--svg"});
  for (const char* task : {"fetch", "lint", "test", "link"}) CHECK(svg.find(task) != svg.npos);
  CHECK(svg.find("Job build (w1)") != svg.npos);
  CHECK_FALSE(contains(svg, "other work"));
  CHECK(contains(board.must({"gantt", "--svg"}), "other work"));
  CHECK(board.must({"gantt", "w1"}) == board.must({"gantt", "build"}));
  const Finished unknown = board.run({"gantt", "biuld"});
  CHECK(unknown.exit_code == 3);
  CHECK(unknown.err.find("did you mean 'build'?") != unknown.err.npos);
}

TEST_CASE("failed work was drawn from its award on, and not from when its agent began it") {
  const TestBoard board;
  board.write("two.yaml", "tasks:\n  a: {run: 'true'}\n  b: {run: exit 3, needs: [a], attempts: 1}\n");
  CHECK(board.run({"run", board.path("two.yaml")}).exit_code == 1);
  const std::string svg = board.must({"gantt", "--svg"});
  INFO(svg);
  CHECK(contains(svg,
                 board.value("SELECT printf('t2 b, %s: %.6g to %.6g s, not accepted', b.holder, "
                             "round(b.started_at - a.started_at, 6), round(b.finished_at - a.started_at, 6)) "
                             "FROM tasks a, tasks b WHERE a.id = 't1' AND b.id = 't2'")));
}
