"""The real clients of coding agents: where they come from, and how each is pointed at the scripted server. All that they keep lies in the
folder that the test gives them."""

import json
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

INSTALLED = Path(__file__).resolve().parents[2] / "build/clients"
MACHINE = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


@dataclass(frozen=True)
class Client:
    name: str  # of the preset, and of the program
    package: str
    version: str
    programs: tuple[str, ...]  # below node_modules; the first one that is there. Install scripts, which would link it, are not run
    model: str
    price: dict  # in the server's script: what the client believes its model costs, in USD per million tokens
    surroundings: Callable[[str, str], dict]  # address of the server, key
    configure: Callable[[Path, str], None]  # home, address of the server
    session: str  # a session without a terminal, whose prompt comes on standard input, and which may use the board's tools
    node_min: int = 0  # the major version of Node.js that it needs

    def folder(self) -> Path:
        return INSTALLED / f"{self.name}-{self.version}"

    def program(self) -> Path:
        places = [self.folder() / "node_modules" / program for program in self.programs]
        return next((place for place in places if place.exists()), places[0])

    def why_not(self) -> str:
        """Why it does not run on this machine; empty: it does."""
        said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip()
        if int(said.lstrip("v").split(".")[0] or 0) >= self.node_min:
            return ""
        return f"it needs Node.js {self.node_min}, and here is {said or 'none'}"

    def install(self) -> None:
        if self.program().exists():
            return
        print(f"Installing {self.package} {self.version}", flush=True)
        self.folder().mkdir(parents=True, exist_ok=True)
        (self.folder() / "package.json").write_text('{"private": true}\n')
        command = ["npm", "install", f"{self.package}@{self.version}", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run(command, cwd=self.folder(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900, check=False)
        if done.returncode != 0 or not self.program().exists():
            sys.exit(f"{self.package} {self.version} could not be installed:\n{done.stdout}{done.stderr}")


def write_json(path: Path, content: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n")


def configure_claude(home: Path, url: str) -> None:
    # What a person would answer when asked whether to use the project's MCP servers.
    write_json(home / ".claude/settings.json", {"enableAllProjectMcpServers": True})


def configure_codex(home: Path, url: str) -> None:
    config = home / ".codex/config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    # Else it obeys a `retry-after` in silence, for hours.
    config.write_text('model_provider = "scripted"\n\n[model_providers.scripted]\nname = "scripted"\n'
                      f'base_url = "{url}/v1"\nenv_key = "OPENAI_API_KEY"\nwire_api = "responses"\n'
                      "request_max_retries = 0\nstream_max_retries = 0\n")


def configure_gemini(home: Path, url: str) -> None:
    # Else it tries ten times, for minutes.
    general = {"enableAutoUpdate": False, "maxAttempts": 2}
    write_json(home / ".gemini/settings.json", {"security": {"auth": {"selectedType": "gemini-api-key"}}, "general": general,
                                                "privacy": {"usageStatisticsEnabled": False}, "telemetry": {"enabled": False}})


def configure_opencode(home: Path, url: str) -> None:
    cost = {"input": 3, "output": 15, "cache_read": 0.3}
    model = {"name": "scripted", "cost": cost, "limit": {"context": 100_000, "output": 8_000}, "tool_call": True}
    options = {"baseURL": f"{url}/v1", "apiKey": "{env:OPENAI_API_KEY}"}
    provider = {"npm": "@ai-sdk/openai-compatible", "name": "scripted", "options": options, "models": {"scripted": model}}
    write_json(home / ".config/opencode/opencode.json",
               {"autoupdate": False, "share": "disabled", "provider": {"scripted": provider}, "permission": {"webfetch": "ask"}})


CLIENTS = (
    Client("claude", "@anthropic-ai/claude-code", "2.1.197", (f"@anthropic-ai/claude-code-linux-{MACHINE}/claude",), "claude-sonnet-4-5",
           {"model": "sonnet", "input": 3, "output": 15, "cache_read": 0.3, "cache_write": 3.75},
           lambda url, key: {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": key, "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
                             "DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_MAX_RETRIES": "1", "IS_SANDBOX": "1"},
           configure_claude, "claude -p --allowedTools mcp__bidboard"),
    Client("codex", "@openai/codex", "0.169.0", (".bin/codex",), "gpt-5.4-codex", {"model": "gpt", "input": 2, "output": 10},
           lambda url, key: {"OPENAI_API_KEY": key}, configure_codex,
           "codex exec --skip-git-repo-check -s workspace-write -", node_min=16),
    Client("gemini", "@google/gemini-cli", "0.61.0", (".bin/gemini",), "gemini-2.5-pro", {"model": "gemini", "input": 2, "output": 10},
           lambda url, key: {"GEMINI_API_KEY": key, "GOOGLE_GEMINI_BASE_URL": url, "GEMINI_CLI_TRUST_WORKSPACE": "true"}, configure_gemini,
           "gemini --yolo", node_min=20),
    Client("opencode", "opencode-ai", "1.18.33", (f"opencode-linux-{MACHINE}/bin/opencode",), "scripted/scripted",
           {"model": "scripted", "input": 3, "output": 15, "cache_read": 0.3},
           lambda url, key: {"OPENAI_API_KEY": key, "OPENCODE_DISABLE_AUTOUPDATE": "1", "OPENCODE_DISABLE_MODELS_FETCH": "1"},
           configure_opencode, "opencode run --title session"),
)
