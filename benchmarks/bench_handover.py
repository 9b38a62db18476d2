"""How long does a tiny job take from submit to its resolved future?

Ours is a real job (a small JPEG re-encoded); the peer is ThreadPoolExecutor that does nothing but
call a C function. Rounds are interleaved; medians are compared.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import time
import zlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from PIL import Image

import pixpress


def tiny_jpeg() -> bytes:
    """Return a JPEG of 16 x 16 pixels."""
    out = io.BytesIO()
    Image.radial_gradient("L").resize((16, 16)).convert("RGB").save(out, "JPEG", quality=95)
    return out.getvalue()


def round_trips(submit: Callable[[], Future], count: int) -> float:
    """Return the seconds per job when each is waited for before the next."""
    start = time.perf_counter()
    for _ in range(count):
        submit().result()
    return (time.perf_counter() - start) / count


def burst(submit: Callable[[], Future], count: int) -> float:
    """Return the seconds per job when all are submitted, then all are waited for."""
    start = time.perf_counter()
    for future in [submit() for _ in range(count)]:
        future.result()
    return (time.perf_counter() - start) / count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--count", type=int, default=2000)
    arguments = parser.parse_args()
    blob = tiny_jpeg()
    seconds: dict[str, list[float]] = {}
    with (
        pixpress.Pool(max_workers=arguments.workers, worker_nice=0) as pool,
        ThreadPoolExecutor(arguments.workers) as executor,
    ):
        ours = lambda: pool.submit(blob, effort=1)  # noqa: E731
        theirs = lambda: executor.submit(zlib.crc32, blob)  # noqa: E731
        for round_number in range(arguments.rounds + 1):
            for name, submit in (("pixpress", ours), ("ThreadPoolExecutor", theirs)):
                for how in (round_trips, burst):
                    taken = how(submit, arguments.count)
                    if round_number > 0:
                        seconds.setdefault(f"{how.__name__} {name}", []).append(taken)
    medians = {key: statistics.median(values) * 1e6 for key, values in seconds.items()}
    report = {
        "microseconds_per_job": {key: round(value, 1) for key, value in medians.items()},
        "ratio_to_ThreadPoolExecutor": {
            how: round(medians[f"{how} ThreadPoolExecutor"] / medians[f"{how} pixpress"], 2)
            for how in ("round_trips", "burst")
        },
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
