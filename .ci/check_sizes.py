"""Fail when a file or a function has outgrown a reader.

A function's length is that of its body, so that many parameters do not make it long: from the brace
that opens it in C++, without the docstring in Python, by indentation in Cython.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

FILE_LINES = {".cc": 350, ".h": 150, ".py": 350, ".pyx": 450, ".pxi": 450, ".pxd": 350}
FUNCTION_LINES = 40
# What encloses functions instead of being one.
SCOPE = re.compile(r"^(?:inline )?(?:namespace|class|struct|union|enum|extern|template)\b")
LITERAL = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL
)
Function = tuple[str, int]


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match.group())


def cxx_functions(text: str) -> Iterator[Function]:
    """Yield the first line of each function outside of another, and the length of its body.

    Formatted code has a space before the brace of a body and none before that of an initializer.
    """
    code = LITERAL.sub(_blank, text)
    code = re.sub(r"^\s*#(?:[^\n]*\\\n)*[^\n]*", _blank, code, flags=re.MULTILINE)
    depth = 0  # Of braces within the function, or of anything within a declaration's parts.
    opened: tuple[str, int] | None = None
    head = 0
    for place, symbol in enumerate(code):
        if opened is not None:
            depth += (symbol == "{") - (symbol == "}")
            if depth == 0:
                yield opened[0], code.count("\n", opened[1], place) + 1
                opened, head = None, place + 1
        elif depth > 0 or symbol == "(" or (symbol == "{" and not code[place - 1].isspace()):
            depth += (symbol in "({") - (symbol in ")}")
        elif symbol in ";}":
            head = place + 1
        elif symbol == "{":
            declaration = code[head:place].strip()
            if "(" in declaration and not SCOPE.match(_without_template(declaration)):
                opened, depth = (declaration.split("\n")[0], place), 1
            else:
                head = place + 1


def _without_template(declaration: str) -> str:
    if not declaration.startswith("template"):
        return declaration
    depth = 0
    for place, symbol in enumerate(declaration):
        depth += (symbol == "<") - (symbol == ">")
        if symbol == ">" and depth == 0:
            return declaration[place + 1 :].lstrip()
    return declaration


def python_functions(text: str) -> Iterator[Function]:
    """Yield each function's name, and the length of its body without the docstring."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[ast.get_docstring(node) is not None :]
            if body:
                yield node.name, (body[-1].end_lineno or 0) - body[0].lineno + 1


def cython_functions(text: str) -> Iterator[Function]:
    """Yield the first line of each function of a ``.pyx`` file, and its length in lines."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if not re.match(r"\s*(?:async )?(?:def|cdef|cpdef) (?!class|extern)[^=]*\(", line):
            continue
        indent = len(line) - len(line.lstrip())
        last = number
        for later in range(number + 1, len(lines)):
            inner = lines[later]
            closes_head = inner.strip().startswith(")")
            if inner.strip() and len(inner) - len(inner.lstrip()) <= indent and not closes_head:
                break
            if inner.strip():
                last = later
        yield line.strip(), last - number + 1


FUNCTIONS = {".cc": cxx_functions, ".h": cxx_functions}
FUNCTIONS |= {".py": python_functions, ".pyx": cython_functions, ".pxi": cython_functions}


def violations(path: Path) -> Iterator[str]:
    """Yield a line if the file is too long, and for each function that is."""
    text = path.read_text()
    lines = len(text.splitlines())
    if lines > FILE_LINES[path.suffix]:
        yield f"{path}: {lines} lines, at most {FILE_LINES[path.suffix]}"
    for name, length in FUNCTIONS.get(path.suffix, lambda _: iter(()))(text):
        if length > FUNCTION_LINES:
            yield f"{path}: {length} lines, at most {FUNCTION_LINES}: {name}"


def main() -> int:
    """Print the violations; 1 if there are any."""
    found: list[str] = []
    for root in map(Path, sys.argv[1:]):
        files = sorted(root.rglob("*")) if root.is_dir() else [root]
        for path in files:
            if path.suffix in FILE_LINES:
                found += violations(path)
    print("\n".join(found) or "sizes: every file and function within its limit")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
