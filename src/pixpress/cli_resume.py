"""How the command does its work with a journal, so that it can be ended and resumed."""

from __future__ import annotations

import functools
import os
import shlex
import signal
import sys
from collections.abc import Iterable, Iterator
from queue import SimpleQueue
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from .cli_inputs import Work, Workload
from .cli_run import put, submit
from .cli_tally import Tally
from .dispatch import stop
from .errors import JournalError, PixpressError
from .future import JobFuture
from .journal import make_row
from .options import Settings
from .pool import Pool
from .recovery import resubmit

if TYPE_CHECKING:
    from .report import Report

# How long running jobs may take to end after the first signal.
_GRACE_S = 30.0
_Ended = SimpleQueue[tuple[Work, JobFuture] | None]


def run_kept(pool: Pool, load: Workload, settings: Settings, tally: Tally) -> int:
    """Do all of `load`; the exit code. All of it is in the journal soon, whatever comes after."""
    pool.purge_journal()  # Of earlier runs, which have ended.
    return _run(pool, tally, _submitted(pool, load, settings, tally))


def resume_all(pool: Pool, as_json: bool, quiet: bool, page: Report | None = None) -> int:
    """Do what the journal of `pool` holds; the exit code."""
    try:
        entries = list(pool._entries(unfinished=True))
        rows = [make_row(entry) for entry in entries]
        if any(row.output_path is None for row in rows):
            raise JournalError("the journal has jobs without output files: see Pool.recover")
        works = {row.id: Work(row.source, row.output_path or "") for row in rows}
        load = Workload(list(works.values()))
        if page is not None:
            page.check_path(load.works)
        tally = Tally(pool, load, as_json, quiet, page)
        futures = list(resubmit(pool, entries))
    except PixpressError as error:
        stop(pool._dispatcher)
        raise click.UsageError(str(error)) from error
    return _run(pool, tally, ((works[future.task_id], future) for future in futures))


def _submitted(
    pool: Pool, load: Workload, settings: Settings, tally: Tally
) -> Iterator[tuple[Work, JobFuture]]:
    for work in load.works:
        existing = work.existing if settings.overwrite == "never" else None
        if existing is not None:
            tally.leave(work, existing)
            continue
        try:
            future = submit(pool, work, settings)
        except PixpressError as error:
            tally.fail_and_advance(work, error)
            continue
        yield work, future


class _Signals:
    """The first SIGINT or SIGTERM wakes who waits at `ended`; the next is a KeyboardInterrupt.

    So the first one never comes in the middle of a submission, after which nobody would know
    whether the journal has the job.
    """

    def __init__(self, ended: _Ended) -> None:
        self.first: int | None = None
        self._ended = ended
        self._before: dict[int, Any] = {}

    def __enter__(self) -> _Signals:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._take)
        return self

    def _take(self, number: int, _frame: FrameType | None) -> None:
        if self.first is not None:
            raise KeyboardInterrupt
        self.first = number
        self._ended.put(None)

    def __exit__(self, *_: object) -> None:
        # What is left are a few steps, which one more signal would only get in the way of.
        for number, handler in self._before.items():
            signal.signal(number, handler if self.first is None else signal.SIG_IGN)


def _run(
    pool: Pool,
    tally: Tally,
    jobs: Iterable[tuple[Work, JobFuture]],
) -> int:
    ended: _Ended = SimpleQueue()
    journal = pool._engine.journal_path
    with tally.progress, _Signals(ended) as signals:
        try:
            _work(pool, tally, jobs, ended, signals)
        except KeyboardInterrupt:
            stop(pool._dispatcher)
        except OSError:  # Nobody reads on, or a disk is full: that ends the command.
            stop(pool._dispatcher)
            raise
        while not ended.empty():
            _take(tally, ended.get())
    was_interrupted = signals.first is not None
    tally.close(was_interrupted)
    if was_interrupted and tally.counted < tally.total:
        click.echo(f"go on with: pixpress resume {shlex.quote(str(journal))}", err=True)
    code = 128 + signals.first if signals.first is not None else tally.exit_code
    if pool._dispatcher.thread.is_alive():  # A codec that cannot be stopped: do not wait for it.
        sys.stdout.flush()
        os._exit(code)
    return code


def _work(
    pool: Pool,
    tally: Tally,
    jobs: Iterable[tuple[Work, JobFuture]],
    ended: _Ended,
    signals: _Signals,
) -> None:
    under_way = 0
    for work, future in jobs:
        future.add_done_callback(functools.partial(put, ended, work))
        under_way += 1
        while not ended.empty():
            under_way -= _take(tally, ended.get())
    while under_way and signals.first is None:
        under_way -= _take(tally, ended.get())
    if signals.first is None:
        pool.shutdown()
        return
    pool.shutdown(timeout=_GRACE_S, cancel_futures=True)
    if pool._dispatcher.thread.is_alive():
        stop(pool._dispatcher)


def _take(tally: Tally, item: tuple[Work, JobFuture] | None) -> int:
    """Report a job that has ended; how many that is."""
    if item is None:
        return 0
    tally.take(*item)
    return 1
