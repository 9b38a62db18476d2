"""How many pictures a TIFF file has."""

from __future__ import annotations

import struct
from typing import IO


def count_frames(file: IO[bytes], most: int) -> int:
    """Follow the chain of directories; `most` + 1 if there are more.

    A chain that leads out of the file or back into itself ends there, and Pillow says what is
    wrong with the first picture, if anything is.
    """
    file.seek(0)
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    is_big = head[2:4] in (b"+\0", b"\0+")
    offset_kind, count_kind, entry_bytes = ("Q", "Q", 20) if is_big else ("I", "H", 12)
    start = 8 if is_big else 4
    seen: set[int] = set()
    offset = _number(head[start:], order + offset_kind)
    while offset and offset not in seen and len(seen) <= most:
        file.seek(offset)
        count = _number(file.read(8), order + count_kind)
        if count is None:
            break
        seen.add(offset)
        end = offset + struct.calcsize(order + count_kind) + count * entry_bytes
        if end >= 1 << 62:
            break
        file.seek(end)
        offset = _number(file.read(8), order + offset_kind)
    return max(1, len(seen))


def _number(data: bytes, kind: str) -> int | None:
    size = struct.calcsize(kind)
    return int(struct.unpack(kind, data[:size])[0]) if len(data) >= size else None
