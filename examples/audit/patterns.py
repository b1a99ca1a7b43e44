"""Searches code for what deserves a second look."""

import re

from common import answer, files_of, read_text

LONGEST_LINE = 160
SUSPICIOUS = {
    "unbounded copy": (("C++", "C"), re.compile(r"\b(strcpy|strcat|sprintf|gets)\s*\(")),
    "shell from a program": (("C++", "C", "Python"), re.compile(r"\b(os\.)?(system|popen)\s*\(|shell=True")),
    "secret in the source": (("C++", "C", "Python", "Shell", "YAML"), re.compile(r"(?i)\b(password|passwd|api_key|secret)\s*[:=]\s*[\"'][^\"'\s]{6,}[\"']")),
    "swallowed error": (("Python",), re.compile(r"except\s*:\s*(pass)?\s*$")),
}

found = {name: [] for name in [*SUSPICIOUS, "very long line"]}
for name, (languages, pattern) in SUSPICIOUS.items():
    for path in files_of(*languages):
        found[name] += [f"{path}:{number}" for number, line in enumerate(read_text(path).split("\n"), 1) if pattern.search(line)]
for path in files_of("C++", "C", "Python", "Shell"):
    found["very long line"] += [f"{path}:{number}" for number, line in enumerate(read_text(path).split("\n"), 1) if len(line) > LONGEST_LINE]
answer(found)
