"""The jobs that adapters do, memory to memory, and what every adapter offers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

_LADDERS = {"avif": (20, 35, 50, 63, 75, 86, 95)}
_LADDER = (25, 45, 62, 75, 86, 93, 98)
_COLORS = (8, 16, 32, 64, 128, 256)


@dataclass(frozen=True)
class Job:
    """Encode each image of ``source`` format as ``format``, after fitting ``side_px``.

    JPEG and AVIF are 4:2:0. Without an ``effort`` JPEG is baseline with standard Huffman tables,
    which is the fastest that there is; else ``effort`` is one of those that the adapter names, or
    "defaults": what the library does by itself at that quality. With ``has_palette``, ``quality``
    is the number of colors, or what the adapter has instead. ``keeps_sampling`` is for those that
    can; the others write 4:2:0, which is less work.
    """

    name: str
    quality: int = 80
    side_px: int | None = None
    source: str = "jpeg"
    format: str = "jpeg"
    is_lossless: bool = False
    has_palette: bool = False
    effort: str = ""
    keeps_sampling: bool = False


DEFAULTS = "defaults"
REENCODE = Job("re-encode")
FIT_1600 = Job("fit 1600", side_px=1600)
THUMBNAIL = Job("thumbnail 256", side_px=256)
KEPT = Job("sampling kept", keeps_sampling=True)
FROM_FINER = Job("4:2:0 of finer")
DEFAULT_JOB = Job("defaults", effort=DEFAULTS)
FIT_WEBP = Job("fit 1600 WebP", side_px=1600, format="webp")
JOBS = (REENCODE, KEPT, FROM_FINER, DEFAULT_JOB, FIT_1600, THUMBNAIL, FIT_WEBP)


class Adapter(Protocol):
    """A library or a command, with its threads."""

    name: str
    threads: str  # How it gets as many threads as the others.
    last_seconds: float  # Of the last ``run``, without transport.

    def __init__(self, workers: int) -> None: ...
    @staticmethod
    def available() -> bool: ...
    def version(self) -> str: ...
    def efforts(self, job: Job) -> tuple[str, ...]:
        """Return the settings to compare for a job; none if the library cannot do it."""

    def ladder(self, job: Job) -> tuple[int, ...]:
        """Return the qualities from low to high that span the useful range."""

    def run(self, job: Job, blobs: Iterable[bytes]) -> list[bytes]: ...
    def high_water_bytes(self) -> int:
        """Return the peak of resident memory of the process that does the work."""

    def close(self) -> None: ...


def ladder_of(job: Job) -> tuple[int, ...]:
    """Return the qualities for libraries with the usual scale."""
    return _COLORS if job.has_palette else _LADDERS.get(job.format, _LADDER)
