#!/usr/bin/env python3
"""Types every command of the documents' tours, as a newcomer would, each tour in a folder of its own.

Blocks fenced as ```sh under the heading of a tour are run line by line with one shell each, `bidboard` on the PATH. A line
`# prints: TEXT` behind a command says what its output must contain. Processes that a tour leaves running are a failure.

usage: readme_tour.py BIDBOARD
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TIME_LIMIT_S = 300
PATIENCE_S = 30
TOURS = [("README.md", "A five-minute tour"),
         ("docs/coding-agents.md", "From nothing to three Claude sessions on one repository in five minutes")]


def tour_blocks(document, heading):
    text = (ROOT / document).read_text()
    tour = re.search(rf"^## {heading}\n(.*?)(?=^## )", text, re.M | re.S).group(1)
    return re.findall(r"^```sh\n(.*?)^```", tour, re.M | re.S)


def steps_of(block):
    """(command, texts its output must contain); a backslash at the end of a line joins it with the next."""
    steps = []
    for line in block.replace("\\\n", "").splitlines():
        if expectation := re.match(r"# prints: (.*)", line):
            steps[-1][1].append(expectation.group(1))
        elif line.strip() and not line.startswith("#"):
            steps.append((line, []))
    return steps


def processes_with(marker):
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and int(process.name) != os.getpid() and marker in (process / "environ").read_text(errors="replace"):
                if words := (process / "cmdline").read_bytes():
                    found.append(f"{process.name}: " + words.replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found


def take(document, heading, bidboard):
    """Whether all commands of the tour work."""
    steps = [step for block in tour_blocks(document, heading) for step in steps_of(block)]
    if len(steps) < 10 or sum(len(texts) for _, texts in steps) < 5:
        print(f"the tour of {document} was not found, or checks next to nothing")
        return False
    with tempfile.TemporaryDirectory(prefix="bb-tour-") as folder:
        run, home, bin_folder = Path(folder, "run"), Path(folder, "tour"), Path(folder, "bin")
        for made in (run, home, bin_folder):
            made.mkdir(mode=0o700)
        (bin_folder / "bidboard").symlink_to(bidboard)
        environment = {key: value for key, value in os.environ.items() if not key.startswith("BIDBOARD_")}
        environment.update(PATH=f"{bin_folder}:{environment['PATH']}", XDG_RUNTIME_DIR=str(run), HOME=folder, BIDBOARD_SOURCE=str(ROOT),
                           TOUR_MARKER=folder, GIT_AUTHOR_NAME="A newcomer", GIT_AUTHOR_EMAIL="new@localhost",
                           GIT_COMMITTER_NAME="A newcomer", GIT_COMMITTER_EMAIL="new@localhost")
        for command, texts in steps:
            # Output goes to a file: a command that leaves a process in the background must not keep a pipe open.
            with tempfile.TemporaryFile("w+") as captured:
                done = subprocess.run(["sh", "-c", command], cwd=home, env=environment, stdin=subprocess.DEVNULL, stdout=captured,
                                      stderr=subprocess.STDOUT, timeout=TIME_LIMIT_S)
                captured.seek(0)
                output = captured.read()
            missing = [text for text in texts if text not in output]
            print(f"$ {command}\n{output}", end="")
            if done.returncode != 0 or missing:
                print(f"FAILED with {done.returncode}; not printed: {missing}")
                subprocess.run([bidboard, "-C", home, "down"], env=environment, capture_output=True)
                return False
        # `down` returns when the board is down; what it stopped has then still to end.
        give_up = time.monotonic() + PATIENCE_S
        while (left := processes_with(f"TOUR_MARKER={folder}")) and time.monotonic() < give_up:
            time.sleep(0.05)
        if left:
            subprocess.run([bidboard, "-C", home, "down"], env=environment, capture_output=True)
            print(f"the tour left processes running: {left}")
            return False
    print(f"{len(steps)} commands of the tour of {document} work")
    return True


def main():
    bidboard = Path(sys.argv[1]).resolve()
    return 0 if all(take(document, heading, bidboard) for document, heading in TOURS) else 1


if __name__ == "__main__":
    sys.exit(main())
