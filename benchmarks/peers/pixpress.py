"""pixpress: one pool, as many workers as the peers have threads, effort 2."""

from __future__ import annotations

import pixpress
from peers.job import Job


class Pixpress:
    name = "pixpress"

    def __init__(self, workers: int) -> None:
        self._pool = pixpress.Pool(max_workers=workers, worker_nice=0)  # As nice as the peers.

    @staticmethod
    def available() -> bool:
        return True

    def run(self, job: Job, blobs: list[bytes]) -> list[bytes]:
        settings = pixpress.Settings(
            format="jpeg",
            quality=job.quality,
            effort=2,
            width=job.side_px,
            height=job.side_px,
            subsampling="4:2:0",
            progressive=False,
            metadata="none",
            auto_orient=False,
        )
        futures = [self._pool.submit(blob, settings=settings) for blob in blobs]
        return [future.result().data for future in futures]

    def close(self) -> None:
        self._pool.shutdown()
