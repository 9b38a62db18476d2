"""How does a batch on 2 workers scale over 1, against two bare libjpeg-turbo processes?

The bare processes are Pillow decoding and encoding the same photographs in processes of their own:
nothing but libjpeg-turbo, sharing nothing. Rounds are interleaved; medians are compared.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import statistics
import time
from pathlib import Path

from PIL import Image

import pixpress


def bare(blobs: list[bytes]) -> None:
    """Decode and encode every blob with nothing but the codec."""
    for blob in blobs:
        image = Image.open(io.BytesIO(blob))
        image.draft("YCbCr", image.size)
        image.load()
        image.save(io.BytesIO(), "JPEG", quality=80, subsampling="4:2:0")


def bare_processes(blobs: list[bytes], count: int) -> float:
    """Return the seconds that ``count`` processes take, each for its share of the blobs."""
    context = multiprocessing.get_context("fork")
    shares = [blobs[index::count] for index in range(count)]
    processes = [context.Process(target=bare, args=(share,)) for share in shares]
    start = time.perf_counter()
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return time.perf_counter() - start


def batch(pool: pixpress.Pool, blobs: list[bytes]) -> float:
    """Return the seconds that the pool takes for all blobs."""
    start = time.perf_counter()
    for future in [pool.submit(blob, effort=2, metadata="none") for blob in blobs]:
        future.result()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    blobs = [path.read_bytes() for path in sorted(arguments.photos.glob("*.jpg"))] * 2
    seconds: dict[str, list[float]] = {"bare 1": [], "bare 2": [], "pool 1": [], "pool 2": []}
    for _ in range(arguments.rounds):
        seconds["bare 1"].append(bare_processes(blobs, 1))
        seconds["bare 2"].append(bare_processes(blobs, 2))
        for workers in (1, 2):
            with pixpress.Pool(max_workers=workers, worker_nice=0) as pool:
                seconds[f"pool {workers}"].append(batch(pool, blobs))
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    bare_scaling = medians["bare 1"] / medians["bare 2"]
    pool_scaling = medians["pool 1"] / medians["pool 2"]
    report = {
        "bare_scaling": round(bare_scaling, 3),
        "pool_scaling": round(pool_scaling, 3),
        "ratio": round(pool_scaling / bare_scaling, 3),
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
