"""What an icon file holds, before anything of it is decoded."""

from __future__ import annotations

import struct
from typing import IO

from .errors import CorruptImageError

_MOST_PICTURES = 256
_MOST_SIDE_PX = 1024  # The directory can say 256 at most; some files hold more.
_PNG = b"\x89PNG\r\n\x1a\n"


def check_icon(name: str, file: IO[bytes]) -> None:
    """Refuse pictures that are far larger than an icon can be, whatever the directory says."""
    file.seek(0)
    _, _, count = struct.unpack("<3H", _read(name, file, 6))
    if not 1 <= count <= _MOST_PICTURES:
        raise CorruptImageError(f"{name}: the icon has {count} pictures", stage="probe")
    offsets = [struct.unpack("<8x2I", _read(name, file, 16))[1] for _ in range(count)]
    for offset in offsets:
        file.seek(offset)
        head = _read(name, file, 24)
        if head.startswith(_PNG):
            width, height = struct.unpack(">16x2I", head)
        else:
            width, height = (abs(side) for side in struct.unpack("<4x2i12x", head))
            height //= 2  # The mask counts too.
        if max(width, height) > _MOST_SIDE_PX:
            raise CorruptImageError(
                f"{name}: a picture of the icon is {width} x {height} pixels", stage="probe"
            )


def _read(name: str, file: IO[bytes], size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise CorruptImageError(f"{name}: the icon ends inside its directory", stage="probe")
    return data
