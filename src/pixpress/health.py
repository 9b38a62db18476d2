"""How a pool and its machine are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from .cache import CacheMetrics, cache_metrics


@dataclass(frozen=True)
class HealthReport:
    """The state of a pool and of its machine at one moment.

    Attributes
    ----------
    status : {"ok", "degraded"}
        Degraded when there are `warnings`.
    cpu_percent, own_cpu_percent : float
        CPU use of the CPUs that this process may use: by all, and by this process.
    load_average : tuple of float
        Over 1, 5 and 15 minutes.
    cores : int
        CPUs that this process may use (affinity and cgroup).
    memory_total, memory_available, memory_used : int
        Bytes, as far as this process may use them.
    memory_percent : float
        Used over total.
    disk_read_rate, disk_write_rate : float
        Bytes per second over all disks.
    disk_queue : float
        Requests under way, on average.
    workers, busy_workers, stuck_workers, concurrency : int
        Workers there are, that work, that hang; and how many may work at the same time.
    worker_processes, process_starts : int
        Processes of ``isolation="process"`` there are, and were started so far.
    queue_depth, retrying : int
        Jobs that wait for a worker, and for their next attempt.
    memory_limit, reserved_memory, live_memory, retained_memory : int
        Bytes of the pool.
    cache : CacheMetrics or None
        Of the pool's cache of results; None without one.
    optimal_workers : int
        The formula of the specification: min(cores - 1, free memory / 50 MB, 8), at least 1.
    warnings : tuple of str
        What is wrong, in words.
    """

    type: ClassVar[str] = "HEALTH_REPORT"
    status: str
    cpu_percent: float
    own_cpu_percent: float
    load_average: tuple[float, float, float]
    cores: int
    memory_total: int
    memory_available: int
    memory_used: int
    memory_percent: float
    disk_read_rate: float
    disk_write_rate: float
    disk_queue: float
    workers: int
    busy_workers: int
    stuck_workers: int
    concurrency: int
    worker_processes: int
    process_starts: int
    queue_depth: int
    retrying: int
    memory_limit: int
    reserved_memory: int
    live_memory: int
    retained_memory: int
    cache: CacheMetrics | None
    optimal_workers: int
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """All fields, ready for JSON."""
        return {"type": self.type, **asdict(self)}


def make_report(
    machine: Mapping[str, float], counts: Mapping[str, int], optimal_workers: int
) -> HealthReport:
    """The report of what the core says of the machine and of the pool."""
    total, available = int(machine["memory_total"]), int(machine["memory_available"])
    warnings = []
    if counts["stuck_workers"]:
        warnings.append(f"{counts['stuck_workers']} workers are stuck; their memory stays charged")
    if total and available * 20 < total:
        warnings.append(f"only {available} of {total} bytes of memory are available")
    if counts["dropped_events"]:
        warnings.append(f"{counts['dropped_events']} progress events were dropped")
    if counts["journal_errno"]:
        problem = os.strerror(counts["journal_errno"])
        warnings.append(f"the journal cannot be written ({problem}): no job starts until it can")
    if machine["unfiltered_processes"]:
        reason = os.strerror(int(machine["filter_errno"]))
        warnings.append(f"worker processes have limits but no system call filter: {reason}")
    cache = cache_metrics(machine)
    if cache is not None and cache.errno:
        problem = os.strerror(cache.errno)
        warnings.append(f"the cache cannot be written ({problem}): jobs go on without it")
    return HealthReport(
        status="degraded" if warnings else "ok",
        cpu_percent=machine["cpu_percent"],
        own_cpu_percent=machine["own_cpu_percent"],
        load_average=(machine["load_1"], machine["load_5"], machine["load_15"]),
        cores=int(machine["cores"]),
        memory_total=total,
        memory_available=available,
        memory_used=total - available,
        memory_percent=100.0 * (total - available) / total if total else 0.0,
        disk_read_rate=machine["disk_read_rate"],
        disk_write_rate=machine["disk_write_rate"],
        disk_queue=machine["disk_queue"],
        concurrency=int(machine["concurrency"]),
        worker_processes=int(machine["worker_processes"]),
        process_starts=int(machine["process_starts"]),
        queue_depth=counts["queued"],
        cache=cache,
        optimal_workers=optimal_workers,
        warnings=tuple(warnings),
        **{name: counts[name] for name in _COUNTS},
    )


_COUNTS = (
    "workers",
    "busy_workers",
    "stuck_workers",
    "retrying",
    "memory_limit",
    "reserved_memory",
    "live_memory",
    "retained_memory",
)
