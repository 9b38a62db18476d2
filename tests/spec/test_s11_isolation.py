"""S11: worker processes, what they may do, and how they are asked for."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from busy_pools import noise
from PIL import Image
from worker_processes import (
    await_processes,
    is_running,
    isolated,
    limits_of,
    status_of,
    worker_processes,
)

import pixpress
from pixpress import _native

ROOT = Path(__file__).parents[2]
MIB = 1 << 20
PATIENCE_S = 60
pytestmark = pytest.mark.usefixtures("no_process_is_left")


def test_worker_threads_have_a_process_each_while_they_live() -> None:
    with isolated(max_workers=2, min_workers=2) as pool:
        assert len(await_processes(2)) == 2
        while pool.health().worker_processes < 2:  # Until they are ready.
            time.sleep(0.01)
        if os.geteuid() == 0:  # The processes are not dumpable: nobody else sees their program.
            programs = {os.readlink(f"/proc/{pid}/exe") for pid in worker_processes()}
            assert programs == {os.path.realpath(_native.WORKER_PROGRAM)}


def test_the_program_is_beside_the_extension_and_never_looked_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Path(_native.WORKER_PROGRAM) == Path(_native.__file__).with_name("_worker")
    assert os.access(_native.WORKER_PROGRAM, os.X_OK)
    assert pixpress.features()["isolation"] == ["thread", "process"]
    fake = tmp_path / "_worker"
    shutil.copy(_native.WORKER_PROGRAM, fake)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(_native, "WORKER_PROGRAM", str(tmp_path / "missing"))
    assert pixpress.features()["isolation"] == ["thread"]
    with pytest.raises(pixpress.OptionError, match="missing"):
        isolated()


def test_address_space_file_size_and_cpu_time_are_limited_for_each_job(tiny_jpeg: bytes) -> None:
    with isolated(task_timeout=20) as pool:
        pool.submit(tiny_jpeg).result(timeout=60)
        (pid,) = worker_processes()
        small = limits_of(pid)
        assert 20 <= int(small["Max cpu time"]) <= 25
        assert int(small["Max file size"]) <= 16 * MIB
        pool.submit(noise(3000, 2000), format="png", effort=1).result(timeout=60)
        large = limits_of(pid)
        assert int(large["Max address space"]) > int(small["Max address space"])
        assert int(large["Max address space"]) < 1 << 30
        pool.submit(tiny_jpeg).result(timeout=60)
        assert limits_of(pid)["Max address space"] == small["Max address space"]


def test_stack_descriptors_processes_and_core_dumps_are_limited() -> None:
    with isolated():
        (pid,) = await_processes(1)
        _wait_until_locked_in(pid)
        limits = limits_of(pid)
        assert int(limits["Max stack size"]) == 4 * MIB
        assert int(limits["Max open files"]) == 7
        assert int(limits["Max processes"]) == 0
        assert int(limits["Max core file size"]) == 0


def _wait_until_locked_in(pid: int) -> None:
    end = time.monotonic() + PATIENCE_S
    while status_of(pid)["NoNewPrivs"] != "1":
        assert time.monotonic() < end
        time.sleep(0.01)


def test_the_environment_is_empty(tiny_jpeg: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXPRESS_SECRET", "1")
    with isolated() as pool:
        pool.submit(tiny_jpeg).result(timeout=60)
        (pid,) = worker_processes()
        if os.geteuid() != 0:
            pytest.skip("the process is not dumpable: only root reads its environment")
        assert Path(f"/proc/{pid}/environ").read_bytes() == b""


def test_no_new_privileges_and_the_filter_are_on(tiny_jpeg: bytes) -> None:
    with isolated() as pool:
        pool.submit(tiny_jpeg).result(timeout=60)
        (pid,) = worker_processes()
        status = status_of(pid)
        health = pool.health()
    assert status["NoNewPrivs"] == "1"
    # Where the system refuses the filter, health says so.
    filtered = status["Seccomp"] == "2"
    assert filtered != any("system call filter" in text for text in health.warnings)


def test_there_is_no_access_to_the_parent(hooks: None, marked: Callable[[str], bytes]) -> None:
    with isolated() as pool:
        error = pool.submit(marked("escape")).exception(timeout=60)
        tried = dict(re.findall(r"(\w+)=(\d+);", str(error)))
        assert tried.pop("environment") == "0"
        calls = {
            "open",
            "create",
            "socket",
            "fork",
            "exec",
            "kill",
            "dup",
            "shrink",
            "raise",
            "code",
        }
        assert tried.keys() == calls
        if any("system call filter" in text for text in pool.health().warnings):
            pytest.skip("the system refuses the filter")
        assert set(tried.values()) == {"1"}  # EPERM


def test_progress_comes_through(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.fromarray(noise(2500, 2000)).save(path, compress_level=0)
    with isolated() as pool:
        events = pool.events()
        pool.submit(path, format="webp", effort=6).result(timeout=120)
        fractions = []
        while not isinstance(event := events.get(timeout=PATIENCE_S), pixpress.TaskComplete):
            assert event is not None
            if isinstance(event, pixpress.TaskProgress):
                fractions.append(event.percentage)
    assert fractions == sorted(fractions)
    assert any(0 < fraction < 98 for fraction in fractions), fractions


def await_idle(pool: pixpress.Pool) -> None:
    """Wait until the workers are done with their jobs: futures are told a moment before."""
    while any(worker.tasks_in_progress for worker in pool.metrics().workers):
        time.sleep(0.001)


def test_two_hundred_jobs_leave_no_descriptor_and_no_process(tiny_jpeg: bytes) -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    with isolated(max_workers=2, min_workers=2) as pool:
        while pool.health().worker_processes < 2:  # Until no other one will be started.
            time.sleep(0.01)
        list(pool.map([tiny_jpeg] * 20))
        await_idle(pool)
        before, processes = descriptors(), worker_processes()
        list(pool.map([tiny_jpeg, b"no image"] * 100, errors="return"))
        await_idle(pool)
        assert descriptors() <= before  # Other tests' objects may go meanwhile.
        assert worker_processes() == processes


def test_images_that_pillow_decodes_are_refused() -> None:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "BMP")
    with isolated() as pool, pytest.raises(pixpress.OptionError, match="Pillow"):
        pool.submit(out.getvalue(), format="png")


def test_pixels_may_be_isolated() -> None:
    pixels = noise(900, 700)
    with isolated() as pool:
        data = pool.submit(pixels, format="png").result(timeout=60).data
    assert np.array_equal(pixpress.decode(data), pixels)


def test_a_forked_child_leaves_the_processes_alone(tiny_jpeg: bytes) -> None:
    with isolated() as pool:
        pool.submit(tiny_jpeg).result(timeout=60)
        before = worker_processes()
        child = os.fork()
        if child == 0:
            try:
                pool.submit(tiny_jpeg)
            except pixpress.ForkedPoolError:
                os._exit(7)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        assert pool.submit(tiny_jpeg).result(timeout=60).format == "jpeg"
        assert worker_processes() == before


def test_processes_end_with_a_parent_that_is_killed() -> None:
    program = """
import os, signal, sys
from worker_processes import isolated, worker_processes
pool = isolated(task_timeout=None)
pool.submit(open(sys.argv[1], "rb").read()).result(timeout=60)
print(*worker_processes(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    image = str(ROOT / "tests" / "data" / "landscape_1.jpg")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    done = subprocess.run(
        [sys.executable, "-c", program, image], capture_output=True, text=True, env=environment
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    pid = int(done.stdout)
    end = time.monotonic() + PATIENCE_S
    while is_running(pid) and time.monotonic() < end:
        time.sleep(0.01)
    assert not is_running(pid)


def test_isolation_is_an_option_a_key_and_a_flag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = pixpress.PoolConfig(isolation="process")
    assert pixpress.PoolConfig.from_yaml(config.to_yaml()) == config
    with pixpress.Pool(max_workers=1, config=config):
        assert len(await_processes(1)) == 1
    monkeypatch.setenv("PIXPRESS_ISOLATION", "process")
    with pixpress.Pool(max_workers=1):
        assert len(await_processes(1)) == 1
    monkeypatch.delenv("PIXPRESS_ISOLATION")
    with pytest.raises(pixpress.OptionError, match="one of thread, process"):
        pixpress.Pool(isolation="container")
    bmp = tmp_path / "image.bmp"
    Image.new("RGB", (8, 8)).save(bmp)
    command = [
        sys.executable,
        "-m",
        "pixpress",
        "compress",
        str(ROOT / "tests/data/landscape_1.jpg"),
    ]
    command += [str(bmp), "-o", str(tmp_path / "out"), "-f", "webp", "--isolation", "process"]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert {row.get("error") for row in rows} == {None, "OPTION"}, done.stderr
