"""The cache of results, as Python has it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from .sources import path_text


@dataclass(frozen=True)
class CacheMetrics:
    """What the cache of a pool did, and what is in it.

    Attributes
    ----------
    hits, misses : int
        Jobs that were answered from it, and jobs that ran since it had no answer.
    stores, evictions : int
        Results that were put in, and those that went for them.
    bad_entries : int
        Damaged ones, which were removed.
    failures : int
        Results that the disk did not take, and entries that it did not give back.
    entries, bytes : int
        In the folder now, of all processes that share it.
    errno : int
        Why the disk took nothing the last time; 0 if it did.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np, pixpress
    >>> pixels = np.zeros((16, 16), np.uint8)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with pixpress.Pool(max_workers=1, cache=folder) as pool:
    ...         first = pool.submit(pixels, format="png").result()
    ...         again = pool.submit(pixels, format="png").result()
    ...         cache = pool.metrics().cache
    >>> again.from_cache, again.data == first.data, cache.hits, cache.misses
    (True, True, 1, 1)
    """

    hits: int
    misses: int
    stores: int
    evictions: int
    bad_entries: int
    failures: int
    entries: int
    bytes: int
    errno: int


def cache_metrics(numbers: Mapping[str, float]) -> CacheMetrics | None:
    """The part of what the core counts that is about the cache; None without one."""
    if "cache.hits" not in numbers:
        return None
    return CacheMetrics(
        **{name: int(numbers[f"cache.{name}"]) for name in CacheMetrics.__dataclass_fields__}
    )


def cache_folder(value: object) -> str | None:
    """The folder that an option of a pool means. It need not be there yet."""
    if value is None or value is False:
        return None
    if value is not True:
        return path_text("cache", value)
    from pathlib import Path

    home = os.environ.get("XDG_CACHE_HOME", "")
    # The base directory specification has relative paths ignored.
    base = Path(home) if os.path.isabs(home) else Path.home() / ".cache"
    return str(base / "pixpress" / "results")
