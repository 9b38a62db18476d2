"""Pool.as_completed: results as they end, on an event loop."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

import pixpress


def test_every_result_comes_once(photo_jpeg: bytes) -> None:
    async def main() -> list[int]:
        with pixpress.Pool(max_workers=2) as pool:
            made = pool.as_completed([photo_jpeg] * 30, quality=40)
            return [result.task_id async for result in made]

    ids = asyncio.run(main())
    assert len(ids) == len(set(ids)) == 30


def test_no_more_jobs_than_the_window_are_under_way(photo_jpeg: bytes) -> None:
    taken = 0

    def sources():
        nonlocal taken
        while True:
            taken += 1
            yield photo_jpeg

    async def main() -> int:
        with pixpress.Pool(max_workers=2) as pool:
            seen = 0
            made = pool.as_completed(sources())
            async for _ in made:
                seen += 1
                if seen == 10:
                    break
            await made.aclose()
            return seen

    assert asyncio.run(main()) == 10
    assert taken <= 10 + 2 * 2


def test_errors_are_raised_or_returned(photo_jpeg: bytes) -> None:
    async def main(errors: str) -> list[object]:
        with pixpress.Pool(max_workers=1) as pool:
            return [made async for made in pool.as_completed([b"no", photo_jpeg], errors=errors)]

    kinds = {type(made) for made in asyncio.run(main("return"))}
    assert kinds == {pixpress.UnidentifiedImageError, pixpress.Result}
    with pytest.raises(pixpress.UnidentifiedImageError):
        asyncio.run(main("raise"))


def test_cancelling_the_task_cancels_the_jobs(photo: np.ndarray) -> None:
    async def main() -> int:
        with pixpress.Pool(max_workers=1) as pool:

            async def consume() -> None:
                async for _ in pool.as_completed([np.tile(photo, (8, 8, 1))] * 10, format="png"):
                    pass

            task = asyncio.create_task(consume())
            while not pool.stats()["running"]:
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            pool.shutdown()
            return pool.stats()["cancelled"]

    assert asyncio.run(main()) >= 1
