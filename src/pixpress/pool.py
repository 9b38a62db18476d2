"""A pool of native workers."""

from __future__ import annotations

import os
import weakref
from types import TracebackType
from typing import Any

from . import _native
from .arguments import known, number
from .batch import Batch
from .cache import cache_folder
from .config import PoolConfig, options_of
from .dispatch import Dispatcher, stop
from .errors import PoolClosedError, expected
from .future import JobFuture
from .journal import ready_journal_path
from .monitored import Monitored
from .pool_options import DEFAULT, OPTIONS, native, resolve
from .recovery import resubmit
from .submitter import Submitter


class Pool(Submitter, Monitored):
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
        Seconds after which an idle worker above `min_workers` ends. 60 if not given.
    cpu_threshold : float
        Percent of CPU use from which no worker is added, and from which others' use lowers how many
        work. 90 if not given.
    max_queue : int, optional
        Most waiting jobs; None is without limit. `submit` waits while the queue is full.
    max_queue_bytes : int or str, optional
        Most input bytes of waiting jobs; None is without limit.
    isolation : {"thread", "process"}
        Where jobs run: on the threads of the pool, or in a sandboxed process for each of them. An
        image that crashes or hangs a process fails its own job; see docs/isolation.md.
    journal : path or bool, optional
        File that keeps jobs until they have ended, also when the process dies: see `recover`. True
        is ``pixpress/queue.db`` in the XDG state folder. One pool at a time has it.
    durable : bool, optional
        Whether outputs and the journal outlive a power loss too: an output is on the disk, fsync
        and all, before its job ends. None is True with a journal.
    max_retries : int
        Attempts after the first of a job that fails by a passing error of the system. 3 if not
        given.
    retry_delay : float
        Seconds before the first retry, at most: the delay is a random part of it. 1 if not given.
    backoff_multiplier : float
        How much longer each further delay may be, up to 30 seconds. 2 if not given.
    batch_grouping : bool
        Whether jobs of one batch run by format, settings and size.
    adaptive_concurrency : bool
        Whether fewer workers work while others need the CPUs or memory is short.
    gc_threshold : float
        Percent of `memory_limit` from which free pages go back to the system. 80 if not given.
    metrics_interval : float
        Seconds between two lines of metrics in the log, at level debug. 5 if not given.
    health_check_interval : float
        Seconds between two `HealthReport` events. 30 if not given.
    worker_nice : int
        Niceness of the worker threads, 0 to 19. 10 if not given.
    cache : path or bool, optional
        Folder of results: a job that has the same source and settings as an earlier one, of any
        process, is answered from there. True is ``pixpress/results`` in the XDG cache folder.
    cache_size : int or str
        Bytes that it may hold. 1 GB if not given.
    cache_entries : int
        How many results it may hold. 500 if not given.
    config : path or PoolConfig, optional
        Where options come from that are given neither here nor in the environment, where
        ``PIXPRESS_MAX_WORKERS`` and so on are read.

    Raises
    ------
    OptionError
        An option is unknown or out of range.
    JournalNotEmptyError
        The journal holds jobs that were not finished.
    JournalError
        The journal cannot be opened, or another pool has it: the message has its process's number.

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
        max_workers: int | None = DEFAULT,
        min_workers: int = DEFAULT,
        memory_limit: int | str | None = DEFAULT,
        worker_memory_limit: int | str | None = DEFAULT,
        task_timeout: float | None = DEFAULT,
        queue_timeout: float | None = DEFAULT,
        idle_timeout: float = DEFAULT,
        cpu_threshold: float = DEFAULT,
        max_queue: int | None = DEFAULT,
        max_queue_bytes: int | str | None = DEFAULT,
        isolation: str = DEFAULT,
        journal: str | os.PathLike[str] | bool | None = DEFAULT,
        durable: bool | None = DEFAULT,
        max_retries: int = DEFAULT,
        retry_delay: float = DEFAULT,
        backoff_multiplier: float = DEFAULT,
        batch_grouping: bool = DEFAULT,
        adaptive_concurrency: bool = DEFAULT,
        gc_threshold: float = DEFAULT,
        metrics_interval: float = DEFAULT,
        health_check_interval: float = DEFAULT,
        worker_nice: int = DEFAULT,
        cache: str | os.PathLike[str] | bool | None = DEFAULT,
        cache_size: int | str = DEFAULT,
        cache_entries: int = DEFAULT,
        config: str | os.PathLike[str] | PoolConfig | None = None,
        **unknown: object,
    ) -> None:
        given = dict(locals())
        known(unknown, OPTIONS)
        self._open(given, config, takes_over=False)

    def _open(
        self,
        given: dict[str, object],
        config: str | os.PathLike[str] | PoolConfig | None,
        takes_over: bool,
    ) -> None:
        chosen = resolve(given, options_of(config))
        path = ready_journal_path(chosen["journal"])
        if chosen["durable"] is None:
            chosen["durable"] = path is not None
        self._dispatcher = Dispatcher(
            native(chosen),
            _interval(chosen["metrics_interval"]),
            _interval(chosen["health_check_interval"]),
            path,
            takes_over,
            cache_folder(chosen["cache"]),
        )
        self._engine = self._dispatcher.engine
        self._event_thread = self._dispatcher.thread.ident
        self._groups_batches = bool(chosen["batch_grouping"])
        self._has_journal = path is not None
        self._batches: dict[str, Batch] = {}
        self.recovered: tuple[JobFuture, ...] = ()
        workers = chosen["max_workers"]
        self._window = 2 * (workers if isinstance(workers, int) else _native.machine()[0])
        finalizer = weakref.finalize(self, Dispatcher.close, self._dispatcher)
        finalizer.atexit = False

    @classmethod
    def recover(
        cls,
        journal: str | os.PathLike[str] | bool | None = DEFAULT,
        *,
        config: str | os.PathLike[str] | PoolConfig | None = None,
        **options: Any,
    ) -> Pool:
        """Open a journal and go on with what an earlier pool has left in it.

        What is complete under its name is done, and not done again; what those pools left half
        written is removed. A job that was running when its process died runs in a process of its
        own, or alone where there is none; if it crashes again, its input is blacklisted. The
        futures are in `recovered`, in order of submission. A journal that is new or empty gives a
        pool like any other.

        Parameters
        ----------
        journal : path or bool
            As for `Pool`; it may come from the environment or from `config` instead.
        config, **options
            As for `Pool`.

        Returns
        -------
        Pool

        Raises
        ------
        OptionError
            There is no journal, or an option is wrong.
        JournalError
            It cannot be opened or read, or another pool has it.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with Pool.recover(f"{folder}/queue.db", max_workers=1) as pool:
        ...         len(pool.recovered)
        0
        """
        pool = cls._take_over(journal, config, options)
        try:
            futures = resubmit(pool, list(pool._entries(unfinished=True)))
            pool.recovered = tuple(sorted(futures, key=lambda future: future.task_id))
        except BaseException:
            stop(pool._dispatcher)
            raise
        return pool

    @classmethod
    def _take_over(
        cls,
        journal: object,
        config: str | os.PathLike[str] | PoolConfig | None,
        options: dict[str, Any],
    ) -> Pool:
        """A pool whose journal may hold unfinished jobs, before they are queued."""
        known(options, OPTIONS)
        pool = cls.__new__(cls)
        pool._open({**options, "journal": journal}, config, takes_over=True)
        if not pool._has_journal:
            stop(pool._dispatcher)
            raise expected("a journal to recover", "journal", None)
        return pool

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

        Jobs that end as cancelled because their pool does stay in its journal.

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
        limit_s = None if timeout is None else number("timeout", timeout, -1e9, 1e9)
        self._dispatcher.close()
        if cancel_futures:
            self._dispatcher.cancel_queued()
        if wait:
            self._dispatcher.join(limit_s)

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


def _interval(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
