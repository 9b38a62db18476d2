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
        future.result(timeout=60)
        assert worker_threads() - before
    end = time.monotonic() + 30
    while not worker_threads() <= before and time.monotonic() < end:
        time.sleep(0.001)
    # Though the pool and the future are still there.
    assert worker_threads() <= before
    assert pool.task(future.task_id).state == "done"


def engines() -> set[int]:
    """Return who is there; other tests' engines may go meanwhile."""
    gc.collect()
    return {id(found) for found in gc.get_objects() if isinstance(found, _native.Engine)}


def test_a_pool_that_nobody_has_any_more_is_freed() -> None:
    before = engines()
    pool = pixpress.Pool(max_workers=1)
    pool.submit(np.zeros((4, 4), np.uint8), format="png").result(timeout=60)
    pool.shutdown()
    pool._dispatcher.thread.join(timeout=60)
    mine = engines() - before
    assert mine
    del pool
    assert not mine & engines()
