"""S11: crashes, hangs and hunger of worker processes end one job only."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from pathlib import Path

import pytest
from busy_pools import await_running, next_of, noise
from worker_processes import isolated, worker_processes

import pixpress

pytestmark = pytest.mark.usefixtures("no_process_is_left")


def test_a_crash_of_a_decoder_fails_one_job_and_the_pool_goes_on(
    hooks: None, marked: Callable[[str], bytes], tiny_jpeg: bytes, tmp_path: Path
) -> None:
    files = [tmp_path / f"{i}.jpg" for i in range(40)]
    for i, path in enumerate(files):
        path.write_bytes(marked("segfault") if i == 17 else tiny_jpeg)
    with isolated(max_workers=2) as pool:
        futures = [pool.submit(path, tmp_path / f"{path.stem}.webp") for path in files]
        errors = [future.exception(timeout=120) for future in futures]
        assert isinstance(errors[17], pixpress.WorkerCrashedError)
        assert errors[17].code == "WORKER_CRASHED"
        assert "signal 11" in str(errors[17])
        assert str(files[17]) in str(errors[17])
        assert [error for i, error in enumerate(errors) if i != 17] == [None] * 39
        assert not (tmp_path / "17.webp").exists()
        assert len(list(tmp_path.glob("*.webp"))) == 39
        assert pool.submit(tiny_jpeg).result(timeout=60).format == "jpeg"
        # A second worker may be about to start its process, which is counted a little later.
        deadline = time.monotonic() + 60
        while pool.health().process_starts != len(worker_processes()) + 1:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_a_hang_is_killed_after_task_timeout(
    hooks: None, marked: Callable[[str], bytes], tiny_jpeg: bytes
) -> None:
    with isolated() as pool:
        pool.submit(tiny_jpeg).result(timeout=60)
        (pid,) = worker_processes()
        pool.update_config(task_timeout=0.5)  # Too short for a process that starts slowly.
        error = pool.submit(marked("hang")).exception(timeout=60)
        assert isinstance(error, pixpress.TaskTimeoutError)
        assert pid not in worker_processes()
        assert pool.stats()["reserved_memory"] == 0
        pool.update_config(task_timeout=300)
        assert pool.submit(tiny_jpeg).result(timeout=60).format == "jpeg"
        assert pool.stats()["stuck_workers"] == 0


def test_a_cancelled_hang_frees_its_worker(
    hooks: None, marked: Callable[[str], bytes], tiny_jpeg: bytes
) -> None:
    with isolated(task_timeout=None) as pool:
        pool.submit(tiny_jpeg).result(timeout=60)
        future = pool.submit(marked("hang"))
        await_running(future)
        assert future.cancel()
        with pytest.raises(CancelledError):
            future.result(timeout=60)
        assert pool.submit(tiny_jpeg).result(timeout=60).format == "jpeg"


def test_memory_without_end_is_a_memory_error(
    hooks: None, marked: Callable[[str], bytes], tiny_jpeg: bytes
) -> None:
    with isolated() as pool:
        error = pool.submit(marked("memory")).exception(timeout=60)
        assert isinstance(error, pixpress.MemoryLimitError)
        assert "reserved" in str(error)
        assert pool.submit(tiny_jpeg).result(timeout=60).attempts == 1


def test_a_process_that_is_killed_from_outside_fails_its_job_only(tiny_jpeg: bytes) -> None:
    with isolated() as pool:
        pool.submit(tiny_jpeg).result(timeout=60)
        (pid,) = worker_processes()
        events = pool.events()
        future = pool.submit(noise(5000, 5000), format="png", effort=9)
        while next_of(events, pixpress.TaskProgress).current_operation != "encode":
            continue  # Only then the process has the job.
        os.kill(pid, signal.SIGKILL)
        error = future.exception(timeout=60)
        assert isinstance(error, pixpress.WorkerCrashedError)
        assert "signal 9" in str(error)
        assert pool.submit(tiny_jpeg).result(timeout=60).format == "jpeg"
        assert worker_processes() != [pid]


def test_what_crashes_twice_is_blacklisted(hooks: None, marked: Callable[[str], bytes]) -> None:
    image = marked("segfault")
    with isolated() as pool:
        kinds = [type(pool.submit(image).exception(timeout=60)) for _ in range(3)]
        assert kinds == [
            pixpress.WorkerCrashedError,
            pixpress.WorkerCrashedError,
            pixpress.BlacklistedFileError,
        ]
        assert [reason for _name, _size, reason in pool.blacklist] == [
            "the worker process was killed by signal 11 (Segmentation fault)"
        ]
