#!/usr/bin/env python3
"""Checks the rules of the house (docs/architecture.md) and names the remedy for each finding.

A rule looks at tokens of code with comments and strings taken out, never at substrings. `--self-test` breaks every rule once on
made-up files, so that a rule that finds nothing any more is noticed.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Every folder with code is a room: pure (no I/O, no clock, no chance of its own) or edge, and what it may include from, itself aside.
# Listed from the ground up. That the includes form no cycle is checked on the files themselves.
ROOMS = {
    "blackboard/checks": ("edge", ""),
    "blackboard": ("pure", "blackboard/checks"),
    "blackboard/text": ("pure", "blackboard blackboard/checks"),
    "blackboard/format": ("pure", "blackboard blackboard/checks blackboard/text"),
    "blackboard/store": ("edge", "blackboard blackboard/checks blackboard/format"),
    "blackboard/board": ("pure", "blackboard blackboard/checks blackboard/format blackboard/store"),
    "blackboard/query": ("edge", "blackboard blackboard/*"),
    "auction": ("pure", "blackboard blackboard/*"),
    "auction/mechanisms": ("pure", "auction blackboard blackboard/*"),
    "agents": ("pure", "auction blackboard blackboard/*"),
    "agents/clients": ("pure", "agents auction blackboard blackboard/*"),
    "agents/guard": ("edge", "agents blackboard blackboard/*"),
    "agents/worktrees": ("edge", "agents/guard blackboard blackboard/*"),
    "agents/executors": ("edge", "agents agents/clients agents/guard agents/worktrees auction blackboard blackboard/*"),
    "agents/chat": ("edge", "agents agents/clients agents/executors blackboard blackboard/*"),
    "runtime/core": ("pure", "agents auction auction/* blackboard blackboard/*"),
    "runtime/coordination": ("pure", "runtime/core agents auction auction/* blackboard blackboard/*"),
    "runtime/jobs": ("pure", "agents agents/clients auction blackboard blackboard/*"),
    "runtime/home": ("edge", "agents/guard blackboard blackboard/*"),
    "runtime/net": ("edge", "runtime/core runtime/home agents/guard blackboard blackboard/*"),
    "runtime/drivers": ("edge", "runtime/coordination runtime/core runtime/net runtime/home agents/guard blackboard blackboard/*"),
    "runtime/mcp": ("pure", "blackboard blackboard/*"),
    "runtime/fleet": ("edge", "runtime/drivers runtime/net runtime/home runtime/jobs agents agents/* auction blackboard blackboard/*"),
    "runtime/sim": ("pure", "runtime/coordination runtime/core runtime/jobs agents auction auction/* blackboard blackboard/*"),
    "experiments": ("pure", "runtime/* agents auction auction/* blackboard blackboard/*"),
    "experiments/report": ("pure", "experiments"),
    "experiments/bench": ("edge", "experiments runtime/* agents agents/* auction auction/* blackboard blackboard/*"),
    "experiments/drivers": ("edge", "experiments experiments/bench runtime/* agents agents/* auction blackboard blackboard/*"),
    "experiments/bench/peers": ("edge", "experiments experiments/bench runtime/* agents agents/* auction blackboard blackboard/*"),
    "runtime/shell": ("edge", "experiments experiments/* runtime/* agents agents/* auction auction/* blackboard blackboard/*"),
    "runtime/shell/commands": ("edge", "experiments experiments/* runtime/* agents agents/* auction auction/* blackboard blackboard/*"),
}
ROOF = "runtime/shell"  # nothing else includes it

IMPURE = {
    r"\b(system_clock|steady_clock|high_resolution_clock|time_t|gettimeofday|clock_gettime)\b": "take a Now as a parameter",
    r"\b(getenv|setenv|unsetenv)\b": "pass the value in; drivers read the environment",
    r"\b(random_device|mt19937|mt19937_64|minstd_rand|srand|rand)\b": "use Random (blackboard/random.hpp), seeded by the caller",
    r"\b(thread|jthread|async|mutex|condition_variable)\b(?=\s*[<>(){;&*]|\s+\w+\s*[({;])": "pure rooms have one thread",
    r"\b(printf|fprintf|cout|cerr|clog|spdlog)\b|\bputs\(": "emit a Note; drivers print it",
    r"\b(ifstream|ofstream|fstream|fopen|filesystem|unlink|mkdir)\b": "pass the content in; drivers do I/O",
}
UNORDERED = re.compile(r"\bunordered_(map|set|multimap|multiset)\b")
UNORDERED_HOME = "blackboard/board/record_cache.hpp"

# Each third-party library and the only files that may include it.
LIBRARIES = {
    r"lmdb\.h": ["blackboard/store/lmdb_store.cpp", "experiments/bench/raw_lmdb.cpp"],
    r"zmq(\.hpp|\.h)": ["runtime/net/", "experiments/bench/floor.cpp", "tests/support/faulty_link.cpp", "tests/support/silent_peer.cpp"],
    r"msgpack.*": ["blackboard/format/codec"],
    r"boost/.*": ["blackboard/task_graph.cpp"],
    r"sqlite3\.h": ["blackboard/query/"],
    r"lua\.h|lua\.hpp|lauxlib\.h|lualib\.h": ["blackboard/text/expression.cpp"],
    r"yaml-cpp/.*|nlohmann/.*": ["blackboard/text/document"],
    r"CLI/.*": ["runtime/shell/command_line.cpp"],
    r"spdlog/.*": ["runtime/shell/notes.cpp"],
    r"xxhash\.h": ["blackboard/format/codec"],
    r"curl/.*": ["agents/chat/main.cpp"],
    r"sodium.*": ["blackboard/secrets.cpp"],
    r"histedit\.h": ["runtime/shell/sql_prompt.cpp"],
    r"tl/expected\.hpp": ["blackboard/result.hpp"],
    r"fmt/.*": ["blackboard/fmt.hpp"],
}
HEADERS_WITH_LIBRARIES = {"runtime/net/wire.hpp", "blackboard/result.hpp", "blackboard/fmt.hpp"}

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 70
LONG_MARK = "tidy: long"  # in the first five lines, followed by why
PROMISES = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|for now\b|not implemented")


def strip_comments_and_strings(text):
    """The same text with the contents of comments, strings and character literals blanked; line breaks stay."""
    pattern = re.compile(r'R"([^()\\ ]{0,16})\(.*?\)\1"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)
    digit_separator = re.compile(r"(?<=\d)'(?=\d)")
    text = digit_separator.sub("_", text)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), text)


def room_of(path):
    return path.rsplit("/", 1)[0]


def is_under_tests(path):
    return path.startswith("tests/")


def may_include(room, other):
    """Whether files of `room` may include files of `other`."""
    if room == other or (room.startswith(ROOF) and other.startswith(ROOF)):
        return True
    if other.startswith(ROOF):
        return False
    return any(other == allowed or (allowed.endswith("/*") and other.startswith(allowed[:-1])) for allowed in ROOMS[room][1].split())


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def included_rooms(path, text):
    """The other rooms from which the file includes."""
    names = re.findall(r'^#include\s+"([^"]+)"', text, re.M)
    return {room_of(name) for name in names} - {room_of(path)}


def find_cycle(edges):
    """A list of rooms of which each includes from the next, the last from the first; None when there is none."""
    finished, path = set(), []

    def visit(room):
        if room in path:
            return path[path.index(room):]
        if room in finished:
            return None
        path.append(room)
        for other in sorted(edges.get(room, ())):
            if cycle := visit(other):
                return cycle
        path.pop()
        finished.add(room)
        return None

    for room in sorted(edges):
        if cycle := visit(room):
            return cycle
    return None


def check_cycles(files, findings):
    """The shell and its commands are one roof, so they count as one room."""
    edges = {}
    for path, text in files.items():
        if is_under_tests(path):
            continue
        room = ROOF if room_of(path).startswith(ROOF) else room_of(path)
        others = {ROOF if other.startswith(ROOF) else other for other in included_rooms(path, text)}
        edges.setdefault(room, set()).update(others - {room})
    if cycle := find_cycle(edges):
        findings.append(f"rooms include from each other in a cycle: {' -> '.join(cycle + cycle[:1])}; move what both need below both")


def check_includes(path, text, findings):
    room = room_of(path)
    if room not in ROOMS and not is_under_tests(path):
        findings.append(f"{path}: {room}/ is no room; add it to ROOMS in tests/tidy.py, as pure or edge")
        return
    for match in re.finditer(r'^#include\s+([<"])([^>"]+)[>"]', text, re.M):
        line, quoted, name = line_of(text, match.start()), match.group(1) == '"', match.group(2)
        if quoted and not is_under_tests(path) and not may_include(room, room_of(name)):
            findings.append(f"{path}:{line}: {room}/ may not include {name}; move the code, or pass the value in")
        for library, homes in LIBRARIES.items():
            if quoted or not re.fullmatch(library, name):
                continue
            if not any(path.startswith(home) for home in homes):
                findings.append(f"{path}:{line}: <{name}> belongs into {homes[0]} alone; use what that file offers")
            elif path.endswith(".hpp") and path not in HEADERS_WITH_LIBRARIES:
                findings.append(f"{path}:{line}: no third-party type in a header; move <{name}> into the .cpp")


def check_purity(path, code, findings):
    if room_of(path) not in ROOMS or ROOMS[room_of(path)][0] == "edge":
        return
    for pattern, remedy in IMPURE.items():
        for match in re.finditer(pattern, code):
            findings.append(f"{path}:{line_of(code, match.start())}: '{match.group(0)}' in a pure room; {remedy}")
    if path != UNORDERED_HOME:
        for match in UNORDERED.finditer(code):
            findings.append(f"{path}:{line_of(code, match.start())}: {match.group(0)} iterates in no order; use std::map, or RecordCache")


def functions(code):
    """(first line, last line) of every function body: a brace that follows ')' and a few words, at namespace or class level."""
    depth_of_scopes = []
    for match in re.finditer(r"[{}]", code):
        if match.group(0) == "{":
            before = code[max(0, match.start() - 300):match.start()].rstrip()
            is_scope = re.search(r"(namespace(\s+[\w:]+)?|(struct|class|enum|union)\b[^;{}()]*|extern\s*)$", before) is not None
            inside = any(kind == "function" for kind, _ in depth_of_scopes)
            is_body = not is_scope and not inside and re.search(r"\)\s*(const|noexcept|override|final|->\s*[\w:<>,&*\s]+|:\s.*)?$", before, re.S)
            depth_of_scopes.append(("function" if is_body else "scope", match.start()))
        elif depth_of_scopes:
            kind, start = depth_of_scopes.pop()
            if kind == "function":
                yield line_of(code, start), line_of(code, match.start())


def check_size(path, text, code, findings):
    lines = text.count("\n")
    excused = any(LONG_MARK in line for line in text.splitlines()[:5])
    if excused:
        return
    if lines > MAX_FILE_LINES:
        findings.append(f"{path}: {lines} lines; split it at a seam, or say '// {LONG_MARK}: why' at its head")
    for first, last in functions(code):
        if last - first + 1 > MAX_FUNCTION_LINES:
            findings.append(f"{path}:{first}: a function of {last - first + 1} lines; split it by what its parts are called")


def check_file(path, text):
    findings = []
    code = strip_comments_and_strings(text)
    check_includes(path, text, findings)
    if not is_under_tests(path):
        check_purity(path, code, findings)
    check_size(path, text, code, findings)
    for match in PROMISES.finditer(text):
        findings.append(f"{path}:{line_of(text, match.start())}: '{match.group(0)}' promises later work; do it, or open an issue")
    if path.endswith(".hpp") and "#pragma once" not in text:
        findings.append(f"{path}: a header without #pragma once")
    if path.endswith(".hpp") and not text.lstrip().startswith("//"):
        findings.append(f"{path}: a header opens with a paragraph on what it is")
    return findings


def check_tests_are_built(paths):
    listed = (ROOT / "tests/CMakeLists.txt").read_text()
    rooms = re.search(r"foreach\(room ([^)]*)\)", listed).group(1).split()
    return [f"{path}: not in the build; put it into tests/ROOM/ with a room of {rooms}"
            for path in paths if path.endswith("_test.cpp") and path.split("/")[1] not in rooms]


def tracked_files():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for path in listed.stdout.split() if path.endswith((".cpp", ".hpp")) and (ROOT / path).exists()]


BROKEN = {  # made-up files, each breaking one rule
    "auction/a.cpp": '#include "runtime/core/node.hpp"\n',
    "runtime/b.cpp": '#include "runtime/shell/print.hpp"\n',
    "auction/c.cpp": "#include <lmdb.h>\n",
    "blackboard/store/lmdb_store.hpp": "// x\n#pragma once\n#include <lmdb.h>\n",
    "runtime/core/tasks.cpp": "auto t = std::chrono::steady_clock::now();\n",
    "runtime/coordination/d.cpp": 'const char* home = std::getenv("HOME");\n',
    "auction/e.cpp": "std::mt19937 generator;\n",
    "auction/f.cpp": 'void f() { std::printf("x"); }\n',
    "auction/g.cpp": "std::unordered_map<int, int> m;\n",
    "auction/h.cpp": "int x;\n" * 501,
    "auction/i.cpp": "void f() {\n" + "  g();\n" * 71 + "}\n",
    "auction/j.cpp": "// " + "TO" + "DO: later\n",
    "auction/k.hpp": "// A header.\nint x;\n",
    "auction/l.hpp": "#pragma once\n",
    "auction/m.cpp": "std::thread worker(run);\n",
    "auction/n.cpp": "std::ofstream out;\n",
}
CLEAN = {
    "auction/a.cpp": '// steady_clock is not used here\nconst char* s = "std::getenv";\nint runtime_clock = 1\'000;\n',
    "runtime/net/server.cpp": "#include <zmq.hpp>\n",
}


def self_test():
    silent = [path for path, text in BROKEN.items() if not check_file(path, text)]
    noisy = [finding for path, text in CLEAN.items() for finding in check_file(path, text)]
    if find_cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) is None or find_cycle({"a": {"b", "c"}, "b": {"c"}}) is not None:
        print("self-test: cycles of rooms are not told from none")
        return False
    for path in silent:
        print(f"self-test: the rule broken by {path} finds nothing")
    for finding in noisy:
        print(f"self-test: false alarm: {finding}")
    return not silent and not noisy


def main():
    if not self_test():
        return 1
    if sys.argv[1:] == ["--self-test"]:
        return 0
    paths = tracked_files()
    findings = check_tests_are_built(paths)
    files = {path: (ROOT / path).read_text() for path in paths}
    check_cycles(files, findings)
    for path, text in files.items():
        findings += check_file(path, text)
    for finding in findings:
        print(finding)
    print(f"tidy: {len(paths)} files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
