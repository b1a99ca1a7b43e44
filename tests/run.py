#!/usr/bin/env python3
"""Runs the test programs of a build folder and the Python tests, prints what fails, ends with "N passed, N failed".

Each Catch2 program is run as a whole (its test cases share nothing); the Python tests are those that CMake registered with
ctest. The count is of test cases, not of programs.
"""

import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

TIME_LIMIT_S = 1200


def run_catch(program: Path) -> tuple[int, int]:
    """Passed and failed test cases of one program; a crash counts as one failure."""
    report = program.with_suffix(".xml")
    report.unlink(missing_ok=True)
    result = subprocess.run([program, "-r", "junit", "-o", report], capture_output=True, text=True, timeout=TIME_LIMIT_S, errors="replace")
    cases: dict[str, list[str]] = {}
    if report.exists():
        try:
            for case in ElementTree.parse(report).getroot().iter("testcase"):
                name = re.sub(r"/.*", "", case.get("name", ""))
                problems = [item.text or "" for item in case if item.tag in ("failure", "error")]
                cases.setdefault(name, []).extend(problems)
        except ElementTree.ParseError:
            cases = {}
    failed = {name: problems for name, problems in cases.items() if problems}
    for name, problems in failed.items():
        print(f"  FAILED {name}")
        for problem in problems:
            print("    " + problem.strip().replace("\n", "\n    "))
    crashed = result.returncode != 0 and not failed
    if crashed:
        print(f"  FAILED {program.name} ended with {result.returncode}")
    if result.returncode != 0:
        print(result.stderr[-4000:])
    return len(cases) - len(failed), len(failed) + crashed


def run_ctest(build: Path) -> tuple[int, int]:
    """The tests registered by CMake that are no Catch2 programs."""
    listed = subprocess.run(["ctest", "-N", "-L", "python"], cwd=build, capture_output=True, text=True, check=True).stdout
    names = re.findall(r"Test\s+#\d+: (\S+)", listed)
    passed = failed = 0
    for name in names:
        begun = time.monotonic()
        result = subprocess.run(["ctest", "-R", f"^{name}$", "--output-on-failure", "--timeout", str(TIME_LIMIT_S)],
                                cwd=build, capture_output=True, text=True)
        ok = result.returncode == 0
        passed, failed = passed + ok, failed + (not ok)
        print(f"{'ok    ' if ok else 'FAILED'} {name} ({time.monotonic() - begun:.1f} s)", flush=True)
        if not ok:
            print(result.stdout[-6000:])
    return passed, failed


def main() -> int:
    build = Path(sys.argv[1]).resolve()
    os.environ.setdefault("ASAN_OPTIONS", "abort_on_error=0:detect_leaks=1")
    suppressions = Path(__file__).resolve().parent / "leaks.supp"
    os.environ.setdefault("LSAN_OPTIONS", f"suppressions={suppressions}:print_suppressions=0")
    os.environ.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    passed = failed = 0
    for program in sorted((build / "tests").glob("*_tests")):
        begun = time.monotonic()
        try:
            good, bad = run_catch(program)
        except subprocess.TimeoutExpired:
            print(f"  FAILED {program.name} did not end within {TIME_LIMIT_S} s")
            good, bad = 0, 1
        print(f"{'ok    ' if bad == 0 else 'FAILED'} {program.name}: {good} passed, {bad} failed ({time.monotonic() - begun:.1f} s)", flush=True)
        passed, failed = passed + good, failed + bad
    good, bad = run_ctest(build)
    passed, failed = passed + good, failed + bad
    if passed + failed == 0:
        print("no tests were found; build them first")
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
