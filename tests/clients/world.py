"""One situation's world: a project with a board, the scripted server, and agents that drive one real client."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

from clients import Client

SERVER = Path(__file__).resolve().parents[1] / "support/model_server/server.py"
PATIENCE_S = 240  # for what must happen; a busy machine needs a minute for the slowest client's first answer
MARK = "CLIENTS_TEST_MARK"  # in the surroundings of every process of a world; not BIDBOARD_..., which is not handed on


class Failed(Exception):
    """What the check expected and did not find."""


def expect(condition: bool, what: str) -> None:
    if not condition:
        raise Failed(what)


def gone(process: subprocess.Popen) -> None:
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class World:
    """Everything that it starts is gone, and its folder removed, when the `with` ends."""

    def __init__(self, bidboard: Path, client: Client, rules: list, keys: list | None = None):
        self.bidboard = bidboard
        self.client = client
        self.script = {"rules": rules, "prices": [client.price], "keys": keys}
        self.mark = uuid.uuid4().hex
        self.up = None
        self.server = None

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="bidboard-clients-", dir="/var/tmp")  # codex may write to /tmp
        self.home = Path(self.folder.name) / "home"
        self.project = Path(self.folder.name) / "project"
        programs = Path(self.folder.name) / "bin"
        for path in (self.home, self.project, programs, self.home / "tmp"):
            path.mkdir()
        # Files that a script names without a folder.
        self.script = json.loads(json.dumps(self.script).replace("$FOLDER", self.folder.name))
        (Path(self.folder.name) / "script.json").write_text(json.dumps(self.script))
        # Absolute: codex and gemini are links into their packages.
        (programs / self.client.name).symlink_to(self.client.program().resolve())
        (programs / "bidboard").symlink_to(self.bidboard)
        self.environment = {"PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin", "HOME": str(self.home), "TMPDIR": str(self.home / "tmp"),
                            "LANG": "C.UTF-8", "TERM": "xterm-256color", MARK: self.mark}
        # Login shells, in which codex runs its commands, begin with the system's PATH.
        (self.home / ".profile").write_text(f'PATH="{programs}:$PATH"\n')
        for name in ("config", "cache", "data", "state"):
            self.environment[f"XDG_{name.upper()}_HOME"] = str(self.home / {"config": ".config"}.get(name, f".{name}"))
        try:
            self.begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def begin(self) -> None:
        self.log_path = Path(self.folder.name) / "requests.jsonl"
        command = [sys.executable, SERVER, Path(self.folder.name) / "script.json", self.log_path]
        self.server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={"PATH": "/usr/bin:/bin"})
        self.url = self.server.stdout.readline().strip()
        expect(self.url.startswith("http://127.0.0.1:"), "the scripted server did not start")
        self.environment |= self.client.surroundings(self.url, "sk-good")
        self.client.configure(self.home, self.url)
        for command in (["init", "-q", "-b", "main"], ["config", "user.name", "Test"], ["config", "user.email", "test@localhost"]):
            self.git(*command)
        (self.project / "README").write_text("A project.\n")
        self.git("add", "README")
        self.git("commit", "-qm", "begin")
        self.must("init")

    def __exit__(self, kind=None, error=None, trace=None):
        if error is not None:
            error.report = self.report()
        if self.up is not None:
            self.up.send_signal(signal.SIGTERM)
            gone(self.up)
        if self.server is not None:
            self.server.stdin.close()
            gone(self.server)
            self.server.stdout.close()
        left = self.processes()
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        self.folder.cleanup()
        if error is None:
            expect(not left, f"{len(left)} processes were left running")

    def file(self, name: str) -> Path:
        return Path(self.folder.name) / name

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.project, env=self.environment, capture_output=True, text=True, timeout=60, check=False)
        expect(done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([self.bidboard, *arguments], cwd=self.project, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60, check=False)

    def must(self, *arguments: str) -> str:
        done = self.run(*arguments)
        expect(done.returncode == 0, f"bidboard {' '.join(arguments)}: exit {done.returncode}: {done.stderr}")
        return done.stdout

    def work(self, settings: dict | None = None, agent: dict | None = None, environment: dict | None = None) -> None:
        """Starts the controller and one agent of the client."""
        entry = {"name": "solo", "preset": self.client.name, "model": self.client.model, "account": "team", **(agent or {})}
        price = {"input": self.client.price["input"], "cached": self.client.price.get("cache_read", 0), "output": self.client.price["output"]}
        written = {"agents": [entry], "prices": {self.client.model: price}, **(settings or {})}
        (self.project / "bidboard.yaml").write_text(json.dumps(written))
        log = open(self.file("up.log"), "w", encoding="utf-8")
        self.up = subprocess.Popen([self.bidboard, "up"], cwd=self.project, env={**self.environment, **(environment or {})},
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        self.becomes("SELECT count(*) FROM agents WHERE state = 'live'", "1")

    def session(self, prompt: str) -> None:
        """One session of the client as a person would begin it, without a board's agent."""
        command = f"{self.client.session} --model {self.client.model}"
        try:
            done = subprocess.run(["sh", "-c", f"exec {command}"], cwd=self.project, env=self.environment, input=prompt, capture_output=True,
                                  text=True, timeout=PATIENCE_S, check=False)
        except subprocess.TimeoutExpired as error:
            raise Failed(f"{command} did not end: {error.stdout!r}"[:2000]) from None
        expect(done.returncode == 0, f"{command}: exit {done.returncode}: {done.stdout[-500:]}{done.stderr[-1500:]}")

    def rows(self, sql: str) -> list[list]:
        answer = json.loads(self.must("query", sql, "--json"))["data"]
        return [list(row.values()) if isinstance(row, dict) else row for row in answer]

    def value(self, sql: str) -> str:
        rows = self.rows(sql)
        return "|".join("" if cell is None else str(cell) for cell in rows[0]) if rows else ""

    def becomes(self, sql: str, wanted: str) -> None:
        self.eventually(lambda: self.value(sql) == wanted, lambda: f"`{sql}` is '{self.value(sql)}', not '{wanted}'")

    def task_ends(self, wanted: str = "done", task: str = "t1") -> None:
        ended = ("done", "failed", "cancelled", "skipped")
        self.eventually(lambda: self.value(f"SELECT state FROM tasks WHERE id = '{task}'") in ended, lambda: f"{task} goes on")
        state = self.value(f"SELECT state FROM tasks WHERE id = '{task}'")
        expect(state == wanted, f"{task} is {state}, not {wanted}")

    def eventually(self, condition, what) -> None:
        end = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > end:
                raise Failed(f"after {PATIENCE_S} s: {what()}")
            time.sleep(0.3)

    def requests(self) -> list[dict]:
        return [json.loads(line) for line in self.log_path.read_text().splitlines()] if self.log_path.exists() else []

    def problems(self) -> list[str]:
        return [f"{request.get('path')}: {request['problem']}" for request in self.requests() if request.get("problem")]

    def billed(self, what: str) -> float:
        return sum(request["billed"][what] for request in self.requests() if request["billed"])

    def processes(self, words: str = "") -> list[int]:
        """Of this world, with these words among their surroundings or arguments."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                about = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes().replace(b"\0", b" ")
            except OSError:
                continue
            if self.mark.encode() in about and words.encode() in about and int(folder.name) != os.getpid():
                found.append(int(folder.name))
        return found

    def report(self) -> str:
        """What a person needs to see why a check failed."""
        said = [f"bidboard {' '.join(words)}:\n{self.run(*words).stdout}" for words in (["show", "t1"], ["output", "t1"], ["agents"])]
        asked = [f"{r.get('n')} {r.get('path')} {r.get('rule')} {json.dumps(r.get('answer'))} {r.get('problem') or ''}" for r in self.requests()]
        up = self.file("up.log").read_text(errors="replace") if self.file("up.log").exists() else ""
        return "\n".join(said) + "\nup:\n" + up[-1500:] + "\nrequests:\n" + "\n".join(asked[-20:])
