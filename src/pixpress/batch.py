"""Jobs that belong together."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass

from .errors import expected
from .future import JobFuture
from .options import Settings

FORMATS = ("keep", "jpeg", "png", "webp", "gif", "avif", "auto")
_NAMES = {"jpg": "jpeg", "jpe": "jpeg", "jfif": "jpeg", "apng": "png"}
_ORDER = ("jpeg", "png", "webp", "gif", "avif")


@dataclass(frozen=True)
class BatchProgress:
    """How many jobs of a batch are where, and what they saved so far. Sizes are in bytes."""

    total: int
    completed: int
    failed: int
    cancelled: int
    original_size: int
    compressed_size: int

    @property
    def pending(self) -> int:
        """Jobs that have not ended."""
        return self.total - self.completed - self.failed - self.cancelled

    @property
    def percentage(self) -> float:
        """Jobs that have ended over all; 100.0 if there are none."""
        return 100.0 * (self.total - self.pending) / self.total if self.total else 100.0


class Batch:
    """Jobs of one name, as `Pool.batch` returns it.

    Jobs of the same format and quality form a group, and run one after the other, small inputs
    first, as far as their priorities are equal.
    """

    def __init__(self, name: str, number: int, failure: str = "continue") -> None:
        if failure not in ("continue", "cancel"):
            raise expected("continue or cancel", "failure", failure)
        self.name = name
        self.failure = failure
        self.number = number
        self._changed = threading.Condition()
        self._pending: set[JobFuture] = set()
        self._groups: dict[str, int] = {}
        self._total = self._completed = self._failed = self._cancelled = 0
        self._original_size = self._compressed_size = 0

    def add(self, future: JobFuture, group: str) -> None:
        """Count a job; the pool does this."""
        with self._changed:
            self._total += 1
            self._groups[group] = self._groups.get(group, 0) + 1
            self._pending.add(future)
        future.add_done_callback(self._end)

    def _end(self, future: object) -> None:
        assert isinstance(future, JobFuture)
        error = None if future.cancelled() else future.exception(0)
        with self._changed:
            self._pending.discard(future)
            if future.cancelled():
                self._cancelled += 1
            elif error is not None:
                self._failed += 1
            else:
                result = future.result(0)
                self._completed += 1
                self._original_size += result.original_size
                self._compressed_size += result.compressed_size
            others = list(self._pending) if error is not None else []
            self._changed.notify_all()
        if self.failure == "cancel":
            for other in others:
                other.cancel()

    @property
    def progress(self) -> BatchProgress:
        """Counts at this moment."""
        with self._changed:
            return BatchProgress(
                self._total,
                self._completed,
                self._failed,
                self._cancelled,
                self._original_size,
                self._compressed_size,
            )

    @property
    def groups(self) -> dict[str, int]:
        """How many jobs each group has; the names are such as ``"jpeg-80"``."""
        with self._changed:
            return dict(self._groups)

    def cancel(self) -> int:
        """Cancel every job that has not ended; returns how many were."""
        with self._changed:
            pending = list(self._pending)
        return sum(future.cancel() for future in pending)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until all jobs so far have ended; False after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._pending, timeout)


def group_of(settings: Settings, output: str) -> tuple[str, int]:
    """The group of a job, and its place among the groups: by format, then settings.

    `output` is the format's name, or for ``"keep"`` the name of the source.
    """
    extension = os.path.splitext(output)[1][1:].lower()
    format = _NAMES.get(extension, extension or output)
    place = _ORDER.index(format) + 1 if format in _ORDER else 0
    rest = hash(settings) & 0xFFFF
    name = f"{format}-{'lossless' if settings.lossless else settings.quality}"
    return name, (place << 24) | (settings.quality << 16) | rest
