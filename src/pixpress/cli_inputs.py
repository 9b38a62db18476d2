"""What the command is to do: inputs, and the output of each."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import click

_EXTENSIONS = {
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".jpe": "jpeg",
    ".png": "png",
    ".webp": "webp",
    ".avif": "avif",
}
_NEW = {"jpeg": ".jpg", "png": ".png", "webp": ".webp", "avif": ".avif"}


@dataclass(frozen=True)
class Work:
    """One input and its output; "-" is a standard stream."""

    source: str
    output: str


def find_work(
    inputs: tuple[str, ...], output: str, recursive: bool, format: str
) -> tuple[list[Work], int]:
    """All work, and how many files of walked folders are no images."""
    works: list[Work] = []
    skipped = 0
    several = len(inputs) > 1 or any(Path(name).is_dir() for name in inputs if name != "-")
    for name in inputs:
        if name != "-" and Path(name).is_dir():
            found, others = _walk(Path(name), recursive, len(inputs) > 1)
            skipped += others
            works += [Work(str(f), str(_target(Path(output) / r, format))) for f, r in found]
        elif output == "-" or not (several or output.endswith("/") or Path(output).is_dir()):
            works.append(Work(name, output))
        elif name == "-":
            raise click.UsageError("Expected a file or - for the output of standard input")
        else:
            works.append(Work(name, str(_target(Path(output) / Path(name).name, format))))
    _refuse_doubles(works)
    return works, skipped


def _walk(folder: Path, recursive: bool, keep_name: bool) -> tuple[list[tuple[Path, Path]], int]:
    if not recursive:
        raise click.UsageError(f"{folder} is a folder: give -R to compress what is in it")
    found = []
    skipped = 0
    base = Path(folder.resolve().name) if keep_name else Path()
    for root, folders, files in os.walk(folder):
        folders.sort()
        for file in sorted(files):
            path = Path(root) / file
            if path.suffix.lower() in _EXTENSIONS:
                found.append((path, base / path.relative_to(folder)))
            else:
                skipped += 1
    return found, skipped


def _target(path: Path, format: str) -> Path:
    if format == "keep" or _EXTENSIONS.get(path.suffix.lower()) == format:
        return path
    return path.with_suffix(_NEW[format])


def _refuse_doubles(works: list[Work]) -> None:
    seen: dict[str, str] = {}
    for work in works:
        key = os.path.realpath(work.output) if work.output != "-" else "-"
        if key in seen:
            raise click.UsageError(
                f"{seen[key]} and {work.source} would both be written to {work.output}"
            )
        seen[key] = work.source
