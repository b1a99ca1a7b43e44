#!/usr/bin/env python3
"""Runs small experiments with the given binary, one in the simulator and one with real processes, and loads their reports in headless
Chromium, wide and narrow: everything is clicked, and a word on the console is a failure. Skips the pages where there is no Chromium."""

import csv
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

EXPERIMENT = """
name: Small
workloads: [{generate: layered, tasks: 20}]
agents: [{count: [2, 4]}]
faults: [none, {kill_agents: 1}]
strategies: [fifo, central, {auction: sequential}]
seeds: 2
hypotheses: [{hypothesis: Bidding takes messages, measure: messages, more: auction sequential, less: central}]
goals: [{goal: Near the plan, measure: heft_ratio, at_most: 1.5, faults: [1 killed]}]
"""
# Tasks of some 50 ms. Every kind of agent that has settings of its own is among them.
LIVE = """
name: Live
mode: live
scale: 0.005
workloads: [{generate: layered, tasks: 36}]
agents: [{count: 8, speed: [1, 2], skills: specialised, liars: 0.25}]
faults: [none, {kill_agents: 1}]
strategies: [fifo, {auction: sequential}, {auction: optimal, bids: live, calibrate: false}]
seeds: 1
"""
# A window has a least width, so the page is shown in a frame.
FRAME = """<!doctype html><body><iframe src="clicked.html" width="%s" height="900" style="border: 0"></iframe>
<script>addEventListener("message", (event) => { document.body.dataset.outcome = JSON.stringify(event.data); });</script></body>"""
CLICKS = """
<script>
{
const errors = [];
addEventListener("error", (event) => errors.push(event.message));
const all = (selector) => [...document.querySelectorAll(selector)];
let clicks = 0;
for (let i = 0; i < all("td button").length; ++i) { all("td button")[i].click(); ++clicks; }
for (let box = 0; box < all("select").length; ++box)
  for (let i = 0; i < all("select")[box].options.length; ++i) {
    const select = all("select")[box];
    select.selectedIndex = i;
    select.dispatchEvent(new Event("change"));
    ++clicks;
  }
all("td button").at(-1).click();
const wide = document.documentElement.scrollWidth > innerWidth;
// Text in a chart is as small as its scale makes it.
const size = (node) => parseFloat(getComputedStyle(node).fontSize) * (node.getScreenCTM?.().a ?? 1);
const texts = all("svg text, td, th, p, label, button, select").filter((node) => node.getClientRects().length > 0);
const least = Math.min(...texts.map(size));
const cut = all(".scroll").filter((place) => place.scrollWidth > place.clientWidth).length;
// Red is what was lost, and nothing else.
const colour = (node) => getComputedStyle(node).fill;
const reds = (root) => [...root.querySelectorAll("path, circle, line, rect")].filter((node) => !node.closest(".lost")).filter((node) => {
  const [r, g, b] = (node.tagName === "path" && !node.closest(".gantt") || node.tagName === "line" ? getComputedStyle(node).stroke : colour(node)).match(/[0-9.]+/g).map(Number);
  return r > 140 && g < 60 && b < 60;
});
const red = reds(document).length;
// What the buttons save.
const saved = [];
const create = URL.createObjectURL;
URL.createObjectURL = (blob) => { saved.push(blob); return create.call(URL, blob); };
HTMLAnchorElement.prototype.click = () => {};
const buttons = all(".export");
buttons.forEach((button) => button.click());
Promise.all(saved.map((blob) => blob.text())).then((files) => {
  const svgs = files.filter((text) => text.startsWith("<svg"));
  const broken = svgs.filter((text) => new DOMParser().parseFromString(text, "image/svg+xml").querySelector("parsererror")).length;
  const tables = files.filter((text) => !text.startsWith("<svg"));
  const ragged = tables.filter((text) => new Set(text.trim().split("\\n").map((line) => line.replace(/"[^"]*"/g, "").split(",").length)).size > 1);
  parent.postMessage({ clicks, errors, wide, least, cut, red, broken, ragged: ragged.length, svgs: svgs.length, tables: tables.length,
                       buttons: buttons.length, bars: all("svg.gantt path").length, sections: all("section").length }, "*");
});
}
</script>
"""


def main() -> int:
    binary = Path(sys.argv[1]).resolve()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    the_shipped_experiments_are_understood(binary)
    with tempfile.TemporaryDirectory() as folder:
        what_the_board_refuses_is_an_error(binary, Path(folder))
    for check in (a_run_that_was_cut_off_goes_on, the_settings_written_for_live_runs_are_understood):
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            check(binary, home)
            if chromium:
                page = (home / "out/report.html").read_text()
                (home / "clicked.html").write_text(page.replace("</body>", CLICKS + "</body>"))
                for width in (1280, 390):
                    load(chromium, home, width)
    if chromium:
        print("the reports load, wide and narrow, and say nothing on the console")
    else:
        print("skipped: the pages were not loaded, for there is no Chromium (`./dev setup` installs it)")
    return 0


def the_shipped_experiments_are_understood(binary: Path) -> None:
    files = sorted((Path(__file__).resolve().parent.parent / "experiments").glob("*.yaml"))
    assert len(files) >= 6, files
    for file in files:
        for more in ([], ["--full"]):
            command = [binary, "experiment", "run", file, "--cell", "no such cell", *more]
            read = subprocess.run(command, capture_output=True, text=True, check=False)
            assert read.returncode == 3 and "no cell" in read.stderr, read.stderr


def run_experiment(binary: Path, home: Path, text: str) -> subprocess.CompletedProcess:
    (home / "small.yaml").write_text(text)
    command = [binary, "experiment", "run", "small.yaml", "--out", "out"]
    return subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)


def runs_of(home: Path) -> list:
    return [json.loads(line) for line in (home / "out/runs.jsonl").read_text().splitlines()]


def outcomes_of(home: Path) -> list:
    """All that is a function of the seed: real time is not."""
    with (home / "out/runs.csv").open() as file:
        return [{key: value for key, value in row.items() if key != "controller"} for row in csv.DictReader(file)]


def a_run_that_was_cut_off_goes_on(binary: Path, home: Path) -> None:
    done = run_experiment(binary, home, EXPERIMENT)
    assert done.returncode == 0, done.stderr
    assert "out/report.html" in done.stdout, done.stdout
    assert len(runs_of(home)) == 1 * 2 * 2 * 3 * 2, len(runs_of(home))
    # A lost line and half a line are done again, with the same outcome.
    before = outcomes_of(home)
    lines = (home / "out/runs.jsonl").read_text().splitlines(keepends=True)
    (home / "out/runs.jsonl").write_text("".join(lines[:-3]) + lines[-3][:20] + "\n")
    again = run_experiment(binary, home, EXPERIMENT)
    assert again.returncode == 0, again.stderr
    assert outcomes_of(home) == before
    # More seeds are more of the same; other strategies are another experiment.
    more = run_experiment(binary, home, EXPERIMENT.replace("seeds: 2", "seeds: 3"))
    assert more.returncode == 0, more.stderr
    assert len(runs_of(home)) == 36, len(runs_of(home))
    other = run_experiment(binary, home, EXPERIMENT.replace("fifo, central", "fifo, list, central"))
    assert other.returncode == 5 and "another experiment (other strategies)" in other.stderr, other.stderr
    # A torn last line once swallowed the next.
    text = (home / "out/runs.jsonl").read_text()
    (home / "out/runs.jsonl").write_text(text[:-40])
    told = subprocess.run([binary, "experiment", "report", "out"], cwd=home, capture_output=True, text=True, check=False)
    assert told.returncode == 0 and "runs.jsonl:36 does not count: it is cut off" in told.stderr and "out holds 35 of 36 runs" in told.stderr, told
    # What is compared was once silent about it.
    for words in (["compare", "out", "out"], ["list", "."]):
        told = subprocess.run([binary, "experiment", *words], cwd=home, capture_output=True, text=True, check=False)
        assert told.returncode == 0 and "runs.jsonl:36 does not count: it is cut off" in told.stderr, told


def what_the_board_refuses_is_an_error(binary: Path, home: Path) -> None:
    """A fan-in beyond the limit once had a makespan of half a millisecond."""
    tasks = "".join(f"{i} 1 0\n" for i in range(1, 10_002))
    (home / "fan.stg").write_text(f"10002\n{tasks}10002 1 10001 {' '.join(str(i) for i in range(1, 10_002))}\n")
    done = run_experiment(binary, home, "{name: x, workloads: [{trace: fan.stg}], strategies: [fifo], seeds: 1}")
    assert done.returncode == 2 and "workload fan: " in done.stderr and "10002" in done.stderr, done
    assert not runs_of(home)


def the_settings_written_for_live_runs_are_understood(binary: Path, home: Path) -> None:
    """A key that bidboard.yaml does not know once broke every live run."""
    done = run_experiment(binary, home, LIVE)
    assert done.returncode == 0, done.stderr
    runs = runs_of(home)
    assert len(runs) == 2 * 3, len(runs)
    for run in runs:
        assert run["unfinished"] == 0 and run["against_simulated"] > 0 and run["processes"] == 8 + 2, run
        assert ("detect" in run) == (run["faults"] != "none"), run
    told = subprocess.run([binary, "experiment", "report", "--markdown", "out"], cwd=home, capture_output=True, text=True, check=True)
    table = told.stdout.split("Real processes compared with the simulator", 1)[1].split("\n#", 1)[0]
    assert len([line for line in table.splitlines() if line.startswith("| 8 agents")]) == 3, told.stdout


def load(chromium: str, home: Path, width: int) -> None:
    (home / "frame.html").write_text(FRAME % width)
    shown = subprocess.run(
        [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", f"--user-data-dir={home}/profile",
         "--window-size=1400,900", "--virtual-time-budget=20000", "--dump-dom", f"file://{home}/frame.html"],
        capture_output=True, text=True, timeout=120, check=False, env={"HOME": str(home), "PATH": "/usr/bin:/bin"})
    assert "CONSOLE" not in shown.stderr, [line for line in shown.stderr.splitlines() if "CONSOLE" in line]
    mark = 'data-outcome="'
    assert mark in shown.stdout, f"the page did not run to its end at {width} px"
    text = shown.stdout.split(mark, 1)[1].split('"', 1)[0].replace("&quot;", '"')
    outcome = json.loads(text)
    assert not outcome["errors"], outcome
    assert outcome["clicks"] > 20 and outcome["bars"] > 5 and outcome["sections"] >= 6, outcome
    assert not outcome["wide"], f"the page is wider than {width} px"
    assert outcome["least"] >= 11, f"text of {outcome['least']} px at {width} px"
    assert outcome["cut"] == 0, f"{outcome['cut']} tables are cut at {width} px"
    assert outcome["red"] == 0, outcome
    assert outcome["svgs"] >= 3 and outcome["tables"] >= 4 and outcome["svgs"] + outcome["tables"] == outcome["buttons"], outcome
    assert outcome["broken"] == 0 and outcome["ragged"] == 0, outcome


sys.exit(main())
