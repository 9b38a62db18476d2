"""CPU time of a peer's run, wherever it does its work."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence

from peers.command import Command
from peers.job import Adapter, Job


def run_timed(adapter: Adapter, job: Job, blobs: Sequence[bytes]) -> tuple[float, list[bytes]]:
    """Return the CPU seconds of all threads of the process that did the job, and its outputs.

    That is this process, the ones that a command starts, or one that tells its own seconds.
    """
    clock = _of_children if isinstance(adapter, Command) else time.process_time
    start = clock()
    outputs = adapter.run(job, blobs)
    seconds = clock() - start
    return getattr(adapter, "last_cpu_seconds", seconds), outputs


def _of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
