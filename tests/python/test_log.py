"""The logger "pixpress": what its records say of jobs beside their text."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from busy_pools import Blocker, next_of, submit_long

import pixpress

FIELDS = ("task_id", "attempt", "source", "output", "batch", "code", "stage")


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.DEBUG, "pixpress"):
        yield caplog


def facts(record: logging.LogRecord) -> dict[str, object]:
    return {name: getattr(record, name) for name in FIELDS}


def test_a_failure_says_which_job_which_attempt_where_and_why(
    log: pytest.LogCaptureFixture, tmp_path: Path, photo_jpeg: bytes
) -> None:
    source, output = tmp_path / "a.jpg", tmp_path / "b.webp"
    source.write_bytes(photo_jpeg[:2000])
    with pixpress.Pool(max_workers=1) as pool:
        future = pool.submit(source, output, batch="july")
        assert future.exception(timeout=60)
    (record,) = [one for one in log.records if one.levelno == logging.WARNING]
    assert record.name == "pixpress"
    assert str(source) in record.getMessage()
    assert facts(record) == {
        "task_id": future.task_id,
        "attempt": 1,
        "source": str(source),
        "output": str(output),
        "batch": "july",
        "code": "CORRUPT_IMAGE",
        "stage": "decode",
    }


def test_each_retry_says_which_attempt_has_failed(
    log: pytest.LogCaptureFixture, tmp_path: Path, photo_jpeg: bytes
) -> None:
    source = tmp_path / "a.jpg"
    source.write_bytes(photo_jpeg)
    with pixpress.Pool(max_workers=1, retry_delay=0.001, max_retries=2) as pool:
        blocker = Blocker(pool)
        future = pool.submit(source)
        source.unlink()
        blocker.release()
        assert future.exception(timeout=60)
    retries = [facts(one) for one in log.records if "tried again" in one.getMessage()]
    assert len(retries) == 2
    for fields in retries:
        assert fields["task_id"] == future.task_id
        assert fields["source"] == str(source)
        assert fields["code"] == "INPUT"
        assert fields["stage"]
    (failure,) = [facts(one) for one in log.records if one.levelno == logging.WARNING]
    assert failure["attempt"] == 3


def test_what_pillow_cannot_read_is_logged_with_the_same_fields(
    log: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    source = tmp_path / "a.bmp"
    source.write_bytes(b"BM" + bytes(100))
    with pixpress.Pool(max_workers=1) as pool:
        assert pool.submit(source, format="png").exception(timeout=60)
    (record,) = [one for one in log.records if one.levelno == logging.WARNING]
    assert facts(record)["source"] == str(source)
    assert facts(record)["attempt"] == 1


def test_memory_past_the_threshold_is_logged_with_the_numbers(
    log: pytest.LogCaptureFixture,
) -> None:
    with pixpress.Pool(max_workers=1, memory_limit="512MB", gc_threshold=1) as pool:
        events = pool.events()
        future = submit_long(pool)
        event = next_of(events, pixpress.MemoryWarning)
        future.cancel()
    record = next(one for one in log.records if hasattr(one, "used"))
    assert record.levelno == logging.WARNING
    assert record.used == event.used  # type: ignore[attr-defined]
    assert record.limit == 512 << 20  # type: ignore[attr-defined]


def test_no_handler_means_no_output(run) -> None:
    done = run("""
        with pixpress.Pool(max_workers=1) as pool:
            assert pool.submit(b"no image").exception()
    """)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
