"""S11 and S4: a job in a worker process needs no more memory than it was admitted with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pixpress

ROOT = Path(__file__).parents[2]
SLACK_BYTES = 8 << 20
# Both processes together, and what of the output lies in shared memory that neither has mapped.
PROGRAM = """
import json, os, sys
from pathlib import Path
import numpy as np
from worker_processes import isolated, worker_processes

def status_bytes(pid, field):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))

source, settings = sys.argv[1], json.loads(sys.argv[2])
pool = isolated()
small = np.zeros((64, 64, 3), np.uint8)
for kind in ("jpeg", settings.get("format", "jpeg")):  # Libraries are there before the job.
    pool.submit(pool.submit(small, format=kind).result().data, format=kind).result()
processes = [os.getpid(), *worker_processes()]
Path("/proc/self/clear_refs").write_text("5")
before = sum(status_bytes(pid, "VmRSS") for pid in processes)
result = pool.submit(source, sys.argv[3], **settings).result()
growth = sum(status_bytes(pid, "VmHWM") for pid in processes) - before
print(json.dumps([growth + result.compressed_size, result.estimated_memory]))
"""
JOBS = {
    "re-encode": {"effort": 2},
    "default effort": {},
    "thumbnail": {"width": 256},
    "to png": {"format": "png", "effort": 1},
    "to webp": {"format": "webp", "effort": 1},
    "to gif": {"format": "gif", "effort": 1},
    "to avif": {"format": "avif", "effort": 1},
}


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photograph of 4 megapixels, with the noise of cameras."""
    path = tmp_path_factory.mktemp("memory") / "photo.jpg"
    image = Image.open(ROOT / "tests/data/landscape_1.jpg").resize((2400, 1800))
    noise = np.random.default_rng(1).normal(0, 6, (1800, 2400, 1))
    pixels = np.clip(np.asarray(image, np.float32) + noise, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(path, quality=92)
    return path


@pytest.mark.parametrize("job", JOBS)
def test_both_processes_need_no_more_than_the_reservation(
    job: str, photo: Path, tmp_path: Path
) -> None:
    settings = JOBS[job]
    if settings.get("format", "jpeg") not in pixpress.features()["write"]:
        pytest.skip("not built in")
    output = tmp_path / f"out.{settings.get('format', 'jpeg')}"
    command = [sys.executable, "-c", PROGRAM, str(photo), json.dumps(settings), str(output)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    growth, reservation = json.loads(done.stdout)
    assert growth <= reservation * 1.1 + SLACK_BYTES
