"""The half of a pool that is looked at: tasks, batches, events, health and metrics."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import NoReturn

from . import _native
from .arguments import choice, number
from .batch import Batch
from .dispatch import Dispatcher
from .errors import OptionError, expected
from .events import Event, EventStream, call_with_each
from .health import HealthReport
from .journal import JournalRow, make_row
from .metrics import PoolMetrics, make_metrics
from .options import priority_value
from .pool_options import LIVE, native
from .task import Task, make_task

_LEVELS = ("debug", "info", "warning", "error", "critical")


class BlacklistView:
    """The inputs that a pool refuses since they were found to be bad.

    Files are known by path, size and modification time, so a repaired one is tried again; bytes by
    their content. Iterating gives (name, size in bytes, reason).
    """

    def __init__(self, engine: _native.Engine) -> None:
        self._engine = engine

    def __iter__(self) -> Iterator[tuple[str, int, str]]:
        return iter(self._engine.blacklist())

    def __len__(self) -> int:
        return len(self._engine.blacklist())

    def __contains__(self, name: object) -> bool:
        return any(entry[0] == name for entry in self)

    def clear(self, name: str | None = None) -> int:
        """Forget the entries of this name, or all; returns how many."""
        if name == "":
            return 0
        return self._engine.clear_blacklist(name or "")


class Monitored:
    """The half of a `Pool` that is looked at."""

    _dispatcher: Dispatcher
    _engine: _native.Engine
    _batches: dict[str, Batch]

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Pool cannot be pickled or copied: each process makes its own")

    def task(self, task_id: int) -> Task | None:
        """Look up a job by its number.

        Returns
        -------
        Task or None
            None if there is no such job, or it ended more than 1024 jobs ago.
        """
        handle = self._find(task_id)
        return None if handle is None else make_task(handle)

    def _find(self, task_id: int) -> _native.JobHandle | None:
        self._engine.check_process()
        if not isinstance(task_id, int):
            raise expected("a whole number", "task_id", task_id)
        return self._engine.find(task_id) if 0 <= task_id < 2**64 else None

    def cancel(self, task_id: int) -> bool:
        """Cancel a job by its number; False if there is none, or its output is there already."""
        handle = self._find(task_id)
        if handle is None:
            return False
        future = handle.pending
        return future.cancel() if future is not None else handle.state == 4

    def reprioritize(self, task_id: int, priority: object) -> bool:
        """Change the priority of a job that waits; False if it does not wait any more.

        A journal keeps the new one. `JournalError` if it cannot: the priority holds all the same,
        for as long as this pool lives.
        """
        handle = self._find(task_id)
        return handle is not None and handle.set_priority(priority_value(priority))

    def batch(self, name: str, failure: str | None = None) -> Batch:
        """The batch of this name; it is made when it is new.

        Parameters
        ----------
        name : str
            As given to `submit`.
        failure : {"continue", "cancel"}, optional
            Whether a failed job cancels the others; only when the batch is new.

        Returns
        -------
        Batch
        """
        if not isinstance(name, str) or not name:
            raise expected("a name", "batch", name)
        found = self._batches.get(name)
        if found is None:
            found = Batch(name, len(self._batches) + 1, failure or "continue")
            found = self._batches.setdefault(name, found)
        elif failure is not None and failure != found.failure:
            raise OptionError(f"batch {name!r} has failure={found.failure!r} already")
        return found

    def events(self) -> EventStream:
        """A stream of everything that happens from now on; see `EventStream`.

        Examples
        --------
        >>> import numpy as np, pixpress
        >>> with pixpress.Pool(max_workers=1) as pool:
        ...     events = pool.events()
        ...     future = pool.submit(np.zeros((4, 4), np.uint8), format="png")
        >>> [event.type for event in events if event.type == "TASK_COMPLETE"]
        ['TASK_COMPLETE']
        """
        self._engine.check_process()
        return self._dispatcher.hub.open()

    def subscribe(self, callback: Callable[[Event], object]) -> Callable[[], None]:
        """Call `callback` with every event, on a thread of its own; what it raises is logged.

        Returns
        -------
        callable
            Ends the subscription.
        """
        stream = self.events()
        call_with_each(stream, callback)
        return stream.close

    def health(self) -> HealthReport:
        """How the pool and its machine are at this moment."""
        self._engine.check_process()
        return self._dispatcher.health()

    def metrics(self) -> PoolMetrics:
        """What the pool has done so far."""
        self._engine.check_process()
        return make_metrics(self._engine.metrics(), self._engine.stats())

    @property
    def blacklist(self) -> BlacklistView:
        """The inputs that were found to be bad."""
        return BlacklistView(self._engine)

    def journal_rows(self, unfinished: bool = False) -> Iterator[JournalRow]:
        """What the journal of this pool holds, in order of submission.

        The pool has it until it is shut down and all jobs have ended.

        Parameters
        ----------
        unfinished : bool
            Whether to leave out jobs that have ended.

        Returns
        -------
        iterator of JournalRow
            Reads some hundred rows at a time, as it goes.

        Raises
        ------
        OptionError
            The pool has no journal.
        JournalError
            It cannot be read.
        PoolClosedError
            The pool has given it up.

        Examples
        --------
        >>> import tempfile, pixpress
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with pixpress.Pool(max_workers=1, journal=f"{folder}/queue.db") as pool:
        ...         future = pool.submit("missing.jpg")
        ...         error = future.exception()
        ...         [(row.id, row.state, row.code) for row in pool.journal_rows()]
        [(1, 'failed', 'INPUT')]
        """
        self._check_journal()
        return map(make_row, self._entries(unfinished))

    def _entries(self, unfinished: bool) -> Iterator[_native.JournalEntry]:
        last = 0
        while page := self._engine.journal_page(not unfinished, last):
            last = page[-1].task_id
            yield from page

    def purge_journal(self, older_than: float = 0.0) -> int:
        """Forget jobs in the journal that ended more than `older_than` seconds ago.

        Returns
        -------
        int
            How many. The blacklist stays.

        Raises
        ------
        OptionError
            The pool has no journal.
        JournalError
            It cannot be written.
        """
        self._check_journal()
        seconds = number("older_than", older_than, 0, 1e9)
        return self._engine.purge_journal(time.time_ns() - int(seconds * 1e9))

    def _check_journal(self) -> None:
        self._engine.check_process()
        if self._engine.journal_path is None:
            raise OptionError("Expected a pool with a journal")

    def update_config(self, **changes: object) -> None:
        """Change options while jobs run; running jobs keep their time-outs.

        Parameters
        ----------
        **changes
            Options of `Pool` about workers, time-outs, memory, thresholds and retries; and
            ``log_level``, of the logger ``pixpress``.

        Raises
        ------
        OptionError
            Another option, or a wrong value; then nothing has changed.
        """
        self._engine.check_process()
        level = changes.pop("log_level", None)
        for name in changes:
            if name not in LIVE:
                raise OptionError(f"Expected one of {', '.join(LIVE)}, log_level, got {name!r}")
        place = None if level is None else choice("log_level", level, _LEVELS)
        self._dispatcher.update(native(changes))
        if place is not None:
            logging.getLogger("pixpress").setLevel(_LEVELS[place].upper())
