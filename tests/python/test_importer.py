"""The import thread of a pool: order, limits, cancelling and the end."""

from __future__ import annotations

import errno
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from descriptors import no_more_files
from foreign_pictures import SAVED, encoded, gradient, opened
from PIL import Image

import pixpress
from pixpress import importer
from pixpress.cli import main

PATIENCE_S = 60


class Gate:
    """Holds the import thread before it decodes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.entered = threading.Semaphore(0)
        self.open = threading.Event()
        real = importer.load

        def load(*arguments: Any) -> Any:
            self.entered.release()
            assert self.open.wait(PATIENCE_S)
            return real(*arguments)

        monkeypatch.setattr(importer, "load", load)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(monkeypatch)


BMP = encoded(gradient(), "BMP")


def test_submit_returns_at_once_and_cancel_works_before_and_while_decoding(gate: Gate) -> None:
    with pixpress.Pool(max_workers=1) as pool:
        running, waiting, last = (pool.submit(BMP, format="png") for _ in range(3))
        assert gate.entered.acquire(timeout=PATIENCE_S)
        assert not running.done()
        assert not waiting.done()
        assert waiting.cancel()
        assert waiting.cancelled()
        assert running.cancel()
        assert running.cancelled()
        with pytest.raises(TimeoutError):
            last.result(0.05)
        gate.open.set()
        assert last.result(PATIENCE_S).format == "png"
        assert pool.stats()["submitted"] == 1  # The core never saw the other two.


def test_a_full_queue_holds_submit_back(gate: Gate) -> None:
    with pixpress.Pool(max_workers=1, max_queue=2) as pool:
        first = pool.submit(BMP, format="png")
        assert gate.entered.acquire(timeout=PATIENCE_S)
        rest = [pool.submit(BMP, format="png") for _ in range(2)]
        with pytest.raises(pixpress.QueueFullError):
            pool.submit(BMP, format="png", block=False)
        begin = time.monotonic()
        with pytest.raises(pixpress.QueueFullError):
            pool.submit(BMP, format="png", timeout=0.2)
        assert time.monotonic() - begin >= 0.15
        gate.open.set()
        assert all(job.result(PATIENCE_S).width == 48 for job in (first, *rest))


def test_urgent_jobs_are_decoded_first(gate: Gate) -> None:
    order: list[str] = []
    with pixpress.Pool(max_workers=1) as pool:
        pool.submit(BMP, format="png")
        assert gate.entered.acquire(timeout=PATIENCE_S)
        for priority in ("low", "normal", "critical"):
            job = pool.submit(BMP, format="png", priority=priority)
            job.add_done_callback(lambda _, name=priority: order.append(name))
        gate.open.set()
    assert order == ["critical", "normal", "low"]


def test_shutdown_finishes_what_waits_and_takes_nothing_more(gate: Gate) -> None:
    pool = pixpress.Pool(max_workers=1)
    jobs = [pool.submit(BMP, format="png") for _ in range(3)]
    assert gate.entered.acquire(timeout=PATIENCE_S)
    pool.shutdown(wait=False)
    for source in (BMP, np.zeros((4, 4), np.uint8)):
        with pytest.raises(pixpress.PoolClosedError):
            pool.submit(source, format="png")
    gate.open.set()
    assert all(job.result(PATIENCE_S).format == "png" for job in jobs)
    pool.shutdown(timeout=PATIENCE_S)


def test_an_exception_in_the_block_cancels_what_waits(gate: Gate) -> None:
    jobs = []

    def use() -> None:
        with pixpress.Pool(max_workers=1) as pool:
            jobs.extend(pool.submit(BMP, format="png") for _ in range(3))
            assert gate.entered.acquire(timeout=PATIENCE_S)
            raise KeyError

    with pytest.raises(KeyError):
        use()
    gate.open.set()
    assert all(job.cancelled() for job in jobs)


def test_decoded_pixels_that_wait_are_bounded(tmp_path: Path) -> None:
    limit = 64 << 20
    image = Image.new("RGB", (1600, 1200))  # 5.8 MB: two fit the eighth, a third does not.
    data = encoded(image, "TIFF", compression="tiff_deflate")
    with pixpress.Pool(max_workers=1, memory_limit=limit) as pool:
        jobs = [pool.submit(data, format="webp", width=64) for _ in range(8)]
        most = 0
        while not all(job.done() for job in jobs):
            most = max(most, pool._dispatcher.importer()._held_bytes)
            time.sleep(0.001)
        assert all(job.result().width == 64 for job in jobs)
        assert pool._dispatcher.importer()._held_bytes == 0
    assert most <= limit // 8


def test_results_wait_for_the_pixels_also_when_awaited() -> None:
    import asyncio

    async def run() -> list[str]:
        with pixpress.Pool(max_workers=2) as pool:
            made = await asyncio.gather(*(pool.compress(BMP, format="webp") for _ in range(6)))
        return [result.format for result in made]

    assert asyncio.run(run()) == ["webp"] * 6


def test_map_keeps_the_order_of_mixed_sources(tmp_path: Path) -> None:
    sources: list[Path] = []
    for i, (format, extension) in enumerate([("BMP", "bmp"), ("PNG", "png"), ("TIFF", "tif")] * 3):
        sources.append(tmp_path / f"{i}.{extension}")
        sources[-1].write_bytes(encoded(gradient(size=(16 + i, 8)), format))
    with pixpress.Pool(max_workers=2) as pool:
        results = list(pool.map(sources, out_dir=tmp_path / "out", format="webp"))
    assert [result.width for result in results] == [16 + i for i in range(9)]
    assert sorted(path.name for path in (tmp_path / "out").iterdir())[0] == "0.webp"


def test_the_command_takes_them_in_walks_and_alone(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for extension, format in SAVED.items():
        (folder / f"{extension}_file.{extension}").write_bytes(
            encoded(gradient(size=(32, 32)), format)
        )
    out = tmp_path / "out"
    run = CliRunner().invoke(main, ["compress", "-R", str(folder), "-o", str(out), "-f", "webp"])
    assert run.exit_code == 0, run.output
    assert len(list(out.rglob("*.webp"))) == len(SAVED)
    kept = CliRunner().invoke(main, ["compress", "-R", str(folder), "-o", str(tmp_path / "kept")])
    assert kept.exit_code == 0
    assert not list((tmp_path / "kept").rglob("*.*"))
    alone = ["compress", str(folder / "bmp_file.bmp"), "-o", str(tmp_path / "one.jpg")]
    assert CliRunner().invoke(main, alone).exit_code == 0
    assert opened((tmp_path / "one.jpg").read_bytes()).size == (32, 32)


def test_a_job_that_has_failed_is_not_cancelled_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    real, answers = importer.Importer._record, []

    def record(own: importer.Importer, job: importer.PendingImport, *how: str) -> None:
        answers.append(job.future.cancel())  # Between the failure and what the future says of it.
        real(own, job, *how)

    monkeypatch.setattr(importer.Importer, "_record", record)
    with pixpress.Pool(max_workers=1) as pool:
        future = pool.submit(b"II*\0", format="png")
        assert isinstance(future.exception(timeout=PATIENCE_S), pixpress.PixpressError)
    assert answers == [False]
    assert not future.cancelled()


def test_what_fails_after_it_was_cancelled_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(monkeypatch)
    with pixpress.Pool(max_workers=1) as pool:
        future = pool.submit(b"II*\0", format="png")
        assert gate.entered.acquire(timeout=PATIENCE_S)
        assert future.cancel()
        gate.open.set()
    assert future.cancelled()


def next_retry(events: pixpress.EventStream) -> pixpress.TaskRetry:
    while True:
        event = events.get(60)
        assert event is not None
        if isinstance(event, pixpress.TaskRetry):
            return event


# More than can go by until a test goes on, and no wait between them grows.
PATIENT: dict[str, Any] = {"max_retries": 1000, "retry_delay": 0.2, "backoff_multiplier": 1}


def test_what_passes_is_tried_again_and_other_jobs_go_on(tmp_path: Path) -> None:
    path = tmp_path / "a.bmp"
    path.write_bytes(BMP)
    with pixpress.Pool(max_workers=1, **PATIENT) as pool, pool.events() as events:
        pool.submit(path, format="png").result(60)  # Pillow is loaded from here on.
        with no_more_files():
            future = pool.submit(path, format="png")
            retry = next_retry(events)
            assert pool.submit(BMP, format="png").result(60).format == "png"
            assert not future.done()
        assert future.result(60).format == "png"
    assert isinstance(retry.error, pixpress.InputError)
    assert (retry.error.errno, retry.error.filename) == (errno.EMFILE, str(path))
    assert 0 <= retry.delay <= PATIENT["retry_delay"]


def test_retries_are_counted_and_their_number_can_be_changed(tmp_path: Path) -> None:
    path = tmp_path / "a.bmp"
    path.write_bytes(BMP)
    with pixpress.Pool(max_workers=1, max_retries=2, retry_delay=0.001) as pool:
        pool.submit(path, format="png").result(60)
        for most in (2, 0):
            pool.update_config(max_retries=most)
            events = pool.events()
            with no_more_files():
                error = pool.submit(path, format="png").exception(60)
                assert isinstance(error, pixpress.InputError)
                assert (error.errno, error.retryable) == (errno.EMFILE, True)
            events.close()
            assert sum(isinstance(event, pixpress.TaskRetry) for event in events) == most


def test_a_file_that_was_there_may_come_back_and_others_fail_at_once(
    tmp_path: Path, gate: Gate
) -> None:
    path = tmp_path / "a.bmp"
    path.write_bytes(BMP)
    gate.open.set()
    with pixpress.Pool(max_workers=1, **PATIENT) as pool, pool.events() as events:
        gate.open.clear()
        future = pool.submit(path, format="png")
        path.rename(tmp_path / "away.bmp")
        gate.open.set()
        next_retry(events)
        (tmp_path / "away.bmp").rename(path)
        assert future.result(60).format == "png"
        error = pool.submit(tmp_path / "none.bmp", format="png").exception(60)
    assert isinstance(error, pixpress.InputError)
    assert error.errno == errno.ENOENT


def test_a_job_that_waits_for_a_retry_can_be_cancelled_and_does_not_hold_the_pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.bmp"
    path.write_bytes(BMP)
    monkeypatch.setattr(importer, "_LONGEST_DELAY_S", 1e6)
    monkeypatch.setattr("random.random", lambda: 1.0)
    with pixpress.Pool(max_workers=1, retry_delay=1e6) as pool, pool.events() as events:
        pool.submit(path, format="png").result(60)
        with no_more_files():
            first, second = (pool.submit(path, format="png") for _ in range(2))
            next_retry(events)
            next_retry(events)
        assert first.cancel()
        assert second.cancel()
        assert pool.submit(path, format="png").result(60).format == "png"
    assert (first.cancelled(), second.cancelled()) == (True, True)
