#!/usr/bin/env python3
"""docs/cli.md and the table of docs/metrics.md are what the binary prints, `bidboard help strategies` prints docs/strategies.md, and the
documents' relative links have targets.

usage: docs.py BIDBOARD [--rewrite]
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def text_of(bidboard, *arguments, folder=None):
    return subprocess.run([bidboard, *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


def schema_of(bidboard):
    with tempfile.TemporaryDirectory() as folder:
        text_of(bidboard, "-C", folder, "init")
        return text_of(bidboard, "-C", folder, "query", ".schema")


def commands_of(overview):
    return re.findall(r"^  ([a-z]+) {2,}\S", overview, re.M)


def page(bidboard):
    overview = text_of(bidboard, "--help")
    parts = ["# The shell tool\n\nPrinted by `bidboard` itself through `tests/docs.py`; do not edit.\n",
             f"```\n{overview.strip()}\n```\n",
             "`--json` prints `{\"schema\": \"bidboard/1\", \"data\": ...}`; `post` and `claim` print one plain object. Errors go to stderr and say\n"
             "what happened, why, and what to do next. [strategies.md](strategies.md) is what `bidboard help strategies` prints.\n",
             "## Exit codes\n\n" + text_of(bidboard, "help", "exit-codes"),
             "## Commands\n"]
    for command in commands_of(overview):
        parts.append(f"### {command}\n\n```\n{text_of(bidboard, command, '--help').strip()}\n```\n")
    parts.append("## Job files\n\n`bidboard run FILE`; `bidboard help jobs` prints this.\n\n" + text_of(bidboard, "help", "jobs"))
    parts.append("## bidboard.yaml\n\nRead by `bidboard up`; `bidboard help settings` prints this.\n\n" + text_of(bidboard, "help", "settings"))
    parts.append("## Experiment files\n\n`bidboard experiment run FILE`; `bidboard help experiments` prints this.\n\n" +
                 text_of(bidboard, "help", "experiments"))
    parts.append(f"## Tables of `bidboard query`\n\n```sql\n{schema_of(bidboard).strip()}\n```\n")
    lines = [line.rstrip() for line in "\n".join(part.rstrip("\n") + "\n" for part in parts).split("\n")]
    return "\n".join(lines).rstrip("\n") + "\n"


METRICS_MARK = "<!-- printed by `bidboard help metrics` -->\n"


def metrics(bidboard):
    path = ROOT / "docs/metrics.md"
    head = path.read_text().split(METRICS_MARK, 1)[0]
    return path, head + METRICS_MARK + "\n" + text_of(bidboard, "help", "metrics")


def dead_links():
    dead = []
    for document in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text()):
            if not re.match(r"https?:", target) and not (document.parent / target).exists():
                dead.append(f"{document.relative_to(ROOT)}: there is no {target}")
    return dead


def main():
    os.environ.pop("BIDBOARD_DIR", None)
    os.environ["COLUMNS"] = "100"
    bidboard = str(Path(sys.argv[1]).resolve())
    problems = dead_links()
    for path, wanted in [(ROOT / "docs/cli.md", page(bidboard)), metrics(bidboard)]:
        if "--rewrite" in sys.argv:
            path.write_text(wanted)
        if not path.exists() or path.read_text() != wanted:
            problems.append(f"docs/{path.name} is not what the binary prints; run tests/docs.py BIDBOARD --rewrite")
    if text_of(bidboard, "help", "strategies") != (ROOT / "docs/strategies.md").read_text():
        problems.append("`bidboard help strategies` does not print docs/strategies.md; is the binary older than the page?")
    listing = text_of(bidboard, "help")
    for name in ["strategies", *commands_of(text_of(bidboard, "--help"))]:
        if not re.search(rf"^  {name} ", listing, re.M):
            problems.append(f"`bidboard help` does not list {name}")
    page_text = (ROOT / "docs/strategies.md").read_text()
    offered = text_of(bidboard, "init", "--help")
    for option in ("strategy", "mechanism"):
        names = re.search(rf"--{option} NAME +[^:]+: ([a-z_, ]+)", offered).group(1).split(", ")
        problems += [f"docs/strategies.md does not describe the {option} {name.strip()}" for name in names
                     if f"| `{name.strip()}` |" not in page_text]
    if len(commands_of(text_of(bidboard, "--help"))) < 30:
        problems.append("the overview lists fewer than 30 commands; is commands_of() broken?")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
