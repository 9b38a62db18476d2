"""kill -9 at a random moment of a batch with a journal: nothing lost, nothing twice."""

from __future__ import annotations

import io
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pixpress

FILES = 500
PATIENCE_S = 120
SETTINGS = {"quality": 70, "effort": 3}
BATCH = """
import sys
from pathlib import Path
import pixpress

journal, inputs, outputs, durable = sys.argv[1:]
with pixpress.Pool(journal=journal, max_workers=2, durable=durable == "True") as pool:
    for path in sorted(Path(inputs).iterdir()):
        pool.submit(path, Path(outputs) / f"{path.stem}.webp", quality=70, effort=3)
        print(path.stem, flush=True)  # Acknowledged.
"""
# Of csrc/store/journal_record.h.
QUEUED, STARTED, WRITING, DONE = range(4)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("in")
    rng = np.random.default_rng(3)
    for i in range(FILES):
        small = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
        picture = Image.fromarray(small).resize((40 + i % 7, 40), Image.Resampling.BICUBIC)
        picture.save(folder / f"{i:03}.jpg", quality=92)
    return folder


@pytest.fixture(scope="module")
def undisturbed(inputs: Path) -> dict[str, bytes]:
    """What an ordinary pool makes of the inputs."""
    with pixpress.Pool() as pool:
        results = pool.map(sorted(inputs.iterdir()), format="webp", **SETTINGS)
        return {Path(result.source).stem: result.data for result in results}


def rows_of(journal: Path, scratch: Path) -> dict[str, tuple[int, int, int]]:
    """State, attempts and size written of each input, read from a copy: nobody has it open."""
    scratch.mkdir()
    for name in (journal.name, f"{journal.name}-wal"):
        if journal.with_name(name).exists():
            shutil.copy(journal.with_name(name), scratch / name)
    with sqlite3.connect(scratch / journal.name) as copy:
        found = copy.execute("SELECT source_path, state, attempt, written_bytes FROM jobs")
        rows = {Path(os.fsdecode(path)).stem: rest for path, *rest in found}
    copy.close()
    return {stem: (state, attempts, size or 0) for stem, (state, attempts, size) in rows.items()}


def kill_at_a_random_moment(command: list[str], outputs: Path, rng: random.Random) -> set[str]:
    """Kill after a number of acknowledgements or of outputs; what was acknowledged."""
    moment = rng.randrange(1, 2 * FILES)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        acknowledged = [process.stdout.readline().strip()]
        end = time.monotonic() + PATIENCE_S
        while process.poll() is None and time.monotonic() < end:
            if moment >= FILES and len(os.listdir(outputs)) >= moment - FILES:
                break
            if moment < FILES and len(acknowledged) >= moment:
                break
            if len(acknowledged) < FILES:
                acknowledged.append(process.stdout.readline().strip())
        process.kill()
        rest = process.stdout.read().split()
    assert process.returncode in (0, -signal.SIGKILL)
    return {*acknowledged, *rest} - {""}


def check_round(
    seed: int, inputs: Path, undisturbed: dict[str, bytes], folder: Path
) -> tuple[int, int]:
    """One kill and what follows; how many were done before it, and how many after."""
    rng = random.Random(seed)
    outputs, journal = folder / "out", folder / "queue.db"
    outputs.mkdir(parents=True)
    command = [sys.executable, "-c", BATCH, str(journal), str(inputs), str(outputs)]
    acknowledged = kill_at_a_random_moment([*command, str(seed % 2 == 0)], outputs, rng)
    before = rows_of(journal, folder / "before")
    assert acknowledged <= before.keys(), "a job that was acknowledged is lost"
    complete = {
        stem
        for stem, (state, _, size) in before.items()
        if state == DONE or (state == WRITING and outputs_match(outputs, stem, undisturbed, size))
    }
    for path in outputs.glob("[!.]*"):
        assert path.read_bytes() == undisturbed[path.stem], f"{path.name} is not complete"
    with pixpress.Pool.recover(journal, max_workers=2, durable=seed % 2 == 0) as pool:
        assert len(pool.recovered) == len(before) - len(complete)
        for future in pool.recovered:
            future.result(PATIENCE_S)
        assert {row.state for row in pool.journal_rows()} == {"done"}
    after = rows_of(journal, folder / "after")
    twice = [stem for stem in complete if after[stem][1] != before[stem][1]]
    assert not twice, "what was done has been done again"
    # No partial, temporary or other files, and the bytes of a run without a kill.
    assert sorted(os.listdir(outputs)) == sorted(f"{stem}.webp" for stem in before)
    for stem in before:
        assert (outputs / f"{stem}.webp").read_bytes() == undisturbed[stem]
    return len(complete), len(before) - len(complete)


def outputs_match(outputs: Path, stem: str, undisturbed: dict[str, bytes], size: int) -> bool:
    path = outputs / f"{stem}.webp"
    return path.exists() and path.stat().st_size == size and path.read_bytes() == undisturbed[stem]


@pytest.fixture
def in_memory(tmp_path: Path) -> Iterator[Path]:
    """A folder for many small files; a kill does not touch the page cache either way."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    folder = Path("/dev/shm") / f"pixpress-kill-{os.getpid()}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def check_rounds(
    count: int, inputs: Path, undisturbed: dict[str, bytes], folder: Path, first: int
) -> None:
    shares = [check_round(first + i, inputs, undisturbed, folder / str(i)) for i in range(count)]
    assert any(done for done, _ in shares), "every kill came before any work"
    assert any(left for _, left in shares), "every kill came too late"


def test_a_killed_batch_is_finished_by_the_next_pool_in_5_rounds(
    inputs: Path, undisturbed: dict[str, bytes], in_memory: Path
) -> None:
    check_rounds(5, inputs, undisturbed, in_memory, first=1)


@pytest.mark.long
def test_a_killed_batch_is_finished_by_the_next_pool_in_50_rounds(
    inputs: Path, undisturbed: dict[str, bytes], in_memory: Path
) -> None:
    check_rounds(50, inputs, undisturbed, in_memory, first=1000)


# The child dies as by a crash of the codec: once the start of the poison is recorded, in the middle
# of the job, without a word to the pool.
POISONED = """
import os, signal, sys, threading
from pathlib import Path
import pixpress

journal, folder = sys.argv[1:]
pixpress._native.WORKER_PROGRAM = ""  # Or the suspect would crash a process of its own.
pool = pixpress.Pool.recover(journal, max_workers=2)

def die():
    while True:
        for row in pool.journal_rows(unfinished=True):
            if row.state == "started" and "poison" in row.source:
                os.kill(os.getpid(), signal.SIGKILL)

threading.Thread(target=die, daemon=True).start()
futures = list(pool.recovered)
if not futures:
    for path in sorted(Path(folder).iterdir()):
        target = Path(folder) / f"{path.stem}.webp"
        futures.append(pool.submit(path, target, effort=9, lossless=True))
for future in futures:
    future.exception()
os._exit(0)
"""


def test_after_two_crashes_a_file_is_blacklisted_and_the_batch_completes(
    in_memory: Path,
) -> None:
    rng = np.random.default_rng(1)
    folder, journal = in_memory / "pictures", in_memory / "queue.db"
    folder.mkdir()
    for i in range(6):
        Image.fromarray(rng.integers(0, 256, (30, 30, 3), dtype=np.uint8)).save(folder / f"{i}.png")
    out = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (1200, 1200, 3), dtype=np.uint8)).save(out, "PNG")
    (folder / "3_poison.png").write_bytes(out.getvalue())
    command = [sys.executable, "-c", POISONED, str(journal), str(folder)]
    codes = []
    while not codes or codes[-1] != 0:
        assert len(codes) < 3, f"exit codes {codes}"
        codes.append(subprocess.run(command, timeout=PATIENCE_S, check=False).returncode)
    assert codes == [-signal.SIGKILL, -signal.SIGKILL, 0]
    with pixpress.Pool(journal=journal) as pool:
        states = {Path(row.source).stem: row.state for row in pool.journal_rows()}
        assert states.pop("3_poison") == "blacklisted"
        assert set(states.values()) == {"done"}
        assert str(folder / "3_poison.png") in pool.blacklist
        future = pool.submit(folder / "3_poison.png", folder / "again.webp")
        assert isinstance(future.exception(), pixpress.BlacklistedFileError)
        # A repaired file is another one.
        shutil.copy(folder / "0.png", folder / "3_poison.png")
        assert pool.submit(folder / "3_poison.png", folder / "again.webp").result().width == 30
    assert len(list(folder.glob("*.webp"))) == 7
