"""The Python side of an engine: the thread that resolves futures, and how it all ends."""

from __future__ import annotations

import atexit
import logging
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from . import _native
from .errors import OptionError, PixpressError, PoolClosedError
from .events import (
    CacheWarning,
    Event,
    EventHub,
    MemoryWarning,
    TaskComplete,
    TaskError,
    TaskProgress,
    TaskRetry,
    WorkerEnded,
    WorkerReady,
    WorkerStuck,
)
from .future import JobFuture
from .health import HealthReport, make_report
from .task import log_context

if TYPE_CHECKING:
    from .importer import Importer, PendingImport

_log = logging.getLogger("pixpress")
_log.addHandler(logging.NullHandler())
_POLL_NS = 50_000_000
_COLLECT_NS = 500_000_000
# How long jobs that were asked to stop may take for it before nobody waits for them any more.
_STOP_GRACE_S = 0.5
# The specification's four stages, by the core's names.
_STAGES = {"write": "writing", "optimize": "optimizing", "read": "reading", "probe": "reading"}
_live: set[Dispatcher] = set()
_is_interrupted = False


class Dispatcher:
    """Owns an engine and its event thread, and outlives its pool until all jobs have ended."""

    def __init__(
        self,
        options: dict[str, float],
        metrics_interval: float | None = None,
        health_check_interval: float | None = None,
        journal: str | None = None,
        takes_over: bool = False,
        cache: str | None = None,
    ) -> None:
        self.engine = _native.Engine(options, journal or "", takes_over, cache or "")
        for notice in self.engine.journal_notices():
            _log.error("journal: %s", notice)
        self.hub = EventHub(self.engine.listen)
        self._metrics_interval = metrics_interval or float("inf")
        self._health_interval = health_check_interval or float("inf")
        self._options = options
        self._is_isolated = bool(options["isolation"])
        self._importer: Importer | None = None
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._stop_end = float("inf")  # When to wait no more for what was asked to stop.
        self.thread = threading.Thread(target=self._run, name="pixpress", daemon=True)
        self.thread.start()
        _live.add(self)

    @property
    def is_of_this_process(self) -> bool:
        """False in a forked child, where nothing of this may be used."""
        return self.engine.pid == os.getpid()

    @property
    def is_closed(self) -> bool:
        """True once no more jobs are taken."""
        return self._closed.is_set()

    @property
    def is_importing_to_its_end(self) -> bool:
        """True while a closed pool still decodes with Pillow: the core is open for that only."""
        return self._importer is not None and self._importer.is_closed

    def importer(self) -> Importer:
        """What decodes with Pillow; made when first needed."""
        from .importer import Importer

        if self._is_isolated:
            raise OptionError("Expected isolation='thread' for inputs that Pillow decodes")
        with self._lock:
            if self._closed.is_set():
                raise PoolClosedError("the pool takes no more jobs")
            if self._importer is None:
                limit = self.engine.stats()["memory_limit"]
                self._importer = Importer(self.engine, limit, self._options, self._report_retry)
            return self._importer

    def update(self, changes: dict[str, float]) -> None:
        """Change options of the core while jobs run."""
        self.engine.update(changes)
        self._options.update(changes)

    def _report_retry(self, job: PendingImport, error: PixpressError, delay: float) -> None:
        context = log_context(job, error)
        _log.info("%s is tried again in %.2f s: %s", job.name, delay, error, extra=context)
        self.hub.publish(TaskRetry(job.task_id, error, delay))

    def _is_done(self) -> bool:
        if not self._closed.is_set() or (self._importer is not None and self._importer.pending):
            return False
        return self.engine.wait_idle(0) and not self.engine.undelivered()

    def _run(self) -> None:
        engine = self.engine
        engine.reader = threading.get_ident()
        metrics_due = time.monotonic() + self._metrics_interval
        health_due = time.monotonic() + self._health_interval
        while not self._is_done():
            for item in engine.collect(_COLLECT_NS):
                if isinstance(item, tuple):
                    self._report(item)
                else:
                    self._end(item)
            now = time.monotonic()
            if now >= metrics_due:
                metrics_due = now + self._metrics_interval
                _log.debug("metrics %s", engine.stats())
            if now >= health_due:
                health_due = now + self._health_interval
                self._publish_health()
        for item in engine.collect(0):
            if isinstance(item, tuple):
                self._report(item)
        try:
            self.engine.close_journal()  # The next pool need not wait until this one is collected.
        except PixpressError as error:
            _log.error("journal: %s", error)
        self.hub.close()
        _live.discard(self)

    def _end(self, handle: _native.JobHandle) -> None:
        future = handle.pending
        try:
            future = handle.deliver(True)
        except BaseException:  # Of a callback: the other futures wait for this thread.
            _log.critical("a callback of job %d ended badly", handle.task_id, exc_info=True)
        if future is not None and self.hub.has_listeners:
            self.hub.publish(_event_of(future, handle.batch))
        while self.engine.nested:  # A callback has waited for these.
            self.hub.publish(_event_of(*self.engine.nested.pop()))

    def _report(self, row: tuple[Any, ...]) -> None:
        event = self._event(row)
        if event is not None and self.hub.has_listeners:
            self.hub.publish(event)

    def _event(self, row: tuple[Any, ...]) -> Event | None:
        kind, task_id, worker_id, stage, fraction, size, delay, error = row
        if kind == 1:
            name = _STAGES.get(stage, "processing")
            return TaskProgress(task_id, name, round(100 * fraction, 1), stage)
        if kind == 2:
            context = log_context(self.engine.find(task_id), error)
            _log.info("job %d is tried again in %.2f s: %s", task_id, delay, error, extra=context)
            return TaskRetry(task_id, error, delay)
        if kind == 4:
            return WorkerReady(worker_id)
        if kind == 5:
            return WorkerEnded(worker_id)
        if kind == 6:
            context = {**log_context(self.engine.find(task_id), None), "worker_id": worker_id}
            _log.error("worker %d is stuck in job %d", worker_id, task_id, extra=context)
            return WorkerStuck(worker_id, task_id)
        if kind == 8:
            _log.warning("the cache is of no use, and jobs go on without it: %s", error)
            return CacheWarning(error)
        limit = self.engine.stats()["memory_limit"]
        _log.warning("jobs hold %d of %d bytes", size, limit, extra={"used": size, "limit": limit})
        return MemoryWarning(size, limit)

    def health(self) -> HealthReport:
        """How the pool and its machine are."""
        cpus, _, free = _native.machine()
        optimal = max(1, min(cpus - 1, free // (50 << 20), 8))
        return make_report(self.engine.health(), self.engine.stats(), optimal)

    def _publish_health(self) -> None:
        report = self.health()
        for warning in report.warnings:
            _log.warning("health: %s", warning)
        if self.hub.has_listeners:
            self.hub.publish(report)

    def close(self) -> None:
        """Take no more jobs; the thread ends when all have ended. Does nothing in a child."""
        if self.is_of_this_process:
            with self._lock:
                self._closed.set()
                importer = self._importer
            if importer is None:
                self._close_engine()
            else:
                importer.close(self._close_engine)

    def _close_engine(self) -> None:
        self.engine.close()
        self.engine.wake()

    def cancel_queued(self) -> None:
        """Cancel the jobs that no worker has; a journal keeps them for the next pool."""
        if self._importer is not None:
            self._importer.cancel_all()
        self.engine.cancel_all(False)

    def join(self, timeout: float | None = None) -> None:
        """Wait for the thread, unless this is it."""
        if threading.current_thread() is not self.thread:
            self.thread.join(timeout)

    def undone(self) -> int:
        """How many jobs are queued or run."""
        counts = self.engine.stats()
        imports = 0 if self._importer is None else self._importer.pending
        return counts["queued"] + counts["running"] + counts["retrying"] + imports

    def stop(self, end: float) -> None:
        """Cancel all jobs, resolve their futures, and wait for the workers up to `end`.

        What cannot be stopped in time goes on without anyone who waits for it.
        """
        self.close()
        self.cancel_queued()
        self.engine.cancel_all(True)
        for future in self.engine.undelivered():
            if future is not None and not future.done():
                future.cancel()
        self._stop_end = min(self._stop_end, end)  # A second call does not wait anew.
        self.join(max(0.0, self._stop_end - time.monotonic()))


def _event_of(future: JobFuture, batch: str | None) -> Event:
    if future.cancelled():
        return TaskError(future.task_id, None, batch)
    error = future.exception(0)
    if error is None:
        return TaskComplete(future.task_id, future.result(0))
    assert isinstance(error, (PixpressError, MemoryError))
    return TaskError(future.task_id, error, batch)


def stop_all(dispatchers: list[Dispatcher]) -> None:
    """Stop several, within the time of one."""
    end = time.monotonic() + _STOP_GRACE_S
    for dispatcher in dispatchers:
        dispatcher.close()
        dispatcher.cancel_queued()
        dispatcher.engine.cancel_all(True)
    for dispatcher in dispatchers:
        dispatcher.stop(end)


def stop(dispatcher: Dispatcher) -> None:
    """Stop one, and wait for that a short time only."""
    stop_all([dispatcher])


def _finish_at_exit() -> None:
    """Finish queued work like ThreadPoolExecutor, unless the user has interrupted or does so."""
    global _is_interrupted
    mine = [dispatcher for dispatcher in list(_live) if dispatcher.is_of_this_process]
    undone = 0
    was_interrupted = _main_was_interrupted()
    try:
        for dispatcher in mine:
            dispatcher.close()
        for dispatcher in [] if was_interrupted else mine:
            while not dispatcher.engine.wait_idle(_POLL_NS):
                continue  # Each turn lets a signal's handler run.
            dispatcher.join()
    except KeyboardInterrupt:
        _is_interrupted = was_interrupted = True
    if was_interrupted:
        # One more Ctrl-C would only get in the way of the few steps that are left.
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
        undone = sum(dispatcher.undone() for dispatcher in mine)
        stop_all(mine)
        if handler is not None:
            signal.signal(signal.SIGINT, handler)
    for dispatcher in mine:
        if dispatcher.thread.is_alive():
            dispatcher.engine.leak()
    if undone:
        jobs = "1 job was" if undone == 1 else f"{undone} jobs were"
        journals = sorted(filter(None, (dispatcher.engine.journal_path for dispatcher in mine)))
        kept = f"; Pool.recover finds what is in {', '.join(journals)}" if journals else ""
        print(f"pixpress: interrupted, {jobs} not done{kept}", file=sys.stderr)


def _main_was_interrupted() -> bool:
    """True if a KeyboardInterrupt that nobody caught ends the program."""
    is_interactive = hasattr(sys, "ps1") or bool(sys.flags.interactive)
    return getattr(sys, "last_type", None) is KeyboardInterrupt and not is_interactive


def _exit_as_interrupted() -> None:
    """End by SIGINT, as Python does when a KeyboardInterrupt ends the program."""
    if _is_interrupted:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)


# Registered on import, so that it runs after the exit handlers of those who import this.
atexit.register(_exit_as_interrupted)
# Before threads are joined and daemon threads are frozen, as concurrent.futures does.
threading._register_atexit(_finish_at_exit)  # type: ignore[attr-defined]
os.register_at_fork(after_in_child=_live.clear)
