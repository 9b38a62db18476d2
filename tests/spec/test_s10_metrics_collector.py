"""S10: metrics per worker, in sum, and per stage."""

from __future__ import annotations

import pytest
from busy_pools import noise

import pixpress


@pytest.fixture(scope="module")
def metrics(tiny_jpeg: bytes) -> pixpress.PoolMetrics:
    with pixpress.Pool(max_workers=1) as pool:
        for _ in range(4):
            pool.submit(noise(300, 300), format="jpeg", quality=30).result(timeout=60)
        pool.submit(b"no image").exception(timeout=60)
        return pool.metrics()


def test_counts(metrics: pixpress.PoolMetrics) -> None:
    assert metrics.total_tasks == 5
    assert metrics.successful_tasks == 4
    assert metrics.failed_tasks == 1
    assert metrics.cancelled_tasks == 0
    assert metrics.retried_tasks == 0
    assert metrics.queue_depth == 0
    assert metrics.active_workers <= 1


def test_average_compression_ratio_is_savings_over_original(metrics: pixpress.PoolMetrics) -> None:
    saved = 1 - metrics.compressed_bytes / metrics.original_bytes
    assert metrics.average_compression_ratio == pytest.approx(saved)
    assert metrics.original_bytes == 4 * 300 * 300 * 3


def test_throughput_covers_the_last_minute(metrics: pixpress.PoolMetrics) -> None:
    assert 4 / 60 <= metrics.throughput <= 4


def test_worker_fields(metrics: pixpress.PoolMetrics) -> None:
    (worker,) = metrics.workers
    assert worker.worker_id == 0
    assert worker.tasks_processed == 5
    assert worker.tasks_in_progress in (0, 1)
    assert worker.average_processing_time > 0
    assert worker.error_rate == pytest.approx(1 / 5)
    assert worker.memory_usage >= 0
    assert 0 < worker.cpu_time <= worker.uptime + 1
    assert worker.uptime > 0
    assert worker.last_health_check >= 0
    assert not worker.is_stuck


def test_latencies_have_percentiles_per_stage(metrics: pixpress.PoolMetrics) -> None:
    assert {"run", "queue", "encode"} <= set(metrics.latencies)
    run = metrics.latencies["run"]
    assert run.count == 5
    assert 0 < run.p50 <= run.p90 <= run.p95 <= run.p99
    assert run.sum > 0


def test_to_dict_is_ready_for_json(metrics: pixpress.PoolMetrics) -> None:
    import json

    assert json.loads(json.dumps(metrics.to_dict()))["successful_tasks"] == 4


def test_prometheus_exposition(tiny_jpeg: bytes) -> None:
    prometheus_client = pytest.importorskip("prometheus_client")
    from pixpress.prometheus import PoolCollector

    registry = prometheus_client.CollectorRegistry()
    with pixpress.Pool(max_workers=1) as pool:
        pool.submit(tiny_jpeg).result(timeout=60)
        registry.register(PoolCollector(pool, "web"))
        text = prometheus_client.generate_latest(registry).decode()
    assert 'pixpress_tasks_total{outcome="successful",pool="web"} 1.0' in text
    assert 'pixpress_stage_seconds_count{pool="web",stage="run"} 1.0' in text
