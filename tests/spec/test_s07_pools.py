"""S7: options of the cache, its failures, and the end of pools that have one."""

from __future__ import annotations

import errno
import logging
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from busy_pools import PATIENCE_S, await_running, next_of, noise, submit_long
from cached_pools import cache_of, entries, gray, is_hit

import pixpress


def test_cancelling_one_that_waits_for_its_twin_is_immediate(folder: Path) -> None:
    with pixpress.Pool(max_workers=2, min_workers=2, cache=folder) as pool:
        first = submit_long(pool)
        await_running(first)
        second = submit_long(pool)
        assert second.cancel()
        assert second.cancelled()
        assert first.running()
        third = submit_long(pool)
        assert first.cancel()
        assert third.cancel()
    assert first.cancelled()
    assert third.cancelled()


@pytest.mark.parametrize("wait", [True, False])
def test_shutdown_cancels_those_that_wait_for_their_twin(folder: Path, wait: bool) -> None:
    pool = pixpress.Pool(max_workers=2, min_workers=2, cache=folder)
    futures = [submit_long(pool) for _ in range(10)]
    while not any(future.running() for future in futures):
        time.sleep(0.001)

    def cancel_what_is_left() -> int:
        """Return how many the shutdown has cancelled; both workers may have one."""
        end = time.monotonic() + PATIENCE_S
        while (cancelled := sum(future.cancelled() for future in futures)) < 8:
            if time.monotonic() > end:
                break
            time.sleep(0.001)
        for future in futures:
            future.cancel()
        return cancelled

    with ThreadPoolExecutor(1) as other:
        left = other.submit(cancel_what_is_left)
        pool.shutdown(wait=wait, cancel_futures=True)
        assert left.result() >= 8
    pool.shutdown()
    assert all(future.cancelled() for future in futures)


def test_a_failing_disk_warns_once_and_fails_no_job(
    folder: Path, tiny_jpeg: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with pixpress.Pool(max_workers=1, cache=folder) as pool, pool.events() as events:
        shutil.rmtree(folder)
        folder.write_text("in the way")
        with caplog.at_level(logging.WARNING, "pixpress"):
            for _ in range(5):
                assert not is_hit(pool, tiny_jpeg)
            warning = next_of(events, pixpress.CacheWarning)
        assert isinstance(warning.error, pixpress.OutputError)
        assert warning.error.errno == errno.ENOTDIR
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert "jobs go on without it" in caplog.records[0].getMessage()
        assert cache_of(pool).failures == 5
        assert any("the cache" in text for text in pool.health().warnings)
        folder.unlink()
        assert not is_hit(pool, tiny_jpeg)
        assert is_hit(pool, tiny_jpeg), "it works again"
        assert not any("the cache" in text for text in pool.health().warnings)


def test_a_full_disk_fails_no_job(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(disk)]
    if subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount a small tmpfs")
    try:
        with pixpress.Pool(max_workers=1, cache=disk / "cache") as pool:
            pixels = noise(500, 500)
            for _ in range(2):
                assert not is_hit(pool, pixels, format="png")
            assert cache_of(pool).errno == errno.ENOSPC
            assert not is_hit(pool, gray(1), format="png")
            assert is_hit(pool, gray(1), format="png")
            assert cache_of(pool).errno == 0
        assert {path.name for path in (disk / "cache").iterdir()} == {
            "lock",
            *(path.name for path in entries(disk / "cache")),
        }
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_folder_that_can_never_be_one_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(pixpress.OptionError, match=r"Expected a folder for cache, got .*file"):
        pixpress.Pool(cache=tmp_path / "file")
    for value in (1, "", 2.5):
        with pytest.raises(pixpress.OptionError, match="cache"):
            pixpress.Pool(cache=value)  # type: ignore[arg-type]
    for name, wrong in (("cache_size", None), ("cache_size", 0), ("cache_entries", 0)):
        with pytest.raises(pixpress.OptionError, match=name):
            pixpress.Pool(**{name: wrong})  # type: ignore[arg-type]


def test_the_options(tmp_path: Path, tiny_jpeg: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home" / "pixpress" / "results"
    for off in (None, False):
        with pixpress.Pool(max_workers=1, cache=off) as pool:
            assert pool.metrics().cache is None
            assert pool.health().cache is None
    assert not home.exists()
    with pixpress.Pool(max_workers=1, cache=True) as pool:
        assert not is_hit(pool, tiny_jpeg)
        assert pool.health().cache == cache_of(pool)
    assert len(entries(home)) == 1
    monkeypatch.setenv("PIXPRESS_CACHE", "true")
    with pixpress.Pool(max_workers=1) as pool:
        assert is_hit(pool, tiny_jpeg)
    monkeypatch.setenv("PIXPRESS_CACHE", str(tmp_path / "other"))
    monkeypatch.setenv("PIXPRESS_CACHE_ENTRIES", "1")
    with pixpress.Pool(max_workers=1) as pool:
        for value in range(3):
            is_hit(pool, gray(value), format="png")
    assert len(entries(tmp_path / "other")) == 1
    with pixpress.Pool(max_workers=1, cache=False) as pool:
        assert pool.metrics().cache is None


def test_prometheus_has_its_numbers(pool: pixpress.Pool, tiny_jpeg: bytes) -> None:
    client = pytest.importorskip("prometheus_client")
    from pixpress.prometheus import PoolCollector

    is_hit(pool, tiny_jpeg)
    is_hit(pool, tiny_jpeg)
    registry = client.CollectorRegistry()
    registry.register(PoolCollector(pool))
    text = client.generate_latest(registry).decode()
    assert 'pixpress_cache_hits_total{pool="default"} 1.0' in text
    assert 'pixpress_cache_misses_total{pool="default"} 1.0' in text
    assert 'pixpress_cache_entries{pool="default"} 1.0' in text
