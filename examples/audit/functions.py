"""Finds the largest functions: of Python by its own parser, of C++ by matching braces in code without comments and strings."""

import ast
import re

from common import answer, files_of, read_text

KEPT = 5
NO_CODE = re.compile(r'R"([^()\\ ]{0,16})\(.*?\)\1"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.S)
CALLABLE = re.compile(r"([A-Za-z_~][\w:~]*)\s*\([^;{}]*\)\s*(?:const|noexcept|override|final|->[^;{}]*|:[^;{}]*)?\s*$", re.S)
CONTROL = {"if", "for", "while", "switch", "catch", "return", "sizeof", "constexpr"}


def python_functions(path):
    for node in ast.walk(ast.parse(read_text(path))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield {"path": path, "line": node.lineno, "name": node.name, "lines": node.end_lineno - node.lineno + 1}


def cpp_functions(path):
    code = NO_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), read_text(path))
    open_braces = []  # (name or None, position)
    for brace in re.finditer(r"[{}]", code):
        if brace.group(0) == "{":
            head = code[max(0, brace.start() - 400):brace.start()]
            found = CALLABLE.search(head)
            inside = any(name for name, _ in open_braces)
            name = found.group(1) if found and not inside and found.group(1) not in CONTROL else None
            open_braces.append((name, brace.start()))
        elif open_braces:
            name, start = open_braces.pop()
            if name:
                first, last = code.count("\n", 0, start) + 1, code.count("\n", 0, brace.start()) + 1
                yield {"path": path, "line": first, "name": name, "lines": last - first + 1}


functions = []
for path in files_of("Python"):
    try:
        functions += python_functions(path)
    except SyntaxError:
        pass  # check_scripts tells of it
for path in files_of("C++", "C"):
    functions += cpp_functions(path)
functions.sort(key=lambda f: (-f["lines"], f["path"], f["line"]))
answer({"count": len(functions), "largest": functions[:KEPT]})
