"""The future of one job."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any

from . import _native
from .result import Result
from .task import log_context

_log = logging.getLogger("pixpress")


class JobFuture(Future[Result]):
    """The future of one job, as `Pool.submit` returns it.

    It is a `concurrent.futures.Future`: ``wait``, ``as_completed``, ``add_done_callback`` and
    ``asyncio.wrap_future`` work with it. Unlike there, `cancel` also stops a job that runs.
    Callbacks run on the pool's own Python thread, or on one that waits for this future; what they
    raise is logged.

    Examples
    --------
    >>> import numpy as np, pixpress
    >>> with pixpress.Pool(max_workers=1) as pool:
    ...     future = pool.submit(np.zeros((8, 8, 3), np.uint8), format="png")
    ...     future.result().format
    'png'
    >>> future.done(), future.cancel()
    (True, False)
    """

    # A future of the base class makes a lock and six more objects, which cost more than a tiny
    # job. Ours share one condition: it is held for moments only, and everyone who waits for it
    # checks what for. The lists are made when somebody asks for them.
    _condition = threading.Condition()
    _state = "PENDING"
    _result: Result | None = None
    _exception: BaseException | None = None
    _own_waiters: list[Any] | None = None
    _own_callbacks: list[Callable[[Any], object]] | None = None
    _handle: _native.JobHandle | None = None

    def __init__(self) -> None:
        pass

    @property
    def _waiters(self) -> list[Any]:  # type: ignore[override]
        if self._own_waiters is None:
            self._own_waiters = []
        return self._own_waiters

    @property
    def _done_callbacks(self) -> list[Callable[[Any], object]]:
        if self._own_callbacks is None:
            self._own_callbacks = []
        return self._own_callbacks

    @property
    def task_id(self) -> int:
        """The number of the job in its pool, from 1."""
        return self._handle.task_id if self._handle is not None else 0

    def cancel(self) -> bool:
        """Stop the job, also while it runs.

        Returns
        -------
        bool
            True if the job ends, or has ended, as cancelled: no output appears. False if it has
            ended otherwise, or its output is about to appear.

        Raises
        ------
        ForkedPoolError
            In a child process.
        """
        if self.done():
            return self.cancelled()
        if self._handle is None or not self._handle.cancel():
            return False
        self._end_as_cancelled()
        return True

    def running(self) -> bool:
        """Whether a worker has the job at this moment."""
        return self._handle is not None and self._handle.state == 1 and not self.done()

    def result(self, timeout: float | None = None) -> Result:
        """Wait for the result. Ctrl-C works meanwhile.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most; None is without end.

        Returns
        -------
        Result

        Raises
        ------
        PixpressError
            What the job failed with.
        TimeoutError
            The job has not ended in time; it goes on.
        concurrent.futures.CancelledError
            It was cancelled.
        ForkedPoolError
            In a child process, unless the job had ended before.
        """
        if self._state != "FINISHED":
            self._wait(timeout)
        if self._exception is not None:
            try:
                raise self._exception
            finally:
                self = None  # type: ignore[assignment]  # Break the cycle with the traceback.
        assert self._result is not None
        return self._result

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait for the end, and return what the job failed with.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most; None is without end.

        Returns
        -------
        BaseException or None
            None if it succeeded.

        Raises
        ------
        TimeoutError
            The job has not ended in time.
        concurrent.futures.CancelledError
            It was cancelled.
        """
        if self._state != "FINISHED":
            self._wait(timeout)
        return self._exception

    def _wait(self, timeout: float | None) -> None:
        """Wait for the job itself: one thread less on the way than through the event thread.

        Returns when the future has its outcome; raises if that is none, or not in time.
        """
        handle = self._handle
        end = None if timeout is None else time.monotonic() + timeout
        while handle is not None and self._state == "PENDING":
            left = None if end is None else max(0.0, end - time.monotonic())
            if handle.wait(-1 if left is None else int(min(left, 1e9) * 1e9)):
                handle.deliver()
                break
            if left == 0:
                break
        if self._state == "PENDING":
            # Another thread is about to resolve it.
            left = None if end is None else max(0.0, end - time.monotonic())
            with self._condition:
                self._condition.wait_for(lambda: self._state != "PENDING", left)
        if self._state == "PENDING":
            raise TimeoutError
        if self._state != "FINISHED":
            raise CancelledError

    def _end_as_cancelled(self) -> None:
        if super().cancel():
            with self._condition:
                if self._state == "CANCELLED":
                    self.set_running_or_notify_cancel()

    def _resolve(self, result: Result | None, error: BaseException | None) -> None:
        if result is None and error is None:
            self._end_as_cancelled()
            return
        with self._condition:
            if self._state != "PENDING":  # Cancelled: the caller was told so.
                return
            self._result, self._exception = result, error
            self._state = "FINISHED"
            for waiter in self._own_waiters or ():
                (waiter.add_result if error is None else waiter.add_exception)(self)
            self._condition.notify_all()
        if error is not None:
            self._log_failure(error)
        if self._own_callbacks:
            self._invoke_callbacks()  # type: ignore[attr-defined]

    def _log_failure(self, error: BaseException) -> None:
        context = log_context(self._handle, error)
        _log.warning("job %d failed: %s", self.task_id, error, extra=context)


def _renew_condition() -> None:
    JobFuture._condition = threading.Condition()


# A thread of the parent may have held it.
os.register_at_fork(after_in_child=_renew_condition)
