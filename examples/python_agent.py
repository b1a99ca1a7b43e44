#!/usr/bin/env python3
"""An agent in Python, standard library only. It counts the lines, words and characters of a task's body.

    bidboard agent --name counter --coprocess 'python3 examples/python_agent.py'

It reads one JSON object a line from stdin and writes one a line to stdout; docs/coprocess.md describes them all.
"""
import json
import sys
import threading
from collections import Counter

cancelled = set()  # (task, epoch) pairs that nobody wants any more
output = threading.Lock()  # a line must come out whole, though several threads write


def say(**line):
    with output:
        print(json.dumps(line), flush=True)  # unflushed, the line would wait in a buffer while the agent waits for it


def bid(request, task):
    """A promise: longer bodies take longer, and what has failed before may fail again."""
    body = task.get("body", "")
    if not body:
        return say(type="refuse", request=request, reason="there is no text to count")
    seconds = round(0.1 + len(body) / 1000, 3)
    say(type="bid", request=request, seconds=seconds, confidence=0.99 / task.get("attempt", 1))


def work(task):
    """Counts, tells how far it is, and stops early when the task is cancelled."""
    me = {"task": task["task"], "epoch": task["epoch"]}
    lines = task.get("body", "").splitlines()
    words = Counter()
    for number, line in enumerate(lines, start=1):
        if (me["task"], me["epoch"]) in cancelled:
            return say(type="failed", reason="cancelled", **me)
        words.update(word.strip(".,;:!?\"'()").lower() for word in line.split())
        if number % 1000 == 0 or number == len(lines):
            say(type="progress", fraction=number / len(lines), text=f"{number} of {len(lines)} lines", **me)
    result = {
        "lines": len(lines),
        "words": sum(words.values()),
        "characters": len(task.get("body", "")),
        "most_common": sorted(words, key=lambda word: (-words[word], word))[:3],
    }
    say(type="result", result=result, **me)


def work_safely(task):
    try:
        work(task)
    except Exception as error:  # whatever happens, the board must hear how the task ended
        say(type="failed", task=task["task"], epoch=task["epoch"], reason=f"{type(error).__name__}: {error}")


for text in sys.stdin:
    message = json.loads(text)
    if message["type"] == "bid":
        bid(message["request"], message["task"])
    elif message["type"] == "task":
        # In a thread of its own, so that bids and cancels are heard meanwhile.
        threading.Thread(target=work_safely, args=(message,)).start()
    elif message["type"] == "cancel":
        cancelled.add((message["task"], message["epoch"]))
    # Other types are of a newer version: ignored.
