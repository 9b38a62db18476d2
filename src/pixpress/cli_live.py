"""What a terminal sees while the command works: a bar, the workers, the queue and the memory."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from .pool import Pool
from .printable import shown, shown_size

_MOST_LINES = 8
_PER_SECOND = 4


class LiveView:
    """Shown within a ``with`` block; drawn a few times per second by a thread of its own.

    Parameters
    ----------
    pool : Pool
        What it tells of.
    total : int
        Files that there are to do.
    console : Console
        Where it is drawn.
    """

    def __init__(self, pool: Pool, total: int, console: Console) -> None:
        self._pool = pool
        self._console = console
        self._bar = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("files"),
            TextColumn("{task.fields[saved]} saved"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=console,
        )
        self._task = self._bar.add_task("", total=total, saved="0 bytes")
        self._live = Live(
            console=console,
            get_renderable=self.render,
            refresh_per_second=_PER_SECOND,
            redirect_stdout=False,
            redirect_stderr=False,
            transient=True,
        )

    def update(self, counted: int, saved: int) -> None:
        """Say how many files have an outcome, and what all of them saved."""
        self._bar.update(self._task, completed=counted, saved=shown_size(saved))

    def say(self, line: str) -> None:
        """A line that stays, above the view."""
        self._console.print(shown(line), markup=False, highlight=False, soft_wrap=True)

    def render(self) -> RenderableType:
        """The view at this moment."""
        counts = self._pool.stats()
        waiting = f"queue: {counts['queued']} waiting"
        if counts["retrying"]:
            waiting += f", {counts['retrying']} to be tried again"
        memory = f"memory: {shown_size(counts['reserved_memory'])} reserved of "
        memory += shown_size(counts["memory_limit"])
        return Group(self._bar.get_renderable(), self._workers(), Text(f"{waiting}; {memory}"))

    def _workers(self) -> Table:
        lines = Table.grid(padding=(0, 1))
        lines.add_column(no_wrap=True)
        lines.add_column(no_wrap=True, overflow="ellipsis")
        lines.add_column(no_wrap=True, justify="right")
        workers = self._pool.metrics().workers
        for worker in workers[:_MOST_LINES]:
            task = None if worker.current_task is None else self._pool.task(worker.current_task)
            name, duration = "idle", ""
            if task is not None:
                name = shown(task.input_path)
                start = task.metadata.start_time
                duration = "" if start is None else f"{max(0.0, time.time() - start):.1f} s"
            if worker.is_stuck:
                name += " (stuck)"
            lines.add_row(Text(f"worker {worker.worker_id}"), Text(name), Text(duration))
        if len(workers) > _MOST_LINES:
            lines.add_row(Text(""), Text(f"and {len(workers) - _MOST_LINES} more workers"))
        return lines

    def __enter__(self) -> LiveView:
        self._live.start(refresh=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._live.stop()
