#!/usr/bin/env python3
"""Runs examples/audit.yaml on a small made-up tree and on the project's own, and checks its numbers against counts of our own.

usage: audit_test.py BIDBOARD
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIDBOARD = Path(sys.argv[1]).resolve()
TIME_LIMIT_S = 300

# One file of each kind, with known flaws.
MADE_UP = {
    "main.cpp": '#include <cstring>\n\nint first(int x) {\n  return x;\n}\n\nvoid copy(char* to, const char* from) {\n  strcpy(to, from);\n'
                "  int a[2] = {0, 0};\n  a[0] = 1;\n  a[1] = 2;\n}\n",
    "wrong.cpp": "int main() {\n  char* p = new char[10];\n  int* q = nullptr;\n  *q = 1;\n  delete p;\n  return 0;\n}\n",
    "tool.py": "def longest():\n" + "    x = 1\n" * 20 + "    return x\n\n\ndef short():\n    return 2\n",
    "bad.py": "def broken(:\n    pass\n",
    "run.sh": "#!/bin/sh\necho hello\n",
    "notes.md": "# Notes\n\nNothing.\n",
    "config.yaml": 'password: "hunter2-hunter2"\n',
    "script": "#!/usr/bin/env python3\nprint(1)\n",
}


def audit(tree=None):
    """Exit code and the results of each task, by its name."""
    with tempfile.TemporaryDirectory(prefix="bb-audit-") as folder:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("BIDBOARD_")}
        environment["XDG_RUNTIME_DIR"] = folder
        if tree:
            environment["AUDIT_TREE"] = str(tree)
        board = [BIDBOARD, "-C", folder]
        subprocess.run([*board, "init"], check=True, capture_output=True, env=environment)
        done = subprocess.run([*board, "run", "examples/audit.yaml", "--quiet"], cwd=ROOT, env=environment, capture_output=True, text=True,
                              timeout=TIME_LIMIT_S)
        listed = subprocess.run([*board, "tasks", "--json"], env=environment, capture_output=True, text=True, check=True)
        agents = subprocess.run([*board, "query", "SELECT count(DISTINCT holder) AS n FROM tasks", "--json"], env=environment,
                                capture_output=True, text=True, check=True)
        results = {task["name"]: task["result"] for task in json.loads(listed.stdout)["data"]}
        return done.returncode, results, json.loads(agents.stdout)["data"][0]["n"]


class MadeUpTree(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tree = Path(tempfile.mkdtemp(prefix="bb-tree-"))
        for name, text in MADE_UP.items():
            (cls.tree / name).write_text(text)
        cls.code, cls.results, cls.agents = audit(cls.tree)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.tree)

    def test_every_task_is_done_by_several_agents(self):
        self.assertEqual(self.code, 0)
        self.assertGreaterEqual(self.agents, 5)

    def test_files_and_lines_per_language(self):
        lines = {language: (entry["files"], entry["lines"]) for language, entry in self.results["lines"].items()}
        count = lambda *names: (len(names), sum(MADE_UP[name].count("\n") for name in names))
        self.assertEqual(lines, {"C++": count("main.cpp", "wrong.cpp"), "Python": count("tool.py", "bad.py", "script"), "Shell": count("run.sh"),
                                 "Markdown": count("notes.md"), "YAML": count("config.yaml")})

    def test_largest_functions(self):
        largest = self.results["functions"]["largest"]
        self.assertEqual((largest[0]["name"], largest[0]["lines"]), ("longest", 22))
        self.assertEqual([(f["name"], f["lines"]) for f in largest[1:3]], [("main", 7), ("copy", 6)])

    def test_checkers_find_what_is_wrong(self):
        self.assertTrue(any("bad.py:1" in finding for finding in self.results["check_scripts"]["findings"]))
        checks = [self.results[f"check_cpp_{part}"] for part in range(1, 5)]
        self.assertEqual(sum(check["checked"] for check in checks), 2 if shutil.which("cppcheck") else 0)
        if shutil.which("cppcheck"):
            self.assertTrue(any(finding.startswith("wrong.cpp:") for check in checks for finding in check["findings"]))

    def test_suspicious_patterns(self):
        patterns = self.results["patterns"]
        self.assertEqual(patterns["unbounded copy"], ["main.cpp:8"])
        self.assertEqual(patterns["secret in the source"], ["config.yaml:1"])
        self.assertEqual(patterns["very long line"], [])

    def test_the_report_tells_it(self):
        report = self.results["report"]
        for words in ("8 files", "longest  (tool.py:1)", "main.cpp:8", "bad.py:1"):
            self.assertIn(words, report)


class OwnTree(unittest.TestCase):
    def test_numbers_against_git_and_wc(self):
        code, results, _ = audit()
        self.assertEqual(code, 0)
        listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True).stdout
        names = sorted({name for name in listed.split("\0") if name and (ROOT / name).is_file()})
        self.assertEqual([file["path"] for file in results["list"]["files"]], names)
        cpp = [name for name in names if name.endswith((".cpp", ".hpp"))]
        wc = subprocess.run(["wc", "-l", *cpp], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        totals = [int(number) for number in re.findall(r"^\s*(\d+) total$", wc, re.M)]
        self.assertEqual(results["lines"]["C++"], {"files": len(cpp), "lines": sum(totals)})
        self.assertLessEqual(results["functions"]["largest"][0]["lines"], 72)  # the house rule, and its braces
        self.assertGreater(results["functions"]["count"], 500)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
