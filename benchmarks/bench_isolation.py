"""How fast is isolation="process", against threads? JPEG re-encodes of photographs and small ones.

The CPU seconds of both are a finding too: a loaded machine wakes sleepers late, which each exchange
with a worker process pays for in time, not in work.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from interleaved import TAPE, Seconds, in_turns, medians
from PIL import Image

import pixpress

NAMES = ["thread", "process"]
AIM = 0.9


def resized(photo: bytes, width: int) -> bytes:
    """Return a photograph at this width, as a JPEG of good quality."""
    image = Image.open(io.BytesIO(photo))
    out = io.BytesIO()
    image.resize((width, width * image.height // image.width)).save(out, "JPEG", quality=92)
    return out.getvalue()


def batch(pool: pixpress.Pool, blobs: list[bytes]) -> float:
    """Return the seconds that the pool takes for all blobs."""
    start = time.perf_counter()
    for _result in pool.map(blobs):
        pass
    return time.perf_counter() - start


def cpu_seconds() -> float:
    """Return the CPU time of this process and of its worker processes, as far as they live."""
    total = time.process_time()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == os.getpid():
                total += int((folder / "schedstat").read_text().split()[0]) * 1e-9
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total


@pytest.fixture(scope="module", params=["photographs", "1280 pixels", "640 pixels", "160 pixels"])
def measurement(
    request: pytest.FixtureRequest, photos: list[bytes], workers: int, rounds: int
) -> Iterator[tuple[str, Seconds, dict[str, float]]]:
    blobs = photos * 2
    if request.param != "photographs":
        width = int(request.param.split()[0])
        blobs = [resized(photos[0], width)] * (200 * 160 // width)
    cpu = dict.fromkeys(NAMES, 0.0)
    with (
        pixpress.Pool(workers, min_workers=workers, worker_nice=0) as threads,
        pixpress.Pool(
            workers, min_workers=workers, worker_nice=0, isolation="process"
        ) as processes,
    ):

        def timed(name: str, pool: pixpress.Pool) -> float:
            before = cpu_seconds()
            seconds = batch(pool, blobs)
            cpu[name] += cpu_seconds() - before
            return seconds

        contenders = {
            "thread": lambda: timed("thread", threads),
            "process": lambda: timed("process", processes),
        }
        yield request.param, in_turns(contenders, rounds), cpu


@pytest.mark.benchmark(timer=TAPE.clock, disable_gc=False)
@pytest.mark.parametrize("name", NAMES)
def test_isolation(
    name: str, measurement: tuple[str, Seconds, dict[str, float]], benchmark, finding
) -> None:
    size, seconds, cpu = measurement
    benchmark.group = size
    TAPE.play(benchmark, seconds[name])
    middle = medians(seconds)
    line = f"{size:12} {name:8} {middle[name]:6.3f} s"
    if name == "process":
        ratio = middle["thread"] / middle["process"]
        work = cpu["thread"] / cpu["process"]
        benchmark.extra_info["speed_over_threads"] = round(ratio, 3)
        line += f"   {ratio:.3f} x the speed of threads (aim: {AIM}), {work:.3f} by CPU time"
    finding(line)
