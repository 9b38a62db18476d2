"""The Python side of an engine: the thread that resolves futures, and how it all ends."""

from __future__ import annotations

import atexit
import logging
import os
import signal
import sys
import threading
import time

from . import _native

_log = logging.getLogger("pixpress")
_POLL_NS = 50_000_000
_COLLECT_NS = 500_000_000
# How long jobs that were asked to stop may take for it before nobody waits for them any more.
_STOP_GRACE_S = 0.5
_live: set[Dispatcher] = set()
_is_interrupted = False


class Dispatcher:
    """Owns an engine and its event thread, and outlives its pool until all jobs have ended."""

    def __init__(self, options: dict[str, int]) -> None:
        self.engine = _native.Engine(options)
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

    def _run(self) -> None:
        engine = self.engine
        while not (self._closed.is_set() and engine.wait_idle(0) and not engine.undelivered()):
            for future, result, error in engine.collect(_COLLECT_NS):
                try:
                    future._resolve(result, error)
                except BaseException:  # Of a callback: the other futures wait for this thread.
                    _log.critical("a callback of job %d ended badly", future.task_id, exc_info=True)
        _live.discard(self)

    def close(self) -> None:
        """Take no more jobs; the thread ends when all have ended. Does nothing in a child."""
        if self.is_of_this_process:
            self.engine.close()
            self._closed.set()
            self.engine.wake()

    def join(self, timeout: float | None = None) -> None:
        """Wait for the thread, unless this is it."""
        if threading.current_thread() is not self.thread:
            self.thread.join(timeout)

    def undone(self) -> int:
        """How many jobs are queued or run."""
        counts = self.engine.stats()
        return counts["queued"] + counts["running"]

    def stop(self, end: float) -> None:
        """Cancel all jobs, resolve their futures, and wait for the workers up to `end`.

        What cannot be stopped in time goes on without anyone who waits for it.
        """
        self.close()
        self.engine.cancel_all(True)
        for future in self.engine.undelivered():
            if future is not None and future.running():
                future.cancel()
        self._stop_end = min(self._stop_end, end)  # A second call does not wait anew.
        self.join(max(0.0, self._stop_end - time.monotonic()))


def stop_all(dispatchers: list[Dispatcher]) -> None:
    """Stop several, within the time of one."""
    end = time.monotonic() + _STOP_GRACE_S
    for dispatcher in dispatchers:
        dispatcher.engine.close()
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
        print(f"pixpress: interrupted, {jobs} not done", file=sys.stderr)


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
