"""``memory_process.py LIBRARY JOB SMALL LARGE``: print how peak memory grew over a large image.

Run in a process of its own by comparison/memory_growth.py. The small image comes first, so that
what a library loads once does not count.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import peers


def main() -> None:
    library, job_text, *names = sys.argv[1:]
    job = peers.Job(**json.loads(job_text))
    small, large = (Path(name).read_bytes() for name in names)
    kind = next(kind for kind in peers.COMPARED if kind.name == library)
    assert kind.available()  # Some set themselves up in it.
    adapter = kind(1)
    adapter.run(job, [small])
    start_bytes = adapter.high_water_bytes()
    adapter.run(job, [large])
    print(adapter.high_water_bytes() - start_bytes)
    adapter.close()


if __name__ == "__main__":
    main()
