"""What the adapters of libraries in this process share: one image per Python thread."""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from peers import resident
from peers.job import Job, ladder_of


class Threaded:
    """Runs ``encode`` of a library that releases the GIL on threads."""

    threads = "one image per Python thread"

    def __init__(self, workers: int) -> None:
        self._executor = ThreadPoolExecutor(workers)
        self.last_seconds = 0.0

    def encode(self, job: Job, blob: bytes) -> bytes:
        """Do a job on one image."""
        raise NotImplementedError

    def ladder(self, job: Job) -> tuple[int, ...]:
        return ladder_of(job)

    def run(self, job: Job, blobs: Iterable[bytes]) -> list[bytes]:
        start = time.perf_counter()
        outputs = list(self._executor.map(lambda blob: self.encode(job, blob), blobs))
        self.last_seconds = time.perf_counter() - start
        return outputs

    def high_water_bytes(self) -> int:
        return resident.high_water_bytes()

    def close(self) -> None:
        self._executor.shutdown()
