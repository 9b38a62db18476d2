"""What a pool has done so far, as numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .cache import CacheMetrics, cache_metrics


@dataclass(frozen=True)
class WorkerMetrics:
    """What one worker did. Times are in seconds, `memory_usage` is its last job's peak in bytes."""

    worker_id: int
    tasks_processed: int
    tasks_in_progress: int
    average_processing_time: float
    error_rate: float
    memory_usage: int
    cpu_time: float
    uptime: float
    last_health_check: float
    current_task: int | None
    is_stuck: bool


@dataclass(frozen=True)
class Latency:
    """How long one stage took: count, sum, and percentiles within 12.5 %, in seconds."""

    count: int
    sum: float
    p50: float
    p90: float
    p95: float
    p99: float


@dataclass(frozen=True)
class PoolMetrics:
    """What a pool did.

    Attributes
    ----------
    total_tasks, successful_tasks, failed_tasks, cancelled_tasks, retried_tasks : int
        `total_tasks` counts those that were submitted.
    average_compression_ratio : float
        Mean over tasks of savings over original size. (`Result.compression_ratio` is compressed
        over original.)
    throughput : float
        Successful tasks per second over the last 60 s.
    queue_depth, active_workers : int
        Tasks that wait; workers that work.
    original_bytes, compressed_bytes : int
        Sums over successful tasks.
    workers : tuple of WorkerMetrics
    cache : CacheMetrics or None
        None without a cache.
    latencies : dict of str to Latency
        By stage; ``"run"`` is a whole attempt and ``"queue"`` the wait before it.
    """

    total_tasks: int
    successful_tasks: int
    failed_tasks: int
    cancelled_tasks: int
    retried_tasks: int
    average_compression_ratio: float
    throughput: float
    queue_depth: int
    active_workers: int
    original_bytes: int
    compressed_bytes: int
    workers: tuple[WorkerMetrics, ...]
    cache: CacheMetrics | None
    latencies: dict[str, Latency]

    def to_dict(self) -> dict[str, Any]:
        """All fields, ready for JSON."""
        return asdict(self)


def make_metrics(numbers: Mapping[str, float], counts: Mapping[str, int]) -> PoolMetrics:
    """The metrics of what the core counts."""
    return PoolMetrics(
        total_tasks=counts["submitted"],
        successful_tasks=counts["succeeded"],
        failed_tasks=counts["failed"],
        cancelled_tasks=counts["cancelled"],
        retried_tasks=int(numbers["retried"]),
        average_compression_ratio=numbers["mean_savings"],
        throughput=numbers["throughput"],
        queue_depth=counts["queued"],
        active_workers=counts["busy_workers"],
        original_bytes=int(numbers["original_bytes"]),
        compressed_bytes=int(numbers["compressed_bytes"]),
        workers=tuple(
            _worker(worker_id, part, numbers["health_check_age"])
            for worker_id, part in sorted(_parts(numbers, r"worker\.(\d+)\.(.+)").items())
        ),
        cache=cache_metrics(numbers),
        latencies={
            str(stage): Latency(int(part["count"]), *(part[key] for key in _LATENCY))
            for stage, part in _parts(numbers, r"latency\.(\w+)\.(.+)").items()
        },
    )


_LATENCY = ("sum", "p50", "p90", "p95", "p99")


def _parts(numbers: Mapping[str, float], pattern: str) -> dict[int | str, dict[str, float]]:
    parts: dict[int | str, dict[str, float]] = {}
    for name, value in numbers.items():
        match = re.fullmatch(pattern, name)
        if match:
            key = int(match[1]) if match[1].isdigit() else match[1]
            parts.setdefault(key, {})[match[2]] = value
    return parts


def _worker(worker_id: int | str, part: Mapping[str, float], check_age: float) -> WorkerMetrics:
    processed = int(part["processed"])
    task = int(part["task"])
    return WorkerMetrics(
        worker_id=int(worker_id),
        tasks_processed=processed,
        tasks_in_progress=int(task != 0),
        average_processing_time=part["busy"] / processed if processed else 0.0,
        error_rate=part["failed"] / processed if processed else 0.0,
        memory_usage=int(part["peak_memory"]),
        cpu_time=part["cpu"],
        uptime=part["uptime"],
        last_health_check=check_age,
        current_task=task or None,
        is_stuck=bool(part["stuck"]),
    )
