"""JobFuture against the futures of ThreadPoolExecutor: what holds there must hold here."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
import pytest
from busy_pools import Blocker, noise

import pixpress

PATIENCE_S = 60


class Executor(Protocol):
    """One worker of either kind."""

    def submit(self, kind: str) -> Future[Any]:
        """Queue a "good" or a "bad" job."""
        ...

    def hold(self) -> Future[Any]:
        """Keep the worker busy with the job that is returned, and runs."""
        ...

    def release(self) -> None:
        """Let that job end."""
        ...


class PoolExecutor:
    """A pool of ours; what holds it ends as cancelled."""

    def __init__(self, pool: pixpress.Pool) -> None:
        self.pool = pool
        self.blockers: list[Blocker] = []

    def submit(self, kind: str) -> Future[Any]:
        if kind == "bad":
            return self.pool.submit(b"no image")
        return self.pool.submit(np.zeros((4, 4), np.uint8), format="png")

    def hold(self) -> Future[Any]:
        self.blockers.append(Blocker(self.pool))
        return self.blockers[-1].future

    def release(self) -> None:
        for blocker in self.blockers:
            blocker.release()


class ThreadExecutor:
    """What ours is compared with; what holds it ends with a result."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self.threads = threads
        self.let_go = threading.Event()

    def submit(self, kind: str) -> Future[Any]:
        def bad() -> None:
            raise pixpress.UnidentifiedImageError("bad")

        return self.threads.submit(bad if kind == "bad" else int)

    def hold(self) -> Future[Any]:
        runs = threading.Event()

        def wait() -> None:
            runs.set()
            self.let_go.wait()

        future = self.threads.submit(wait)
        assert runs.wait(PATIENCE_S)
        return future

    def release(self) -> None:
        self.let_go.set()


@pytest.fixture(params=["pixpress", "ThreadPoolExecutor"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    made: Executor
    if request.param == "pixpress":
        with pixpress.Pool(max_workers=1) as pool:
            made = PoolExecutor(pool)
            yield made
            made.release()
    else:
        with ThreadPoolExecutor(1) as threads:
            made = ThreadExecutor(threads)
            yield made
            made.release()


def test_result_and_exception(executor: Executor) -> None:
    good, bad = executor.submit("good"), executor.submit("bad")
    assert good.result(PATIENCE_S) is good.result()
    assert good.exception() is None
    assert isinstance(bad.exception(PATIENCE_S), pixpress.UnidentifiedImageError)
    with pytest.raises(pixpress.UnidentifiedImageError):
        bad.result()
    assert good.done()
    assert not good.running()
    assert not good.cancelled()


def test_a_timeout_is_a_timeout_and_the_job_goes_on(executor: Executor) -> None:
    held, queued = executor.hold(), executor.submit("good")
    for wait in (held.result, held.exception, queued.result, queued.exception):
        with pytest.raises(concurrent.futures.TimeoutError):
            wait(0.01)
        with pytest.raises(TimeoutError):
            wait(0)
    assert held.running()
    assert not queued.done()
    executor.release()
    queued.result(PATIENCE_S)


def test_a_queued_job_can_be_cancelled_and_a_done_one_cannot(executor: Executor) -> None:
    executor.hold()
    queued, good = executor.submit("good"), executor.submit("good")
    assert not queued.running()
    assert queued.cancel()
    assert queued.cancel()
    assert queued.cancelled()
    assert queued.done()
    for call in (queued.result, queued.exception):
        with pytest.raises(concurrent.futures.CancelledError):
            call(PATIENCE_S)
    executor.release()
    good.result(PATIENCE_S)
    assert not good.cancel()
    assert not good.cancelled()


def test_running_is_true_while_a_worker_has_the_job(executor: Executor) -> None:
    held, queued = executor.hold(), executor.submit("good")
    assert held.running()
    assert not queued.running()
    executor.release()
    concurrent.futures.wait([held, queued], PATIENCE_S)
    assert not held.running()
    assert not queued.running()


def test_wait_returns_when_it_was_told_to(executor: Executor) -> None:
    good, bad = executor.submit("good"), executor.submit("bad")
    good.result(PATIENCE_S)
    bad.exception(PATIENCE_S)
    futures = [good, bad, executor.hold()]
    done, rest = concurrent.futures.wait(
        futures, PATIENCE_S, return_when=concurrent.futures.FIRST_COMPLETED
    )
    assert (done, rest) == ({good, bad}, {futures[2]})
    done, rest = concurrent.futures.wait(
        futures[1:], PATIENCE_S, return_when=concurrent.futures.FIRST_EXCEPTION
    )
    assert (done, rest) == ({bad}, {futures[2]})
    executor.release()
    done, rest = concurrent.futures.wait(futures, PATIENCE_S)
    assert (done, rest) == (set(futures), set())


def test_wait_returns_with_the_first_exception_of_jobs_that_wait(executor: Executor) -> None:
    executor.hold()
    futures = [executor.submit(kind) for kind in ("bad", "good")]
    with ThreadPoolExecutor(1) as waiter:
        waited = waiter.submit(
            concurrent.futures.wait, futures, PATIENCE_S, concurrent.futures.FIRST_EXCEPTION
        )
        executor.release()
        done, _ = waited.result(PATIENCE_S)
    assert futures[0] in done


def test_wait_sees_cancelled_jobs(executor: Executor) -> None:
    executor.hold()
    queued = executor.submit("good")
    assert queued.cancel()
    executor.release()  # Only then those of ThreadPoolExecutor are told.
    assert concurrent.futures.wait([queued], PATIENCE_S).done == {queued}


def test_as_completed_yields_each_once(executor: Executor) -> None:
    held = executor.hold()
    futures = [held, *[executor.submit(kind) for kind in ("good", "bad", "good")]]
    assert futures[2].cancel()
    executor.release()
    assert set(concurrent.futures.as_completed(futures, PATIENCE_S)) == set(futures)


def test_callbacks_run_once_for_every_ending_and_at_once_when_done(executor: Executor) -> None:
    called: list[Future[Any]] = []
    all_called = threading.Event()

    def note(future: Future[Any]) -> None:
        called.append(future)
        if len(called) == 4:
            all_called.set()

    held = executor.hold()
    futures = [held, *[executor.submit(kind) for kind in ("good", "bad", "good")]]
    for future in futures:
        future.add_done_callback(note)
    assert futures[3].cancel()
    executor.release()
    assert all_called.wait(PATIENCE_S)
    assert sorted(map(id, called)) == sorted(map(id, futures))
    held.add_done_callback(note)
    assert called[-1] is held


def test_an_error_in_a_callback_is_logged_and_harms_nothing(
    executor: Executor, caplog: pytest.LogCaptureFixture
) -> None:
    reached = threading.Event()
    executor.hold()
    future = executor.submit("good")
    future.add_done_callback(lambda _future: 1 / 0)
    future.add_done_callback(lambda _future: reached.set())
    executor.release()
    assert reached.wait(PATIENCE_S)
    assert "exception calling callback" in caplog.text
    assert executor.submit("good").exception(PATIENCE_S) is None


def test_many_threads_may_wait_for_one_job(executor: Executor) -> None:
    executor.hold()
    queued = executor.submit("good")
    is_waiting = threading.Barrier(9)

    def wait(_: int) -> object:
        is_waiting.wait(PATIENCE_S)
        return queued.result(PATIENCE_S)

    with ThreadPoolExecutor(8) as waiters:
        results = waiters.map(wait, range(8))
        is_waiting.wait(PATIENCE_S)
        executor.release()
        assert all(result is queued.result(PATIENCE_S) for result in results)


def test_unlike_there_a_running_job_can_be_cancelled() -> None:
    with pixpress.Pool(max_workers=1) as pool:
        future = Blocker(pool).future
        assert future.cancel()
        assert future.cancelled()
        assert pool.submit(noise(8, 8), format="png").result(PATIENCE_S).width == 8


def test_task_ids_count_from_1() -> None:
    with pixpress.Pool(max_workers=1) as pool:
        futures = [pool.submit(b"") for _ in range(3)]
        assert [future.task_id for future in futures] == [1, 2, 3]
