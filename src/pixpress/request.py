"""A job before it has a place in a queue."""

from __future__ import annotations

import os

from . import _native
from .foreign import ForeignSource
from .journal import write_settings
from .options import Settings
from .sources import link_target, open_source, output_format, path_text

Path = str | os.PathLike[str]
_Source = _native.NativeSource | ForeignSource
# Settings of both forms, source, output, and what the journal keeps.
Request = tuple[Settings, _native.NativeSettings, _Source, str | None, bytes | None]


def make_request(
    src: object, dst: Path | None, wanted: Settings, is_kept: bool, follows: bool
) -> Request:
    """Look at all of it; `follows` says whether `dst` may be a link to elsewhere."""
    chosen = wanted.native
    source = open_source(src)
    path = None if dst is None else path_text("dst", dst)
    format = output_format(chosen.format, path, source)
    kept = write_settings(wanted) if is_kept else None
    if follows and path is not None and wanted.overwrite != "never":
        path = link_target(path)
    return wanted, chosen.with_format(format), source, path, kept
