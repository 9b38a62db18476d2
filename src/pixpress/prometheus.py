"""Metrics of pools for Prometheus; needs the extra ``pixpress[prometheus]``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
    SummaryMetricFamily,
)

if TYPE_CHECKING:
    from .cache import CacheMetrics
    from .pool import Pool


class PoolCollector:
    """A collector for one pool.

    Parameters
    ----------
    pool : Pool
    name : str
        The value of the label ``pool``.
    """

    def __init__(self, pool: Pool, name: str = "default") -> None:
        self._pool = pool
        self._name = name

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics at this moment; the registry calls this."""
        metrics = self._pool.metrics()
        tasks = CounterMetricFamily(
            "pixpress_tasks", "Tasks that have ended.", labels=("pool", "outcome")
        )
        for outcome in ("successful", "failed", "cancelled"):
            tasks.add_metric((self._name, outcome), getattr(metrics, f"{outcome}_tasks"))
        yield tasks
        yield self._counter("retries", "Attempts after the first.", metrics.retried_tasks)
        yield self._counter("input_bytes", "Bytes of originals.", metrics.original_bytes)
        yield self._counter("output_bytes", "Bytes of results.", metrics.compressed_bytes)
        yield self._gauge("queue_depth", "Tasks that wait.", metrics.queue_depth)
        yield self._gauge("active_workers", "Workers that work.", metrics.active_workers)
        yield self._gauge("workers", "Workers.", len(metrics.workers))
        yield self._gauge(
            "savings_ratio", "Mean savings over original.", metrics.average_compression_ratio
        )
        if metrics.cache is not None:
            yield from self._of_cache(metrics.cache)
        stages = SummaryMetricFamily(
            "pixpress_stage_seconds", "Time in a stage.", labels=("pool", "stage")
        )
        for stage, latency in metrics.latencies.items():
            stages.add_metric((self._name, stage), latency.count, latency.sum)
        yield stages

    def _of_cache(self, cache: CacheMetrics) -> Iterator[Metric]:
        yield self._counter("cache_hits", "Tasks answered from the cache.", cache.hits)
        yield self._counter("cache_misses", "Tasks that the cache had no answer for.", cache.misses)
        yield self._counter("cache_stores", "Results put into the cache.", cache.stores)
        yield self._counter("cache_evictions", "Results that went for others.", cache.evictions)
        yield self._counter("cache_failures", "What the cache's disk refused.", cache.failures)
        yield self._gauge("cache_entries", "Results in the cache.", cache.entries)
        yield self._gauge("cache_bytes", "Bytes of the cache.", cache.bytes)

    def _counter(self, name: str, text: str, value: float) -> Metric:
        family = CounterMetricFamily(f"pixpress_{name}", text, labels=("pool",))
        family.add_metric((self._name,), value)
        return family

    def _gauge(self, name: str, text: str, value: float) -> Metric:
        family = GaugeMetricFamily(f"pixpress_{name}", text, labels=("pool",))
        family.add_metric((self._name,), value)
        return family
