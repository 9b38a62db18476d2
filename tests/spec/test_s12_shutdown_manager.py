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

import pixpress

PATIENCE_S = 60


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


# Jobs that take some tenths of a second each, so that a signal comes between two of them.
def command(tmp_path: Path, *options: str) -> list[str]:
    from PIL import Image

    source = tmp_path / "in"
    source.mkdir(exist_ok=True)
    first = source / "0.png"
    Image.fromarray(noise(450, 300)).save(first, compress_level=0)
    for i in range(1, 40):
        os.link(first, source / f"{i}.png")
    program = [sys.executable, "-m", "pixpress"]
    target = ["-R", "-o", str(tmp_path / "out"), "--effort", "9", "--workers", "1"]
    return [*program, "compress", str(source), *target, *options]


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
    arguments = command(tmp_path, "--journal", str(journal))
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # One is done, another runs, and tens are not.
        process.send_signal(number)
        out, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code
    lines = errors.decode().splitlines()
    assert lines[-1] == f"go on with: pixpress resume '{journal}'"
    done = 1 + out.count(b"\n")
    assert lines[-2].startswith(f"interrupted: {done} of 40 done, {40 - done} not done; ")
    assert len(os.listdir(tmp_path / "out")) == done
    rest = resumed(journal)
    assert rest.returncode == 0, rest.stderr
    assert rest.stderr.splitlines()[-1].startswith(f"{40 - done} of {40 - done} done; ")
    assert sorted(os.listdir(tmp_path / "out")) == sorted(f"{i}.png" for i in range(40))
    with pixpress.Pool(journal=journal) as pool:
        rows = list(pool.journal_rows())
        assert {row.state for row in rows} == {"done"}
        assert {row.attempts for row in rows} == {1}, "what ran at the signal was finished"


def test_a_second_signal_forces_the_end(tmp_path: Path) -> None:
    journal = tmp_path / "queue.db"
    arguments = command(tmp_path, "--journal", str(journal))
    from PIL import Image

    Image.fromarray(noise(4000, 4000)).save(tmp_path / "in" / "0.png", compress_level=0)
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while not is_filled(journal):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert "go on with" in errors.decode()
    assert time.monotonic() - start < PATIENCE_S / 2
    assert not [name for name in os.listdir(tmp_path / "out") if name.startswith(".")]
    with pixpress.Pool.recover(journal, max_workers=1) as pool:
        assert all(row.crashes == 0 for row in pool.journal_rows()), "nobody is to blame"
        for future in pool.recovered:
            future.cancel()


def is_filled(journal: Path) -> bool:
    """Whether most submissions are in the journal's log, and jobs run."""
    log = journal.with_name(f"{journal.name}-wal")
    return log.exists() and log.stat().st_size > 100_000


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
