#!/usr/bin/env python3
"""The scripted model server (tests/support/model_server) speaks each provider's API, streamed and not, refuses as scripted, bills what it
answered, writes no secret into its log, and ends with its parent."""

import http.client
import json
import os
import select
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

SERVER = Path(__file__).resolve().parent / "support/model_server/server.py"
USAGE = {"input": 100, "output": 20, "cache_read": 30, "reasoning": 5}
SCRIPT = {
    "keys": ["sk-good"],
    "prices": [{"model": "m", "input": 10, "output": 100, "cache_read": 1}],
    "rules": [
        {"name": "busy", "when": {"prompt": "busy"}, "error": {"kind": "rate_limit", "retry_after": 7}},
        {"name": "twice", "when": {"prompt": "twice"}, "times": 1, "error": {"kind": "overload"}},
        {"name": "cut", "when": {"prompt": "cut"}, "steps": [{"text": ["one", "two"], "cut": 2}]},
        {"name": "work", "steps": [{"text": ["Wri", "ting."], "calls": [{"write": "a.txt", "content": "x"}], "usage": USAGE},
                                   {"text": "Done.", "usage": USAGE}]},
    ],
}


def user(text: str) -> list:
    return [{"role": "user", "content": text}]


# API: path, streamed path, how a request of one prompt looks, how tools are offered, where the key goes.
APIS = {
    "anthropic": ("/v1/messages", None, lambda text: {"messages": user(text)}, [{"name": "Write"}], "x-api-key"),
    "openai-responses": ("/v1/responses", None, lambda text: {"input": user(text)}, [{"type": "function", "name": "write_file"}], "authorization"),
    "openai-chat": ("/v1/chat/completions", None, lambda text: {"messages": user(text), "stream_options": {"include_usage": True}},
                    [{"type": "function", "function": {"name": "write_file"}}], "authorization"),
    "gemini": ("/v1beta/models/m:generateContent", "/v1beta/models/m:streamGenerateContent?alt=sse",
               lambda text: {"contents": [{"role": "user", "parts": [{"text": text}]}]}, [{"functionDeclarations": [{"name": "write_file"}]}],
               "x-goog-api-key"),
    "ollama": ("/api/chat", None, lambda text: {"messages": user(text)}, [{"type": "function", "function": {"name": "write_file"}}],
               "authorization"),
}


class Server:
    def __init__(self, folder: Path, script: dict):
        (folder / "script.json").write_text(json.dumps(script))
        self.log = folder / "requests.jsonl"
        self.asked = 0
        self.process = subprocess.Popen([sys.executable, SERVER, folder / "script.json", self.log], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        assert self.url.startswith("http://127.0.0.1:"), self.url

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        assert self.process.wait(30) == 0
        self.process.stdout.close()

    def ask(self, api: str, text: str, streamed: bool, key: str = "sk-good", tools: bool = True) -> tuple[int, dict, str]:
        """Status, headers, body."""
        self.asked += 1
        path, streamed_path, body_of, offered, key_header = APIS[api]
        body = {"model": "m", "stream": streamed, **body_of(text), **({"tools": offered} if tools else {})}
        headers = {"content-type": "application/json", key_header: f"Bearer {key}" if key_header == "authorization" else key}
        where = self.url + (streamed_path if streamed and streamed_path else path)
        request = urllib.request.Request(where, json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, dict(answer.headers), answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read().decode()

    def logged(self) -> list:
        """The entry of a request is written when its answer is over, so a moment after the client has it. In the order of arrival."""
        while len(lines := self.log.read_text().splitlines()) < self.asked:
            assert self.process.poll() is None, "the server is gone"
            time.sleep(0.01)
        return sorted((json.loads(line) for line in lines), key=lambda entry: entry["n"])


def events_of(body: str) -> list:
    """Of server-sent events, or of JSON lines."""
    lines = [line.removeprefix("data: ") for line in body.splitlines() if line and not line.startswith("event: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def what_was_said(api: str, body: str, streamed: bool) -> tuple[str, list, int, int]:
    """Text, names of called tools, tokens in and out, read as each API's clients do."""
    events = events_of(body) if streamed else [json.loads(body)]
    if api == "anthropic" and not streamed:
        content, usage = events[0]["content"], events[0]["usage"]
        texts, calls = [b["text"] for b in content if b["type"] == "text"], [b["name"] for b in content if b["type"] == "tool_use"]
        return "".join(texts), calls, usage["input_tokens"] + usage["cache_read_input_tokens"], usage["output_tokens"]
    if api == "anthropic":
        texts = [e["delta"]["text"] for e in events if e["type"] == "content_block_delta" and e["delta"]["type"] == "text_delta"]
        calls = [e["content_block"]["name"] for e in events if e["type"] == "content_block_start" and e["content_block"]["type"] == "tool_use"]
        usage = events[-2]["usage"]
        return "".join(texts), calls, usage["input_tokens"] + usage["cache_read_input_tokens"], usage["output_tokens"]
    if api == "openai-responses":
        response = events[-1]["response"] if streamed else events[0]
        texts = [e["delta"] for e in events if e["type"] == "response.output_text.delta"] if streamed else [
            part["text"] for item in response["output"] if item["type"] == "message" for part in item["content"]]
        calls = [item["name"] for item in response["output"] if item["type"] == "function_call"]
        return "".join(texts), calls, response["usage"]["input_tokens"], response["usage"]["output_tokens"]
    if api == "openai-chat":
        messages = [choice["delta" if streamed else "message"] for e in events for choice in e["choices"]]
        calls = [call["function"]["name"] for message in messages for call in message.get("tool_calls", [])]
        usage = events[-1]["usage"]
        return "".join(m.get("content") or "" for m in messages), calls, usage["prompt_tokens"], usage["completion_tokens"]
    if api == "gemini":
        parts = [part for e in events for part in e["candidates"][0]["content"]["parts"]]
        usage = events[-1]["usageMetadata"]
        out = usage["candidatesTokenCount"] + usage["thoughtsTokenCount"]
        return "".join(p.get("text", "") for p in parts), [p["functionCall"]["name"] for p in parts if "functionCall" in p], \
            usage["promptTokenCount"], out
    calls = [call["function"]["name"] for e in events for call in e["message"].get("tool_calls", [])]
    return "".join(e["message"]["content"] for e in events), calls, events[-1]["prompt_eval_count"], events[-1]["eval_count"]


def each_api_is_spoken(server: Server) -> None:
    for api in APIS:
        for streamed in (False, True):
            status, _, body = server.ask(api, "please", streamed)
            assert status == 200, (api, status, body)
            said = what_was_said(api, body, streamed)
            assert said == ("Writing.", ["Write" if api == "anthropic" else "write_file"], 130, 20), (api, streamed, said)
    entries = server.logged()
    assert [entry["api"] for entry in entries] == [api for api in APIS for _ in range(2)], entries
    assert [entry["streamed"] for entry in entries] == [False, True] * len(APIS), entries
    for entry in entries:
        assert entry["billed"]["tokens"] == 150 and abs(entry["billed"]["usd"] - (100 * 10 + 30 + 20 * 100) / 1e6) < 1e-12, entry
        assert entry["rule"] == "work" and entry["complete"] and not entry["problem"], entry


def outages_are_told_in_the_words_of_each_api(server: Server) -> None:
    words = {"anthropic": "rate_limit_error", "openai-responses": "rate_limit_exceeded", "openai-chat": "rate_limit_exceeded",
             "gemini": "RESOURCE_EXHAUSTED", "ollama": "too many requests"}
    for api, word in words.items():
        status, headers, body = server.ask(api, "busy", True)
        assert status == 429 and headers["retry-after"] == "7" and word in body, (api, status, headers, body)
        status, _, body = server.ask(api, "please", False, key="sk-bad")
        assert status == (400 if api == "gemini" else 401), (api, status, body)
    assert server.logged()[-1]["billed"] is None


def rules_end_and_what_is_not_foreseen_is_logged(server: Server) -> None:
    assert server.ask("anthropic", "twice", False)[0] == 529
    assert server.ask("anthropic", "twice", False)[0] == 200
    status, _, body = server.ask("anthropic", "please", False, tools=False)
    assert status == 400 and "no tool is offered" in body, body
    assert "offered: none" in server.logged()[-1]["problem"], server.logged()[-1]


def a_cut_connection_is_not_billed(server: Server) -> None:
    before = len(server.logged())
    try:
        server.ask("anthropic", "cut", True)
        raise AssertionError("the stream was whole")
    except (OSError, http.client.HTTPException):
        pass
    entry = server.logged()[before]
    assert entry["complete"] is False and entry["billed"] is None, entry


def no_secret_is_logged(server: Server) -> None:
    text = server.log.read_text()
    assert "sk-good" not in text and "sk-bad" not in text, text


def it_ends_with_its_parent(folder: Path) -> None:
    """Although its standard input stays open: its parent has not closed it, it was killed."""
    read_end, write_end = os.pipe()
    starter = ("import subprocess, sys, time; s = subprocess.Popen(sys.argv[1:], stdin=%d, stdout=subprocess.PIPE); "
               "print(s.pid, s.stdout.readline(), flush=True); time.sleep(600)" % read_end)
    parent = subprocess.Popen([sys.executable, "-c", starter, sys.executable, SERVER, folder / "script.json", folder / "log"],
                              stdout=subprocess.PIPE, pass_fds=(read_end,), text=True)
    os.close(read_end)
    pid = int(parent.stdout.readline().split()[0])
    pidfd = os.pidfd_open(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert select.select([pidfd], [], [], 60)[0], "the server goes on without its parent"
    os.close(pidfd)
    os.close(write_end)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        with Server(Path(folder), SCRIPT) as server:
            each_api_is_spoken(server)
            outages_are_told_in_the_words_of_each_api(server)
            rules_end_and_what_is_not_foreseen_is_logged(server)
            a_cut_connection_is_not_billed(server)
            no_secret_is_logged(server)
        it_ends_with_its_parent(Path(folder))
    print("the scripted model server speaks as scripted")
    return 0


if __name__ == "__main__":
    sys.exit(main())
