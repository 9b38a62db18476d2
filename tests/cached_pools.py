"""What tests of the cache of results look at."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import pixpress

PATIENCE_S = 60


def entries(folder: Path) -> list[Path]:
    """Return the entries, the least recently used first."""
    return sorted(folder.glob("*.pxc"), key=lambda path: path.stat().st_mtime_ns)


def cache_of(pool: pixpress.Pool) -> pixpress.CacheMetrics:
    """Return the numbers of a pool that has a cache."""
    found = pool.metrics().cache
    assert found is not None
    return found


def is_hit(pool: pixpress.Pool, src: object, **settings: object) -> bool:
    """Run a job; say whether it was answered from the cache."""
    return pool.submit(src, **settings).result(PATIENCE_S).from_cache


def gray(value: int) -> np.ndarray:
    """Return small pixels that are others for every number."""
    return np.full((4, 4), value % 256, np.uint8) + np.arange(4, dtype=np.uint8) * (value // 256)
