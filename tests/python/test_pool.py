"""Pool: futures, order, errors, and how it ends."""

from __future__ import annotations

import numpy as np
import pytest

import pixpress


def test_futures_resolve_with_results(photo_jpeg: bytes) -> None:
    with pixpress.Pool(max_workers=2) as pool:
        futures = [pool.submit(photo_jpeg, format="webp") for _ in range(20)]
        sizes = {future.result().compressed_size for future in futures}
    assert len(sizes) == 1


def test_a_failed_job_fails_its_future_only(photo_jpeg: bytes) -> None:
    with pixpress.Pool(max_workers=1) as pool:
        bad = pool.submit(b"no image")
        good = pool.submit(photo_jpeg)
        assert isinstance(bad.exception(), pixpress.UnidentifiedImageError)
        assert good.result().compressed_size > 0


def test_map_keeps_the_input_order(photo: np.ndarray) -> None:
    sources = [photo[: 20 + 10 * i] for i in range(8)]
    with pixpress.Pool(max_workers=2) as pool:
        heights = [result.height for result in pool.map(sources, format="png")]
    assert heights == [20 + 10 * i for i in range(8)]


def test_cancelled_futures_never_resolve(photo: np.ndarray) -> None:
    large = np.tile(photo, (6, 6, 1))
    with pixpress.Pool(max_workers=1) as pool:
        futures = [pool.submit(large, format="png") for _ in range(4)]
        cancelled = [future.cancel() for future in futures]
    assert any(cancelled)
    for future, was_cancelled in zip(futures, cancelled, strict=True):
        assert future.cancelled() == was_cancelled


def test_an_exception_in_the_block_cancels_what_is_left(photo: np.ndarray) -> None:
    large = np.tile(photo, (6, 6, 1))
    futures = []
    with pytest.raises(ZeroDivisionError), pixpress.Pool(max_workers=1) as pool:  # noqa: PT012
        futures = [pool.submit(large, format="png") for _ in range(10)]
        raise ZeroDivisionError
    assert sum(future.cancelled() for future in futures) >= 8


def test_a_closed_pool_takes_no_jobs(photo_jpeg: bytes) -> None:
    pool = pixpress.Pool(max_workers=1)
    pool.shutdown()
    with pytest.raises(pixpress.PoolClosedError):
        pool.submit(photo_jpeg)


def test_a_job_beyond_the_memory_limit_fails_with_the_numbers(photo: np.ndarray) -> None:
    large = np.tile(photo, (8, 8, 1))
    with pixpress.Pool(max_workers=1, memory_limit="4MB") as pool:
        error = pool.submit(large, format="png").exception()
    assert isinstance(error, pixpress.MemoryLimitError)
    assert "4194304" in str(error)
