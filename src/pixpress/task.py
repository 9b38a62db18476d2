"""One job as its pool knows it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

from . import _native
from .options import Priority, Settings

_STATES = ("queued", "running", "done", "failed", "cancelled")


@dataclass(frozen=True)
class TaskMetadata:
    """Where a job comes from, and when: times are seconds since the epoch, None if not yet."""

    original_name: str
    created_at: float
    start_time: float | None
    end_time: float | None


@dataclass(frozen=True)
class Task:
    """A job at one moment, as `Pool.task` returns it.

    `state` is one of queued, running, retrying, done, failed, cancelled.
    """

    id: int
    state: str
    input_path: str
    output_path: str | None
    settings: Settings
    priority: Priority
    retry_count: int
    max_retries: int
    attempts: int
    batch_id: str | None
    worker_id: int | None
    input_size: int
    metadata: TaskMetadata


@cache
def _clock_start() -> float:
    """When the monotonic clock, which is the core's, began: seconds since the epoch.

    Asked once, so that the times of two jobs compare as the core's do.
    """
    return time.time() - time.monotonic()


def log_context(handle: Any, error: BaseException | None) -> dict[str, Any]:
    """What a line of the log says of a job beside its text: always the same fields."""
    return {
        "task_id": 0 if handle is None else handle.task_id,
        "attempt": 0 if handle is None else int(handle.describe()["attempts"]),
        "source": None if handle is None else handle.name,
        "output": None if handle is None else handle.output_path,
        "batch": None if handle is None else handle.batch,
        "code": getattr(error, "code", ""),
        "stage": getattr(error, "stage", ""),
    }


def make_task(handle: _native.JobHandle) -> Task:
    """The snapshot of a job."""
    facts = handle.describe()
    start = _clock_start()

    def moment(name: str) -> float | None:
        return start + facts[name] if facts[name] else None

    worker = int(facts["worker_id"])
    return Task(
        id=handle.task_id,
        state="retrying" if facts["retrying"] else _STATES[int(facts["state"])],
        input_path=handle.name,
        output_path=handle.output_path,
        settings=handle.settings,
        priority=Priority(int(facts["priority"])),
        retry_count=int(facts["retries"]),
        max_retries=int(facts["max_retries"]),
        attempts=int(facts["attempts"]),
        batch_id=handle.batch,
        worker_id=None if worker < 0 else worker,
        input_size=int(facts["input_bytes"]),
        metadata=TaskMetadata(
            original_name=os.path.basename(handle.name),
            created_at=start + facts["submitted"],
            start_time=moment("started"),
            end_time=moment("ended"),
        ),
    )
