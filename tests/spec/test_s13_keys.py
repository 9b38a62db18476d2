"""S13: what each key of the file does to a pool. A test per key, named after it."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from busy_pools import Blocker, next_of, noise, submit_at_once, submit_long
from cached_pools import gray

import pixpress

Block = Callable[[pixpress.Pool], Blocker]
PATIENCE_S = 120


@pytest.fixture(autouse=True)
def _log_level() -> Iterator[None]:
    logger = logging.getLogger("pixpress")
    before = logger.level
    yield
    logger.setLevel(before)


@pytest.fixture
def others_work() -> Iterator[None]:
    """Keep a CPU busy with a process that is not ours."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        yield
        process.kill()


def pool_of(text: str, **options: object) -> pixpress.Pool:
    config = pixpress.PoolConfig.from_yaml(f"worker: {{{text}}}")
    return pixpress.Pool(config=config, **options)  # type: ignore[arg-type]


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.005)


@contextmanager
def kept_busy(*pools: pixpress.Pool) -> Iterator[None]:
    """Give pools more to do than they can."""
    pixels = noise(3000, 3000)
    futures = [pool.submit(pixels, format="png", effort=9) for pool in pools for _ in range(60)]
    yield
    for future in reversed(futures):
        future.cancel()


def retries_of(pool: pixpress.Pool, block: Block, path: Path) -> list[pixpress.TaskRetry]:
    """Let a file vanish before its job runs; the events of its retries."""
    events = pool.events()
    blocker = block(pool)
    future = pool.submit(path)
    path.unlink()
    blocker.release()
    assert isinstance(future.exception(timeout=PATIENCE_S), pixpress.InputError)
    pool.shutdown()
    return [event for event in events if isinstance(event, pixpress.TaskRetry)]


def test_pool_min() -> None:
    with pool_of("pool: {min: 3, max: 4}") as pool:
        assert pool.stats()["workers"] == 3


def test_pool_max() -> None:
    with pool_of("pool: {min: 1, max: 2}") as pool:
        with pytest.raises(pixpress.OptionError, match="min_workers"):
            pool.update_config(min_workers=3, max_workers=2)
        pool.update_config(min_workers=2)
        assert pool.stats()["workers"] == 2
    with pytest.raises(pixpress.OptionError, match="min_workers"):
        pool_of("pool: {max: 2}", min_workers=3)


def test_pool_idle_timeout() -> None:
    with pool_of("pool: {min: 2, max: 2, idleTimeout: 1}") as pool:
        events = pool.events()
        pool.update_config(min_workers=1)
        next_of(events, pixpress.WorkerEnded)
        assert pool.stats()["workers"] == 1


def test_pool_task_timeout() -> None:
    with pool_of("pool: {max: 1, taskTimeout: 10}") as pool:
        error = submit_long(pool).exception(PATIENCE_S)
    assert isinstance(error, pixpress.TaskTimeoutError)


@pytest.mark.usefixtures("others_work")
def test_pool_cpu_threshold() -> None:
    with (
        pool_of("pool: {max: 2, cpuThreshold: 1}") as low,
        pool_of("pool: {max: 2, cpuThreshold: 100}") as high,
        kept_busy(low, high),
    ):
        wait_until(lambda: low.health().concurrency == 1)
        assert high.health().concurrency == 2


def test_memory_limit_per_worker() -> None:
    with pool_of("memory: {limitPerWorker: 1MB}") as pool:
        error = pool.submit(noise(1000, 1000), format="png").exception(timeout=PATIENCE_S)
    assert isinstance(error, pixpress.MemoryLimitError)
    assert str(1 << 20) in str(error)


def test_memory_global_limit() -> None:
    with pool_of("memory: {globalLimit: 2MB}") as pool:
        assert pool.stats()["memory_limit"] == 2 << 20
        error = pool.submit(noise(1000, 1000), format="png").exception(timeout=PATIENCE_S)
    assert isinstance(error, pixpress.MemoryLimitError)
    assert str(2 << 20) in str(error)


def test_memory_gc_threshold() -> None:
    with (
        pool_of("memory: {globalLimit: 64MB, gcThreshold: 1}") as low,
        pool_of("memory: {globalLimit: 64MB, gcThreshold: 100}") as high,
    ):
        for pool in (high, low):
            pool.submit(noise(1200, 900), format="jpeg").result(timeout=PATIENCE_S)
        pixels = noise(3000, 3000)  # Does not fit; but pools without jobs look at nothing.

        def is_trimmed() -> bool:
            for pool in (high, low):
                assert pool.submit(pixels, format="png").exception(PATIENCE_S)
            return low.stats()["retained_memory"] == 0

        wait_until(is_trimmed)
        assert high.stats()["retained_memory"] > (64 << 20) // 100


def test_performance_enable_caching(tiny_jpeg: bytes, tmp_path: Path) -> None:
    with pool_of("performance: {enableCaching: false}") as pool:
        assert pool.metrics().cache is None
    for was_there in (False, True):
        with pool_of("performance: {enableCaching: true}") as pool:
            result = pool.submit(tiny_jpeg).result(timeout=PATIENCE_S)
            assert result.from_cache == was_there
    assert list((tmp_path / "home" / "pixpress" / "results").glob("*.pxc"))


def test_performance_cache_size() -> None:
    with pool_of("performance: {enableCaching: true, cacheSize: 2KB}") as pool:
        for value in range(20):
            pool.submit(gray(value), format="png").result(timeout=PATIENCE_S)
        cache = pool.metrics().cache
        assert cache is not None
        assert 1000 < cache.bytes <= 2048
        assert cache.evictions == 20 - cache.entries > 0


@pytest.mark.parametrize(("word", "is_grouped"), [("true", True), ("false", False)])
def test_performance_batch_grouping(block: Block, word: str, is_grouped: bool) -> None:
    with pool_of(f"pool: {{max: 1}}, performance: {{batchGrouping: {word}}}") as pool:
        blocker = block(pool)
        formats = ("webp", "jpeg", "webp", "jpeg")
        pixels = noise(20, 20)
        futures = submit_at_once(
            lambda batch: [pool.submit(pixels, format=name, batch=batch) for name in formats]
        )
        blocker.release()
        for future in futures:
            future.result(timeout=PATIENCE_S)
        tasks = [pool.task(future.task_id) for future in futures]
    starts = [task.metadata.start_time for task in tasks]  # type: ignore[union-attr]
    order = [formats[place] for place in sorted(range(4), key=starts.__getitem__)]
    assert order == (["jpeg", "jpeg", "webp", "webp"] if is_grouped else list(formats))


@pytest.mark.usefixtures("others_work")
def test_performance_adaptive_concurrency() -> None:
    pressed = "pool: {max: 2, cpuThreshold: 1}, performance: {adaptiveConcurrency: %s}"
    with (
        pool_of(pressed % "true") as adaptive,
        pool_of(pressed % "false") as fixed,
        kept_busy(adaptive, fixed),
    ):
        wait_until(lambda: adaptive.health().concurrency == 1)
        assert fixed.health().concurrency == 2
        adaptive.update_config(adaptive_concurrency=False)
        wait_until(lambda: adaptive.health().concurrency == 2)


def test_monitoring_metrics_interval(caplog: pytest.LogCaptureFixture) -> None:
    def lines() -> int:
        return sum(record.getMessage().startswith("metrics ") for record in caplog.records)

    with caplog.at_level(logging.DEBUG, "pixpress"):
        with pool_of("monitoring: {metricsInterval: 1}"):
            wait_until(lambda: lines() >= 2)
        caplog.clear()
        with pool_of("monitoring: {metricsInterval: 86400000}") as pool:
            pool.submit(noise(20, 20), format="png").result(timeout=PATIENCE_S)
        assert lines() == 0


def test_monitoring_health_check_interval(tiny_jpeg: bytes) -> None:
    with pool_of("monitoring: {healthCheckInterval: 1}") as pool:
        next_of(pool.events(), pixpress.HealthReport)
    with pool_of("monitoring: {healthCheckInterval: 86400000}") as pool:
        events = pool.events()
        pool.submit(tiny_jpeg).result(timeout=PATIENCE_S)
    assert not [event for event in events if isinstance(event, pixpress.HealthReport)]


def test_monitoring_log_level() -> None:
    with pool_of("monitoring: {logLevel: error}"):
        assert logging.getLogger("pixpress").level == logging.ERROR


def test_recovery_max_retries(block: Block, jpeg_file: Path) -> None:
    with pool_of("pool: {max: 1}, recovery: {maxRetries: 2, retryDelay: 1}") as pool:
        assert len(retries_of(pool, block, jpeg_file)) == 2


def test_recovery_retry_delay(block: Block, jpeg_file: Path) -> None:
    with pool_of("pool: {max: 1}, recovery: {retryDelay: 20, backoffMultiplier: 1}") as pool:
        delays = [event.delay for event in retries_of(pool, block, jpeg_file)]
    assert len(delays) == 3
    assert all(0 <= delay <= 0.02 for delay in delays)
    assert max(delays) > 0.0001  # All three below that has a chance of 1 in 8,000,000.


def test_recovery_backoff_multiplier(block: Block, tmp_path: Path, tiny_jpeg: bytes) -> None:
    text = "pool: {max: 1}, recovery: {maxRetries: 2, retryDelay: 1, backoffMultiplier: 200}"
    second: list[float] = []
    for number in range(3):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(tiny_jpeg)
        with pool_of(text) as pool:
            delays = [event.delay for event in retries_of(pool, block, path)]
        assert delays[0] <= 0.001
        assert delays[1] <= 0.2
        second.append(delays[1])
    assert max(second) > 0.001  # Also 1 in 8,000,000.


def test_recovery_persist_queue(
    jpeg_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with pool_of("recovery: {persistQueue: true}") as pool:
        pool.submit(jpeg_file).result(timeout=PATIENCE_S)
        assert [row.source for row in pool.journal_rows()] == [str(jpeg_file)]
    with (
        pool_of("recovery: {persistQueue: false}") as pool,
        pytest.raises(pixpress.OptionError, match="journal"),
    ):
        pool.journal_rows()
