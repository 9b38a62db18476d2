"""How much of its solo rate does a counting Python thread keep while the core works?

The main thread counts in a loop, alone and while jobs re-encode, resize and quantize on another
core.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest
from interleaved import TAPE, Seconds, in_turns, medians

import pixpress

STEPS = 30_000_000
WORK = ["encode", "resize", "quantize"]


def count() -> float:
    """Return the seconds that a Python loop takes for its steps."""
    start = time.perf_counter()
    for _ in range(STEPS):
        pass
    return time.perf_counter() - start


@pytest.fixture(scope="module")
def measurement(rounds: int) -> Iterator[Seconds]:
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 256, (150, 200, 3), dtype=np.uint8)
    pixels = pixpress.resize(coarse, (2000, 1500))
    photo = pixpress.encode(pixels, "jpeg", quality=95)
    jobs = {
        "encode": (photo, {"effort": 2}),
        "resize": (photo, {"width": 800, "effort": 2}),
        "quantize": (pixels, {"format": "png", "colors": 64, "effort": 1}),
    }
    with pixpress.Pool(max_workers=1) as pool:

        def count_beside(name: str) -> float:
            source, settings = jobs[name]
            futures = [pool.submit(source, **settings) for _ in range(200)]
            seconds = count()
            assert not all(future.done() for future in futures), "the work ended before the count"
            for future in futures:
                future.cancel()
            pool.submit(photo, width=8, effort=1).result()  # The worker is free again.
            return seconds

        contenders = {name: lambda name=name: count_beside(name) for name in WORK}
        yield in_turns({"alone": count, **contenders}, rounds)


@pytest.mark.benchmark(timer=TAPE.clock, disable_gc=False)
@pytest.mark.parametrize("name", ["alone", *WORK])
def test_counting(name: str, measurement: Seconds, benchmark, finding) -> None:
    TAPE.play(benchmark, measurement[name])
    middle = medians(measurement)
    share = middle["alone"] / middle[name]
    benchmark.extra_info["share_of_solo_rate"] = round(share, 3)
    if name != "alone":
        finding(f"counting beside {name:8} {share:.3f} of the solo rate (aim: 0.8)")
