"""pixpress: one pool, as many workers as the peers have threads, effort 2."""

from __future__ import annotations

from peers.job import Job


class Pixpress:
    name = "pixpress"

    def __init__(self) -> None:
        self._pools: dict[int, object] = {}

    @staticmethod
    def available() -> bool:
        return True

    def run(self, job: Job, blobs: list[bytes], workers: int) -> list[bytes]:
        import pixpress

        pool = self._pools.get(workers)
        if pool is None:
            pool = self._pools[workers] = pixpress.Pool(max_workers=workers, worker_nice=0)
        size = {} if job.side_px is None else {"width": job.side_px, "height": job.side_px}
        futures = [
            pool.submit(
                blob,
                format="jpeg",
                quality=job.quality,
                effort=2,
                subsampling="4:2:0",
                progressive=False,
                metadata="none",
                auto_orient=False,
                **size,
            )
            for blob in blobs
        ]
        return [future.result().data for future in futures]
