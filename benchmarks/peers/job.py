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
    which is the fastest that there is; else ``effort`` is one of those that the adapter names. With
    ``has_palette``, ``quality`` is the number of colors, or what the adapter has instead.
    """

    name: str
    quality: int = 80
    side_px: int | None = None
    source: str = "jpeg"
    format: str = "jpeg"
    is_lossless: bool = False
    has_palette: bool = False
    effort: str = ""


REENCODE = Job("re-encode")
FIT_1600 = Job("fit 1600", side_px=1600)
THUMBNAIL = Job("thumbnail 256", side_px=256)
JOBS = (REENCODE, FIT_1600, THUMBNAIL)


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
