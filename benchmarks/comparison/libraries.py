"""The contenders: each adapter that is there, with each of its efforts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import peers
from peers.job import Adapter, Job

from comparison.results import Row
from comparison.tasks import Task


class Libraries:
    """The adapters, made once; close them after use."""

    def __init__(self, workers: int, only: Iterable[str] | None = None) -> None:
        wanted = None if only is None else set(only)
        self.missing: list[str] = []
        self.made: dict[str, Adapter] = {}
        for kind in peers.COMPARED:
            if (wanted is None or kind.name in wanted) and kind.available():
                self.made[kind.name] = kind(workers)
            else:
                self.missing.append(kind.name)

    def rows(self, task: Task) -> list[Row]:
        """Return what can do a task, ours first."""
        return [
            Row(name, effort)
            for name, adapter in self.made.items()
            for effort in adapter.efforts(task.job)
        ]

    def job(self, task: Task, row: Row, quality: int | None = None) -> Job:
        """Return a task's job for a contender; the best of its ladder without a quality."""
        if quality is None:
            quality = self.made[row.library].ladder(task.job)[-1]
        return replace(task.job, effort=row.effort, quality=quality)

    def close(self) -> None:
        for adapter in self.made.values():
            adapter.close()
