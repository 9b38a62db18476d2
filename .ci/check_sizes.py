"""Fail when a file has outgrown a reader: the sizes of DESIGN section 1."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

LIMITS = {".cc": 350, ".h": 150, ".py": 350, ".pyx": 450, ".pxd": 350}
FUNCTION_LINES = 40


def long_functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the functions of a formatted C++ file that are too long, with their lines.

    clang-format closes a function at the indentation of its first line: a line that ends with
    ``) {`` (or ``) const {`` and the like) opens it.
    """
    opened: list[tuple[int, int, str]] = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        indent = len(line) - len(line.lstrip())
        text = line.strip()
        while opened and text.startswith("}") and indent == opened[-1][0]:
            start = opened.pop()
            if number - start[1] + 1 > FUNCTION_LINES:
                yield start[2], number - start[1] + 1
        is_control = text.startswith(("if ", "for ", "while ", "switch ", "} else", "else", "do "))
        closes = text.endswith(") {") or text.endswith(("const {", "override {", "noexcept {"))
        if closes and not is_control and not text.startswith("}"):
            opened.append((indent, number, text))


def violations(roots: list[Path]) -> Iterator[str]:
    """Yield a line for each file or function beyond its limit."""
    for root in roots:
        for path in sorted(root.rglob("*")):
            limit = LIMITS.get(path.suffix)
            if limit is None:
                continue
            lines = len(path.read_text().splitlines())
            if lines > limit:
                yield f"{path}: {lines} lines, at most {limit}"
            if path.suffix == ".cc":
                for name, length in long_functions(path):
                    yield f"{path}: {length} lines, at most {FUNCTION_LINES}: {name}"


if __name__ == "__main__":
    found = list(violations([Path(root) for root in sys.argv[1:]]))
    print("\n".join(found) or "sizes: every file and function within its limit")
    sys.exit(bool(found))
