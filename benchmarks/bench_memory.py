"""How far does resident memory grow over the start of the pool while 2 workers re-encode?

Files in, files out, in a fresh process: what a command-line batch does.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import pixpress


def high_water_bytes() -> int:
    """Return the peak of this process's resident memory."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("VmHWM is missing from /proc/self/status")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    paths = sorted(arguments.photos.glob("*.jpg"))
    with (
        tempfile.TemporaryDirectory() as folder,
        pixpress.Pool(max_workers=arguments.workers) as pool,
    ):
        start_bytes = high_water_bytes()
        futures = [pool.submit(path, Path(folder) / path.name, effort=2) for path in paths]
        for future in futures:
            future.result()
        growth_bytes = high_water_bytes() - start_bytes
    print(json.dumps({"growth_mb": round(growth_bytes / 2**20, 1), "photos": len(paths)}))


if __name__ == "__main__":
    main()
