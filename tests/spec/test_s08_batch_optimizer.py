"""S8: jobs of one batch run by format, settings and size."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from busy_pools import Blocker, noise, submit_at_once

import pixpress

Block = Callable[[pixpress.Pool], Blocker]


def _started(pool: pixpress.Pool, futures: list[pixpress.JobFuture]) -> list[int]:
    for future in futures:
        future.result(timeout=60)
    starts = []
    for future in futures:
        task = pool.task(future.task_id)
        assert task is not None
        assert task.metadata.start_time is not None
        starts.append((task.metadata.start_time, task.id))
    return [task_id for _, task_id in sorted(starts)]


@pytest.mark.parametrize("grouping", [True, False])
def test_batch_grouping_orders_by_format_then_size(block: Block, grouping: bool) -> None:
    with pixpress.Pool(max_workers=1, batch_grouping=grouping) as pool:
        blocker = block(pool)
        work = [("webp", 60), ("jpeg", 40), ("webp", 20), ("jpeg", 30)]
        images = [(noise(side, side), format) for format, side in work]
        futures = submit_at_once(
            lambda batch: [pool.submit(src, format=name, batch=batch) for src, name in images]
        )
        ids = [future.task_id for future in futures]
        blocker.release()
        wanted = [ids[3], ids[1], ids[2], ids[0]] if grouping else ids
        assert _started(pool, futures) == wanted


def test_priorities_are_respected_within_a_batch(block: Block) -> None:
    with pixpress.Pool(max_workers=1) as pool:
        blocker = block(pool)
        plain = pool.submit(noise(30, 30), format="jpeg", batch="july")
        urgent = pool.submit(noise(30, 30), format="webp", batch="july", priority="high")
        blocker.release()
        assert _started(pool, [plain, urgent]) == [urgent.task_id, plain.task_id]


def test_groups_are_format_and_quality(tiny_jpeg: bytes) -> None:
    with pixpress.Pool(max_workers=1) as pool:
        for quality in (80, 80, 60):
            pool.submit(tiny_jpeg, format="jpeg", quality=quality, batch="july")
        pool.submit(tiny_jpeg, format="webp", batch="july")
        assert pool.batch("july").groups == {"jpeg-80": 2, "jpeg-60": 1, "webp-80": 1}
