"""Pillow on threads: its codecs release the GIL."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

from peers.job import Job


class Pillow:
    name = "Pillow"

    def __init__(self, workers: int) -> None:
        self._executor = ThreadPoolExecutor(workers)

    @staticmethod
    def available() -> bool:
        try:
            import PIL  # noqa: F401
        except ImportError:
            return False
        return True

    def run(self, job: Job, blobs: list[bytes]) -> list[bytes]:
        return list(self._executor.map(lambda blob: self._one(job, blob), blobs))

    def close(self) -> None:
        self._executor.shutdown()

    @staticmethod
    def _one(job: Job, blob: bytes) -> bytes:
        from PIL import Image

        image = Image.open(io.BytesIO(blob))
        # Neither decoder nor encoder converts colors then: faster than RGB.
        image.draft("YCbCr", image.size)
        if job.side_px is not None:
            image.thumbnail((job.side_px, job.side_px), Image.Resampling.LANCZOS)
        out = io.BytesIO()
        image.save(out, "JPEG", quality=job.quality, subsampling="4:2:0")
        return out.getvalue()
