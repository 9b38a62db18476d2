"""Work that keeps a pool busy for as long as a test needs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

import pixpress

PATIENCE_S = 60
Kind = TypeVar("Kind")


def next_of(events: pixpress.EventStream, kind: type[Kind]) -> Kind:
    """Return the next event of a kind; another job's failure on the way is one of the test."""
    end = time.monotonic() + PATIENCE_S
    while not isinstance(event := events.get(timeout=end - time.monotonic()), kind):
        assert event is not None, f"no {kind.__name__}"
        assert not isinstance(event, pixpress.TaskError) or event.error is None, event.error
    return event


def noise(width: int, height: int, seed: int = 1) -> np.ndarray:
    """Return pixels that take long to compress."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


# Of `noise(3000, 3000)`: a search of some twenty seconds on a fast machine that does nothing else,
# which ends within moments of being cancelled.
LONG = {"format": "webp", "effort": 10, "max_bytes": 2_000_000}


def submit_long(pool: pixpress.Pool, **options: object) -> pixpress.JobFuture:
    """Queue a job that does not end before a test that cancels it, however slow the test is."""
    return pool.submit(noise(3000, 3000), persist=False, **LONG, **options)  # type: ignore[arg-type]


def await_running(future: pixpress.JobFuture) -> None:
    """Wait until a worker has the job, which is one that does not end by itself."""
    while not future.running():
        assert not future.done(), future
        time.sleep(0.001)


def submit_at_once(submit: Callable[[str], list[pixpress.JobFuture]]) -> list[pixpress.JobFuture]:
    """Submit a batch, of the name that `submit` is given, within the second that makes it one."""
    for number in range(1000):
        start = time.monotonic()
        futures = submit(f"batch {number}")
        if time.monotonic() - start < 1:
            return futures
        for future in futures:
            future.cancel()
    raise TimeoutError


class Blocker:
    """Keeps one worker of a pool busy until released; the pool needs 260 MB for it."""

    def __init__(self, pool: pixpress.Pool) -> None:
        self.future = submit_long(pool, priority="critical")
        await_running(self.future)

    def release(self) -> None:
        self.future.cancel()
