"""Formats that are read through Pillow and cannot be written: how they are told apart."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

EXTENSIONS = {
    "bmp": "bmp",
    "tif": "tiff",
    "tiff": "tiff",
    "ppm": "ppm",
    "pgm": "ppm",
    "pbm": "ppm",
    "pnm": "ppm",
    "ico": "ico",
    "tga": "tga",
}
_MAGICS = {
    b"BM": "bmp",
    b"II*\0": "tiff",
    b"MM\0*": "tiff",
    b"II+\0": "tiff",
    b"MM\0+": "tiff",
    b"\0\0\1\0": "ico",
    **{b"P%d%c" % (kind, space): "ppm" for kind in range(1, 7) for space in b" \t\r\n"},
}
HEAD_BYTES = 4
OPEN_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
FOREIGN = frozenset(EXTENSIONS.values())


@dataclass(frozen=True)
class ForeignSource:
    """An image of one of these formats: a file, or bytes."""

    name: str
    format: str
    data: bytes | bytearray | memoryview | None = None


def format_of_path(path: str) -> str | None:
    """The format that the extension names, of those that are read here."""
    return EXTENSIONS.get(path[path.rfind(".") + 1 :].lower())


def format_of_bytes(head: bytes | bytearray | memoryview) -> str | None:
    """The format that `head` begins like, of those that are read here."""
    start = bytes(head[:HEAD_BYTES])
    return _MAGICS.get(start) or _MAGICS.get(start[:3]) or _MAGICS.get(start[:2])


def format_of_file(path: str) -> str | None:
    """As `format_of_bytes`, or by the extension, so that it is looked at when it is opened.

    Raises
    ------
    OSError
        It cannot be read now. The core will say so, unless it can read it by then.
    """
    named = format_of_path(path)
    if named is not None:
        return named
    if not stat.S_ISREG(os.stat(path).st_mode):
        return None
    number = os.open(path, OPEN_FLAGS)
    try:
        return format_of_bytes(os.pread(number, HEAD_BYTES, 0))
    finally:
        os.close(number)
