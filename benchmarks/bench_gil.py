"""How much of its solo rate does a counting Python thread keep while the core works?

The main thread counts in a loop, alone and while jobs re-encode, resize and quantize on another
core; the rounds alternate and medians are compared.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

import numpy as np

import pixpress


def count_for(seconds: float) -> float:
    """Return how many steps a Python loop makes per second."""
    steps = 0
    start = time.perf_counter()
    end = start + seconds
    while time.perf_counter() < end:
        steps += 1
    return steps / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0)
    arguments = parser.parse_args()
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 256, (150, 200, 3), dtype=np.uint8)
    pixels = pixpress.resize(coarse, (2000, 1500))
    photo = pixpress.encode(pixels, "jpeg", quality=95)
    jobs = {
        "encode": (photo, {"effort": 2}),
        "resize": (photo, {"width": 800, "effort": 2}),
        "quantize": (pixels, {"format": "png", "colors": 64, "effort": 1}),
    }
    report = {}
    with pixpress.Pool(max_workers=1) as pool:
        for name, (source, settings) in jobs.items():
            kept = []
            for _ in range(arguments.rounds):
                solo = count_for(arguments.seconds)
                futures = [pool.submit(source, **settings) for _ in range(200)]
                together = count_for(arguments.seconds)
                for future in futures:
                    future.cancel()
                pool.submit(photo, width=8, effort=1).result()  # The worker is free again.
                kept.append(together / solo)
            report[name] = round(statistics.median(kept), 3)
    print(json.dumps({"share_of_solo_rate": report}, indent=2))


if __name__ == "__main__":
    main()
