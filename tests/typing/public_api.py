"""What a type checker sees of the public API. Checked by mypy --strict, never run."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Iterator
from pathlib import Path
from typing import Any, assert_type

import numpy as np
import numpy.typing as npt

import pixpress

array = np.zeros((4, 4, 3), np.uint8)

assert_type(pixpress.compress("a.jpg"), pixpress.Result)
assert_type(pixpress.compress(Path("a.jpg"), Path("b.webp"), width=100), pixpress.Result)
assert_type(pixpress.compress(array, format="png").data, bytes | None)
assert_type(pixpress.compress(b"").skipped_reason, pixpress.SkippedReason)
assert_type(pixpress.probe("a.jpg"), pixpress.ImageInfo)
assert_type(pixpress.probe("a.jpg").width, int)
assert_type(pixpress.decode("a.jpg", mode="RGB"), npt.NDArray[Any])
assert_type(pixpress.encode(array, "png"), bytes)
assert_type(pixpress.resize(array, (2, 2)), npt.NDArray[Any])
assert_type(pixpress.quantize(array), tuple[npt.NDArray[Any], npt.NDArray[Any]])
assert_type(pixpress.optimal_worker_count(), int)
assert_type(pixpress.features(), dict[str, Any])
assert_type(pixpress.Settings(quality=75, limits=pixpress.Limits(max_pixels=1)).quality, int)
assert_type(asyncio.run(pixpress.compress_async("a.jpg")), pixpress.Result)

pixpress.configure(max_workers=2)

with pixpress.Pool(max_workers=2, memory_limit="1GB", task_timeout=None) as pool:
    assert_type(pool, pixpress.Pool)
    future = pool.submit("a.jpg", "b.jpg", priority=pixpress.Priority.HIGH, quality=75)
    assert_type(future, pixpress.JobFuture)
    assert_type(future.result(timeout=1.0), pixpress.Result)
    assert_type(future.exception(), BaseException | None)
    assert_type(future.cancel(), bool)
    plain: concurrent.futures.Future[pixpress.Result] = future
    results = pool.map(["a.jpg"], out_dir="out")
    assert_type(next(results), pixpress.Result)
    results.close()
    assert_type(
        next(pool.map(["a.jpg"], errors="return")), pixpress.Result | pixpress.PixpressError
    )
    assert_type(pool.stats(), dict[str, int])
    assert_type(pool.metrics().cache, pixpress.CacheMetrics | None)
    later = pixpress.Pool.recover("queue.db", max_workers=2)
    assert_type(later.recovered, tuple[pixpress.JobFuture, ...])
    assert_type(later.journal_rows(), Iterator[pixpress.JournalRow])


async def awaited(pool: pixpress.Pool) -> pixpress.Result:
    results = pool.as_completed(["a.jpg"])
    async for result in results:
        assert_type(result, pixpress.Result)
        await results.aclose()
    async for outcome in pool.as_completed(["a.jpg"], errors="return"):
        assert_type(outcome, pixpress.Result | pixpress.PixpressError)
    return await pool.compress("a.jpg", settings=pixpress.Settings())


def errors() -> None:
    try:
        pixpress.compress("a.jpg")
    except pixpress.InputError as error:
        assert_type(error.errno, int | None)
        assert_type(error.code, str)
    except pixpress.PixpressError as other:
        assert_type(other.retryable, bool)
        assert_type(other.stage, str)


# Wrong uses are errors: --warn-unused-ignores fails the check if one of these is not.
pixpress.compress()  # type: ignore[call-arg]
pixpress.encode(array)  # type: ignore[call-arg]
pixpress.Settings(quality="high")  # type: ignore[arg-type]
pixpress.resize(array, 100)  # type: ignore[arg-type]
pixpress.Pool(max_workers="all")  # type: ignore[arg-type]
