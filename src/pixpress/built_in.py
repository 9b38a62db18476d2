"""What this build and this machine can do."""

from __future__ import annotations

import os
from typing import Any

from . import _native
from .foreign import EXTENSIONS
from .pool_options import ISOLATIONS


def optimal_worker_count() -> int:
    """How many workers leave a core and memory to others.

    This is the specification's formula: the least of cores - 1, free memory over 50 MB, and 8, but
    at least 1. Cores and memory are what this process may use. A `Pool` uses every core by default
    instead, since its workers run at a lower priority.

    Returns
    -------
    int
        From 1 to 8.

    Examples
    --------
    >>> 1 <= optimal_worker_count() <= 8
    True
    """
    cpus, _allowed_bytes, free_bytes = _native.machine()
    return max(1, min(cpus - 1, free_bytes // (50 << 20), 8))


def features() -> dict[str, Any]:
    """Say what is built in.

    Returns
    -------
    dict
        ``"version"`` of pixpress; ``"simd"``, the instruction set in use; ``"codecs"``, the
        libraries and their versions by format, and by ``"color"`` the one that converts colors;
        ``"read"`` and ``"write"``, lists of formats, those at the end of ``"read"`` through Pillow;
        ``"extensions"``, the extensions of files by format, the preferred one first;
        ``"isolation"``, what a `Pool` can take for `isolation`.

    Examples
    --------
    >>> "webp" in features()["write"]
    True
    >>> features()["codecs"]["png"].startswith("libpng")
    True
    >>> features()["codecs"]["color"].startswith("lcms2")
    True
    >>> "bmp" in features()["read"], "bmp" in features()["write"]
    (True, False)
    """
    import PIL

    from . import __version__

    simd, lines, colors = _native.built_in()
    rows = [line.split("\t") for line in lines.splitlines()]
    foreign: dict[str, list[str]] = {}
    for extension, name in EXTENSIONS.items():
        foreign.setdefault(name, []).append(extension)
    through_pillow = dict.fromkeys(foreign, f"Pillow {PIL.__version__}")
    return {
        "version": __version__,
        "simd": simd,
        "codecs": {row[0]: row[1] for row in rows} | {"color": colors} | through_pillow,
        "read": [row[0] for row in rows if "r" in row[2]] + list(foreign),
        "write": [row[0] for row in rows if "w" in row[2]],
        "extensions": {row[0]: row[3:] for row in rows} | foreign,
        "isolation": [
            kind
            for kind in ISOLATIONS
            if kind == "thread" or os.access(_native.WORKER_PROGRAM, os.X_OK)
        ],
    }
