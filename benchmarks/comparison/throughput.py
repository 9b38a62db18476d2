"""Rounds of a task by all contenders, in turns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from interleaved import in_turns

from comparison import pixels
from comparison.inputs import Blob
from comparison.libraries import Libraries
from comparison.results import Row
from comparison.tasks import Task


def measure(
    libraries: Libraries, task: Task, rows: Sequence[Row], blobs: Sequence[Blob], rounds: int
) -> None:
    """Give each row the seconds of its rounds, and what it made of the inputs."""
    data = [blob.data for blob in blobs]
    outputs: dict[str, list[bytes]] = {}

    def contender(row: Row) -> Callable[[], float]:
        job = libraries.job(task, row, row.quality)
        adapter = libraries.made[row.library]

        def run() -> float:
            outputs[row.label] = adapter.run(job, data)
            return adapter.last_seconds

        return run

    seconds = in_turns({row.label: contender(row) for row in rows}, rounds)
    for row in rows:
        row.seconds = seconds[row.label]
        row.round_bytes = sum(map(len, outputs[row.label]))
        if task.job.is_lossless:
            pairs = zip(data, outputs[row.label], strict=True)
            found = {pixels.difference(*pair) for pair in pairs} - {""}
            row.differs = "; ".join(sorted(found))
