"""How does a batch on 2 workers scale over 1, against two bare libjpeg-turbo processes?

The bare processes are Pillow decoding and encoding the same photographs in YCbCr, in processes of
their own: nothing but libjpeg-turbo, sharing nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from bare_processes import bare_seconds
from interleaved import TAPE, Seconds, in_turns, medians

import pixpress

NAMES = ["bare 1", "bare 2", "pool 1", "pool 2"]


def batch(pool: pixpress.Pool, blobs: list[bytes]) -> float:
    """Return the seconds that the pool takes for all blobs."""
    start = time.perf_counter()
    for future in [pool.submit(blob, effort=2, metadata="none") for blob in blobs]:
        future.result()
    return time.perf_counter() - start


@pytest.fixture(scope="module")
def measurement(photos: list[bytes], rounds: int) -> Iterator[Seconds]:
    blobs = photos * 2  # The last photograph of a process runs alone: less of that.
    with (
        pixpress.Pool(max_workers=1, worker_nice=0) as one,
        pixpress.Pool(max_workers=2, worker_nice=0) as two,
    ):
        contenders = {
            "bare 1": lambda: bare_seconds(blobs, 1),
            "pool 1": lambda: batch(one, blobs),
            "bare 2": lambda: bare_seconds(blobs, 2),
            "pool 2": lambda: batch(two, blobs),
        }
        yield in_turns(contenders, rounds)


@pytest.mark.benchmark(timer=TAPE.clock, disable_gc=False)
@pytest.mark.parametrize("name", NAMES)
def test_batch(name: str, measurement: Seconds, benchmark, finding) -> None:
    TAPE.play(benchmark, measurement[name])
    middle = medians(measurement)
    line = f"{name:7} {middle[name]:6.2f} s"
    if name.endswith("2"):
        scaling = middle[name.replace("2", "1")] / middle[name]
        benchmark.extra_info["scaling"] = round(scaling, 3)
        line += f"   {scaling:.3f} x the speed of {name.replace('2', '1')}"
    if name == "pool 2":
        ratio = scaling / (middle["bare 1"] / middle["bare 2"])
        benchmark.extra_info["ratio_to_bare_scaling"] = round(ratio, 3)
        line += f", {ratio:.3f} of the bare scaling (aim: 0.95)"
    finding(line)
