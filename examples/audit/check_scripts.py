"""Asks Python's and the shell's own parsers whether the scripts are scripts."""

import ast
import subprocess

from common import TREE, answer, files_of, read_text

findings = []
python, shell = files_of("Python"), files_of("Shell")
for path in python:
    try:
        ast.parse(read_text(path))
    except SyntaxError as error:
        findings.append(f"{path}:{error.lineno}: error: {error.msg}")
for path in shell:
    interpreter = "bash" if "bash" in read_text(path).split("\n", 1)[0] else "sh"
    parsed = subprocess.run([interpreter, "-n", path], cwd=TREE, capture_output=True, text=True)
    findings += [f"{path}: error: {line}" for line in parsed.stderr.splitlines()]
answer({"checked": len(python) + len(shell), "findings": findings})
