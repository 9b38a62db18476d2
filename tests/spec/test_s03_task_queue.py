"""S3: order, look-up, cancel, priorities, bounds, batches."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from busy_pools import Blocker, noise, submit_long

import pixpress

Block = Callable[[pixpress.Pool], Blocker]


def _order(pool: pixpress.Pool, futures: dict[str, pixpress.JobFuture]) -> list[str]:
    for future in futures.values():
        future.result(timeout=60)
    tasks = {name: pool.task(future.task_id) for name, future in futures.items()}
    return sorted(tasks, key=lambda name: tasks[name].metadata.start_time)  # type: ignore[union-attr]


def test_priorities_decide_the_order(block: Block, tiny_jpeg: bytes) -> None:
    with pixpress.Pool(max_workers=1) as pool:
        blocker = block(pool)
        names = ("low", "normal", "high", "critical")
        futures = {name: pool.submit(tiny_jpeg, priority=name) for name in names}
        blocker.release()
        assert _order(pool, futures) == ["critical", "high", "normal", "low"]


def test_small_files_go_first(block: Block, tiny_jpeg: bytes) -> None:
    with pixpress.Pool(max_workers=1) as pool:
        blocker = block(pool)
        large = pool.submit(noise(600, 600), format="jpeg", effort=1)  # More than 1,000,000 bytes.
        futures = {"large": large, "small": pool.submit(tiny_jpeg)}
        blocker.release()
        assert _order(pool, futures) == ["small", "large"]


def test_task_gives_every_field(block: Block, jpeg_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jpg"
    now = time.time()
    with pixpress.Pool(max_workers=1, max_retries=5) as pool:
        blocker = block(pool)
        future = pool.submit(jpeg_file, output, priority="high", batch="july", quality=42)
        waiting = pool.task(future.task_id)
        blocker.release()
        future.result(timeout=60)
        ended = pool.task(future.task_id)
    assert waiting is not None
    assert ended is not None
    assert waiting.id == future.task_id
    assert waiting.input_path == str(jpeg_file)
    assert waiting.output_path == str(output)
    assert waiting.settings.quality == 42
    assert waiting.priority is pixpress.Priority.HIGH
    assert waiting.retry_count == 0
    assert waiting.max_retries == 5
    assert waiting.batch_id == "july"
    assert waiting.state == "queued"
    assert waiting.metadata.original_name == "tiny.jpg"
    assert waiting.metadata.created_at == pytest.approx(now, abs=3600)  # Clocks may be set.
    assert waiting.metadata.start_time is None
    assert waiting.metadata.end_time is None
    assert ended.state == "done"
    assert ended.metadata.start_time is not None
    assert ended.metadata.end_time is not None
    assert ended.metadata.created_at <= ended.metadata.start_time <= ended.metadata.end_time


def test_task_is_none_for_unknown_ids() -> None:
    with pixpress.Pool(max_workers=1) as pool:
        assert pool.task(77) is None
        assert not pool.cancel(77)
        assert not pool.reprioritize(77, "high")


def test_reprioritize_by_id(block: Block, tiny_jpeg: bytes) -> None:
    with pixpress.Pool(max_workers=1) as pool:
        blocker = block(pool)
        futures = {name: pool.submit(tiny_jpeg) for name in ("first", "second")}
        assert pool.reprioritize(futures["second"].task_id, "critical")
        blocker.release()
        assert _order(pool, futures) == ["second", "first"]
        assert not pool.reprioritize(futures["first"].task_id, "low")


def test_cancel_by_id(block: Block, tiny_jpeg: bytes) -> None:
    with pixpress.Pool(max_workers=1) as pool:
        block(pool)
        future = pool.submit(tiny_jpeg)
        assert pool.cancel(future.task_id)
        assert future.cancelled()


def test_queue_timeout_expires_jobs_that_wait(block: Block, tiny_jpeg: bytes) -> None:
    with pixpress.Pool(max_workers=1) as pool:
        blocker = block(pool)
        pool.update_config(queue_timeout=0.05)  # Only now: the blocker itself may have to wait.
        future = pool.submit(tiny_jpeg)
        error = future.exception(timeout=60)  # The worker is still busy.
        assert isinstance(error, pixpress.QueueTimeoutError)
        assert blocker.future.running()
        blocker.release()


def test_max_queue_refuses_or_waits(block: Block, tiny_jpeg: bytes) -> None:
    with pixpress.Pool(max_workers=1, max_queue=1) as pool:
        blocker = block(pool)
        first = pool.submit(tiny_jpeg)
        with pytest.raises(pixpress.QueueFullError):
            pool.submit(tiny_jpeg, block=False)
        with pytest.raises(pixpress.QueueFullError):
            pool.submit(tiny_jpeg, timeout=0.01)
        blocker.release()
        assert pool.submit(tiny_jpeg).result(timeout=60).compressed_size > 0
        assert first.result(timeout=60).compressed_size > 0


def test_batch_tracks_its_jobs(tiny_jpeg: bytes) -> None:
    with pixpress.Pool(max_workers=2) as pool:
        for _ in range(3):
            pool.submit(tiny_jpeg, batch="july")
        pool.submit(b"no image", batch="july")
        batch = pool.batch("july")
        assert batch.wait(timeout=60)
        progress = batch.progress
    assert (progress.total, progress.completed, progress.failed) == (4, 3, 1)
    assert progress.cancelled == progress.pending == 0
    assert progress.percentage == 100.0
    assert progress.original_size == 3 * len(tiny_jpeg)


def test_failure_policy_cancel_cancels_the_rest(block: Block, tiny_jpeg: bytes) -> None:
    with pixpress.Pool(max_workers=1) as pool:
        blocker = block(pool)
        batch = pool.batch("strict", failure="cancel")
        pool.submit(b"no image", batch="strict", priority="critical")
        # Has the worker while the failure makes its way.
        next_one = submit_long(pool, priority="high")
        others = [pool.submit(noise(90, 90), format="png", batch="strict") for _ in range(5)]
        blocker.release()
        assert batch.wait(timeout=60)
        assert not next_one.done()
        next_one.cancel()
        assert batch.progress.failed == 1
        assert batch.progress.cancelled == 5
        assert all(future.cancelled() for future in others)


def test_failure_policy_is_checked() -> None:
    with pixpress.Pool(max_workers=1) as pool:
        with pytest.raises(pixpress.OptionError, match="failure"):
            pool.batch("july", failure="explode")
        pool.batch("june", failure="cancel")
        with pytest.raises(pixpress.OptionError, match="cancel"):
            pool.batch("june", failure="continue")
