#!/usr/bin/env python3
"""A model provider for tests: it speaks the APIs of Anthropic, OpenAI, Google and Ollama, and answers what a script says (script.py).

usage: server.py SCRIPT LOG

Listens on loopback, on a port that the system chooses, and prints its address as the only line on standard output. It ends when its
standard input does, or its parent is gone. Each request is a JSON line in LOG once it is answered:

    n            in the order of arrival
    method, path, api, model, streamed, tools, headers     as they were asked, without secrets
    rule, answer what was said: {"text", "calls"}, {"refused": KIND, "status"} or {"counted"}
    complete     whether the client got all of it
    billed       {"input", "output", "cache_read", "cache_write", "tokens", "usd"}; null where nothing is: errors, cut connections
    problem      what the script did not foresee
"""

import json
import os
import select
import socket
import sys
import threading
import time
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import anthropic_messages
import gemini_content
import ollama_chat
import openai_chat
import openai_responses
from exchange import Answer, Refusal
from script import Script, ScriptError

APIS = (anthropic_messages, openai_responses, openai_chat, gemini_content, ollama_chat)
SECRET = ("authorization", "key", "token", "cookie")
BODY_BYTES_MAX = 64 << 20
WAIT_S_MAX = 120  # for a file that never comes


class Cut(Exception):
    """The connection ends here: by the script, or since the client is gone."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        entry = self.server.arrived(self)
        try:
            self.answer(entry)
        except (Cut, ConnectionError, TimeoutError):
            entry["complete"] = False
            self.close_connection = True
        entry["billed"] = entry.pop("price", None) if entry["complete"] else None
        self.server.write(entry)

    def do_GET(self):
        entry = self.server.arrived(self)
        self.send_json(404, {"error": {"message": "not found", "type": "not_found_error", "code": 404}})
        self.server.write(entry)

    do_HEAD = do_PUT = do_DELETE = do_GET

    def answer(self, entry: dict) -> None:
        path = urlsplit(self.path).path
        length = int(self.headers.get("content-length") or 0)
        if length > BODY_BYTES_MAX:
            raise Cut
        body = json.loads(self.rfile.read(length) or b"{}")
        api = next((api for api in APIS if api.fits(path)), None)
        if api is None:
            entry["problem"] = "no such endpoint"
            self.send_json(404, {"error": {"message": "not found", "type": "not_found_error", "code": 404}})
            return
        request = api.read(path, self.headers, body)
        tools = [f"{tool.namespace}/{tool.name}".lstrip("/") for tool in request.tools]
        entry.update(api=request.api, model=request.model, streamed=request.streamed, tools=tools)
        if counted := api.counted(path):
            entry["answer"] = {"counted": counted}
            self.send_json(200, counted)
            return
        try:
            entry["rule"], reply, step = self.server.script.reply_to(request)
        except ScriptError as error:
            entry["problem"] = str(error)
            reply, step = Refusal("invalid", message=f"script: {error}"), {}
        if isinstance(reply, Refusal):
            status, content = api.refused(reply)
            entry["answer"] = {"refused": reply.kind, "status": status}
            self.send_json(status, content, {} if reply.retry_after is None else {"retry-after": str(reply.retry_after)})
            return
        entry["answer"] = {"text": reply.text(), "calls": [{"name": call.tool.name, "input": call.input} for call in reply.calls]}
        entry["price"] = {**asdict(reply.usage), "tokens": reply.usage.total(), "usd": self.server.script.price_of(request.model, reply.usage)}
        self.await_file(step.get("after"))
        if request.streamed:
            self.send_stream(api, request, reply, step)
        elif "cut" in step:
            raise Cut
        else:
            self.send_json(200, api.whole(reply, request))

    def send_json(self, status: int, content: dict, headers: dict | None = None) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def send_stream(self, api, request, reply: Answer, step: dict) -> None:
        self.send_response(200)
        self.send_header("content-type", api.CONTENT_TYPE)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        pause = step.get("pause")
        first_piece = json.dumps(reply.pieces[0])[1:-1].encode() if reply.pieces else b""
        for number, event in enumerate(api.events(reply, request)):
            if step.get("cut") == number:
                raise Cut
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
            if pause and first_piece in event:
                self.await_file(pause)
                pause = None
        self.wfile.write(b"0\r\n\r\n")

    def await_file(self, path: str | None) -> None:
        if path is None:
            return
        end = time.monotonic() + WAIT_S_MAX
        while not Path(path).exists():
            # The client has nothing to say meanwhile: readable means that it is gone.
            readable, _, _ = select.select([self.connection], [], [], 0.02)
            if readable and self.connection.recv(1, socket.MSG_PEEK) == b"":
                raise Cut
            if time.monotonic() > end:
                raise TimeoutError

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, script: Script, log_path: str):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = script
        self.log = open(log_path, "a", encoding="utf-8", buffering=1)
        self.lock = threading.Lock()
        self.requests = 0

    def arrived(self, handler: Handler) -> dict:
        with self.lock:
            self.requests += 1
            number = self.requests
        headers = {name.lower(): value for name, value in handler.headers.items() if not any(word in name.lower() for word in SECRET)}
        return {"n": number, "method": handler.command, "path": urlsplit(handler.path).path, "headers": headers, "rule": None, "answer": None,
                "complete": True, "billed": None, "problem": None}

    def write(self, entry: dict) -> None:
        with self.lock:
            self.log.write(json.dumps(entry) + "\n")

    def handle_error(self, request, client_address):
        """A request that this server does not understand is a problem to be seen in the log, not on the terminal."""
        self.write({"problem": repr(sys.exc_info()[1]), "billed": None, "complete": False})


def await_the_end(parent: int) -> None:
    while os.getppid() == parent:
        readable, _, _ = select.select([sys.stdin], [], [], 0.5)
        if readable and os.read(sys.stdin.fileno(), 4096) == b"":
            return


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    parent = os.getppid()  # before anybody can know that this server runs, and end the parent
    server = Server(Script(Path(sys.argv[1]).read_text(encoding="utf-8")), sys.argv[2])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    await_the_end(parent)
    os._exit(0)  # not waiting for answers under way; each line of the log is written at once


if __name__ == "__main__":
    main()
