"""S12, ShutdownManager: a test per step of the specification, and what a journal adds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from busy_pools import Blocker, noise
from PIL import Image

import pixpress

PATIENCE_S = 300


def threads() -> set[str]:
    return {entry.name for entry in Path("/proc/self/task").iterdir()}


def test_intake_stops(jpeg_file: Path) -> None:
    pool = pixpress.Pool(max_workers=1)
    pool.shutdown(wait=False)
    with pytest.raises(pixpress.PoolClosedError):
        pool.submit(jpeg_file)


def test_active_tasks_are_waited_for() -> None:
    pool = pixpress.Pool(max_workers=1)
    future = pool.submit(noise(300, 300), format="png")
    pool.shutdown()
    assert future.result(timeout=0).width == 300


def test_the_wait_has_a_time_out(block: Callable[[pixpress.Pool], Blocker]) -> None:
    pool = pixpress.Pool(max_workers=1)
    blocker = block(pool)
    pool.shutdown(timeout=0.01)
    assert not blocker.future.done()
    blocker.release()
    pool.shutdown(timeout=PATIENCE_S)
    assert blocker.future.done()


def test_workers_are_terminated() -> None:
    before = threads()
    with pixpress.Pool(max_workers=3, min_workers=3):
        ours = threads() - before
        assert len(ours) >= 3
    end = time.monotonic() + PATIENCE_S
    while ours & threads():  # The system may take a moment after a thread was joined.
        assert time.monotonic() < end, ours & threads()
        time.sleep(0.01)


def test_queue_state_is_persisted(
    tmp_path: Path, jpeg_file: Path, block: Callable[[pixpress.Pool], Blocker]
) -> None:
    journal = tmp_path / "queue.db"
    pool = pixpress.Pool(max_workers=1, journal=journal)
    running = block(pool)
    waiting = [pool.submit(jpeg_file, tmp_path / f"{i}.webp") for i in range(3)]
    pool.shutdown(wait=False, cancel_futures=True)
    running.release()
    pool.shutdown(timeout=PATIENCE_S)
    assert all(future.cancelled() for future in waiting)
    del pool, running, waiting
    with pixpress.Pool.recover(journal) as pool:
        assert [future.result().width for future in pool.recovered] == [16, 16, 16]


def test_persist_queue_of_the_configuration_uses_the_state_folder(
    tmp_path: Path, jpeg_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    config = pixpress.PoolConfig.from_yaml("worker: {recovery: {persistQueue: true}}")
    with pixpress.Pool(config=config) as pool:
        pool.submit(jpeg_file, tmp_path / "a.webp").result()
        assert [row.state for row in pool.journal_rows()] == ["done"]
    journal = tmp_path / "state" / "pixpress" / "queue.db"
    assert journal.exists()
    assert journal.parent.stat().st_mode & 0o777 == 0o700
    with pixpress.Pool.recover(config=config) as pool:
        assert pool.recovered == ()
    monkeypatch.setenv("PIXPRESS_JOURNAL", str(tmp_path / "other.db"))
    pixpress.Pool(config=config).shutdown()
    assert (tmp_path / "other.db").exists()
    with pytest.raises(pixpress.OptionError, match="journal"):
        pixpress.Pool.recover(None)


# Many names of one image.
def folder_of(tmp_path: Path, count: int, side: int) -> Path:
    source = tmp_path / "in"
    source.mkdir()
    Image.fromarray(noise(side, side)).save(source / "0.png", compress_level=0)
    for i in range(1, count):
        os.link(source / "0.png", source / f"{i}.png")
    return source


def resumed(journal: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pixpress", "resume", str(journal)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "Ctrl-C"]
)
def test_a_signal_finishes_what_runs_and_says_how_to_resume(
    number: signal.Signals, code: int, tmp_path: Path
) -> None:
    journal = tmp_path / "my queue.db"
    # Half a minute of work in small parts, so that the signal comes between two of them.
    source = folder_of(tmp_path, 200, side=600)
    program = [sys.executable, "-m", "pixpress", "compress", str(source), "-R", "--effort", "9"]
    target = ["-o", str(tmp_path / "out"), "--workers", "1", "--journal", str(journal)]
    arguments = [*program, *target]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # One is done, another runs, and many are not.
        process.send_signal(number)
        out, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code
    lines = errors.decode().splitlines()
    assert lines[-1] == f"go on with: pixpress resume '{journal}'"
    done = 1 + out.count(b"\n")
    left = 200 - done
    assert lines[-2].startswith(f"interrupted: {done} of 200 done, {left} not done; ")
    assert len(os.listdir(tmp_path / "out")) == done
    (source / "0.png").write_bytes(pixpress.encode(noise(8, 8), "png"))  # The rest is quick.
    rest = resumed(journal)
    assert rest.returncode == 0, rest.stderr
    assert rest.stderr.splitlines()[-1].startswith(f"{left} of {left} done; ")
    assert sorted(os.listdir(tmp_path / "out")) == sorted(f"{i}.png" for i in range(200))
    with pixpress.Pool(journal=journal) as pool:
        rows = list(pool.journal_rows())
        assert {row.state for row in rows} == {"done"}
        assert {row.attempts for row in rows} == {1}, "what ran at the signal was finished"


# The command, which says when a job runs and when it has taken the first signal, and would wait
# without end for what runs.
TALKING = """
import sys, threading, time
from pixpress import cli_resume
from pixpress.cli import main

work, take = cli_resume._work, cli_resume._Signals._take

def watched_work(pool, *rest):
    def watch():
        while not pool.stats()["running"]:
            time.sleep(0.001)
        print("runs", flush=True)
    threading.Thread(target=watch, daemon=True).start()
    work(pool, *rest)

def told_take(self, number, frame):
    take(self, number, frame)
    print("taken", flush=True)

cli_resume._work, cli_resume._Signals._take = watched_work, told_take
cli_resume._GRACE_S = 1e6
main()
"""


def test_a_second_signal_forces_the_end(tmp_path: Path) -> None:
    journal = tmp_path / "queue.db"
    source = folder_of(tmp_path, 2, side=3000)
    options = ["-f", "webp", "--effort", "10", "--max-size", "2MB", "--workers", "1"]
    target = ["-o", str(tmp_path / "out"), "--journal", str(journal)]
    arguments = ["-c", TALKING, "compress", str(source), "-R", *options, *target]
    with subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        for word in (b"runs\n", b"taken\n"):
            assert process.stdout.readline() == word
            process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert "go on with" in errors.decode()
    assert os.listdir(tmp_path / "out") == []
    with pixpress.Pool.recover(journal, max_workers=1) as pool:
        assert all(row.crashes == 0 for row in pool.journal_rows()), "nobody is to blame"
        for future in pool.recovered:
            future.cancel()


KILLED = """
import os, signal, sys
import pixpress
from busy_pools import Blocker

journal, source, folder = sys.argv[1:]
pool = pixpress.Pool(journal=journal, max_workers=1)
Blocker(pool)
for i in range(20):
    print(pool.submit(source, f"{folder}/{i}.webp").task_id, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path, jpeg_file: Path) -> None:
    journal = tmp_path / "queue.db"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(journal), str(jpeg_file), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    acknowledged = [int(line) for line in killed.stdout.split()]
    assert len(acknowledged) == 20
    with pixpress.Pool.recover(journal) as pool:
        assert [future.task_id for future in pool.recovered] == acknowledged
        for future in pool.recovered:
            assert future.result().width == 16
