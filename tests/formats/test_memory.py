"""A job takes no more memory than it reserves, what libraries hold included."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# A fresh process: the growth of its peak over what it had before the job.
CHILD = """
import json, sys
from pathlib import Path
import numpy as np
import pixpress

def status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))

is_encode, is_noise, channels, settings = json.loads(sys.argv[1])
rng = np.random.default_rng(0)
if is_noise:
    source = rng.integers(0, 256, (600, 800, channels), np.uint8)
else:
    steps = rng.integers(0, 2, (600, 800, channels), np.uint8)
    source = np.cumsum(steps, axis=1, dtype=np.uint8)
if not is_encode:
    source = pixpress.encode(source, **settings)
    settings = {"format": "jpeg", "effort": 1, "width": 60}
with pixpress.Pool(max_workers=1) as pool:
    pool.submit(np.zeros((4, 4, 3), np.uint8), format="png", effort=1).result()
    Path("/proc/self/clear_refs").write_text("5")
    before = status("VmRSS")
    result = pool.submit(source, **settings).result()
    print(json.dumps([status("VmHWM") - before, result.estimated_memory]))
"""

PNG = {"format": "png", "effort": 5}
WEBP = {"format": "webp", "effort": 5, "quality": 80}


@pytest.mark.parametrize(
    ("is_encode", "is_noise", "channels", "settings"),
    [
        (True, True, 4, PNG),
        (True, False, 3, PNG | {"effort": 10}),
        (True, True, 3, WEBP),
        (True, True, 3, WEBP | {"quality": 100, "effort": 10}),
        (True, False, 4, WEBP | {"effort": 10}),
        (True, True, 4, WEBP | {"lossless": True}),
        (False, True, 4, PNG),
        (False, False, 3, WEBP),
        (False, False, 4, WEBP),
        (False, True, 4, WEBP | {"lossless": True, "effort": 2}),
    ],
    ids=str,
)
def test_the_peak_stays_within_the_reservation(
    is_encode: bool, is_noise: bool, channels: int, settings: dict[str, object]
) -> None:
    job = json.dumps([is_encode, is_noise, channels, settings])
    command = [sys.executable, "-c", CHILD, job]
    child = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    grown, reserved = json.loads(child.stdout)
    assert grown <= reserved * 1.1 + (8 << 20)
