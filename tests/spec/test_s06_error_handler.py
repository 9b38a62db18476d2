"""S6: retries, the blacklist, and the log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from busy_pools import Blocker, next_of

import pixpress

Block = Callable[[pixpress.Pool], Blocker]


def _lose_while_it_waits(pool: pixpress.Pool, block: Block, path: Path) -> pixpress.JobFuture:
    blocker = block(pool)
    future = pool.submit(path)
    path.unlink()
    blocker.release()
    return future


def test_a_file_that_vanished_is_tried_again(block: Block, jpeg_file: Path) -> None:
    content = jpeg_file.read_bytes()
    with pixpress.Pool(max_workers=1, retry_delay=0.01) as pool:
        events = pool.events()
        future = _lose_while_it_waits(pool, block, jpeg_file)
        event = next_of(events, pixpress.TaskRetry)
        assert event.task_id == future.task_id
        assert isinstance(event.error, pixpress.InputError)
        assert 0 <= event.delay <= 0.01
        # Beside it first, so that no attempt reads half of it.
        other = jpeg_file.with_name("other")
        other.write_bytes(content)
        other.rename(jpeg_file)
        error = future.exception(timeout=60)
        task = pool.task(future.task_id)
    assert task is not None
    assert task.retry_count >= 1
    # All retries may have been used up before the file was back.
    assert error is None or task.retry_count == 3


@pytest.mark.parametrize("max_retries", [0, 2])
def test_max_retries_bounds_the_attempts(block: Block, jpeg_file: Path, max_retries: int) -> None:
    with pixpress.Pool(max_workers=1, max_retries=max_retries, retry_delay=0.001) as pool:
        future = _lose_while_it_waits(pool, block, jpeg_file)
        assert isinstance(future.exception(timeout=60), pixpress.InputError)
        task = pool.task(future.task_id)
    assert task is not None
    assert task.retry_count == max_retries
    assert task.attempts == max_retries + 1


def test_a_file_that_never_was_there_fails_at_once(tmp_path: Path) -> None:
    with pixpress.Pool(max_workers=1, retry_delay=100) as pool:
        error = pool.submit(tmp_path / "none.jpg").exception(timeout=60)
    assert isinstance(error, pixpress.InputError)


def test_a_decode_error_is_never_tried_again(corrupt_file: Path) -> None:
    with pixpress.Pool(max_workers=1, retry_delay=100) as pool:
        future = pool.submit(corrupt_file)
        assert isinstance(future.exception(timeout=60), pixpress.CorruptImageError)
        task = pool.task(future.task_id)
    assert task is not None
    assert task.attempts == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("max_retries", -1), ("retry_delay", 0), ("backoff_multiplier", 0.5)],
)
def test_retry_options_are_checked(name: str, value: object) -> None:
    with pytest.raises(pixpress.OptionError, match=name):
        pixpress.Pool(**{name: value})  # type: ignore[arg-type]


def test_a_corrupt_file_is_blacklisted_until_it_is_repaired(
    corrupt_file: Path, tiny_jpeg: bytes
) -> None:
    with pixpress.Pool(max_workers=1) as pool:
        first = pool.submit(corrupt_file).exception(timeout=60)
        second = pool.submit(corrupt_file).exception(timeout=60)
        assert not isinstance(first, pixpress.BlacklistedFileError)
        assert isinstance(second, pixpress.BlacklistedFileError)
        assert [entry[0] for entry in pool.blacklist] == [str(corrupt_file)]
        corrupt_file.write_bytes(tiny_jpeg)
        assert pool.submit(corrupt_file).result(timeout=60).compressed_size > 0


def test_blacklist_lists_and_clears(corrupt_file: Path) -> None:
    with pixpress.Pool(max_workers=1) as pool:
        data = corrupt_file.read_bytes()
        assert pool.submit(corrupt_file).exception(timeout=60)
        assert pool.submit(data).exception(timeout=60)
        assert len(pool.blacklist) == 2
        assert str(corrupt_file) in pool.blacklist
        _, size, reason = next(iter(pool.blacklist))
        assert size == len(data)
        assert reason
        assert pool.blacklist.clear(str(corrupt_file)) == 1
        again = pool.submit(corrupt_file).exception(timeout=60)
        assert not isinstance(again, pixpress.BlacklistedFileError)
        assert pool.blacklist.clear() == 2
        assert len(pool.blacklist) == 0


def test_missing_files_and_refusals_are_not_blacklisted(tmp_path: Path, tiny_jpeg: bytes) -> None:
    limits = pixpress.Limits(max_pixels=1)
    with pixpress.Pool(max_workers=1) as pool:
        assert pool.submit(tmp_path / "none.jpg").exception(timeout=60)
        assert pool.submit(tiny_jpeg, limits=limits).exception(timeout=60)
        assert pool.submit(b"no image").exception(timeout=60)
        assert len(pool.blacklist) == 0


def test_failures_are_logged_with_context(
    corrupt_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "pixpress"), pixpress.Pool(max_workers=1) as pool:
        future = pool.submit(corrupt_file, batch="july")
        assert future.exception(timeout=60)
    record = next(record for record in caplog.records if record.levelno == logging.WARNING)
    assert record.name == "pixpress"
    assert record.task_id == future.task_id  # type: ignore[attr-defined]
    assert record.source == str(corrupt_file)  # type: ignore[attr-defined]
    assert record.code == "CORRUPT_IMAGE"  # type: ignore[attr-defined]
    assert record.stage  # type: ignore[attr-defined]
    assert record.batch == "july"  # type: ignore[attr-defined]
