#!/usr/bin/env python3
"""The presets `openai` and `ollama`, over HTTP, against the scripted model server: answers, tokens, outages, what a model without tools
cannot do.

usage: chat_test.py BIDBOARD
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from model_server_test import Server

PATIENCE_S = 60
USAGE = {"input": 100, "output": 20, "cache_read": 30}
LONG = "x" * 30_000
SCRIPT = {
    "keys": ["sk-good", ""],
    "rules": [
        {"name": "gone", "when": {"model": "gone"}, "error": {"kind": "invalid", "status": 404, "message": "model 'gone' not found"}},
        {"name": "cut", "when": {"model": "cut"}, "steps": [{"text": ["one", "two"], "cut": 2}]},
        {"name": "busy", "when": {"model": "busy"}, "error": {"kind": "rate_limit", "retry_after": 3600}},
        {"name": "long", "when": {"model": "limited"}, "error": {"kind": "too_long"}},
        {"name": "huge", "when": {"model": "huge"}, "steps": [{"text": ["begin ", "x" * (2 << 20), "end"], "usage": USAGE}]},
        {"name": "unable", "when": {"prompt": "Fly to the moon"}, "steps": [{"text": "FAILED: I have no rocket", "usage": USAGE}]},
        {"name": "add", "when": {"prompt": "Add(.|\n)*begins with FAILED:"}, "steps": [{"text": ["The answer\nis", " 42."], "usage": USAGE}]},
        {"name": "ready", "steps": [{"text": "ready", "usage": USAGE}]},
    ],
}


class Board:
    def __init__(self, bidboard: str, folder: Path, url: str):
        self.bidboard = bidboard
        self.folder = folder
        self.endpoint = {"openai": {"OPENAI_BASE_URL": url + "/v1/"}, "ollama": {"OLLAMA_HOST": url}}
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(("BIDBOARD_", "OPENAI_", "OLLAMA_"))}
        # A proxy that is not there: what is asked on this machine needs none.
        self.environment |= {"HOME": str(folder), "XDG_RUNTIME_DIR": "", "OPENAI_API_KEY": "sk-good", "http_proxy": "http://127.0.0.1:9"}
        self("init")

    def run(self, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run([self.bidboard, *words], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=300)

    def __call__(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, (words, done)
        return done.stdout

    def write(self, name: str, content: dict) -> None:
        (self.folder / name).write_text(json.dumps(content))  # JSON is YAML, too

    def agent(self, preset: str, model: str, **more) -> dict:
        agent = {"name": f"{preset}-{model}", "preset": preset, "model": model, "env": self.endpoint[preset], **more}
        return agent | ({"secrets": ["OPENAI_API_KEY"]} if preset == "openai" else {})

    def value(self, sql: str) -> str:
        return (self("query", "--csv", sql).splitlines() + [""])[1]

    def becomes(self, sql: str, wanted: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while (value := self.value(sql)) != wanted:
            assert time.monotonic() < end, (sql, value, self("tasks"))
            time.sleep(0.05)


def answers_become_results_and_tokens_have_a_price(board: Board) -> None:
    for preset, cached in (("openai", 30), ("ollama", 0)):
        price = {"input": 10, "cached": 1, "output": 100}
        board.write("job.yaml", {"name": preset, "agents": [board.agent(preset, "m", token_price=price)],
                                 "tasks": {"add": {"title": "Add 40 and 2", "body": LONG}}})
        board("run", "job.yaml")
        task = json.loads(board("query", "--json", f"SELECT id, result, tokens, price FROM tasks WHERE holder = '{preset}-m'"))["data"][0]
        assert task["result"] == "The answer\nis 42." and task["tokens"] == 150, task
        assert abs(task["price"] - (10 * (130 - cached) + cached + 20 * 100) / 1e6) < 2e-6, (preset, task)
        assert "The answer\nis 42.\n" in board("output", task["id"])


def what_a_model_cannot_do_fails_with_its_words(board: Board) -> None:
    board.write("job.yaml", {"agents": [board.agent("openai", "m")], "tasks": {"fly": {"title": "Fly to the moon", "attempts": 1}}})
    done = board.run("run", "job.yaml")
    assert done.returncode == 1 and "I have no rocket" in done.stdout + done.stderr, done


def an_answer_with_a_hole_is_no_result_and_no_outage(board: Board) -> None:
    for preset in board.endpoint:
        board.write("job.yaml", {"name": f"huge-{preset}", "agents": [board.agent(preset, "huge")],
                                 "tasks": {"huge": {"title": "Write a lot", "attempts": 1}}})
        done = board.run("run", "job.yaml")
        assert done.returncode == 1 and "a part of the answer could not be read" in done.stdout + done.stderr, done


def an_outage_uses_up_no_attempt(board: Board) -> None:
    board.write("bidboard.yaml", {"agents": [board.agent("openai", "busy", account="team")]})
    board("up", "--detach")
    task = board("post", "Anything").strip()
    board.becomes("SELECT state || '|' || outage FROM breakers WHERE name = 'team'", "open|rate_limit")
    board.becomes(f"SELECT state || '|' || attempts FROM tasks WHERE id = '{task}'", "ready|0")
    assert "rests with account team for " in board("explain", task), board("explain", task)
    board.becomes("SELECT until - strftime('%s', 'now') > 1800 FROM breakers WHERE name = 'team'", "1")
    board("down")


def each_fault_is_told_apart(board: Board) -> None:
    nowhere = {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
    board.write("bidboard.yaml", {"agents": [
        board.agent("openai", "fine"), board.agent("ollama", "fine"), board.agent("openai", "gone"), board.agent("ollama", "gone"),
        board.agent("openai", "cut"), board.agent("ollama", "cut"), board.agent("ollama", "limited"),
        {**board.agent("openai", "far"), "env": nowhere},
        {**board.agent("openai", "locked"), "secrets": [], "env": {**board.endpoint["openai"], "OPENAI_API_KEY": "sk-bad"}}]})
    checked = board.run("agents", "check", "--call")
    assert checked.returncode == 6, checked
    told = {line.split()[0]: line for line in checked.stdout.splitlines()}
    for name, words in {"openai-fine": "answers: ready", "ollama-fine": "answers: ready", "openai-gone": "missing_binary: model 'gone' not found",
                        "ollama-gone": "missing_binary: model 'gone' not found", "openai-cut": "network: the answer broke off",
                        "ollama-cut": "network: the answer broke off", "ollama-limited": " the input length exceeds the context length",
                        "openai-far": "network: http://127.0.0.1:9/v1", "openai-locked": "authentication: Incorrect API key"}.items():
        assert words in told[name] and "libcurl" in told[name], (words, told[name])


def a_model_must_be_named(board: Board) -> None:
    board.write("bidboard.yaml", {"agents": [{"name": "x", "preset": "ollama"}]})
    done = board.run("agents", "check")
    assert done.returncode == 2 and "has no model of its own" in done.stderr and "model: NAME" in done.stderr, done
    board.write("bidboard.yaml", {"agents": [{"name": "x", "preset": "ollama", "model": "m", "worktree": "task"}]})
    done = board.run("agents", "check")
    assert done.returncode == 2 and "changes no files" in done.stderr, done
    done = board.run("prime", "--for", "ollama")
    assert done.returncode == 2 and "reads no instructions" in done.stderr, done


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="bidboard-chat-") as folder:
        (Path(folder) / "server").mkdir()
        (Path(folder) / "board").mkdir()
        with Server(Path(folder) / "server", SCRIPT) as server:
            board = Board(os.path.abspath(sys.argv[1]), Path(folder) / "board", server.url)
            try:
                answers_become_results_and_tokens_have_a_price(board)
                what_a_model_cannot_do_fails_with_its_words(board)
                an_answer_with_a_hole_is_no_result_and_no_outage(board)
                an_outage_uses_up_no_attempt(board)
                each_fault_is_told_apart(board)
                a_model_must_be_named(board)
            finally:
                board.run("down")
    print("models over HTTP answer, fail and rest as scripted")
    return 0


sys.exit(main())
