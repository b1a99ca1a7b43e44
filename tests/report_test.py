#!/usr/bin/env python3
"""Runs a small experiment with the given binary and loads its report in headless Chromium, wide and narrow: everything is clicked, and
a word on the console is a failure. Skips where there is no Chromium."""

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
"""
CLICKS = """
<script>
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
document.body.dataset.outcome = JSON.stringify({ clicks, errors, wide, bars: all("figure:last-child rect").length,
                                                 sections: all("section").length });
</script>
"""


def main() -> int:
    binary = Path(sys.argv[1]).resolve()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "small.yaml").write_text(EXPERIMENT)
        command = [binary, "experiment", "run", "small.yaml", "--out", "out"]
        done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "out/report.html" in done.stdout, done.stdout
        runs = [json.loads(line) for line in (home / "out/runs.jsonl").read_text().splitlines()]
        assert len(runs) == 1 * 2 * 2 * 3 * 2, len(runs)
        # A run that was cut off goes on: a lost line and half a line are done again, with the same outcome.
        before = (home / "out/runs.csv").read_text()
        lines = (home / "out/runs.jsonl").read_text().splitlines(keepends=True)
        (home / "out/runs.jsonl").write_text("".join(lines[:-3]) + lines[-3][:20] + "\n")
        again = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
        assert again.returncode == 0, again.stderr
        assert (home / "out/runs.csv").read_text() == before
        (home / "small.yaml").write_text(EXPERIMENT.replace("seeds: 2", "seeds: 3"))
        other = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
        assert other.returncode == 5 and "another experiment" in other.stderr, other.stderr
        if not chromium:
            print("skipped: the page was not loaded, for there is no Chromium (`./dev setup` installs it)")
            return 0
        page = (home / "out/report.html").read_text()
        (home / "clicked.html").write_text(page.replace("</body>", CLICKS + "</body>"))
        for size in ("1280,900", "390,844"):
            load(chromium, home, size)
    print("the report loads, wide and narrow, and says nothing on the console")
    return 0


def load(chromium: str, home: Path, size: str) -> None:
    shown = subprocess.run(
        [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", f"--user-data-dir={home}/profile",
         f"--window-size={size}", "--dump-dom", f"file://{home}/clicked.html"],
        capture_output=True, text=True, timeout=120, check=False, env={"HOME": str(home), "PATH": "/usr/bin:/bin"})
    assert "CONSOLE" not in shown.stderr, [line for line in shown.stderr.splitlines() if "CONSOLE" in line]
    mark = 'data-outcome="'
    assert mark in shown.stdout, "the page did not run to its end at " + size
    text = shown.stdout.split(mark, 1)[1].split('"', 1)[0].replace("&quot;", '"')
    outcome = json.loads(text)
    assert not outcome["errors"], outcome
    assert outcome["clicks"] > 20 and outcome["bars"] > 5 and outcome["sections"] >= 6, outcome
    assert not outcome["wide"], f"the page is wider than the window at {size}"


sys.exit(main())
