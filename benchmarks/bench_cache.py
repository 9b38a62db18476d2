"""How long does a job take that the cache answers, one that it keeps, and one without a cache?

The same photographs for all, to a file, one after the other. A full cache of 500 entries and an
empty one, since whoever stores looks at all entries.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from interleaved import TAPE, Seconds, in_turns, medians

import pixpress

KINDS = ("none", "miss", "miss, 500 entries", "hit")


class Run:
    """One kind of job on a pool of its own."""

    def __init__(self, kind: str, workers: int, folder: Path) -> None:
        self.kind = kind
        self._cache = folder / "cache"
        self._out = folder / "out.jpg"
        self._kept = folder / "kept"
        self.pool = pixpress.Pool(
            max_workers=workers, cache=None if kind == "none" else self._cache
        )
        self._kept.mkdir()
        if kind == "miss, 500 entries":
            list(self.pool.map(np.arange(4000, dtype=np.uint16).reshape(500, 2, 4), format="png"))
            shutil.copytree(self._cache, self._kept, dirs_exist_ok=True)

    def seconds_per_job(self, paths: list[Path]) -> float:
        """Of jobs one after the other; what they find is made ready before."""
        if self.kind == "hit":
            self._do(paths, is_hit=False)  # Now they are there.
        elif self.kind != "none":
            shutil.rmtree(self._cache)
            shutil.copytree(self._kept, self._cache)
        start = time.perf_counter()
        self._do(paths, is_hit=self.kind == "hit")
        return (time.perf_counter() - start) / len(paths)

    def _do(self, paths: list[Path], is_hit: bool) -> None:
        for path in paths:
            result = self.pool.submit(path, self._out, quality=80).result()
            assert result.from_cache or not is_hit


@pytest.fixture(scope="module")
def runs(workers: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Run]]:
    made = {kind: Run(kind, workers, tmp_path_factory.mktemp("cache")) for kind in KINDS}
    yield made
    for run in made.values():
        run.pool.shutdown()


@pytest.fixture(scope="module")
def measurement(runs: dict[str, Run], photo_paths: list[Path], rounds: int) -> Seconds:
    contenders = {
        kind: lambda run=run: run.seconds_per_job(photo_paths) for kind, run in runs.items()
    }
    return in_turns(contenders, rounds)


@pytest.mark.benchmark(timer=TAPE.clock, disable_gc=False)
@pytest.mark.parametrize("kind", KINDS)
def test_cache(kind: str, measurement: Seconds, benchmark, finding) -> None:
    TAPE.play(benchmark, measurement[kind])
    middle = medians(measurement)
    ratio = middle[kind] / middle["none"]
    finding(f"{kind:18} {middle[kind] * 1e3:8.2f} ms per job   {ratio:5.2f} x none")
