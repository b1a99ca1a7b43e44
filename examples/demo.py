#!/usr/bin/env python3
"""Shows Bidboard at work: an audit of this source tree by eight agents, one of which is killed in the middle of a task.

Everything that is claimed on the way is checked; the first claim that does not hold ends the demonstration with exit code 1.

usage: demo.py BIDBOARD
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 60
COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def painted(code, text):
    return f"\x1b[{code}m{text}\x1b[0m" if COLOUR else text


def heading(text):
    print("\n" + painted("1;36", f"── {text} " + "─" * max(0, 76 - len(text))), flush=True)


def say(text):
    print(painted("2", text), flush=True)


def check(holds, claim):
    """A claim that was shown."""
    if not holds:
        print(painted("31", f"✗ this does not hold: {claim}"), flush=True)
        sys.exit(1)
    print(painted("32", f"✓ {claim}"), flush=True)


def await_value(look, what):
    """The first true value that look() gives."""
    give_up = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up:
        if value := look():
            return value
        time.sleep(0.02)
    check(False, f"{what} within {PATIENCE_S} s")


class Board:
    """A board of its own, and the shell tool for it."""

    def __init__(self, bidboard, home):
        self.bidboard, self.home = bidboard, home

    def command(self, *arguments):
        return [str(self.bidboard), "-C", self.home, *arguments]

    def run(self, *arguments):
        return subprocess.run(self.command(*arguments), cwd=ROOT, capture_output=True, text=True, check=True).stdout

    def show(self, *arguments):
        quoted = " ".join(f'"{word}"' if " " in word else word for word in arguments)
        print(painted("1", f"$ bidboard {quoted}"), flush=True)
        print(self.run(*arguments), end="", flush=True)

    def rows(self, sql):
        answer = subprocess.run(self.command("query", sql, "--json"), capture_output=True, text=True)
        return json.loads(answer.stdout)["data"] if answer.returncode == 0 else []

    def output_of(self, task, epoch):
        path = Path(self.home, ".bidboard/output", f"{task}.e{epoch}.log")
        return path.read_text(errors="replace") if path.exists() else ""


def group_exists(group):
    try:
        os.killpg(group, 0)
        return True
    except ProcessLookupError:
        return False


def kill_a_holder(board):
    """SIGKILLs the agent that holds a running check; the task's row as it was."""
    say("One of the agents that run the static checker is about to be killed, with SIGKILL: it can not clean up or say goodbye.")
    victim = await_value(lambda: board.rows("SELECT t.id, t.title, t.epoch, a.name, a.pid FROM tasks t JOIN agents a ON a.name = t.holder "
                                            "WHERE t.state = 'running' AND t.title LIKE 'Check C++%' AND t.epoch = 1 ORDER BY t.id DESC LIMIT 1"),
                         "a running check")[0]
    os.kill(victim["pid"], signal.SIGKILL)
    print(painted("33", f"killed {victim['name']} (process {victim['pid']}), which was doing {victim['id']}, epoch {victim['epoch']}: {victim['title']}"),
          flush=True)
    return victim


def show_the_guard(board, victim):
    line = await_value(lambda: re.search(r"^\[guard\].*group (\d+).*$", board.output_of(victim["id"], 1), re.M), "a word of the guard")
    print(f"    {line.group(0)}")
    group = int(line.group(1))
    check(await_value(lambda: not group_exists(group), "the end of that process group"), f"the guard stopped what {victim['name']} had started: process group {group} is gone")


def show_recovery(board, victim):
    heading("What became of its task")
    board.show("log", "--task", victim["id"])
    task = board.rows(f"SELECT state, epoch, attempts FROM tasks WHERE id = '{victim['id']}'")[0]
    check(victim["epoch"] == 1 and task["epoch"] == 2, f"the epoch of {victim['id']} went from 1 to 2, so a late answer of the first award would be refused")
    check(task["state"] == "done", f"{victim['id']} is done, in its second attempt")


def show_nothing_lost(board):
    heading("Nothing lost, nothing twice")
    tasks = board.rows("SELECT count(*) AS n, sum(state = 'done') AS done FROM tasks")[0]
    results = board.rows("SELECT task, count(*) AS n FROM log WHERE kind = 'task_finished' GROUP BY task")
    check(tasks["n"] == tasks["done"] == 10, f"all {tasks['n']} tasks are done")
    check(len(results) == tasks["n"] and all(row["n"] == 1 for row in results), "each has exactly one accepted result in the log")
    board.show("doctor", "--deep")


def show_questions(board):
    heading("Why did it go that way?")
    say("A contested task: who was asked, who could not, who bid what, and why the winner won.")
    contested = board.rows("SELECT task FROM bids WHERE refused = 0 GROUP BY task ORDER BY count(*) DESC, task LIMIT 1")[0]["task"]
    board.show("explain", contested)
    heading("Ask anything, in SQL")
    board.show("query", "SELECT state, count(*) AS tasks FROM tasks GROUP BY state")
    board.show("query", "SELECT kind, count(*) AS events FROM log GROUP BY kind ORDER BY events DESC LIMIT 6")
    first = board.rows("SELECT min(seq) AS seq FROM log WHERE kind = 'task_awarded'")[0]["seq"]
    say("The board as it was just after the first award:")
    board.show("query", "SELECT state, count(*) AS tasks FROM tasks GROUP BY state", "--at", str(first))


def show_where_time_went(board, seconds):
    heading("What the time went into")
    board.show("query", "SELECT kind, count(*) AS tasks, round(sum(awarded_at - ready_at), 2) AS waiting_for_an_agent, "
                        "round(sum(started_at - awarded_at), 2) AS starting, round(sum(finished_at - started_at), 2) AS working "
                        "FROM tasks GROUP BY kind ORDER BY working DESC")
    worked = board.rows("SELECT sum(finished_at - started_at) AS s FROM tasks")[0]["s"]
    print(f"{worked:.1f} s of work in {seconds:.1f} s, by eight agents on {os.cpu_count()} cores.")


def demonstrate(board):
    heading("An audit of this source tree, by eight agent processes")
    say("They differ in skills and speed, and bid for the tasks of examples/audit.yaml. The board is one durable file.")
    board.run("init")
    begun = time.monotonic()
    job = subprocess.Popen(board.command("run", "examples/audit.yaml"), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        victim = kill_a_holder(board)
        show_the_guard(board, victim)
        say("The audit goes on without it:")
        for line in job.stdout:
            print("    " + line, end="", flush=True)
        code = job.wait(PATIENCE_S)
    finally:
        if job.poll() is None:
            job.terminate()
            job.wait()
    seconds = time.monotonic() - begun
    check(code == 0, "the audit finished")
    show_recovery(board, victim)
    show_nothing_lost(board)
    show_questions(board)
    show_where_time_went(board, seconds)
    heading("Your turn")
    print("The README's five-minute tour begins with:  bidboard init\n"
          f"The binary is {os.path.relpath(board.bidboard)}; `bidboard --help` lists its commands.")


def main():
    bidboard = Path(sys.argv[1]).resolve()
    os.environ.pop("BIDBOARD_DIR", None)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # The job leads a group of this process; what it starts ends with it, and the folder is removed whatever happens.
    with tempfile.TemporaryDirectory(prefix="bidboard-demo-") as home:
        try:
            demonstrate(Board(bidboard, home))
        except KeyboardInterrupt:
            print("\ninterrupted")
            sys.exit(130)


if __name__ == "__main__":
    main()
