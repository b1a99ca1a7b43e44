#!/usr/bin/env python3
"""Runs the test programs of a build folder and the Python tests, prints what fails, ends with "N passed, N failed".

Each Catch2 program is run as a whole (its test cases share nothing), the longest ones in parts; the Python tests are those that
CMake registered with ctest. Two run at a time: most of them wait for processes. The count is of test cases, not of programs.
"""

import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

TIME_LIMIT_S = 1800
PARTS = {"process_tests": 4, "shell_tests": 2}
LONGEST_FIRST = [f"{program}.{part}" for program, parts in PARTS.items() for part in range(1, parts + 1)] + ["sim_tests", "report"]


def plain(name: str) -> str:
    """A test case's name in a report, without the section that follows it."""
    return re.sub(r"/.*", "", name)


def parts_of(program: Path) -> list[list[str]]:
    """The names of the program's test cases, dealt out in turn: neighbours take similarly long."""
    listed = subprocess.run([program, "--list-test-names-only"], capture_output=True, text=True)
    names = [name for name in listed.stdout.splitlines() if name]
    parts = PARTS[program.name]
    return [names[first::parts] for first in range(parts)]


def run_catch(program: Path, part: str = "", names: list[str] | None = None) -> tuple[int, int, str]:
    """Passed and failed test cases of one program, or of those named, and what to say of the failed ones; a crash counts as one failure."""
    report = program.with_name(f"{program.name}{part}.xml")
    report.unlink(missing_ok=True)
    command = [program, "-r", "junit", "-o", report]
    if names is not None:
        chosen = report.with_suffix(".txt")
        # Catch2 2.13 ends a name at a comma, quoted or not, unless it is escaped.
        quotable = [re.sub(r'([\\",])', r"\\\1", name) for name in names]
        chosen.write_text("".join(f'"{name}"\n' for name in quotable))
        command += ["-f", chosen]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT_S, errors="replace")
    except subprocess.TimeoutExpired:
        return 0, 1, f"  FAILED {program.name} did not end within {TIME_LIMIT_S} s\n"
    cases: dict[str, list[str]] = {}
    if report.exists():
        try:
            for case in ElementTree.parse(report).getroot().iter("testcase"):
                name = plain(case.get("name", ""))
                problems = [item.text or "" for item in case if item.tag in ("failure", "error")]
                cases.setdefault(name, []).extend(problems)
        except ElementTree.ParseError:
            cases = {}
    failed = {name: problems for name, problems in cases.items() if problems}
    said = ""
    for name, problems in failed.items():
        said += f"  FAILED {name}\n"
        for problem in problems:
            said += "    " + problem.strip().replace("\n", "\n    ") + "\n"
    crashed = result.returncode != 0 and not failed
    if crashed:
        said += f"  FAILED {program.name} ended with {result.returncode}\n"
    if result.returncode != 0:
        said += result.stderr[-4000:] + "\n"
    missing = {plain(name) for name in names or []} - cases.keys() if not crashed else set()
    for name in missing:
        said += f"  FAILED {name} was not run\n"
    silent = not cases and not crashed
    if silent:
        said += f"  FAILED {program.name} did not say what it tested\n"
    return len(cases) - len(failed), len(failed) + len(missing) + crashed + silent, said


def run_ctest(build: Path, name: str) -> tuple[int, int, str]:
    """One of the tests registered by CMake that are no Catch2 programs."""
    result = subprocess.run(["ctest", "-R", f"^{name}$", "--output-on-failure", "--timeout", str(TIME_LIMIT_S)],
                            cwd=build, capture_output=True, text=True)
    return (1, 0, "") if result.returncode == 0 else (0, 1, result.stdout[-6000:] + "\n")


def timed(run, *arguments) -> tuple[int, int, str, float]:
    begun = time.monotonic()
    return *run(*arguments), time.monotonic() - begun


def main() -> int:
    build = Path(sys.argv[1]).resolve()
    os.environ.setdefault("ASAN_OPTIONS", "abort_on_error=0:detect_leaks=1")
    suppressions = Path(__file__).resolve().parent / "leaks.supp"
    os.environ.setdefault("LSAN_OPTIONS", f"suppressions={suppressions}:print_suppressions=0")
    os.environ.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    listed = subprocess.run(["ctest", "-N", "-L", "python"], cwd=build, capture_output=True, text=True, check=True).stdout
    tests = {}
    for program in sorted((build / "tests").glob("*_tests")):
        if program.name in PARTS:
            for number, names in enumerate(parts_of(program), 1):
                tests[f"{program.name}.{number}"] = (run_catch, program, f".{number}", names)
        else:
            tests[program.name] = (run_catch, program)
    tests |= {name: (run_ctest, build, name) for name in re.findall(r"Test\s+#\d+: (\S+)", listed)}
    order = sorted(tests, key=lambda name: LONGEST_FIRST.index(name) if name in LONGEST_FIRST else len(LONGEST_FIRST))
    passed = failed = 0
    with ThreadPoolExecutor(max_workers=2) as pool:
        running = {pool.submit(timed, *tests[name]): name for name in order}
        for done in as_completed(running):
            good, bad, said, seconds = done.result()
            verdict = "ok    " if bad == 0 else "FAILED"
            print(f"{said}{verdict} {running[done]}: {good} passed, {bad} failed ({seconds:.1f} s)", flush=True)
            passed, failed = passed + good, failed + bad
    if passed + failed == 0:
        print("no tests were found; build them first")
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
