"""The truth test of memory: what a job really needs is what it was admitted with.

For each codec, in and out, of 1 and 12 megapixels (50 in the long run): the growth of a fresh
child's high-water mark is at most the reservation x 1.1 + 8 MiB.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pixpress

CHILD = """
import json, sys
from pathlib import Path
import numpy as np
import pixpress

def status_bytes(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))

source, output, settings = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
pool = pixpress.Pool(max_workers=1)
small = np.zeros((64, 64, 3), np.uint8)
for kind in pixpress.features()["write"]:  # Libraries and threads are there before the job.
    pool.submit(pool.submit(small, format=kind).result().data, format=kind).result()
pool.trim()
Path("/proc/self/clear_refs").write_text("5")  # The high-water mark starts anew.
before_bytes = status_bytes("VmRSS")
result = pool.submit(source, output, **settings).result()
growth_bytes = status_bytes("VmHWM") - before_bytes
print(json.dumps([growth_bytes, result.estimated_memory, result.peak_memory]))
"""
SLACK_BYTES = 8 << 20

SOURCES = {
    "baseline.jpg": {"quality": 90},
    "progressive.jpg": {"quality": 90, "progressive": True},
    "plain.png": {"compress_level": 1},
    "alpha.png": {"compress_level": 1},
    "noisy_alpha.png": {"compress_level": 1},
    "lossy.webp": {"quality": 85, "method": 0},
    "lossless.webp": {"lossless": True, "quality": 0, "method": 0},
    "palette.gif": {},
    "still.avif": {"quality": 70, "speed": 10},
}
# Output extension and settings.
JOBS: dict[str, tuple[str, dict[str, object]]] = {
    "re-encode": ("", {"effort": 2}),
    "default effort": ("", {}),
    "thumbnail": ("", {"width": 256, "effort": 2}),
    "to jpeg": (".jpg", {"effort": 7}),
    "to png": (".png", {"effort": 1}),
    "to webp": (".webp", {"effort": 1}),
    "to fine webp": (".webp", {"effort": 9, "quality": 95}),
    "to lossless webp": (".webp", {"lossless": True, "effort": 1}),
    "to gif": (".gif", {"effort": 1}),
    "to avif": (".avif", {"effort": 1}),
    "palette": (".png", {"colors": 64, "effort": 1}),
}
# What keeps the suite short: larger images only where the working set is of another kind.
QUICK_JOBS = ("re-encode", "thumbnail", "to webp")
# Every source in one way, every way from one source.
CASES = [
    (1, source, job)
    for source in SOURCES
    for job in JOBS
    if job in QUICK_JOBS or source in ("baseline.jpg", "noisy_alpha.png")
]
LARGE_CASES = [(12, source, job) for source in SOURCES for job in QUICK_JOBS[:2]]
LONG_CASES = [(50, source, job) for source in SOURCES for job in JOBS]


def scene(megapixels: int, alpha: str) -> np.ndarray:
    """Return pixels that neither vanish nor explode when compressed."""
    width = int((megapixels * 1e6 * 4 / 3) ** 0.5)
    height = width * 3 // 4
    rng = np.random.default_rng(megapixels)
    coarse = rng.integers(0, 256, (height // 40, width // 40, 3), dtype=np.uint8)
    pixels = pixpress.resize(coarse, (width, height), "bicubic").astype(np.int16)
    pixels += rng.integers(-6, 7, pixels.shape, dtype=np.int16)
    image = np.clip(pixels, 0, 255).astype(np.uint8)
    if alpha == "none":
        return image
    if alpha == "noisy":
        return np.dstack([image, rng.integers(0, 256, (height, width), dtype=np.uint8)])
    ramp = np.linspace(0, 255, width, dtype=np.uint8)
    return np.dstack([image, np.broadcast_to(ramp, (height, width))])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where sources are kept until all tests have used them."""
    return tmp_path_factory.mktemp("memory")


def source_file(folder: Path, megapixels: int, name: str) -> Path:
    """Return a photograph of that kind and size, made when it is first asked for."""
    path = folder / f"{megapixels}_{name}"
    if not path.exists():
        alpha = "noisy" if "noisy" in name else "ramp" if "alpha" in name else "none"
        image = Image.fromarray(scene(megapixels, alpha))
        if path.suffix == ".gif":
            image = image.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        try:
            image.save(path, **SOURCES[name])
        except (KeyError, ValueError):
            pytest.skip(f"this Pillow cannot write {path.suffix}")
    return path


def check(folder: Path, tmp_path: Path, megapixels: int, name: str, job: str) -> None:
    """Run one job in a child and compare what it needed with what it reserved."""
    source = source_file(folder, megapixels, name)
    extension, settings = JOBS[job]
    written = {name for names in pixpress.features()["extensions"].values() for name in names}
    if (extension or source.suffix)[1:] not in written:
        pytest.skip(f"{extension or source.suffix} is not built in")
    output = tmp_path / ("out" + (extension or source.suffix))
    command = [sys.executable, "-c", CHILD, str(source), str(output), json.dumps(settings)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    growth_bytes, estimated_bytes, peak_bytes = json.loads(done.stdout)
    assert peak_bytes <= estimated_bytes
    assert growth_bytes <= estimated_bytes * 1.1 + SLACK_BYTES


@pytest.mark.parametrize(("megapixels", "name", "job"), CASES + LARGE_CASES)
def test_a_job_needs_no_more_than_it_reserved(
    folder: Path, tmp_path: Path, megapixels: int, name: str, job: str
) -> None:
    check(folder, tmp_path, megapixels, name, job)


@pytest.mark.long
@pytest.mark.parametrize(("megapixels", "name", "job"), LONG_CASES)
def test_a_huge_job_needs_no_more_than_it_reserved(
    folder: Path, tmp_path: Path, megapixels: int, name: str, job: str
) -> None:
    check(folder, tmp_path, megapixels, name, job)
