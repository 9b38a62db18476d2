"""Work that keeps a pool busy for as long as a test needs."""

from __future__ import annotations

import threading
import time
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
        assert not isinstance(event, pixpress.TaskError), event.error
    return event


def noise(width: int, height: int, seed: int = 1) -> np.ndarray:
    """Return pixels that take long to compress."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


class Blocker:
    """Keeps the one worker of a pool busy until released."""

    def __init__(self, pool: pixpress.Pool) -> None:
        self.future = pool.submit(
            noise(3000, 3000), format="png", effort=9, priority="critical", persist=False
        )
        while not self.future.running():
            threading.Event().wait(0.001)

    def release(self) -> None:
        self.future.cancel()
