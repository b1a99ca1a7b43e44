"""Runs cppcheck over one part of the C and C++ files: check_cpp.py PART OF_HOW_MANY."""

import shutil
import subprocess
import sys

from common import TREE, answer, files_of, tell

part, parts = int(sys.argv[1]), int(sys.argv[2])
# Every n-th file, so that the parts take about as long.
mine = [path for path in files_of("C++", "C") if path.endswith((".cpp", ".cc", ".c"))][part - 1::parts]
findings = []
if shutil.which("cppcheck") is None:
    answer({"checked": 0, "findings": [], "remark": "cppcheck is not installed"})
    sys.exit()
for number, path in enumerate(mine):
    # Without --inconclusive and style checks: what it says is meant to be wrong code.
    checked = subprocess.run(["cppcheck", "--quiet", "--std=c++20", "--language=c++", "--enable=warning,portability", "--inline-suppr",
                              "--suppress=missingInclude", "--template={file}:{line}: {severity}: {message}", "-DBB_FIELDS(...)=", path],
                             cwd=TREE, capture_output=True, text=True)
    findings += [line for line in checked.stderr.splitlines() if line.strip()]
    if number % 5 == 0:
        tell((number + 1) / len(mine), f"{number + 1} of {len(mine)} files")
answer({"checked": len(mine), "findings": sorted(set(findings))})
