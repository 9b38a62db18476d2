"""How many source megapixels per second do pixpress and its peers reach on real photographs?

Every round runs every library once on every photograph, so that what disturbs the machine disturbs
all of them alike; medians over the rounds are compared. Prints JSON with the facts of the machine.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import peers
from peers import job as jobs
from PIL import Image


def load_photos(folder: Path) -> tuple[list[bytes], float]:
    """Return the photographs' bytes and their megapixels in all."""
    blobs = [path.read_bytes() for path in sorted(folder.glob("*.jpg"))]
    pixels = 0
    for blob in blobs:
        width, height = Image.open(io.BytesIO(blob)).size
        pixels += width * height
    return blobs, pixels / 1e6


def time_once(library: object, job: jobs.Job, blobs: list[bytes], workers: int) -> float:
    """Return the seconds that ``library`` takes for ``job`` on all of ``blobs``."""
    start = time.perf_counter()
    library.run(job, blobs, workers)
    seconds = time.perf_counter() - start
    # A library in another process reports its own time, so that transport does not count.
    return getattr(library, "last_seconds", seconds)


def measure(job: jobs.Job, libraries: list, blobs: list[bytes], workers: int, rounds: int) -> dict:
    """Return each library's median seconds over interleaved rounds, one warm-up round before."""
    seconds: dict[str, list[float]] = {library.name: [] for library in libraries}
    for round_number in range(rounds + 1):
        for library in libraries:
            taken = time_once(library, job, blobs, workers)
            if round_number > 0:
                seconds[library.name].append(taken)
    return {name: statistics.median(values) for name, values in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    blobs, megapixels = load_photos(arguments.photos)
    present = [kind for kind in peers.ALL if kind.available()]
    for kind in peers.ALL:
        if kind not in present:
            print(f"left out, not installed: {kind.name}", file=sys.stderr)
    libraries = [kind() for kind in present]
    report: dict = {
        "machine": {"cpus": os.cpu_count(), "processor": platform.machine()},
        "workers": arguments.workers,
        "rounds": arguments.rounds,
        "photos": len(blobs),
        "megapixels": round(megapixels, 1),
        "jobs": {},
    }
    for job in jobs.JOBS:
        medians = measure(job, libraries, blobs, arguments.workers, arguments.rounds)
        rates = {name: megapixels / seconds for name, seconds in medians.items()}
        best_peer = max((rate for name, rate in rates.items() if name != "pixpress"), default=0)
        report["jobs"][job.name] = {
            "megapixels_per_second": {name: round(rate, 1) for name, rate in rates.items()},
            "ratio_to_best_peer": round(rates["pixpress"] / best_peer, 2) if best_peer else None,
        }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
