"""A pool of native workers."""

from __future__ import annotations

import weakref
from types import TracebackType

from . import _native
from .arguments import byte_count, seconds_ns, whole
from .dispatch import Dispatcher, stop
from .errors import OptionError, PoolClosedError, expected
from .submitter import Submitter

_UNBUILT = ("cache", "journal", "config")


class Pool(Submitter):
    """Worker threads of the core, their queue and their memory.

    Leaving the ``with`` block waits for all jobs; an exception in it, Ctrl-C too, cancels queued
    jobs and stops running ones. An interpreter that exits finishes queued jobs first, unless it was
    interrupted. A forked child cannot use the pool, and leaves it alone.

    Parameters
    ----------
    max_workers : int, optional
        Most worker threads, 1 to 1024. None is every CPU that this process may use (affinity and
        cgroup), limited by the allowed memory over 50 MB.
    min_workers : int
        Workers that stay when there is nothing to do, from 1 to `max_workers`.
    memory_limit : int or str, optional
        Bytes that all jobs together may hold, or a size such as ``"2GB"`` (powers of 1024). Jobs
        wait until theirs fit. None is the smaller of 4 GB and 60 % of what this process may use.
    worker_memory_limit : int or str, optional
        The same for one job; None is no limit of its own.
    task_timeout : float, optional
        Seconds that one job may run; None is without limit.
    queue_timeout : float, optional
        Seconds that one job may wait before it runs; None is without limit.
    idle_timeout : float
        Seconds after which an idle worker above `min_workers` ends.
    max_queue : int, optional
        Most waiting jobs; None is without limit. `submit` waits while the queue is full.
    max_queue_bytes : int or str, optional
        Most input bytes of waiting jobs; None is without limit.
    isolation : {"thread"}
        Where jobs run.
    durable : bool, optional
        Whether an output is on the disk, fsync and all, before its job ends. None is False.
    worker_nice : int
        Niceness of the worker threads, 0 to 19.

    Raises
    ------
    OptionError
        An option is unknown or out of range.

    Examples
    --------
    >>> import numpy as np
    >>> with Pool(max_workers=2) as pool:
    ...     images = [np.zeros((16, 16 + i), np.uint8) for i in range(3)]
    ...     [result.width for result in pool.map(images, format="png")]
    [16, 17, 18]
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
        _refuse_unbuilt(isolation, unbuilt)
        workers = 0 if max_workers is None else whole("max_workers", max_workers, 1, 1024)
        self._dispatcher = Dispatcher(
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
        self._engine = self._dispatcher.engine
        self._event_thread = self._dispatcher.thread.ident
        self._window = 2 * (workers or _native.machine()[0])
        finalizer = weakref.finalize(self, Dispatcher.close, self._dispatcher)
        finalizer.atexit = False

    def stats(self) -> dict[str, int]:
        """Count what the pool does and holds at this moment.

        Returns
        -------
        dict of str to int
            Jobs ``queued``, ``running``, ``submitted``, ``succeeded``, ``failed``, ``cancelled``;
            ``workers`` and ``busy_workers``; ``dropped_events``; and in bytes ``memory_limit``,
            ``reserved_memory``, ``live_memory``, ``retained_memory``.

        Raises
        ------
        ForkedPoolError
            In a child process.

        Examples
        --------
        >>> with Pool(max_workers=1) as pool:
        ...     pool.stats()["queued"]
        0
        """
        self._engine.check_process()
        return self._engine.stats()

    def trim(self) -> int:
        """Give memory that is kept for later jobs back to the system.

        Returns
        -------
        int
            How many bytes.

        Raises
        ------
        ForkedPoolError
            In a child process.

        Examples
        --------
        >>> with Pool(max_workers=1) as pool:
        ...     pool.trim()
        0
        """
        self._engine.check_process()
        return self._engine.trim()

    def shutdown(
        self, wait: bool = True, timeout: float | None = None, cancel_futures: bool = False
    ) -> None:
        """Take no more jobs. May be called again.

        Parameters
        ----------
        wait : bool
            Whether to return only when all jobs have ended and all callbacks have run.
        timeout : float, optional
            Seconds to wait at most; None is without end. Jobs go on after it.
        cancel_futures : bool
            Whether to cancel queued jobs; running ones are finished.

        Raises
        ------
        ForkedPoolError
            In a child process.

        Examples
        --------
        >>> pool = Pool(max_workers=1)
        >>> pool.shutdown()
        """
        self._engine.check_process()
        self._dispatcher.close()
        if cancel_futures:
            self._engine.cancel_all(False)
        if wait:
            self._dispatcher.join(timeout)

    def __enter__(self) -> Pool:
        if self._dispatcher.is_closed:
            raise PoolClosedError("the pool takes no more jobs")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._dispatcher.is_of_this_process:
            return
        if kind is not None:
            stop(self._dispatcher)
            return
        try:
            self.shutdown()
        except BaseException:
            stop(self._dispatcher)
            raise


def _refuse_unbuilt(isolation: str, unbuilt: dict[str, object]) -> None:
    for name, value in unbuilt.items():
        if name not in _UNBUILT:
            raise OptionError(f"Expected a known option, got {name!r}")
        if value is not None:
            raise OptionError(f"option {name!r} is not built")
    if isolation == "process":
        raise OptionError("isolation='process' is not built")
    if isolation != "thread":
        raise expected("thread", "isolation", isolation)
