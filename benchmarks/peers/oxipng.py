"""oxipng, through pyoxipng."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os

from peers.job import Job
from peers.threaded import Threaded


class Oxipng(Threaded):
    name = "oxipng"
    threads = "its own (RAYON_NUM_THREADS) on one image: it holds the GIL"

    def __init__(self, workers: int) -> None:
        super().__init__(workers)
        os.environ.setdefault("RAYON_NUM_THREADS", str(workers))  # Read at its first use.

    @staticmethod
    def available() -> bool:
        return importlib.util.find_spec("oxipng") is not None

    def version(self) -> str:
        return f"pyoxipng {importlib.metadata.version('pyoxipng')}"

    def efforts(self, job: Job) -> tuple[str, ...]:
        is_plain_png = job.format == "png" and not job.has_palette
        return ("level 1", "level 2", "level 4") if is_plain_png else ()

    def encode(self, job: Job, blob: bytes) -> bytes:
        import oxipng

        level = int(job.effort.split()[1])
        strip = oxipng.StripChunks.safe()
        return bytes(oxipng.optimize_from_memory(blob, level=level, strip=strip))
