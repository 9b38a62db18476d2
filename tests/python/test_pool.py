"""Pool: futures, order, errors, and how it ends."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from busy_pools import LONG, Blocker, await_running, noise, submit_long

import pixpress

PATIENCE_S = 60


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
    with pixpress.Pool(max_workers=1) as pool:
        ended = pool.submit(photo, format="png")
        ended.result()
        blocker = Blocker(pool)
        futures = [ended, *[pool.submit(photo, format="png") for _ in range(3)], blocker.future]
        cancelled = [future.cancel() for future in futures]
    assert cancelled == [False, True, True, True, True]
    assert [future.cancelled() for future in futures] == cancelled


def test_an_exception_in_the_block_cancels_what_is_left(photo: np.ndarray) -> None:
    futures = []
    with pytest.raises(ZeroDivisionError), pixpress.Pool(max_workers=1) as pool:  # noqa: PT012
        futures = [Blocker(pool).future]
        futures += [pool.submit(photo, format="png") for _ in range(10)]
        raise ZeroDivisionError
    assert all(future.cancelled() for future in futures)


def test_no_future_is_left_open_by_an_exception_while_a_callback_goes_on(photo: np.ndarray) -> None:
    is_called, is_let_go = threading.Event(), threading.Event()

    def hold(_future: object) -> None:
        is_called.set()
        is_let_go.wait()

    futures = []
    with pytest.raises(ZeroDivisionError), pixpress.Pool(max_workers=1) as pool:  # noqa: PT012
        blocker = Blocker(pool)
        pool.submit(photo, format="png", priority="critical").add_done_callback(hold)
        futures = [submit_long(pool, priority="high")]
        futures += [pool.submit(photo, format="png") for _ in range(10)]
        blocker.release()
        assert is_called.wait(PATIENCE_S)
        raise ZeroDivisionError
    cancelled = [future.cancelled() for future in futures]
    is_let_go.set()
    assert all(cancelled)


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


def test_map_takes_from_an_endless_source_no_more_than_its_window(photo: np.ndarray) -> None:
    taken = itertools.count()
    with pixpress.Pool(max_workers=2) as pool:
        results = pool.map((photo[: 20 + next(taken)] for _ in itertools.count()), format="png")
        assert next(results).height == 20
        assert next(taken) <= 4 + 1
        results.close()  # type: ignore[attr-defined]


def test_map_raises_the_first_error_in_its_place(photo_jpeg: bytes) -> None:
    with pixpress.Pool(max_workers=1) as pool:
        results = pool.map([photo_jpeg, b"no image", photo_jpeg])
        assert next(results).width == 320
        with pytest.raises(pixpress.UnidentifiedImageError):
            next(results)
        with pytest.raises(StopIteration):
            next(results)


def test_map_returns_errors_in_their_places(photo_jpeg: bytes) -> None:
    with pixpress.Pool(max_workers=2) as pool:
        sources = [photo_jpeg, b"no image", 7, photo_jpeg]
        kinds = [type(outcome) for outcome in pool.map(sources, errors="return")]
    bad = [pixpress.UnidentifiedImageError, pixpress.OptionError]
    assert kinds == [pixpress.Result, *bad, pixpress.Result]


def test_map_refuses_wrong_settings_before_the_first_result() -> None:
    with pixpress.Pool(max_workers=1) as pool:
        with pytest.raises(pixpress.OptionError):
            pool.map([], quality=0)
        with pytest.raises(pixpress.OptionError):
            pool.map([], errors="ignore")  # type: ignore[call-overload]


def test_map_writes_into_a_folder_under_the_new_extension(
    tmp_path: Path, photo_jpeg: bytes
) -> None:
    for name in ("a.jpg", "b.jpeg"):
        (tmp_path / name).write_bytes(photo_jpeg)
    out = tmp_path / "out" / "deep"
    with pixpress.Pool(max_workers=1) as pool:
        sources = [tmp_path / "a.jpg", tmp_path / "b.jpeg"]
        made = [result.output_path for result in pool.map(sources, out_dir=out, format="jpeg")]
        made += [result.output_path for result in pool.map(sources, out_dir=out, format="webp")]
    assert made == [str(out / name) for name in ("a.jpg", "b.jpeg", "a.webp", "b.webp")]


def test_map_refuses_two_sources_for_one_output_before_work_starts(
    tmp_path: Path, photo_jpeg: bytes
) -> None:
    sources = [tmp_path / "a.jpg", tmp_path / "a.png"]
    with pixpress.Pool(max_workers=1) as pool:
        with pytest.raises(pixpress.OptionError, match="both"):
            pool.map(sources, out_dir=tmp_path / "out", format="webp")
        assert pool.stats()["submitted"] == 0
    assert not (tmp_path / "out").exists()


def test_cancelling_a_task_cancels_its_job() -> None:
    async def main(pool: pixpress.Pool) -> None:
        task = asyncio.ensure_future(pool.compress(noise(3000, 3000), **LONG))
        while not pool.stats()["running"]:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with pixpress.Pool(max_workers=1) as pool:
        asyncio.run(main(pool))
        assert pool.submit(noise(8, 8), format="png").result().width == 8
        assert pool.stats()["cancelled"] == 1


def test_tasks_run_side_by_side_and_fail_alone(photo_jpeg: bytes) -> None:
    async def main(pool: pixpress.Pool) -> list[object]:
        sources = [photo_jpeg, b"no image", photo_jpeg]
        tasks = [pool.compress(source) for source in sources]
        return list(await asyncio.gather(*tasks, return_exceptions=True))

    with pixpress.Pool(max_workers=2) as pool:
        kinds = [type(outcome) for outcome in asyncio.run(main(pool))]
    assert kinds == [pixpress.Result, pixpress.UnidentifiedImageError, pixpress.Result]


def test_a_full_queue_does_not_block_the_event_loop(photo_jpeg: bytes) -> None:
    async def main(pool: pixpress.Pool) -> None:
        blocker = Blocker(pool)
        tasks = [asyncio.ensure_future(pool.compress(photo_jpeg)) for _ in range(6)]
        for _ in range(100):
            await asyncio.sleep(0)
        assert blocker.future.running(), "the loop was held up until the queue had room"
        assert pool.stats()["submitted"] == 2
        blocker.release()
        await asyncio.gather(*tasks)

    with pixpress.Pool(max_workers=1, max_queue=1) as pool:
        asyncio.run(main(pool))
        assert pool.stats()["succeeded"] == 6


def test_a_full_queue_blocks_as_long_as_it_is_told(photo_jpeg: bytes) -> None:
    with pixpress.Pool(max_workers=1, max_queue=1) as pool:
        blocker = Blocker(pool)
        pool.submit(photo_jpeg)
        for wait in ({"block": False}, {"timeout": 0.01}):
            with pytest.raises(pixpress.QueueFullError) as caught:
                pool.submit(photo_jpeg, **wait)
            assert caught.value.retryable
        assert blocker.future.running()
        blocker.release()
        assert pool.submit(photo_jpeg).result().width == 320


def test_submitting_from_a_callback_never_blocks(photo_jpeg: bytes) -> None:
    outcomes: list[object] = []
    called = threading.Event()

    def submit_more(_future: object) -> None:
        try:
            while True:
                pool.submit(photo_jpeg)
        except pixpress.QueueFullError as error:
            outcomes.append(error)
        called.set()

    with pixpress.Pool(max_workers=1, max_queue=2) as pool:
        blocker = Blocker(pool)
        pool.submit(photo_jpeg, priority="critical").add_done_callback(submit_more)
        # Holds the worker while the event thread is in the callback.
        next_blocker = submit_long(pool, priority="high")
        blocker.release()
        assert called.wait(PATIENCE_S)
        await_running(next_blocker)
        assert next_blocker.cancel()
    assert len(outcomes) == 1


def test_a_file_object_is_read_once_though_the_queue_was_full(
    photo_jpeg: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(photo_jpeg)

    async def main(pool: pixpress.Pool) -> list[pixpress.Result]:
        blocker = Blocker(pool)
        with path.open("rb") as file:
            works = [pool.compress(photo_jpeg) for _ in range(3)] + [pool.compress(file)]
            tasks = [asyncio.ensure_future(work) for work in works]
            while pool.stats()["submitted"] < 2:
                await asyncio.sleep(0)
            blocker.release()
            return list(await asyncio.gather(*tasks))

    with pixpress.Pool(max_workers=1, max_queue=1) as pool:
        assert asyncio.run(main(pool))[-1].width == 320


@pytest.mark.parametrize(
    "options",
    [
        {"max_workers": 0},
        {"max_workers": 2, "min_workers": 3},
        {"memory_limit": "much"},
        {"task_timeout": -1},
        {"worker_nice": 20},
        {"isolation": "none"},
        {"nonsense": 1},
    ],
    ids=str,
)
def test_wrong_pool_options_raise(options: dict[str, object]) -> None:
    with pytest.raises(pixpress.OptionError):
        pixpress.Pool(**options)  # type: ignore[arg-type]


def test_settings_start_from_the_given_ones_and_keywords_win(photo_jpeg: bytes) -> None:
    base = pixpress.Settings(format="webp", width=100)
    with pixpress.Pool(max_workers=1) as pool:
        assert pool.submit(photo_jpeg, settings=base).result().width == 100
        result = pool.submit(photo_jpeg, settings=base, width=50).result()
    assert (result.format, result.width) == ("webp", 50)


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = [t for t in threading.enumerate() if t not in before and t.name == "pixpress"]
    for thread in left:
        thread.join(PATIENCE_S)
    assert not any(thread.is_alive() for thread in left)
