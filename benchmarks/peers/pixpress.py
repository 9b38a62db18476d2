"""pixpress: one pool, as many workers as the peers have threads; effort 2 unless one is named."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import pixpress
from peers import resident
from peers.job import DEFAULTS, Job, ladder_of
from peers.jpeg_facts import read_facts

EFFORTS = ("effort 2", "effort 5", "effort 8")


class Pixpress:
    name = "pixpress"
    threads = "the workers of one pool"

    def __init__(self, workers: int) -> None:
        # As nice as the peers.
        self._pool = pixpress.Pool(max_workers=workers, worker_nice=0, task_timeout=None)
        self.last_seconds = 0.0

    @staticmethod
    def available() -> bool:
        return True

    def version(self) -> str:
        codecs = pixpress.features()["codecs"].values()
        return f"{pixpress.__version__} ({'; '.join(codecs)})"

    def efforts(self, job: Job) -> tuple[str, ...]:
        return EFFORTS if job.format in pixpress.features()["write"] else ()

    def ladder(self, job: Job) -> tuple[int, ...]:
        return ladder_of(job)

    def run(self, job: Job, blobs: Iterable[bytes]) -> list[bytes]:
        blobs = list(blobs)
        settings = [_settings(job, blob) for blob in blobs]
        start = time.perf_counter()
        pairs = zip(blobs, settings, strict=True)
        futures = [self._pool.submit(blob, settings=each) for blob, each in pairs]
        results = [future.result() for future in futures]
        self.last_seconds = time.perf_counter() - start
        return [result.data or b"" for result in results]

    def high_water_bytes(self) -> int:
        return resident.high_water_bytes()

    def close(self) -> None:
        self._pool.shutdown()


def _settings(job: Job, blob: bytes) -> pixpress.Settings:
    is_default = job.effort == DEFAULTS
    settings = {"quality": job.quality} if is_default else _encoder_settings(job)
    return pixpress.Settings(
        format=job.format,
        width=job.side_px,
        height=job.side_px,
        subsampling=_sampling(blob) if job.keeps_sampling else "4:2:0",
        metadata="none",
        auto_orient=False,
        **settings,
    )


def _sampling(blob: bytes) -> str:
    names = {(1, 1): "4:4:4", (2, 1): "4:2:2"}
    return names.get(read_facts(blob).sampling[0], "4:2:0")


def _encoder_settings(job: Job) -> dict[str, Any]:
    settings: dict[str, Any] = {"effort": int(job.effort.split()[1]) if job.effort else 2}
    if not job.effort:
        settings["progressive"] = False
    if job.has_palette:
        settings["colors"] = job.quality
    elif job.is_lossless:
        settings["lossless"] = job.format in ("webp", "avif")
    else:
        settings["quality"] = job.quality
    return settings
