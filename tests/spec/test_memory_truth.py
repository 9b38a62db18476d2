"""The truth test of memory: what a job really needs is what it was admitted with.

For each codec, in and out, of 1 and 12 megapixels (50 in the long run): the growth of a fresh
child's high-water mark is at most the reservation x 1.1 + 8 MiB.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
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
workers = int(sys.argv[4])
pool = pixpress.Pool(max_workers=workers, memory_limit="16GB", task_timeout=None)
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
PATIENCE_S = 3600
# A file that takes figures of every case, one a line, for whoever reviews the reservations.
REPORT = os.environ.get("PIXPRESS_MEMORY_REPORT")

Pixels = np.ndarray
ADAM7 = ((0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2))
ADAM7 += ((1, 2, 0, 1),)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def save_interlaced(path: Path, pixels: Pixels) -> None:
    """Write PNG of seven passes, which Pillow does not."""
    height, width, channels = pixels.shape
    packer = zlib.compressobj(1)
    data = []
    for y, y_step, x, x_step in ADAM7:
        for row in pixels[y::y_step, x::x_step]:
            data.append(packer.compress(b"\0" + row.tobytes()))
    color = {3: 2, 4: 6}[channels]
    head = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 1)
    chunks = [(b"IHDR", head), (b"IDAT", b"".join([*data, packer.flush()])), (b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks))


def save_deep(path: Path, pixels: Pixels) -> None:
    """Write 16 bits whose low ones are noise."""
    low = np.random.default_rng(1).integers(0, 256, pixels.shape, np.uint16)
    deep = pixels.astype(np.uint16) * 256 + low
    path.write_bytes(pixpress.encode(deep, "png", effort=1))


def save_turned(path: Path, pixels: Pixels) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(path, quality=90, exif=exif)


def save_palette(path: Path, pixels: Pixels) -> None:
    quantized(pixels).save(path)


def quantized(pixels: Pixels) -> Image.Image:
    return Image.fromarray(pixels).quantize(
        256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
    )


def save_moving(path: Path, pixels: Pixels) -> None:
    """Write three frames, each of which is new in every pixel."""

    make = quantized if path.suffix == ".gif" else Image.fromarray
    first, *later = [make(np.roll(pixels, 31 * index, axis=1)) for index in range(3)]
    options = {
        ".gif": {"optimize": False},
        ".png": {"compress_level": 1},
        ".webp": {"quality": 80, "method": 0},
        ".avif": {"quality": 70, "speed": 10},
    }[path.suffix]
    first.save(path, save_all=True, append_images=later, duration=40, loop=0, **options)


# How each is written: options of Pillow, or a function.
SOURCES: dict[str, dict[str, object] | Callable[[Path, Pixels], None]] = {
    "baseline.jpg": {"quality": 90},
    "progressive.jpg": {"quality": 90, "progressive": True},
    "turned.jpg": save_turned,
    "noise.jpg": {"quality": 100, "subsampling": 0},
    "plain.png": {"compress_level": 1},
    "alpha.png": {"compress_level": 1},
    "noisy_alpha.png": {"compress_level": 1},
    "interlaced.png": save_interlaced,
    "deep.png": save_deep,
    "lossy.webp": {"quality": 85, "method": 0},
    "lossless.webp": {"lossless": True, "quality": 0, "method": 0},
    "palette.gif": save_palette,
    "still.avif": {"quality": 70, "speed": 10},
    "moving.gif": save_moving,
    "moving.webp": save_moving,
    "moving.png": save_moving,
    "moving.avif": save_moving,
}
# Output extension and settings.
JOBS: dict[str, tuple[str, dict[str, object]]] = {
    "re-encode": ("", {"effort": 2}),
    "default effort": ("", {}),
    "thumbnail": ("", {"width": 256, "effort": 2}),
    "post-processed": ("", {"effort": 2, "post_process": True}),
    "post-processed jpeg": (".jpg", {"effort": 7, "quality": 95, "post_process": True}),
    "to jpeg": (".jpg", {"effort": 7}),
    "to fine jpeg": (".jpg", {"effort": 4, "quality": 100, "subsampling": "4:4:4"}),
    "to png": (".png", {"effort": 1}),
    "to webp": (".webp", {"effort": 1}),
    "to fine webp": (".webp", {"effort": 9, "quality": 95}),
    "to large webp": (".webp", {"effort": 1, "quality": 100}),
    "to lossless webp": (".webp", {"lossless": True, "effort": 1}),
    "to small lossless webp": (".webp", {"lossless": True, "effort": 8}),
    "to small png": (".png", {"effort": 8}),
    "to gif": (".gif", {"effort": 1}),
    "to avif": (".avif", {"effort": 1}),
    "palette": (".png", {"colors": 64, "effort": 1}),
    "to scored jpeg": (".jpg", {"target": "ssimulacra2:80", "effort": 7}),
    "to scored webp": (".webp", {"target": "ssimulacra2:80", "effort": 1}),
    "to scored avif": (".avif", {"min_quality": 80, "effort": 1}),
    "to the smallest": ("", {"format": "auto", "effort": 1}),
}
# What keeps the suite short: larger images only where the working set is of another kind.
QUICK_JOBS = ("re-encode", "thumbnail", "to webp")
EVERY_WAY = ("baseline.jpg", "noisy_alpha.png")
EVERY_WAY_WHEN_LONG = (*EVERY_WAY, "noise.jpg", "turned.jpg", "interlaced.png", "deep.png")
# Palettes and scored outputs are of still images.
IMPOSSIBLE = [
    (source, job)
    for source in SOURCES
    for job in JOBS
    if source.startswith("moving") and (job == "palette" or "scored" in job)
]
# libaom takes some 450 bytes for each pixel of a sequence: more than a pool has by default.
TOO_LARGE = [
    (source, job)
    for source in SOURCES
    for job in JOBS
    if (source.startswith("moving") and job == "to avif")
    or (source == "moving.avif" and job in ("re-encode", "default effort", "to the smallest"))
]
LARGE_OUTPUTS = [("noise.jpg", "to fine jpeg"), ("noise.jpg", "to large webp")]
LARGE_OUTPUTS += [("noise.jpg", "post-processed"), ("noise.jpg", "post-processed jpeg")]
LARGE_OUTPUTS += [("noise.jpg", "to scored jpeg"), ("progressive.jpg", "to scored jpeg")]
# Every source in one way, every way from one source.
CASES = [
    (1, source, job)
    for source in SOURCES
    for job in JOBS
    if job in QUICK_JOBS
    or source in EVERY_WAY
    or (source, job) in [*LARGE_OUTPUTS, ("moving.gif", "to avif")]
]
SLOW = [("interlaced.png", "re-encode"), ("deep.png", "re-encode")]
LARGE_CASES = [
    (12, source, job)
    for source in SOURCES
    for job in QUICK_JOBS[:2]
    if not source.startswith("moving") and (source, job) not in SLOW
]
LONG_CASES = [
    (megapixels, source, job)
    for megapixels in (12, 50)
    for source in SOURCES
    for job in JOBS
    if (megapixels, source, job) not in LARGE_CASES
    and (source, job) not in IMPOSSIBLE + TOO_LARGE
    and (megapixels == 50 or source in EVERY_WAY_WHEN_LONG or source.startswith("moving"))
]


def scene(megapixels: int, alpha: str) -> Pixels:
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


def noise(megapixels: int) -> Pixels:
    """Return what no codec makes small."""
    side = int((megapixels * 1e6) ** 0.5)
    return np.random.default_rng(megapixels).integers(0, 256, (side, side, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where sources are kept until all tests have used them."""
    return tmp_path_factory.mktemp("memory")


def source_file(folder: Path, megapixels: int, name: str) -> Path:
    """Return a photograph of that kind and size, made when it is first asked for."""
    path = folder / f"{megapixels}_{name}"
    if not path.exists():
        alpha = "noisy" if "noisy" in name else "ramp" if "alpha" in name else "none"
        pixels = noise(megapixels) if name == "noise.jpg" else scene(megapixels, alpha)
        how = SOURCES[name]
        try:
            if callable(how):
                how(path, pixels)
            else:
                Image.fromarray(pixels).save(path, **how)
        except (KeyError, ValueError):
            pytest.skip(f"this Pillow cannot write {path.suffix}")
    return path


def check(
    folder: Path, tmp_path: Path, megapixels: int, name: str, job: str, workers: int = 1
) -> None:
    """Run one job in a child and compare what it needed with what it reserved."""
    source = source_file(folder, megapixels, name)
    extension, settings = JOBS[job]
    written = {name for names in pixpress.features()["extensions"].values() for name in names}
    suffix = "" if settings.get("format") == "auto" else extension or source.suffix
    if suffix and suffix[1:] not in written:
        pytest.skip(f"{suffix} is not built in")
    output = tmp_path / f"out{suffix}"
    arguments = [str(source), str(output), json.dumps(settings), str(workers)]
    command = [sys.executable, "-c", CHILD, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    growth_bytes, estimated_bytes, peak_bytes = json.loads(done.stdout)
    if REPORT:
        figures = [megapixels, name, job, growth_bytes, estimated_bytes, peak_bytes]
        with open(REPORT, "a") as report:
            report.write(json.dumps([*figures, output.stat().st_size]) + "\n")
    assert peak_bytes <= estimated_bytes
    assert growth_bytes <= estimated_bytes * 1.1 + SLACK_BYTES


@pytest.mark.parametrize(("megapixels", "name", "job"), CASES + LARGE_CASES)
def test_a_job_needs_no_more_than_it_reserved(
    folder: Path, tmp_path: Path, megapixels: int, name: str, job: str
) -> None:
    check(folder, tmp_path, megapixels, name, job)


@pytest.mark.parametrize("job", ["default effort", "to jpeg"])
def test_workers_that_help_need_no_more_than_was_reserved(
    folder: Path, tmp_path: Path, job: str
) -> None:
    check(folder, tmp_path, 12, "baseline.jpg", job, workers=2)


@pytest.mark.long
@pytest.mark.parametrize(("megapixels", "name", "job"), LONG_CASES)
def test_a_huge_job_needs_no_more_than_it_reserved(
    folder: Path, tmp_path: Path, megapixels: int, name: str, job: str
) -> None:
    check(folder, tmp_path, megapixels, name, job)
