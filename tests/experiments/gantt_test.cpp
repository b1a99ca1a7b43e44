#include "experiments/gantt.hpp"

#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

using How = GanttBar::How;

const GanttChart chart{"Job <1>",
                       {"ann", "bob"},
                       {{0, 0, 4, How::accepted, "t1 plan"},
                        {0, 4, 10, How::accepted, "t2 <b> & \"quotes\""},
                        {1, 2, 5, How::lost, "t3"},
                        {1, 3, 8, How::accepted, "t4"},
                        {1, 8, 10, How::under_way, "t5"}}};

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++found;
  return found;
}

}  // namespace

TEST_CASE("a Gantt chart in characters has a lane for each task at the same time, and alternates") {
  CHECK(gantt_text(chart, 25) ==
        "ann  ████████▓▓▓▓▓▓▓▓▓▓▓▓\n"
        "bob  ····xxxxxx······░░░░\n"
        "     ······██████████····\n"
        "     0 s       5 s\n");
  CHECK(count(gantt_text({"", {"a"}, {{0, 0, 0, How::accepted, ""}}}, 5), "\n") == 2);
}

TEST_CASE(
    "a Gantt chart in SVG has one path for each bar, escaped titles and text of one size at any width") {
  for (const SvgUse use : {SvgUse::part, SvgUse::file}) {
    const std::string svg = gantt_svg(chart, use);
    CHECK(count(svg, "<path ") == 5);
    CHECK(count(svg, "class='lost'") == 1);
    CHECK(count(svg, "class='open'") == 1);
    CHECK(count(svg, "t2 &lt;b&gt; &amp; &quot;quotes&quot;") == 1);
    CHECK(count(svg, "<svg") == count(svg, "</svg>"));
    CHECK(count(svg, "xmlns=") == (use == SvgUse::file ? 1 : 0));
    // Only the bars are stretched.
    CHECK(count(svg, "viewBox") == 1);
    CHECK(svg.find("<text") < svg.find("viewBox"));
    CHECK(svg.rfind("<text") < svg.find("viewBox"));
  }
  const std::string page = gantt_page(chart);
  CHECK(count(page, "<h1>Job &lt;1&gt;</h1>") == 1);
  CHECK(count(page, "<tr><td>") == 5);
}

TEST_CASE("the rows of gantt.jsonl are drawn, one row for each agent, and what is no execution is left out") {
  const Result<Value> rows = parse_json("[[0,1,0.5,2,1],[3,0,1,2,0],[1,2],\"x\",[0,-1,0,1,1]]");
  const GanttChart drawn = gantt_of("cell", *rows, 3);
  CHECK(drawn.rows == std::vector<std::string>{"w1", "w2", "w3"});
  REQUIRE(drawn.bars.size() == 2);
  CHECK(drawn.bars[0].title == "1");
  CHECK(drawn.bars[1].how == How::lost);
}

TEST_CASE("ticks are 1, 2 or 5 times a power of ten") {
  CHECK(round_ticks(10, 4) == std::vector<double>{0, 5, 10});
  CHECK(round_ticks(9, 5) == std::vector<double>{0, 2, 4, 6, 8});
  CHECK(round_ticks(0.04, 4) == std::vector<double>{0, 0.01, 0.02, 0.03, 0.04});
}
