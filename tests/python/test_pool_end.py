"""What is left of a pool when its jobs are done."""

from __future__ import annotations

import contextlib
import gc
import re
import time
from pathlib import Path

import numpy as np

import pixpress
from pixpress import _native

PATIENCE_S = 60


def worker_threads() -> set[str]:
    """Return the worker threads of this process."""
    found = set()
    for thread in Path("/proc/self/task").iterdir():
        # Those of other tests may end meanwhile.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if re.match(r"pixpress-\d", (thread / "comm").read_text()):
                found.add(thread.name)
    return found


def test_no_worker_thread_outlives_the_jobs_of_a_closed_pool() -> None:
    before = worker_threads()
    with pixpress.Pool(max_workers=2) as pool:
        future = pool.submit(np.zeros((4, 4), np.uint8), format="png")
        future.result(PATIENCE_S)
        assert worker_threads() - before
    end = time.monotonic() + PATIENCE_S
    while not worker_threads() <= before and time.monotonic() < end:
        time.sleep(0.001)
    # Though the pool and the future are still there.
    assert worker_threads() <= before
    assert pool.task(future.task_id).state == "done"


def engines() -> list[_native.Engine]:
    gc.collect()
    return [found for found in gc.get_objects() if isinstance(found, _native.Engine)]


def test_a_pool_that_nobody_has_any_more_is_freed() -> None:
    before = engines()  # Kept, so that no new one gets the place of one that other tests left.
    pool = pixpress.Pool(max_workers=1)
    pool.submit(np.zeros((4, 4), np.uint8), format="png").result(PATIENCE_S)
    pool.shutdown()
    pool._dispatcher.thread.join(PATIENCE_S)
    known = {id(engine) for engine in before}
    assert {id(engine) for engine in engines()} - known
    del pool
    assert not {id(engine) for engine in engines()} - known
