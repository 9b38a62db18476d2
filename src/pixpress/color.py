"""Colors as arguments say them."""

from __future__ import annotations

import re

from .arguments import whole
from .errors import expected

_NAMED = {"white": (255, 255, 255, 255), "black": (0, 0, 0, 255), "transparent": (0, 0, 0, 0)}


def rgba(name: str, value: str | tuple[int, ...]) -> tuple[int, int, int, int]:
    """Red, green, blue and alpha, each 0 to 255, of the color that the argument `name` has."""
    if isinstance(value, str):
        if value in _NAMED:
            return _NAMED[value]
        if re.fullmatch(r"#([0-9a-fA-F]{6}|[0-9a-fA-F]{8})", value):
            parts = bytes.fromhex(value[1:])
            return parts[0], parts[1], parts[2], parts[3] if len(parts) == 4 else 255
    elif isinstance(value, (tuple, list)) and len(value) in (3, 4):
        parts = bytes(whole(name, part, 0, 255) for part in value)
        return parts[0], parts[1], parts[2], parts[3] if len(parts) == 4 else 255
    raise expected('"#rrggbb", a color name or (r, g, b[, a])', name, value)
