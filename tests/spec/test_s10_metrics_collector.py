"""S10: metrics per worker, in sum, and per stage."""

from __future__ import annotations

import time

import pytest
from busy_pools import Blocker, noise

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


def test_memory_usage_is_the_peak_of_the_last_job(tiny_jpeg: bytes) -> None:
    with pixpress.Pool(max_workers=1) as pool:
        result = pool.submit(noise(300, 300), format="png").result(timeout=60)
        assert pool.metrics().workers[0].memory_usage == result.peak_memory > 0


def test_tasks_in_progress_queue_depth_and_active_workers(tiny_jpeg: bytes) -> None:
    with pixpress.Pool(max_workers=1) as pool:
        blocker = Blocker(pool)
        waiting = [pool.submit(tiny_jpeg) for _ in range(3)]
        metrics = pool.metrics()
        blocker.release()
        assert all(future.result(timeout=60) for future in waiting)
    assert metrics.workers[0].tasks_in_progress == 1
    assert metrics.queue_depth == 3
    assert metrics.active_workers == 1
    assert metrics.total_tasks == 4


def test_cpu_time_is_that_of_the_workers_own_thread() -> None:
    with pixpress.Pool(max_workers=1) as pool:
        before = time.thread_time()
        pool.submit(noise(1500, 1500), format="png", effort=6).result(timeout=60)
        here = time.thread_time() - before
        worker = pool.metrics().workers[0]
    assert worker.cpu_time > here
    assert worker.cpu_time <= worker.uptime + 0.1


def test_prometheus_collector_tells_every_number() -> None:
    prometheus_client = pytest.importorskip("prometheus_client")
    from pixpress.prometheus import PoolCollector

    registry = prometheus_client.CollectorRegistry()
    with pixpress.Pool(max_workers=1) as pool, pixpress.Pool(max_workers=1) as other:
        registry.register(PoolCollector(pool, "web"))
        made = pool.submit(noise(200, 200), format="jpeg").result(timeout=60)
        pool.submit(b"no image").exception(timeout=60)
        for tasks in ("successful", "failed"):
            value = registry.get_sample_value(
                "pixpress_tasks_total", {"pool": "web", "outcome": tasks}
            )
            assert value == 1
        expected = {
            "retries_total": 0,
            "input_bytes_total": made.original_size,
            "output_bytes_total": made.compressed_size,
            "queue_depth": 0,
            "workers": 1,
            "savings_ratio": pytest.approx(made.saved / made.original_size),
        }
        for name, value in expected.items():
            assert registry.get_sample_value(f"pixpress_{name}", {"pool": "web"}) == value, name
        assert registry.get_sample_value("pixpress_active_workers", {"pool": "web"}) <= 1
        for stage in ("run", "queue", "encode"):
            labels = {"pool": "web", "stage": stage}
            assert registry.get_sample_value("pixpress_stage_seconds_count", labels) >= 1
            assert registry.get_sample_value("pixpress_stage_seconds_sum", labels) > 0
        second = prometheus_client.CollectorRegistry()
        second.register(PoolCollector(other))
        assert second.get_sample_value("pixpress_workers", {"pool": "default"}) == 1


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
