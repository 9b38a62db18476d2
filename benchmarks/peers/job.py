"""The jobs that every adapter does: JPEG in, JPEG out, memory to memory."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    """Re-encode at ``quality`` in 4:2:0 with standard Huffman tables, after fitting ``side_px``."""

    name: str
    quality: int = 80
    side_px: int | None = None


REENCODE = Job("re-encode")
FIT_1600 = Job("fit 1600", side_px=1600)
THUMBNAIL = Job("thumbnail 256", side_px=256)
JOBS = (REENCODE, FIT_1600, THUMBNAIL)
