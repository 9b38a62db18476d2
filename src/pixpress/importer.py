"""The thread of a pool that decodes with Pillow what the core does not read."""

from __future__ import annotations

import errno
import heapq
import itertools
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from . import _native
from .errors import JournalError, MemoryLimitError, PixpressError, QueueFullError
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
_LONGEST_DELAY_S = 30.0  # As of the core's jobs.
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
        rank: int,
    ) -> None:
        self._changed = changed
        self.entry: Entry = None  # What the journal has of it, until its end is recorded.
        self.task_id = 0
        self.source = source
        self.name = source.name
        self.limits = limits
        self.submit = submit
        self.future = future
        self.rank = rank
        self.attempts = 0
        self.due = 0.0  # When it may be tried again, by the monotonic clock.
        self.was_there = source.data is None and os.path.exists(source.name)
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
        """As of the core's handle; until then only what is counted here."""
        if self.handle is not None:
            return self.handle.describe()
        return {"attempts": float(self.attempts)}

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

    def __init__(
        self,
        engine: _native.Engine,
        memory_limit: int,
        options: Mapping[str, float],
        tell_retry: Callable[[PendingImport, PixpressError, float], object],
    ) -> None:
        self._engine = engine
        self._memory_limit = memory_limit
        self._options = options  # Those of the pool in the core's form; they may change.
        self._tell_retry = tell_retry
        self._max_waiting = options["max_queue"] or float("inf")
        self._changed = threading.Condition()
        self._waiting: list[tuple[int, int, PendingImport]] = []
        self._later: list[PendingImport] = []  # To be tried again.
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
            return len(self._waiting) + len(self._later) + (self._current is not None)

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
        pending = PendingImport(self._changed, source, limits, submit, future, rank)
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
            self._push(pending)
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
            jobs = [*self._later, *(job for _, _, job in self._waiting)]
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
                job = self._current = self._take()
                self._changed.notify_all()
            if job is None:
                break
            error = self._import(job)
            if error is not None:
                _resolve(job.future, error)
            with self._changed:
                self._current = None
                self._changed.notify_all()
        assert self._when_idle is not None
        self._when_idle()

    def _push(self, job: PendingImport) -> None:
        heapq.heappush(self._waiting, (-job.rank, next(self._numbers), job))

    def _take(self) -> PendingImport | None:
        """The next job, cancelled ones too; None when there will be none. Called with the lock."""
        while True:
            now = time.monotonic()
            for job in [job for job in self._later if job.is_cancelled or job.due <= now]:
                self._later.remove(job)
                self._push(job)
            if self._waiting:
                return heapq.heappop(self._waiting)[2]
            if self.is_closed and not self._later:
                return None
            due = min((job.due for job in self._later), default=None)
            self._changed.wait(None if due is None else due - now)

    def _retries(self, job: PendingImport, error: BaseException) -> bool:
        """Whether the job is tried again, as the core does for trouble that passes; then it is."""
        if not isinstance(error, PixpressError) or job.attempts > self._options["max_retries"]:
            return False
        is_gone = job.was_there and getattr(error, "errno", None) == errno.ENOENT
        if not error.retryable and not is_gone:
            return False
        import random

        longest = self._options["retry_delay"] * 1e-9
        for _ in range(1, job.attempts):
            longest = min(longest * self._options["backoff_multiplier"], _LONGEST_DELAY_S)
        delay = random.random() * min(longest, _LONGEST_DELAY_S)
        with self._changed:
            if job.is_cancelled:
                return False
            job.due = time.monotonic() + delay
            self._later.append(job)
        self._tell_retry(job, error, delay)
        return True

    def _record(self, job: PendingImport, code: str, message: str = "") -> None:
        """Write down how the job ends here, once; a journal that is broken has said so before."""
        entry, job.entry = job.entry, None
        if entry is not None:
            with suppress(JournalError):
                self._engine.record_end(entry, code, message)

    def _import(self, job: PendingImport) -> BaseException | None:
        """Decode and hand over; what went wrong is the result of the job."""
        job.attempts += 1
        error = None if job.is_cancelled else self._decode(job)
        if error is not None and self._retries(job, error):
            return None
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
