"""S4: estimates, refusal, trimming, and the warning. What jobs truly need: test_memory_truth."""

from __future__ import annotations

import time

from busy_pools import next_of, noise

import pixpress

PATIENCE_S = 60


def test_a_job_waits_while_current_and_estimate_exceed_the_limit() -> None:
    pixels = noise(1500, 1500)
    with pixpress.Pool(max_workers=1) as pool:
        estimate = pool.submit(pixels, format="gif").result(timeout=PATIENCE_S).estimated_memory
    with pixpress.Pool(min_workers=2, max_workers=2, memory_limit=estimate * 3 // 2) as pool:
        futures = [pool.submit(pixels, format="gif") for _ in range(4)]
        most = 0
        while not all(future.done() for future in futures):
            most = max(most, pool.stats()["reserved_memory"])
            time.sleep(0.001)
        assert estimate <= most <= estimate * 3 // 2
        assert all(future.result().estimated_memory == estimate for future in futures)


def test_a_job_that_never_fits_is_refused_with_the_numbers() -> None:
    with pixpress.Pool(max_workers=1, memory_limit="4MB") as pool:
        start = time.monotonic()
        error = pool.submit(noise(3000, 3000), format="gif").exception(timeout=PATIENCE_S)
        assert time.monotonic() - start < PATIENCE_S
    assert isinstance(error, pixpress.MemoryLimitError)
    assert str(4 << 20) in str(error)


def test_estimate_and_measured_peak_are_in_the_result(tiny_jpeg: bytes) -> None:
    with pixpress.Pool(max_workers=1) as pool:
        result = pool.submit(noise(400, 300), format="png").result(timeout=PATIENCE_S)
    assert 0 < result.peak_memory <= result.estimated_memory


def test_trim_gives_pages_back() -> None:
    with pixpress.Pool(max_workers=1) as pool:
        pool.submit(noise(1200, 900), format="jpeg").result(timeout=PATIENCE_S)
        retained = pool.stats()["retained_memory"]
        assert retained > 0
        assert pool.trim() == retained
        assert pool.stats()["retained_memory"] == 0


def test_memory_warning_tells_used_and_limit() -> None:
    with pixpress.Pool(max_workers=1, memory_limit="512MB", gc_threshold=1) as pool:
        events = pool.events()
        future = pool.submit(noise(3000, 3000), format="png", effort=9)
        event = next_of(events, pixpress.MemoryWarning)
        future.cancel()
    assert event.type == "MEMORY_WARNING"
    assert event.limit == 512 << 20
    assert event.limit // 100 <= event.used <= event.limit


def test_no_warning_comes_below_the_threshold() -> None:
    with pixpress.Pool(max_workers=1, gc_threshold=100) as pool:
        events = pool.events()
        future = pool.submit(noise(3000, 3000), format="png", effort=9)
        end = time.monotonic() + PATIENCE_S
        # The first look at the machine, and so at memory.
        while not pool.health().cpu_percent and time.monotonic() < end:
            time.sleep(0.01)
        future.cancel()
    assert not [event for event in events if isinstance(event, pixpress.MemoryWarning)]
