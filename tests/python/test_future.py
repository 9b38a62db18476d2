"""JobFuture against the futures of ThreadPoolExecutor: what holds there must hold here."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import pixpress

PATIENCE_S = 60
Submit = Callable[[str], "Future[Any]"]


@pytest.fixture(scope="module")
def large() -> np.ndarray:
    """About a second of work as PNG."""
    rng = np.random.default_rng(1)
    return rng.integers(0, 256, (2000, 3000, 3), dtype=np.uint8)


@pytest.fixture(params=["pixpress", "ThreadPoolExecutor"])
def submit(request: pytest.FixtureRequest, large: np.ndarray) -> Iterator[Submit]:
    """Submit "good", "bad" or "slow" jobs to one worker of either kind."""
    if request.param == "pixpress":
        sources = {
            "good": (np.zeros((4, 4), np.uint8), {"format": "png"}),
            "bad": (b"no image", {}),
            "slow": (large, {"format": "png"}),
        }
        with pixpress.Pool(max_workers=1) as pool:
            yield lambda kind: pool.submit(sources[kind][0], **sources[kind][1])
        return
    release = threading.Event()

    def bad() -> None:
        raise pixpress.UnidentifiedImageError("bad")

    calls: dict[str, Callable[[], Any]] = {
        "good": int,
        "bad": bad,
        "slow": lambda: release.wait(1.0),
    }
    with ThreadPoolExecutor(1) as executor:
        yield lambda kind: executor.submit(calls[kind])
        release.set()


def test_result_and_exception(submit: Submit) -> None:
    good, bad = submit("good"), submit("bad")
    assert good.result(PATIENCE_S) is good.result()
    assert good.exception() is None
    assert isinstance(bad.exception(PATIENCE_S), pixpress.UnidentifiedImageError)
    with pytest.raises(pixpress.UnidentifiedImageError):
        bad.result()
    assert good.done()
    assert not good.running()
    assert not good.cancelled()


def test_a_timeout_is_a_timeout_and_the_job_goes_on(submit: Submit) -> None:
    slow = submit("slow")
    for wait in (slow.result, slow.exception):
        with pytest.raises(concurrent.futures.TimeoutError):
            wait(0.01)
        with pytest.raises(TimeoutError):
            wait(0)
    assert not slow.done()
    slow.result(PATIENCE_S)


def test_a_queued_job_can_be_cancelled_and_a_done_one_cannot(submit: Submit) -> None:
    slow, queued = submit("slow"), submit("good")
    assert not queued.running()
    assert queued.cancel()
    assert queued.cancel()
    assert queued.cancelled()
    assert queued.done()
    for call in (queued.result, queued.exception):
        with pytest.raises(concurrent.futures.CancelledError):
            call(PATIENCE_S)
    slow.result(PATIENCE_S)
    assert not slow.cancel()
    assert not slow.cancelled()


def test_running_is_true_while_a_worker_has_the_job(submit: Submit) -> None:
    slow = submit("slow")
    while not slow.running():
        assert not slow.done()
    slow.result(PATIENCE_S)
    assert not slow.running()


def test_wait_returns_when_it_was_told_to(submit: Submit) -> None:
    futures = [submit("good"), submit("bad"), submit("slow")]
    done, rest = concurrent.futures.wait(
        futures, PATIENCE_S, return_when=concurrent.futures.FIRST_COMPLETED
    )
    assert done
    assert done | rest == set(futures)
    done, rest = concurrent.futures.wait(
        futures[1:], PATIENCE_S, return_when=concurrent.futures.FIRST_EXCEPTION
    )
    assert futures[1] in done
    done, rest = concurrent.futures.wait(futures, PATIENCE_S)
    assert (done, rest) == (set(futures), set())


def test_wait_sees_cancelled_jobs(submit: Submit) -> None:
    slow, queued = submit("slow"), submit("good")
    queued.cancel()
    done, _ = concurrent.futures.wait(
        [slow, queued], PATIENCE_S, return_when=concurrent.futures.FIRST_COMPLETED
    )
    assert queued in done


def test_as_completed_yields_each_once(submit: Submit) -> None:
    futures = [submit(kind) for kind in ("good", "bad", "good", "slow")]
    futures[2].cancel()
    assert set(concurrent.futures.as_completed(futures, PATIENCE_S)) == set(futures)


def test_callbacks_run_once_for_every_ending_and_at_once_when_done(submit: Submit) -> None:
    called: list[Future[Any]] = []
    all_called = threading.Event()

    def note(future: Future[Any]) -> None:
        called.append(future)
        if len(called) == 4:
            all_called.set()

    futures = [submit(kind) for kind in ("slow", "good", "bad", "good")]
    for future in futures:
        future.add_done_callback(note)
    futures[3].cancel()
    assert all_called.wait(PATIENCE_S)
    assert sorted(map(id, called)) == sorted(map(id, futures))
    futures[0].add_done_callback(note)
    assert called[-1] is futures[0]


def test_an_error_in_a_callback_is_logged_and_harms_nothing(
    submit: Submit, caplog: pytest.LogCaptureFixture
) -> None:
    reached = threading.Event()
    slow = submit("slow")
    future = submit("good")
    future.add_done_callback(lambda _future: 1 / 0)
    future.add_done_callback(lambda _future: reached.set())
    assert reached.wait(PATIENCE_S)
    assert "exception calling callback" in caplog.text
    slow.result(PATIENCE_S)
    assert submit("good").exception(PATIENCE_S) is None


def test_many_threads_may_wait_for_one_job(submit: Submit) -> None:
    slow = submit("slow")
    with ThreadPoolExecutor(8) as waiters:
        results = list(waiters.map(lambda _: slow.result(PATIENCE_S), range(8)))
    assert all(result is results[0] for result in results)


def test_unlike_there_a_running_job_can_be_cancelled(large: np.ndarray) -> None:
    with pixpress.Pool(max_workers=1) as pool:
        future = pool.submit(large, format="png")
        while not future.running():
            assert not future.done()
        assert future.cancel()
        assert future.cancelled()
        assert pool.submit(large[:8, :8], format="png").result(PATIENCE_S).width == 8


def test_task_ids_count_from_1() -> None:
    with pixpress.Pool(max_workers=1) as pool:
        futures = [pool.submit(b"") for _ in range(3)]
        assert [future.task_id for future in futures] == [1, 2, 3]
