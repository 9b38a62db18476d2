"""What a pool reports while jobs run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TaskProgress:
    """How far a job is: `fraction` rises from 0 to 1."""

    task_id: int
    stage: str
    fraction: float
    type: str = "task_progress"
