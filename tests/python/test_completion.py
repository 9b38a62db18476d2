"""Pool.as_completed: results as they end, on an event loop."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from busy_pools import LONG, noise

import pixpress

PATIENCE_S = 60


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


def test_a_source_that_is_refused_is_returned_too(photo_jpeg: bytes) -> None:
    async def main(errors: str) -> list[object]:
        with pixpress.Pool(max_workers=1) as pool:
            return [made async for made in pool.as_completed([None, photo_jpeg], errors=errors)]

    kinds = {type(made) for made in asyncio.run(main("return"))}
    assert kinds == {pixpress.OptionError, pixpress.Result}
    with pytest.raises(pixpress.OptionError):
        asyncio.run(main("raise"))


def test_a_closed_pool_ends_the_iteration_whatever_errors_says(photo_jpeg: bytes) -> None:
    async def main() -> None:
        pool = pixpress.Pool(max_workers=1)
        pool.shutdown()
        async for _ in pool.as_completed([photo_jpeg], errors="return"):
            pass

    with pytest.raises(pixpress.PoolClosedError):
        asyncio.run(main())


def test_cancelling_the_task_cancels_the_jobs() -> None:
    async def main() -> tuple[int, int]:
        with pixpress.Pool(max_workers=1) as pool:

            async def consume() -> None:
                async for _ in pool.as_completed([noise(3000, 3000)] * 10, **LONG):
                    pass

            task = asyncio.create_task(consume())
            while not pool.stats()["running"]:
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            pool.shutdown()
            return pool.stats()["cancelled"], pool.stats()["succeeded"]

    assert asyncio.run(main()) == (2, 0)


def awaited_in_one_loop(pool: pixpress.Pool, sources: list[object]) -> tuple[int, list[object]]:
    """Let jobs end while the loop looks away; how often it was woken, and what they gave."""

    async def main() -> tuple[int, list[object]]:
        loop = asyncio.get_running_loop()
        woken = 0
        wake = loop.call_soon_threadsafe

        def count(*arguments: object, **options: object) -> object:
            nonlocal woken
            woken += 1
            return wake(*arguments, **options)

        loop.call_soon_threadsafe = count  # type: ignore[method-assign]
        tasks = [asyncio.create_task(pool.compress(src, quality=40)) for src in sources]
        while pool.stats()["submitted"] < len(sources):
            await asyncio.sleep(0)
        first = woken  # Of those that have ended meanwhile.
        pool.shutdown()  # Blocks the loop until all have ended and all callbacks have run.
        assert woken <= first + 1
        return woken, await asyncio.gather(*tasks, return_exceptions=True)

    return asyncio.run(main())


def test_the_loop_is_woken_once_for_a_group_of_completions(photo_jpeg: bytes) -> None:
    woken, made = awaited_in_one_loop(pixpress.Pool(max_workers=2), [photo_jpeg] * 40)
    assert 1 <= woken < 40
    assert len({result.task_id for result in made}) == 40  # type: ignore[attr-defined]


def test_each_who_waits_gets_its_own_outcome(photo_jpeg: bytes) -> None:
    _, made = awaited_in_one_loop(pixpress.Pool(max_workers=1), [photo_jpeg, b"no image"] * 5)
    assert [type(one) for one in made] == [pixpress.Result, pixpress.UnidentifiedImageError] * 5


@pytest.mark.parametrize("format", ["png", "gif"])
def test_cancelling_who_waits_stops_the_codec(photo: np.ndarray, format: str) -> None:
    async def main() -> pixpress.Pool:
        pool = pixpress.Pool(max_workers=1)
        pixels = np.tile(photo, (24, 20, 1))  # Seconds of work.
        task = asyncio.create_task(pool.compress(pixels, format=format, effort=10))
        while not pool.stats()["running"]:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return pool

    pool = asyncio.run(main())
    pool.shutdown(timeout=PATIENCE_S)
    assert (pool.stats()["cancelled"], pool.stats()["succeeded"]) == (1, 0)


def test_a_job_that_another_cancels_is_cancelled_for_who_waits() -> None:
    async def main() -> None:
        with pixpress.Pool(max_workers=1) as pool:
            task = asyncio.create_task(pool.compress(noise(3000, 3000), **LONG))
            while not pool.stats()["submitted"]:
                await asyncio.sleep(0)
            assert pool.cancel(1)
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
