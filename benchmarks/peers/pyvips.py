"""pyvips: images on Python threads, libvips's own concurrency at 1, its cache off."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from peers.job import Job


class PyVips:
    name = "pyvips"

    def __init__(self, workers: int) -> None:
        self._executor = ThreadPoolExecutor(workers)

    @staticmethod
    def available() -> bool:
        os.environ.setdefault("VIPS_CONCURRENCY", "1")
        try:
            import pyvips
        except (ImportError, OSError):
            return False
        pyvips.cache_set_max(0)
        return True

    def run(self, job: Job, blobs: list[bytes]) -> list[bytes]:
        return list(self._executor.map(lambda blob: self._one(job, blob), blobs))

    def close(self) -> None:
        self._executor.shutdown()

    @staticmethod
    def _one(job: Job, blob: bytes) -> bytes:
        import pyvips

        if job.side_px is None:
            image = pyvips.Image.new_from_buffer(blob, "", access="sequential")
        else:
            image = pyvips.Image.thumbnail_buffer(
                blob, job.side_px, height=job.side_px, size="down", no_rotate=True
            )
        return image.jpegsave_buffer(
            Q=job.quality, subsample_mode="on", optimize_coding=False, keep="none"
        )
