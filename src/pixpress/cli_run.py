"""How the command does its work, without a journal."""

from __future__ import annotations

import errno
import functools
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from .cli_inputs import Work, Workload
from .cli_tally import Tally
from .dispatch import stop
from .errors import OutputError, PixpressError
from .future import JobFuture
from .options import Settings
from .pool import Pool

# Jobs under way: enough for every worker, few enough to be cheap.
_WINDOW = 256


class Terminated(KeyboardInterrupt):
    """SIGTERM: ends the command as Ctrl-C does."""


def exit_code(interrupt: KeyboardInterrupt) -> int:
    """What a shell expects of a program that a signal has ended."""
    return 128 + (signal.SIGTERM if isinstance(interrupt, Terminated) else signal.SIGINT)


def run_all(pool: Pool, load: Workload, settings: Settings, tally: Tally) -> int:
    """Do all of `load`, with only so many jobs under way; the exit code."""
    ended: SimpleQueue[tuple[Work, JobFuture]] = SimpleQueue()
    code = 0
    try:
        with tally.progress:
            try:
                _work(pool, load, settings, tally, ended)
                pool.shutdown()
            except KeyboardInterrupt as interrupt:
                code = exit_code(interrupt)
                # One more signal would only get in the way of the few steps that are left.
                for number in (signal.SIGINT, signal.SIGTERM):
                    signal.signal(number, signal.SIG_IGN)
                stop(pool._dispatcher)
                while not ended.empty():
                    tally.take(*ended.get())
    except OSError:  # Nobody reads on, or a disk is full: that ends the command.
        stop(pool._dispatcher)
        raise
    tally.close(code != 0)
    if pool._dispatcher.thread.is_alive():  # A codec that cannot be stopped: do not wait for it.
        sys.stdout.flush()
        os._exit(code)
    return code or tally.exit_code


def _work(
    pool: Pool,
    load: Workload,
    settings: Settings,
    tally: Tally,
    ended: SimpleQueue[tuple[Work, JobFuture]],
) -> None:
    under_way = 0
    for work in load.works:
        while under_way and (under_way >= _WINDOW or not ended.empty()):
            tally.take(*ended.get())
            under_way -= 1
        existing = work.existing if settings.overwrite == "never" else None
        if existing is not None:
            tally.leave(work, existing)
            continue
        try:
            work = _with_times(work) if load.keeps_times else work
            future = submit(pool, work, settings)
        except PixpressError as error:
            tally.fail_and_advance(work, error)
            continue
        future.add_done_callback(functools.partial(put, ended, work))
        under_way += 1
    for _ in range(under_way):
        tally.take(*ended.get())


def _with_times(work: Work) -> Work:
    """`work` with the times of its source, which an output in its place would take along."""
    try:
        found = os.stat(work.source)
    except OSError:  # Standard input, or a file that is gone, which the job will say.
        return work
    return replace(work, times_ns=(found.st_atime_ns, found.st_mtime_ns))


def put(ended: SimpleQueue[Any], work: Work, future: Any) -> None:
    """Tell whoever waits at `ended`."""
    ended.put((work, future))


def _make_folder(work: Work) -> None:
    folder = Path(work.output).parent
    try:
        inner = [] if work.root is None else folder.relative_to(work.root).parts
        for count in range(1, len(inner) + 1):
            part = Path(work.root or "", *inner[:count])
            if part.is_symlink():
                problem = "a link in a folder of outputs is not followed"
                raise OSError(errno.ELOOP, problem, str(part))
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        place, problem = error.filename or folder, error.strerror or str(error)
        raise OutputError(
            f"{work.source}: {place}: {problem}", errno=error.errno, filename=str(place)
        ) from error


def submit(pool: Pool, work: Work, settings: Settings) -> JobFuture:
    """Queue `work`; makes the folder of its output."""
    if work.output == "-":
        target = None
    else:
        target = work.output
        _make_folder(work)
    source: object = sys.stdin.buffer if work.source == "-" else work.source
    return pool._queue(pool._request(source, target, settings, {}, follows=work.follows))
