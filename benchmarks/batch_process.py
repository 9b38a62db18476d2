"""``batch_process.py WORKERS EFFORT PHOTO...``: re-encode files to files; print how memory grew.

Run in a process of its own by bench_memory.py and bench_spec_table.py: the peak of resident memory
is that of a process.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from peers.resident import high_water_bytes

import pixpress

SETTLE_S = 0.3  # The threads of numpy's BLAS spin for a while after they are started.


def main() -> None:
    workers, effort, *names = sys.argv[1:]
    with (
        tempfile.TemporaryDirectory() as folder,
        pixpress.Pool(max_workers=int(workers), worker_nice=0) as pool,
    ):
        time.sleep(SETTLE_S)
        start_bytes = high_water_bytes()
        start = time.perf_counter()
        futures = [
            pool.submit(name, Path(folder) / Path(name).name, effort=int(effort)) for name in names
        ]
        for future in futures:
            future.result()
        seconds = time.perf_counter() - start
        growth_bytes = high_water_bytes() - start_bytes
    print(json.dumps({"seconds": seconds, "growth_bytes": growth_bytes}))


if __name__ == "__main__":
    main()
