"""The thread of a pool that decodes with Pillow what the core does not read."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from . import _native
from .errors import JournalError, MemoryLimitError, QueueFullError
from .foreign import ForeignSource
from .future import JobFuture
from .imported import load
from .limits import Limits

_log = logging.getLogger("pixpress")
_SLICE_S = 0.05
_RETRY_S = 0.01
# Pixels that wait for a worker or are worked on may hold one part in this of the pool's memory, or
# be those of one image.
_SHARE = 8
Entry = _native.JournalEntry | None
Submit = Callable[[_native.NativeSource, JobFuture, Entry], _native.JobHandle]


class PendingImport:
    """What a future has in the place of the core's handle until the pixels are there."""

    output_path: str | None = None
    batch: str | None = None

    def __init__(
        self,
        changed: threading.Condition,
        source: ForeignSource,
        limits: Limits,
        submit: Submit,
        future: JobFuture,
    ) -> None:
        self._changed = changed
        self.entry: Entry = None  # What the journal has of it, until its end is recorded.
        self.task_id = 0
        self.source = source
        self.name = source.name
        self.limits = limits
        self.submit = submit
        self.future = future
        self.handle: _native.JobHandle | None = None
        self.is_cancelled = False
        self.has_failed = False  # Either this or cancelled, whichever came first.
        self.held_bytes = 0

    @property
    def state(self) -> int:
        """0 queued, 4 cancelled, else the core's."""
        if self.handle is not None:
            return self.handle.state
        return 4 if self.is_cancelled else 0

    def describe(self) -> dict[str, float]:
        """As of the core's handle; Pillow is asked once."""
        return {"attempts": 1.0} if self.handle is None else self.handle.describe()

    def cancel(self) -> bool:
        """As of the core's handle; what Pillow is decoding is thrown away when it is done."""
        with self._changed:
            if self.has_failed:
                return False
            if self.handle is None:
                self.is_cancelled = True
                self._changed.notify_all()
                return True
        return self.handle.cancel()

    def wait(self, timeout_ns: int) -> bool:
        """Wait for the end, for 50 ms at most."""
        if self.handle is not None:
            return self.handle.wait(timeout_ns)
        left = _SLICE_S if timeout_ns < 0 else min(_SLICE_S, timeout_ns * 1e-9)
        with self._changed:
            self._changed.wait_for(lambda: self.handle is not None or self.future.done(), left)
        return self.future.done()

    def deliver(self) -> None:
        """Do what the reader of events would, if the core has the job."""
        if self.handle is not None:
            self.handle.deliver()


class Importer:
    """Takes jobs on images of other formats, and hands their pixels over to an engine."""

    def __init__(self, engine: _native.Engine, memory_limit: int, max_waiting: int) -> None:
        self._engine = engine
        self._memory_limit = memory_limit
        self._max_waiting = max_waiting or float("inf")
        self._changed = threading.Condition()
        self._waiting: list[tuple[int, int, PendingImport]] = []
        self._current: PendingImport | None = None
        self._numbers = itertools.count()
        self._held_bytes = 0
        self._when_idle: Callable[[], None] | None = None  # Set once closed.
        self._thread: threading.Thread | None = None

    @property
    def is_closed(self) -> bool:
        """True once no more jobs are taken."""
        return self._when_idle is not None

    @property
    def pending(self) -> int:
        """How many jobs have not been handed over."""
        with self._changed:
            return len(self._waiting) + (self._current is not None)

    def submit(
        self,
        source: ForeignSource,
        limits: Limits,
        submit: Submit,
        rank: int,
        wait_ns: int,
        announce: Callable[[], Entry] = lambda: None,
    ) -> JobFuture:
        """Queue a job; `submit` is called with its pixels, and must not block.

        `announce` gives the job to the journal, once there is room for it here.
        """
        future = JobFuture()
        pending = PendingImport(self._changed, source, limits, submit, future)
        future._handle = pending  # type: ignore[assignment]  # Of the same shape.
        if threading.current_thread() is self._thread:  # In a callback of a future.
            wait_ns = 0
        end = float("inf") if wait_ns < 0 else time.monotonic() + wait_ns * 1e-9
        with self._changed:
            while len(self._waiting) >= self._max_waiting:
                left = end - time.monotonic()
                if left <= 0:
                    raise QueueFullError(f"{source.name}: the queue is full")
                self._changed.wait(min(left, _SLICE_S))
            pending.entry = announce()
            if pending.entry is not None:
                pending.task_id = pending.entry.task_id
            heapq.heappush(self._waiting, (-rank, next(self._numbers), pending))
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="pixpress-import", daemon=True
                )
                self._thread.start()
            self._changed.notify_all()
        return future

    def close(self, when_idle: Callable[[], None]) -> None:
        """Take no more jobs; `when_idle` is called once, when all have been handed over."""
        with self._changed:
            if self._when_idle is not None:
                return
            self._when_idle = when_idle
            self._changed.notify_all()
            if self._thread is not None:
                return
        when_idle()

    def cancel_all(self) -> None:
        """Cancel what has not been handed over; a journal keeps it for the next pool."""
        with self._changed:
            jobs = [job for _, _, job in self._waiting]
            if self._current is not None:
                jobs.append(self._current)
        for job in jobs:
            with self._changed:
                was_cancelled = job.is_cancelled
                if job.handle is not None or job.has_failed:  # The core has it by now, or nobody.
                    continue
                job.is_cancelled = True
                self._changed.notify_all()
            if not was_cancelled:
                # Pillow may go on for longer than the process: its source is not to blame.
                self._record(job, "QUEUED")
            job.future.cancel()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self.is_closed)
                if not self._waiting:
                    break
                job = self._current = heapq.heappop(self._waiting)[2]
                self._changed.notify_all()
            error = self._import(job)
            if error is not None:
                _resolve(job.future, error)
            with self._changed:
                self._current = None
                self._changed.notify_all()
        assert self._when_idle is not None
        self._when_idle()

    def _record(self, job: PendingImport, code: str, message: str = "") -> None:
        """Write down how the job ends here, once; a journal that is broken has said so before."""
        entry, job.entry = job.entry, None
        if entry is not None:
            with suppress(JournalError):
                self._engine.record_end(entry, code, message)

    def _import(self, job: PendingImport) -> BaseException | None:
        """Decode and hand over; what went wrong is the result of the job."""
        error = None if job.is_cancelled else self._decode(job)
        with self._changed:
            if job.is_cancelled:  # The caller was told so.
                error = None
            job.has_failed = error is not None
        if job.is_cancelled:
            self._record(job, "CANCELLED")
        elif error is not None:
            self._record(job, getattr(error, "code", "MEMORY_LIMIT"), str(error))
        return error

    def _decode(self, job: PendingImport) -> BaseException | None:
        try:
            if job.entry is not None:
                self._engine.record_start(job.entry)
            source = load(
                job.source, job.limits, lambda needed, kept: self._admit(job, needed, kept)
            )
            if not self._hand_over(job, source):
                self._give_back(job)
        except _Cancelled:
            self._give_back(job)
        except Exception as error:  # Whatever it is, somebody waits for the future.
            self._give_back(job)
            return error
        return None

    def _admit(self, job: PendingImport, needed: int, kept: int) -> None:
        if needed > self._memory_limit:
            raise MemoryLimitError(
                f"{job.source.name}: decoding needs {needed} bytes; memory_limit is "
                f"{self._memory_limit}",
                stage="plan",
            )
        share = self._memory_limit // _SHARE
        with self._changed:
            self._changed.wait_for(
                lambda: job.is_cancelled or not self._held_bytes or self._held_bytes + kept <= share
            )
            if job.is_cancelled:
                raise _Cancelled
            job.held_bytes = kept
            self._held_bytes += kept

    def _give_back(self, job: PendingImport) -> None:
        with self._changed:
            self._held_bytes -= job.held_bytes
            job.held_bytes = 0
            self._changed.notify_all()

    def _hand_over(self, job: PendingImport, source: _native.NativeSource) -> bool:
        job.future.add_done_callback(lambda _: self._give_back(job))
        while True:
            with self._changed:
                if job.is_cancelled:
                    return False
                try:
                    job.handle = job.submit(source, job.future, job.entry)
                    job.future._handle = job.handle
                    self._changed.notify_all()
                    return True
                except QueueFullError:
                    self._changed.wait(_RETRY_S)


class _Cancelled(Exception):
    """The job was cancelled while it waited for memory."""


def _resolve(future: JobFuture, error: BaseException) -> None:
    try:
        future._resolve(None, error)
    except BaseException:  # Of a callback: the other jobs wait for this thread.
        _log.critical("a callback ended badly", exc_info=True)
