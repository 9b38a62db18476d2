"""A pool of native workers, and the futures that it resolves."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, InvalidStateError
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from . import _native
from .errors import ForkedPoolError, OptionError, PixpressError, PoolClosedError, expected
from .options import Settings, byte_count, priority_value, seconds_ns, settings_of, whole
from .result import Result
from .sources import open_source, output_format

_SLICE_NS = 50_000_000
_UNBUILT = ("cache", "journal", "config")
_pools: weakref.WeakSet[Pool] = weakref.WeakSet()


class JobFuture(Future[Result]):
    """The future of one job. `cancel` also stops a running job, until its output appears."""

    _handle: _native.JobHandle | None = None

    @property
    def task_id(self) -> int:
        """The number of the job in its pool."""
        return self._handle.task_id if self._handle is not None else 0

    def cancel(self) -> bool:
        """Stop the job; False if its output is there already."""
        if self.done():
            return self.cancelled()
        if self._handle is None or not self._handle.cancel():
            return False
        self._end_as_cancelled()
        return True

    def running(self) -> bool:
        """True while a worker runs the job."""
        return self._handle is not None and self._handle.state == 1 and not self.done()

    def result(self, timeout: float | None = None) -> Result:
        """Return the result, or raise its error; TimeoutError after `timeout` seconds."""
        self._wait(timeout)
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Return the error or None; TimeoutError after `timeout` seconds."""
        self._wait(timeout)
        return super().exception(timeout)

    def _wait(self, timeout: float | None) -> None:
        """Wait for the job itself: one thread less on the way than through the event thread."""
        handle = self._handle
        if handle is None:
            return
        end_ns = None if timeout is None else time.monotonic_ns() + int(min(timeout, 1e9) * 1e9)
        while not self.done():
            left_ns = -1 if end_ns is None else max(0, end_ns - time.monotonic_ns())
            if handle.wait(left_ns):
                outcome = handle.take()
                if outcome is not None:
                    self._resolve(*outcome[1:])
                return
            if left_ns == 0:
                return

    def _end_as_cancelled(self) -> None:
        if super().cancel():
            with self._condition:
                is_new = self._state == "CANCELLED"
                if is_new:
                    self.set_running_or_notify_cancel()

    def _resolve(self, result: Result | None, error: BaseException | None) -> None:
        try:
            if result is not None:
                self.set_result(result)
            elif error is not None:
                self.set_exception(error)
            else:
                self._end_as_cancelled()
        except InvalidStateError:  # Cancelled: the caller was told so.
            return


def _dispatch(engine: _native.Engine, closed: threading.Event) -> None:
    while not (closed.is_set() and engine.wait_idle(0) and not engine.undelivered):
        for future, result, error in engine.collect(10 * _SLICE_NS):
            future._resolve(result, error)


def _abandon(engine: _native.Engine, closed: threading.Event) -> None:
    if engine.pid == os.getpid():
        engine.close()
        closed.set()
        engine.wake()


class Pool:
    """Worker threads of the core, their queue and their memory.

    Leaving the ``with`` block waits for all jobs; an exception in it cancels queued jobs and stops
    running ones.

    Examples
    --------
    >>> with Pool(max_workers=1) as pool:
    ...     pool.stats()["queued"]
    0
    """

    def __init__(
        self,
        max_workers: int | None = None,
        min_workers: int = 1,
        memory_limit: int | str | None = None,
        worker_memory_limit: int | str | None = None,
        task_timeout: float | None = 300,
        queue_timeout: float | None = None,
        idle_timeout: float = 60,
        max_queue: int | None = None,
        max_queue_bytes: int | str | None = None,
        isolation: str = "thread",
        durable: bool | None = None,
        worker_nice: int = 10,
        **unbuilt: object,
    ) -> None:
        for name, value in unbuilt.items():
            if name not in _UNBUILT:
                raise OptionError(f"Expected a known option, got {name!r}")
            if value is not None:
                raise OptionError(f"option {name!r} is not built")
        if isolation != "thread":
            if isolation == "process":
                raise OptionError("isolation='process' is not built")
            raise expected("thread", "isolation", isolation)
        workers = 0 if max_workers is None else whole("max_workers", max_workers, 1, 1024)
        self._engine = _native.Engine(
            {
                "max_workers": workers,
                "min_workers": whole("min_workers", min_workers, 1, workers or 1024),
                "memory_limit": byte_count("memory_limit", memory_limit),
                "worker_memory_limit": byte_count("worker_memory_limit", worker_memory_limit),
                "task_timeout": seconds_ns("task_timeout", task_timeout),
                "queue_timeout": seconds_ns("queue_timeout", queue_timeout),
                "idle_timeout": seconds_ns("idle_timeout", idle_timeout),
                "max_queue": 0 if max_queue is None else whole("max_queue", max_queue, 1, 2**31),
                "max_queue_bytes": byte_count("max_queue_bytes", max_queue_bytes),
                "worker_nice": whole("worker_nice", worker_nice, 0, 19),
                "durable": bool(durable),
            }
        )
        self._window = 2 * (workers or _native.allowed_cpus())
        self._closed = threading.Event()
        self._thread = threading.Thread(
            target=_dispatch, args=(self._engine, self._closed), name="pixpress", daemon=True
        )
        self._thread.start()
        self._finalizer = weakref.finalize(self, _abandon, self._engine, self._closed)
        self._finalizer.atexit = False
        _pools.add(self)

    def submit(
        self,
        src: object,
        dst: str | os.PathLike[str] | None = None,
        *,
        priority: object = 1,
        settings: Settings | None = None,
        block: bool = True,
        timeout: float | None = None,
        **options: Any,
    ) -> JobFuture:
        """Queue a job. A full queue blocks up to `timeout` seconds, else raises QueueFullError."""
        engine = self._engine
        if engine.pid != os.getpid():
            raise ForkedPoolError("the pool belongs to the parent process")
        chosen = settings_of(settings, options).native
        source = open_source(src)
        path = None if dst is None else os.fspath(dst)
        chosen = chosen.with_format(output_format(chosen.format, path, source))
        wait_ns = 0 if not block else -1 if timeout is None else seconds_ns("timeout", timeout)
        rank = 1 if priority == 1 else priority_value(priority)
        future = JobFuture()
        future._handle = engine.submit(chosen, source, path, "", rank, wait_ns, future)
        return future

    def map(
        self,
        sources: Iterable[object],
        *,
        out_dir: str | os.PathLike[str] | None = None,
        errors: Literal["raise", "return"] = "raise",
        **options: Any,
    ) -> Iterator[Result | PixpressError]:
        """Results in input order; at most 2 x workers jobs are under way."""
        if errors not in ("raise", "return"):
            raise expected("raise or return", "errors", errors)
        waiting: deque[JobFuture] = deque()
        try:
            for src in sources:
                waiting.append(self.submit(src, _output_in(out_dir, src, options), **options))
                if len(waiting) >= self._window:
                    yield _outcome(waiting.popleft(), errors)
            while waiting:
                yield _outcome(waiting.popleft(), errors)
        finally:
            for future in waiting:
                future.cancel()

    async def compress(
        self, src: object, dst: str | os.PathLike[str] | None = None, **options: Any
    ) -> Result:
        """Like `submit`, awaited; cancelling the task cancels the job."""
        return await asyncio.wrap_future(self.submit(src, dst, **options))

    def stats(self) -> dict[str, int]:
        """Counters and gauges at this moment."""
        self._engine.check_process()
        return self._engine.stats()

    def trim(self) -> int:
        """Give retained memory back to the system; returns the bytes."""
        self._engine.check_process()
        return self._engine.trim()

    def shutdown(
        self, wait: bool = True, timeout: float | None = None, cancel_futures: bool = False
    ) -> None:
        """Take no more jobs; with `wait`, return when all have ended or after `timeout` s."""
        self._engine.check_process()
        self._engine.close()
        if cancel_futures:
            self._engine.cancel_all(False)
        self._closed.set()
        self._engine.wake()
        if wait and threading.current_thread() is not self._thread:
            self._thread.join(timeout)

    def __enter__(self) -> Pool:
        if self._closed.is_set():
            raise PoolClosedError("the pool takes no more jobs")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._engine.pid != os.getpid():
            return
        if kind is not None:
            self._engine.close()
            self._engine.cancel_all(True)
        try:
            self.shutdown()
        except BaseException:
            self._engine.cancel_all(True)
            raise


def _outcome(future: JobFuture, errors: str) -> Result | PixpressError:
    try:
        return future.result()
    except PixpressError as error:
        if errors == "raise":
            raise
        return error


def _output_in(
    out_dir: str | os.PathLike[str] | None, src: object, options: dict[str, Any]
) -> Path | None:
    if out_dir is None:
        return None
    if not isinstance(src, (str, os.PathLike)):
        raise expected("paths", "sources with out_dir", src)
    name = Path(src)
    kind = str(options.get("format", "keep"))
    if kind != "keep":
        name = name.with_suffix({"jpeg": ".jpg"}.get(kind, "." + kind))
    return Path(out_dir) / name.name


def _finish_at_exit() -> None:
    interrupted = getattr(sys, "last_type", None) is KeyboardInterrupt
    pools = [pool for pool in _pools if pool._engine.pid == os.getpid()]
    try:
        for pool in pools:
            pool._engine.close()
            while not interrupted and not pool._engine.wait_idle(_SLICE_NS):
                continue
    except KeyboardInterrupt:
        interrupted = True
    undone = 0
    for pool in pools:
        if interrupted:
            undone += pool._engine.undelivered
            pool._engine.cancel_all(True)
        pool._closed.set()
        pool._engine.wake()
        pool._thread.join(1.0)
    if undone:
        print(f"pixpress: interrupted, {undone} jobs were not done", file=sys.stderr)


threading._register_atexit(_finish_at_exit)  # type: ignore[attr-defined]
