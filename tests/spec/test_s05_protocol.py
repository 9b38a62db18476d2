"""S5: messages as typed events."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from busy_pools import Blocker, next_of, noise, submit_long

import pixpress


def _all_events(pool: pixpress.Pool, *sources: object, **options: object) -> list[pixpress.Task]:
    events = pool.events()
    for src in sources:
        pool.submit(src, **options)  # type: ignore[arg-type]
    pool.shutdown()
    return list(events)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (pixpress.TaskComplete, "TASK_COMPLETE"),
        (pixpress.TaskError, "TASK_ERROR"),
        (pixpress.TaskProgress, "TASK_PROGRESS"),
        (pixpress.HealthReport, "HEALTH_REPORT"),
        (pixpress.MemoryWarning, "MEMORY_WARNING"),
        (pixpress.WorkerReady, "READY"),
    ],
)
def test_type_is_the_string_of_the_specification(kind: type, name: str) -> None:
    assert kind.type == name  # type: ignore[attr-defined]


def test_task_complete_and_task_error_come_once_per_job(tiny_jpeg: bytes) -> None:
    pool = pixpress.Pool(max_workers=2)
    events = _all_events(pool, *[tiny_jpeg] * 20, *[b"no image"] * 5)
    done = [event.task_id for event in events if isinstance(event, pixpress.TaskComplete)]
    failed = [event for event in events if isinstance(event, pixpress.TaskError)]
    assert sorted(done) == sorted(set(done))
    assert len(done) == 20
    assert len(failed) == 5
    assert all(isinstance(event.error, pixpress.UnidentifiedImageError) for event in failed)


def test_task_error_of_a_cancelled_job_has_no_error() -> None:
    with pixpress.Pool(max_workers=1) as pool:
        events = pool.events()
        Blocker(pool).release()
    assert [event.error for event in events if isinstance(event, pixpress.TaskError)] == [None]


def test_task_progress_rises_to_100_before_the_end() -> None:
    pool = pixpress.Pool(max_workers=1)
    events = _all_events(pool, noise(2200, 2200), format="png", effort=6)
    percentages = []
    for event in events:
        if isinstance(event, pixpress.TaskProgress):
            assert event.stage in ("reading", "processing", "writing", "optimizing")
            assert isinstance(event.current_operation, str)
            percentages.append(event.percentage)
        elif isinstance(event, pixpress.TaskComplete):
            break
    assert percentages == sorted(percentages)
    assert percentages[-1] == 100.0


@pytest.fixture(scope="module")
def progress() -> list[pixpress.TaskProgress]:
    """Of one job, the only one of its pool."""
    pool = pixpress.Pool(max_workers=1)
    made = pixpress.encode(noise(1600, 1200), "png", effort=1)
    events = _all_events(pool, made, format="png", effort=6, width=1500)
    return [event for event in events if isinstance(event, pixpress.TaskProgress)]


def test_progress_task_id(progress: list[pixpress.TaskProgress]) -> None:
    assert {event.task_id for event in progress} == {1}


def test_progress_stage(progress: list[pixpress.TaskProgress]) -> None:
    stages = {event.stage for event in progress}
    assert stages <= {"reading", "processing", "writing", "optimizing"}
    assert "processing" in stages


def test_progress_percentage(progress: list[pixpress.TaskProgress]) -> None:
    percentages = [event.percentage for event in progress]
    assert percentages == sorted(percentages)
    assert 0 <= percentages[0] <= percentages[-1] == 100.0


def test_progress_current_operation(progress: list[pixpress.TaskProgress]) -> None:
    operations = {event.current_operation for event in progress}
    assert operations & {"decode", "resize", "encode"}


def test_memory_warning_is_an_event() -> None:
    with pixpress.Pool(max_workers=1, memory_limit="512MB", gc_threshold=1) as pool:
        events = pool.events()
        future = submit_long(pool)
        assert next_of(events, pixpress.MemoryWarning).used > 0
        future.cancel()


def test_a_slow_reader_loses_the_oldest_progress_only() -> None:
    stream = pixpress.EventStream()
    done = pixpress.TaskError(1, None)
    stream.put(done)
    for number in range(10_005):
        stream.put(pixpress.TaskProgress(2, "processing", number / 101, "encode"))
    stream.put(done)
    stream.close()
    events = list(stream)
    assert stream.dropped == 6
    assert [event for event in events if isinstance(event, pixpress.TaskError)] == [done, done]
    assert events[1].percentage == 6 / 101  # type: ignore[union-attr]


def test_subscribe_calls_back_and_can_end(tiny_jpeg: bytes) -> None:
    seen: list[str] = []
    is_complete = threading.Event()

    def note(event: object) -> None:
        seen.append(event.type)  # type: ignore[attr-defined]
        if isinstance(event, pixpress.TaskComplete):
            is_complete.set()

    with pixpress.Pool(max_workers=1) as pool:
        end = pool.subscribe(note)
        pool.submit(tiny_jpeg)
        assert is_complete.wait(60)
        end()
        pool.submit(tiny_jpeg).result(timeout=60)
    assert seen.count("TASK_COMPLETE") == 1


def test_events_of_a_pool_that_has_ended_end_at_once() -> None:
    pool = pixpress.Pool(max_workers=1)
    pool.shutdown()
    reader = threading.Thread(target=lambda: list(pool.events()), daemon=True)
    reader.start()
    reader.join(60)
    assert not reader.is_alive()


def test_a_slow_subscriber_slows_no_worker(tiny_jpeg: bytes) -> None:
    is_let_go = threading.Event()
    with pixpress.Pool(max_workers=1) as pool:
        pool.subscribe(lambda event: is_let_go.wait())
        results = [pool.submit(tiny_jpeg) for _ in range(50)]
        assert all(future.result(timeout=60) for future in results)
        is_let_go.set()


def test_a_callback_may_wait_for_another_job_while_events_are_read(tiny_jpeg: bytes) -> None:
    waited: list[pixpress.Result] = []
    with pixpress.Pool(max_workers=1) as pool:
        events = pool.events()
        blocker = Blocker(pool)
        second = pool.submit(noise(300, 300), format="png")
        first = pool.submit(tiny_jpeg, priority="critical")
        first.add_done_callback(lambda _: waited.append(second.result(timeout=60)))
        blocker.release()
        second.result(timeout=60)
    assert len(waited) == 1
    assert sum(isinstance(event, pixpress.TaskComplete) for event in events) == 2


def test_health_report_shows_every_kind_of_fact(jpeg_file: Path) -> None:
    with pixpress.Pool(max_workers=1) as pool:
        facts = pool.health().to_dict()
    assert facts["type"] == "HEALTH_REPORT"
    assert facts["status"] in ("ok", "degraded")
