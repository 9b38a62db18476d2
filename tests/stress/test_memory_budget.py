"""Images of 24 megapixels under a small memory limit: what is resident stays within it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

WIDTH, HEIGHT = 6000, 4000
PATIENCE_S = 3600
SLACK_BYTES = 64 << 20
BATCH = """
import json, os, sys, threading, time
from pathlib import Path
import pixpress

folder, count = Path(sys.argv[1]), int(sys.argv[2])
PAGE = os.sysconf("SC_PAGE_SIZE")
statm = os.open("/proc/self/statm", os.O_RDONLY)
# Rows that stream, whole images, coefficients, planes: each that fits the limit, in and out.
JOBS = [
    ("baseline.jpg", {}),
    ("baseline.jpg", {"format": "webp", "width": 2000}),
    ("progressive.jpg", {"quality": 70}),
    ("progressive.jpg", {"width": 800}),
    ("image.png", {"format": "jpeg"}),
    ("image.png", {"format": "webp", "width": 1500, "effort": 2}),
    ("image.webp", {"format": "jpeg"}),
    ("image.webp", {"format": "png", "width": 1200, "effort": 2}),
]
blobs = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
most, samples, is_over = 0, 0, threading.Event()

def watch():
    global most, samples
    while not is_over.wait(0.01):
        most = max(most, int(os.pread(statm, 100, 0).split()[1]) * PAGE)
        samples += 1

watcher = threading.Thread(target=watch)
with pixpress.Pool(max_workers=4, min_workers=4, memory_limit="256MB", task_timeout=None) as pool:
    watcher.start()
    peaks = []

    def note(future):  # What a caller keeps of a result is the caller's: here, nothing else.
        peaks.append(future.result().estimated_memory)

    for number in range(count):
        name, settings = JOBS[number % len(JOBS)]
        is_path = (number + number // len(JOBS)) % 2 == 0
        source = folder / name if is_path else blobs[name]
        target = folder / "out" / str(number) if number % 3 == 0 else None
        pool.submit(source, target, **settings).add_done_callback(note)
    limit = pool.stats()["memory_limit"]
is_over.set()
watcher.join()
assert len(peaks) == count, len(peaks)
most_reserved = max(peaks)
print(json.dumps({"most": most, "samples": samples, "limit": limit, "reserved": most_reserved}))
"""


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One image of 24 megapixels of each kind."""
    folder = tmp_path_factory.mktemp("large")
    rng = np.random.default_rng(5)
    small = rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)
    image = Image.fromarray(small).resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)
    image.save(folder / "baseline.jpg", quality=90)
    image.save(folder / "progressive.jpg", quality=90, progressive=True)
    image.save(folder / "image.png", compress_level=1)
    image.save(folder / "image.webp", quality=80, method=0)
    (folder / "out").mkdir()
    return folder


def check_batch(images: Path, count: int) -> None:
    command = [sys.executable, "-c", BATCH, str(images), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["limit"] == 256 << 20
    # Two at a time or more, so that the limit is what holds them back.
    assert 4 * found["reserved"] > found["limit"]
    assert found["samples"] >= 20
    assert found["most"] <= found["limit"] + SLACK_BYTES, found


def test_8_images_of_24_megapixels_stay_within_256_megabytes(images: Path) -> None:
    check_batch(images, 8)


@pytest.mark.long
def test_500_images_of_24_megapixels_stay_within_256_megabytes(images: Path) -> None:
    check_batch(images, 500)
