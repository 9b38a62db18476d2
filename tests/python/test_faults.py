"""Calls of the system that fail, disks that are full, folders that may not be written to."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CORE = Path(__file__).parents[2] / "build" / "core"
PATIENCE_S = 300

# Fails one call after the other, all of one kind of job in one pool, and prints what the jobs'
# futures gave: [name of the call, type of the error, errno].
EACH_CALL = """
import ctypes, errno, json, sys
from pathlib import Path
import pixpress

library, folder, number = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
faults = ctypes.CDLL(library)
faults.io_faults_failed.restype = ctypes.c_char_p
faults.io_faults_was_renamed.restype = ctypes.c_bool
source, target = folder / "in.png", folder / "out" / "out.webp"
expected = pixpress.compress(source, format="webp", effort=1).data
seen = []
with pixpress.Pool(max_workers=1, durable=True, retry_delay=0.001) as pool:
    for nth in range(1, 1000):
        target.write_bytes(b"old")
        faults.io_faults_arm(str(folder).encode(), ctypes.c_long(nth), number, False)
        error = pool.submit(source, target, effort=1).exception(timeout=60)
        calls = faults.io_faults_disarm()
        name = faults.io_faults_failed().decode()
        assert [path.name for path in target.parent.iterdir()] == ["out.webp"], name
        now = target.read_bytes()
        renamed = faults.io_faults_was_renamed()
        assert now == expected if error is None or renamed else now == b"old", name
        if error is not None:
            assert isinstance(error, pixpress.PixpressError), repr(error)
            assert str(error).startswith(str(source)), error
            seen.append([name, type(error).__name__, error.errno])
        if nth > calls:
            break
    assert error is None
print(json.dumps({"calls": calls, "seen": seen}))
"""


@pytest.fixture(scope="module")
def faults_library() -> str:
    """What lets calls fail, to be preloaded."""
    if not (CORE / "build.ninja").exists() or shutil.which("ninja") is None:
        pytest.skip("needs the build folder of the core")
    command = ["ninja", "-C", str(CORE), "--quiet", "pixpress_io_faults"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    return str(CORE / "libpixpress_io_faults.so")


@pytest.mark.parametrize("name", ["ENOSPC", "EIO", "EACCES", "EMFILE", "EINTR", "short"])
def test_whichever_call_fails_the_error_has_a_type_and_the_old_output_stays(
    name: str, faults_library: str, tmp_path: Path, photo_file: Path
) -> None:
    number = -1 if name == "short" else getattr(errno, name)
    photo_file.rename(tmp_path / "in.png")
    (tmp_path / "out").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", EACH_CALL, faults_library, str(tmp_path), str(number)],
        capture_output=True,
        text=True,
        env={**os.environ, "LD_PRELOAD": faults_library},
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["calls"] >= (2 if name == "short" else 4)
    if name in ("EMFILE", "EINTR", "short"):
        assert found["seen"] == [], "what passes is tried again"
    else:
        assert {code for *_, code in found["seen"]} == {number}
        kinds = {kind for _, kind, _ in found["seen"]}
        assert kinds == ({"OutputError"} if name == "ENOSPC" else {"InputError", "OutputError"})


# Mounts a small file system of its own, which nobody else sees.
MOUNT = """
import ctypes, errno, os, sys, time
from pathlib import Path
import numpy as np
import pixpress

libc = ctypes.CDLL(None, use_errno=True)

def mount(folder, options, flags=0):
    folder.mkdir(exist_ok=True)
    if libc.mount(b"none", os.fsencode(folder), b"tmpfs", flags, options.encode()) != 0:
        sys.exit(77)

def fill(path):
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError as error:
            assert error.errno == errno.ENOSPC

folder = Path(sys.argv[1])
small = folder / "small"
picture = np.random.default_rng(1).integers(0, 256, (120, 160, 3), dtype=np.uint8)
source = folder / "in.png"
source.write_bytes(pixpress.encode(picture, "png"))
"""


def run_mounted(body: str, folder: Path) -> None:
    """Run a body after MOUNT in a mount namespace of its own; skip where that is not allowed."""
    namespace = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-Urm"]
    try:
        subprocess.run([*namespace, "true"], check=True, capture_output=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("needs the right to make a mount namespace")
    command = [*namespace, sys.executable, "-c", MOUNT + body, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    if done.returncode == 77:
        pytest.skip("needs the right to mount a small tmpfs")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("options", ["size=128k", "size=1m,nr_inodes=4"])
@pytest.mark.parametrize("durable", [True, False])
def test_a_full_disk_fails_the_jobs_that_write_to_it_and_no_others(
    options: str, durable: bool, tmp_path: Path
) -> None:
    body = f"""
mount(small, {options!r})
old = small / "0.webp"
old.write_bytes(b"old")
if "inodes" in {options!r}:
    (small / "a").touch(), (small / "b").touch()  # With the root, as many as there may be.
else:
    fill(small / "a")
before = sorted(os.listdir(small))
with pixpress.Pool(max_workers=2, durable={durable}, retry_delay=60) as pool:
    full = [pool.submit(source, small / f"{{i}}.webp") for i in range(6)]
    other = [pool.submit(source, folder / f"{{i}}.webp") for i in range(6)]
    for future in full:
        error = future.exception(timeout=60)
        assert type(error) is pixpress.OutputError, repr(error)
        assert error.errno == errno.ENOSPC
        assert pool.task(future.task_id).attempts == 1, "a full disk is not tried again"
    assert [future.exception(timeout=60) for future in other] == [None] * 6
    assert sorted(os.listdir(small)) == before
    assert old.read_bytes() == b"old"
    (small / "a").unlink()
    assert pool.submit(source, old).result(timeout=60).output_path == str(old)
    assert old.read_bytes() == (folder / "0.webp").read_bytes()
"""
    run_mounted(body, tmp_path)


def test_a_journal_on_a_full_disk_pauses_the_queue_until_there_is_space(tmp_path: Path) -> None:
    run_mounted(
        """
mount(small, "size=1m")
futures = []
with pixpress.Pool(journal=small / "queue.db", max_workers=1, durable=True) as pool:
    futures.append(pool.submit(source, folder / "first.webp"))
    futures[0].result(timeout=60)
    fill(small / "a")
    try:
        while len(futures) < 100_000:
            futures.append(pool.submit(source, folder / f"{len(futures) % 10}.webp"))
    except pixpress.JournalError as error:
        assert error.errno == errno.ENOSPC
    else:
        raise AssertionError("the disk does not fill")
    assert any("journal" in text for text in pool.health().warnings), pool.health().warnings
    (small / "a").unlink()
    for future in futures:
        assert future.result(timeout=120).format == "webp"
    assert [row.state for row in pool.journal_rows()] == ["done"] * len(futures)
    assert pool.submit(source, folder / "last.webp").result(timeout=60).format == "webp"
assert not [name for name in os.listdir(folder) if name.startswith(".")]
""",
        tmp_path,
    )


@pytest.mark.parametrize("journal", [True, False])
def test_a_read_only_file_system_fails_one_job(journal: bool, tmp_path: Path) -> None:
    run_mounted(
        f"""
MS_RDONLY, MS_REMOUNT = 1, 32
mount(small, "size=1m")
(small / "out.webp").write_bytes(b"old")
mount(small, "size=1m", MS_RDONLY | MS_REMOUNT)
kept = folder / "queue.db" if {journal} else None
with pixpress.Pool(max_workers=1, durable=True, journal=kept) as pool:
    for target in (small / "out.webp", small / "new.webp"):
        error = pool.submit(source, target).exception(timeout=60)
        assert type(error) is pixpress.OutputError, repr(error)
        assert error.errno == errno.EROFS
    assert pool.submit(source, folder / "out.webp").result(timeout=60).format == "webp"
    if kept:
        assert [row.state for row in pool.journal_rows()] == ["failed", "failed", "done"]
assert {{path.name: path.read_bytes() for path in small.iterdir()}} == {{"out.webp": b"old"}}
try:
    pixpress.Pool(journal=small / "queue.db")
except pixpress.JournalError as error:
    assert error.errno == errno.EROFS
else:
    raise AssertionError("a journal that cannot be written")
""",
        tmp_path,
    )


FORBIDDEN = """
import errno, os, sys
from pathlib import Path
import numpy as np
import pixpress

folder = Path(sys.argv[1])
image = pixpress.encode(np.zeros((8, 8), np.uint8), "png")
(folder / "out.webp").write_bytes(b"old")
folder.chmod(0o555)
if os.geteuid() == 0:
    os.seteuid(65534)
with pixpress.Pool(max_workers=1, durable=True) as pool:
    for name in ("out.webp", "new.webp"):
        error = pool.submit(image, folder / name).exception(timeout=60)
        assert type(error) is pixpress.OutputError, repr(error)
        assert (error.errno, error.retryable) == (errno.EACCES, False)
    assert pool.submit(image, format="webp").result(timeout=60).format == "webp"
try:
    pixpress.Pool(journal=folder / "queue.db")
except pixpress.JournalError as error:
    assert error.errno == errno.EACCES
else:
    raise AssertionError("a journal that cannot be written")
assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"out.webp": b"old"}
"""


def test_a_folder_without_the_right_to_write_fails_one_job() -> None:
    # Below what everyone may enter: root gives its rights up in the test.
    folder = Path(f"/dev/shm/pixpress-forbidden-{os.getpid()}")
    if not os.access(folder.parent, os.W_OK):
        pytest.skip("needs /dev/shm")
    folder.mkdir(mode=0o755)
    try:
        command = [sys.executable, "-c", FORBIDDEN, str(folder)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        assert done.returncode == 0, done.stderr
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)
