"""The future of one job."""

from __future__ import annotations

import time
from concurrent.futures import Future, InvalidStateError

from . import _native
from .result import Result


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

    _handle: _native.JobHandle | None = None

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
        return super().result(self._wait(timeout))

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
        return super().exception(self._wait(timeout))

    def _wait(self, timeout: float | None) -> float | None:
        """Wait for the job itself: one thread less on the way than through the event thread.

        Returns what is left of `timeout`.
        """
        handle = self._handle
        end = None if timeout is None else time.monotonic() + timeout
        while handle is not None and self._state == "PENDING":
            left = None if end is None else max(0.0, end - time.monotonic())
            if handle.wait(-1 if left is None else int(min(left, 1e9) * 1e9)):
                handle.deliver()
                break  # Another thread may be about to resolve it: the base class waits for that.
            if left == 0:
                break
        return None if end is None else max(0.0, end - time.monotonic())

    def _end_as_cancelled(self) -> None:
        if super().cancel():
            with self._condition:
                if self._state == "CANCELLED":
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
