"""Many tasks of every kind in one pool: no growth of memory, threads or descriptors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PATIENCE_S = 7200
# Of what is allocated: less than that stays of a task.
MOST_BYTES_PER_TASK = 1024
# What is resident goes up and down by that much, as the allocator keeps pages or gives them back.
NOISE_BYTES = 24 << 20
SOAK = """
import asyncio, concurrent.futures, ctypes, gc, json, os, random, sys, tempfile, threading, time
from pathlib import Path
import numpy as np
import pixpress

count = int(sys.argv[1])
rng, pick = np.random.default_rng(1), random.Random(1)
FORMATS = [name for name in ("jpeg", "png", "webp", "gif", "avif")
           if name in pixpress.features()["write"]]
PAGE = os.sysconf("SC_PAGE_SIZE")
libc = ctypes.CDLL(None)
folder = Path(tempfile.mkdtemp(dir=sys.argv[2]))

def image(size, kind):
    small = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    pixels = np.kron(small, np.ones((size // 8, size // 8, 1), np.uint8))
    return pixpress.encode(pixels, kind, effort=1)

images = [image(size, kind) for size in (16, 64, 160, 320) for kind in FORMATS]
ends = {}

def note(future):
    if future.cancelled():
        kind = "cancelled"
    else:
        error = future.exception()
        kind = "done" if error is None else type(error).__name__
    ends[kind] = ends.get(kind, 0) + 1

def submit(pool, number):
    options = {"format": pick.choice(FORMATS), "effort": pick.choice([1, 2, 5])}
    options["priority"] = pick.choice(["low", "normal", "high", "critical"])
    if number % 3 == 0:
        options["batch"] = f"batch {number // 300}"
    if number % 4 == 0:
        options["width"] = pick.choice([8, 30, 100])
    kind = number % 20
    data = pick.choice(images)
    if kind == 0:
        return pool.submit(data[: len(data) // 2], **options)
    if kind == 1:
        return pool.submit(b"no image", **options)
    if kind == 2:
        return pool.submit(data, limits=pixpress.Limits(max_pixels=9), **options)
    if kind in (3, 4, 5):
        path = folder / f"in{number}"
        path.write_bytes(data)
        future = pool.submit(path, folder / f"out{number % 50}.png", **{**options, "format": "png"})
        if kind == 3:
            path.unlink()  # Mostly before a worker has it: tried again, for nothing.
        else:
            future.add_done_callback(lambda _, path=path: path.unlink())
        return future
    future = pool.submit(data, **options)
    if kind == 6:
        future.cancel()
    if kind == 7:
        pool.reprioritize(future.task_id, "high")
    if kind == 8:
        pool.task(future.task_id)
    return future

def resident(pool):
    gc.collect()
    pool.trim()
    libc.malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE

async def some_awaited(pool):
    await asyncio.gather(*(pool.compress(pick.choice(images), format="webp") for _ in range(10)))

class Allocated(ctypes.Structure):
    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]

libc.mallinfo2.restype = Allocated

def allocated():
    found = libc.mallinfo2()
    return found.uordblks + found.hblkhd

samples = []
with pixpress.Pool(min_workers=2, max_workers=2, max_retries=2, retry_delay=0.001,
                   metrics_interval=0.2) as pool:
    done = 0
    while done < count:
        unsubscribe = pool.subscribe(lambda event: None)
        events = pool.events()
        futures = [submit(pool, done + i) for i in range(90)]
        for future in futures:
            future.add_done_callback(note)
        list(pool.map(images[:5], format="jpeg", errors="return"))
        asyncio.run(some_awaited(pool))
        concurrent.futures.wait(futures)
        events.close()
        unsubscribe()
        pool.metrics()
        done += len(futures) + 15
        futures = future = events = None
        end = time.monotonic() + 10
        while any("subscriber" in t.name for t in threading.enumerate()):
            assert time.monotonic() < end
            time.sleep(0.001)
        samples.append([done, resident(pool), threading.active_count(),
                        len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task")),
                        allocated()])
    stats = pool.stats()
    assert stats["queued"] == stats["running"] == stats["reserved_memory"] == 0, stats
print(json.dumps({"ends": ends, "samples": samples}))
"""


def soak(count: int, folder: Path) -> list[list[int]]:
    """Return samples: tasks so far, resident bytes, threads of two kinds, descriptors, malloc's."""
    command = [sys.executable, "-c", SOAK, str(count), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    kinds = {"done", "cancelled", "CorruptImageError", "UnidentifiedImageError", "InputError"}
    kinds |= {"LimitExceededError", "BlacklistedFileError"}
    assert kinds <= found["ends"].keys(), found["ends"]
    samples: list[list[int]] = found["samples"]
    return samples


def check_growth(samples: list[list[int]]) -> None:
    last_half = samples[len(samples) // 2 :]
    tasks = last_half[-1][0] - last_half[0][0]
    some = max(1, len(last_half) // 5)

    def growth(column: int) -> int:
        # The least of some: what a round leaves for the next one is none of it.
        values = [row[column] for row in last_half]
        return min(values[-some:]) - min(values[:some])

    allocated, resident = growth(5), growth(1)
    print(f"{allocated} bytes allocated, {resident} resident, in {tasks} tasks")
    assert allocated <= MOST_BYTES_PER_TASK * tasks, last_half
    assert resident <= MOST_BYTES_PER_TASK * tasks + NOISE_BYTES, last_half
    for column in (2, 3, 4):
        values = [row[column] for row in last_half]
        assert max(values) <= max(row[column] for row in samples[: len(samples) // 2]), values


def test_1500_tasks_leave_no_memory_thread_or_descriptor(tmp_path: Path) -> None:
    check_growth(soak(1_500, tmp_path))


@pytest.mark.long
def test_20000_tasks_leave_no_memory_thread_or_descriptor(tmp_path: Path) -> None:
    check_growth(soak(20_000, tmp_path))
