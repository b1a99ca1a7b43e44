"""What the server answers, as a script file says: JSON.

    {"keys": ["sk-good"],                     who calls with another key gets the API's error for it; without `keys` all are good
     "prices": [{"model": "opus", "input": 5, "output": 25, "cache_read": 0.5, "cache_write": 6.25}],   USD per million tokens
     "rules": [RULE...]}

The first rule that fits a request answers it:

    {"name": "outage",                        in the log
     "when": {"prompt": REGEX, "model": REGEX, "api": NAME, "tools": true},    all of them; tools: whether any are offered
     "while": FILE,                           only as long as this file exists
     "times": 2,                              only that often
     "error": {"kind": "rate_limit", "retry_after": 3600, "message": TEXT, "status": 429}}
or   {..., "steps": [STEP...]}                the first step answers a prompt, the next one the results of its tools, and so on

    {"text": TEXT or [PIECES],
     "calls": [{"write": PATH, "content": TEXT}, {"shell": COMMAND}, {"mcp": "ready", "input": {}}, {"tool": NAME, "input": {}}],
     "usage": {"input": 1000, "output": 50, "cache_read": 0, "cache_write": 0, "reasoning": 0},
     "after": FILE,                           the answer begins when this file exists
     "pause": FILE,                           a stream stops after its first piece until this file exists
     "cut": 2}                                the connection ends after so many events of the stream, or before the answer

Calls name what to do, `tools.py` finds the client's tool for it.
"""

import itertools
import json
import re
import threading
from pathlib import Path

from exchange import KINDS, Answer, Call, Refusal, Request, Usage
from tools import call_of


class ScriptError(Exception):
    """The script does not say what to answer; the client gets it as an invalid request, and the log has it."""


RULE_KEYS = {"name", "when", "while", "times", "error", "steps"}
answer_ids = itertools.count(1)
STEP_KEYS = {"text", "calls", "usage", "after", "pause", "cut"}
WHEN_KEYS = {"prompt", "model", "api", "tools"}


class Script:
    """Safe to share between threads."""

    def __init__(self, text: str):
        content = json.loads(text)
        self.keys = content.get("keys")
        self.prices = content.get("prices", [])
        self.rules = content["rules"]
        self.used = [0] * len(self.rules)
        self.lock = threading.Lock()
        for rule in self.rules:
            check(rule)

    def reply_to(self, request: Request) -> tuple[str, Answer | Refusal, dict]:
        """The rule's name, what to answer, and the step it comes from."""
        if self.keys is not None and request.key not in self.keys:
            return "keys", Refusal("authentication"), {}
        rule = self.rule_for(request)
        name = rule.get("name", "")
        if "error" in rule:
            return name, Refusal(**rule["error"]), {}
        if request.rounds >= len(rule["steps"]):
            raise ScriptError(f"rule '{name}' has {len(rule['steps'])} steps, and the conversation goes on")
        step = rule["steps"][request.rounds]
        return name, answer_of(step, request), step

    def rule_for(self, request: Request) -> dict:
        with self.lock:
            for at, rule in enumerate(self.rules):
                if self.used[at] < rule.get("times", self.used[at] + 1) and fits(rule, request):
                    self.used[at] += 1
                    return rule
        raise ScriptError("no rule fits the request")

    def price_of(self, model: str, usage: Usage) -> float:
        """In USD; 0 for models without a price."""
        for price in self.prices:
            if re.search(price["model"], model):
                kinds = ("input", "output", "cache_read", "cache_write")
                return sum(price.get(kind, 0) * getattr(usage, kind) for kind in kinds) / 1e6
        return 0.0


def fits(rule: dict, request: Request) -> bool:
    when = rule.get("when", {})
    return (re.search(when.get("prompt", ""), request.prompt) is not None and re.search(when.get("model", ""), request.model) is not None
            and when.get("api", request.api) == request.api and when.get("tools", bool(request.tools)) == bool(request.tools)
            and ("while" not in rule or Path(rule["while"]).exists()))


def answer_of(step: dict, request: Request) -> Answer:
    text = step.get("text", [])
    pieces = (text,) if isinstance(text, str) else tuple(text)
    calls = []
    for number, wanted in enumerate(step.get("calls", [])):
        found = call_of(wanted, request.tools)
        if found is None:
            offered = ", ".join(sorted(tool.name for tool in request.tools)) or "none"
            raise ScriptError(f"no tool is offered for {json.dumps(wanted)}; offered: {offered}")
        calls.append(Call(found[0], found[1], f"call_{request.rounds}_{number}"))
    return Answer(str(next(answer_ids)), pieces, tuple(calls), Usage(**step.get("usage", {})))


def check(rule: dict) -> None:
    """A word that nobody reads would be an error that the test never sees."""
    unknown = (rule.keys() - RULE_KEYS) | (rule.get("when", {}).keys() - WHEN_KEYS)
    for step in rule.get("steps", []):
        unknown |= step.keys() - STEP_KEYS
    if unknown:
        raise ScriptError(f"unknown keys in a rule: {', '.join(sorted(unknown))}")
    if ("error" in rule) == ("steps" in rule):
        raise ScriptError(f"rule '{rule.get('name', '')}' needs either `error` or `steps`")
    if "error" in rule and rule["error"]["kind"] not in KINDS:
        raise ScriptError(f"unknown kind of error '{rule['error']['kind']}'; known: {', '.join(KINDS)}")
