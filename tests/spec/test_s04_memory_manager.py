"""S4: estimates, refusal, trimming, and the warning. What jobs truly need: test_memory_truth."""

from __future__ import annotations

import time

from busy_pools import Blocker, await_running, next_of, noise, submit_long

import pixpress

PATIENCE_S = 60


def test_a_job_waits_while_current_and_estimate_exceed_the_limit() -> None:
    with pixpress.Pool(max_workers=1) as pool:
        blocker = Blocker(pool)
        estimate = pool.stats()["reserved_memory"]
        blocker.release()
    with pixpress.Pool(min_workers=2, max_workers=2, memory_limit=estimate * 3 // 2) as pool:
        first = Blocker(pool).future
        second = submit_long(pool)
        for _ in range(20):  # They pass by what waits.
            small = pool.submit(noise(8, 8), format="png", priority="low")
            assert small.result(timeout=PATIENCE_S).estimated_memory < estimate // 2
            assert estimate <= pool.stats()["reserved_memory"] <= estimate * 3 // 2
        assert first.running()
        assert not second.running()
        first.cancel()
        await_running(second)
        second.cancel()


def test_a_job_that_never_fits_is_refused_with_the_numbers() -> None:
    with pixpress.Pool(max_workers=1, memory_limit="4MB") as pool:
        error = pool.submit(noise(3000, 3000), format="gif").exception(timeout=PATIENCE_S)
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
        future = submit_long(pool)
        event = next_of(events, pixpress.MemoryWarning)
        future.cancel()
    assert event.type == "MEMORY_WARNING"
    assert event.limit == 512 << 20
    assert event.limit // 100 <= event.used <= event.limit


def test_no_warning_comes_below_the_threshold() -> None:
    with pixpress.Pool(max_workers=1, gc_threshold=100) as pool:
        events = pool.events()
        future = submit_long(pool)
        end = time.monotonic() + PATIENCE_S
        # The first look at the machine, and so at memory.
        while not pool.health().cpu_percent and time.monotonic() < end:
            time.sleep(0.01)
        future.cancel()
    assert not [event for event in events if isinstance(event, pixpress.MemoryWarning)]
