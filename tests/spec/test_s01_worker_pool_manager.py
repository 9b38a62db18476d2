"""S1: workers come and go, within their bounds."""

from __future__ import annotations

import pytest
from busy_pools import Blocker, next_of, noise, submit_long

import pixpress

PATIENCE_S = 60


def test_min_workers_start_at_once() -> None:
    with pixpress.Pool(min_workers=2, max_workers=3) as pool:
        assert pool.stats()["workers"] == 2


def test_max_workers_bounds_the_growth_and_ready_events_show_it(tiny_jpeg: bytes) -> None:
    with pixpress.Pool(min_workers=1, max_workers=2, adaptive_concurrency=False) as pool:
        events = pool.events()
        blockers = [Blocker(pool) for _ in range(2)]
        waiting = [pool.submit(tiny_jpeg) for _ in range(4)]
        assert pool.stats()["workers"] == 2
        for blocker in blockers:
            blocker.release()
        assert all(future.result(PATIENCE_S) for future in waiting)
    started = {event.worker_id for event in events if isinstance(event, pixpress.WorkerReady)}
    assert started <= {0, 1}
    assert 1 in started


def test_max_workers_none_is_every_cpu_that_the_process_may_use() -> None:
    from pixpress import _native

    cpus, memory, _ = _native.machine()
    with pixpress.Pool(min_workers=1) as pool:
        most = max(1, min(cpus, memory // (50 << 20)))
        pool.update_config(min_workers=most)
        assert pool.stats()["workers"] == most


def test_idle_timeout_ends_workers_above_the_minimum(tiny_jpeg: bytes) -> None:
    with pixpress.Pool(min_workers=3, max_workers=3) as pool:
        events = pool.events()
        pool.update_config(min_workers=1, idle_timeout=0.001)
        for _ in range(2):
            next_of(events, pixpress.WorkerEnded)
        assert pool.stats()["workers"] == 1


def test_task_timeout_fails_a_job_that_runs_longer() -> None:
    with pixpress.Pool(max_workers=1, task_timeout=0.01) as pool:
        error = submit_long(pool).exception(PATIENCE_S)
    assert isinstance(error, pixpress.TaskTimeoutError)


def test_memory_limit_of_a_worker_refuses_larger_jobs() -> None:
    with pixpress.Pool(max_workers=1, worker_memory_limit="1MB") as pool:
        error = pool.submit(noise(1000, 1000), format="png").exception(PATIENCE_S)
    assert isinstance(error, pixpress.MemoryLimitError)
    assert str(1 << 20) in str(error)


@pytest.mark.parametrize("value", [0, 101, "90", True])
def test_cpu_threshold_is_a_percentage(value: object) -> None:
    with pytest.raises(pixpress.OptionError, match="cpu_threshold"):
        pixpress.Pool(cpu_threshold=value)  # type: ignore[arg-type]


def test_health_monitor_publishes_reports() -> None:
    with pixpress.Pool(max_workers=1, health_check_interval=0.001) as pool:
        events = pool.events()
        assert next_of(events, pixpress.HealthReport).workers == 1
