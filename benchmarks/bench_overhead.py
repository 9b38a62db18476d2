"""What does a pool cost: CPU time of a job beyond the codec's, and memory of an idle worker?

A job of about 10 ms is encoded by the codec alone, on the calling thread, and by a pool with one
worker; CPU time is that of all threads of the process. A job of next to nothing shows the same
cost as an absolute number, which the noise of the codec's own time does not hide.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from interleaved import TAPE, Seconds, in_turns, medians

import pixpress

SIDES = {"10 ms": (1500, 1000), "tiny": (8, 8)}
JOBS = {"10 ms": 20, "tiny": 1000}
IDLE_WORKERS = 32


def cpu_seconds(work: Callable[[], object], count: int) -> float:
    """Return the process's CPU seconds per call."""
    start = time.process_time()
    for _ in range(count):
        work()
    return (time.process_time() - start) / count


def pixels_of(width: int, height: int) -> np.ndarray:
    coarse = np.random.default_rng(1).integers(0, 256, (25, 25, 3), dtype=np.uint8)
    return pixpress.resize(coarse, (width, height))


@pytest.fixture(scope="module")
def measurement(rounds: int) -> Iterator[Seconds]:
    with pixpress.Pool(max_workers=1, worker_nice=0, metrics_interval=3600) as pool:
        contenders = {}
        for size, sides in SIDES.items():
            pixels = pixels_of(*sides)
            works = {
                "alone": lambda p=pixels: pixpress.encode(p, "jpeg", effort=5),
                "pool": lambda p=pixels: pool.submit(p, format="jpeg", effort=5).result(),
            }
            for name, work in works.items():
                contenders[f"{size} {name}"] = lambda w=work, s=size: cpu_seconds(w, JOBS[s])
        yield in_turns(contenders, rounds)


@pytest.mark.benchmark(timer=TAPE.clock, disable_gc=False)
@pytest.mark.parametrize("size", list(SIDES))
def test_coordination(size: str, measurement: Seconds, benchmark, finding) -> None:
    TAPE.play(benchmark, measurement[f"{size} pool"])
    middle = medians(measurement)
    alone, pooled = middle[f"{size} alone"], middle[f"{size} pool"]
    # Of one round after the other, so that what disturbs both disturbs their difference less.
    differences = [
        with_pool - without
        for with_pool, without in zip(
            measurement[f"{size} pool"], measurement[f"{size} alone"], strict=True
        )
    ]
    overhead_us = statistics.median(differences) * 1e6
    benchmark.extra_info["overhead_us"] = round(overhead_us, 1)
    finding(
        f"{size:6} {alone * 1e3:7.3f} ms of CPU time alone, {pooled * 1e3:7.3f} ms by the pool: "
        f"{overhead_us:6.1f} us more, {overhead_us / 100:.2f} % of 10 ms (aim: 1 %)"
    )


IDLE = """
import json, sys
import pixpress
from peers.resident import resident_bytes
workers, jobs = int(sys.argv[1]), int(sys.argv[2])
photo = open(sys.argv[3], "rb").read()
with pixpress.Pool(max_workers=workers, min_workers=workers) as pool:
    for future in [pool.submit(photo) for _ in range(jobs)]:
        future.result()
    pool.trim()
    print(json.dumps(resident_bytes()))
"""


@pytest.mark.parametrize("jobs", [0, 4 * IDLE_WORKERS], ids=["fresh", "after work"])
def test_idle_memory(jobs: int, photo_paths: list[Path], rounds: int, finding) -> None:
    photo = min(photo_paths, key=lambda path: path.stat().st_size)

    def resident(workers: int) -> int:
        command = [sys.executable, "-c", IDLE, str(workers), str(jobs), str(photo)]
        done = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, cwd=Path(__file__).parent
        )
        return json.loads(done.stdout)

    per_worker = [
        (resident(IDLE_WORKERS + 1) - resident(1)) / IDLE_WORKERS / 1e6 for _ in range(rounds)
    ]
    state = "that worked before" if jobs else "that never worked"
    finding(f"an idle worker {state} takes {statistics.median(per_worker):.3f} MB (aim: 2 MB)")
