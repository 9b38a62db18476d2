"""S7, CompressionCache: a test per item of the specification."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from busy_pools import noise
from cached_pools import PATIENCE_S, cache_of, entries, gray, is_hit

import pixpress

WORKER = """
import sys, pixpress
folder, source, *counts = sys.argv[1:]
"""


def test_lru(folder: Path) -> None:
    with pixpress.Pool(max_workers=1, cache=folder, cache_entries=3) as pool:
        for value in (1, 2, 3):
            assert not is_hit(pool, gray(value), format="png")
        assert is_hit(pool, gray(1), format="png")
        assert not is_hit(pool, gray(4), format="png")  # In the place of 2.
        assert [is_hit(pool, gray(value), format="png") for value in (1, 3, 4)] == [True] * 3
        assert not is_hit(pool, gray(2), format="png")


def test_500_entries(folder: Path) -> None:
    with pixpress.Pool(max_workers=1, cache=folder) as pool:
        for future in [pool.submit(gray(value), format="png") for value in range(501)]:
            assert not future.result(PATIENCE_S).from_cache
        assert cache_of(pool).entries == len(entries(folder)) == 500
        assert cache_of(pool).evictions == 1
        assert is_hit(pool, gray(500), format="png")
        assert not is_hit(pool, gray(0), format="png")


def test_1_gb(pool: pixpress.Pool, folder: Path) -> None:
    large = folder / ("0" * 64 + ".pxc")  # Has no bytes on the disk.
    large.touch()
    os.truncate(large, (1 << 30) - 100_000)
    os.utime(large, (0, 0))
    assert not is_hit(pool, gray(1), format="png")
    assert large.exists()
    assert len(entries(folder)) == 2
    result = pool.submit(noise(200, 200), format="png").result(PATIENCE_S)
    assert result.compressed_size > 100_000
    assert not large.exists()
    assert len(entries(folder)) == 2


def test_on_disk(folder: Path, jpeg_file: Path) -> None:
    for was_there in (False, True):
        with pixpress.Pool(max_workers=1, cache=folder) as pool:
            assert is_hit(pool, jpeg_file) == was_there
    assert len(entries(folder)) == 1
    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_key_covers_the_path(pool: pixpress.Pool, tmp_path: Path, tiny_jpeg: bytes) -> None:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(tiny_jpeg)
        os.utime(tmp_path / name, (1, 1))
        assert not is_hit(pool, tmp_path / name)
    assert is_hit(pool, tmp_path / "a.jpg")
    (tmp_path / "link.jpg").symlink_to("a.jpg")
    assert is_hit(pool, tmp_path / "link.jpg"), "the same file"


@pytest.mark.parametrize(
    "changed",
    [
        {"quality": 50},
        {"effort": 2},
        {"format": "webp"},
        {"width": 8},
        {"height": 8, "fit": "fill"},
        {"progressive": True},
        {"subsampling": "4:4:4"},
        {"metadata": "none"},
        {"max_bytes": 2000},
        {"on_damage": "salvage"},
        {"limits": pixpress.Limits(max_pixels=1000)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_the_key_covers_the_settings(
    pool: pixpress.Pool, jpeg_file: Path, changed: dict[str, object]
) -> None:
    assert not is_hit(pool, jpeg_file)
    assert not is_hit(pool, jpeg_file, **changed)
    assert is_hit(pool, jpeg_file, **changed)
    assert is_hit(pool, jpeg_file)


def test_the_key_does_not_cover_where_the_output_goes(
    pool: pixpress.Pool, jpeg_file: Path, tmp_path: Path
) -> None:
    assert not is_hit(pool, jpeg_file)
    assert is_hit(pool, jpeg_file, overwrite="never", priority="high", batch="july")
    future = pool.submit(jpeg_file, tmp_path / "out", format="keep")
    assert future.result(PATIENCE_S).from_cache


def test_the_key_covers_mtime(pool: pixpress.Pool, jpeg_file: Path) -> None:
    assert not is_hit(pool, jpeg_file)
    state = jpeg_file.stat()
    os.utime(jpeg_file, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    assert not is_hit(pool, jpeg_file)


def test_the_key_covers_the_size(pool: pixpress.Pool, jpeg_file: Path) -> None:
    assert not is_hit(pool, jpeg_file)
    state = jpeg_file.stat()
    with jpeg_file.open("ab") as file:
        file.write(b"\0")
    os.utime(jpeg_file, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert not is_hit(pool, jpeg_file)


def test_the_key_covers_codec_versions(tmp_path: Path, folder: Path, jpeg_file: Path) -> None:
    """A library that says that it is another version is another one."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    source = tmp_path / "version.c"
    source.write_text("int WebPGetEncoderVersion(void) { return 0x7f7f7f; }")
    library = tmp_path / "version.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
    body = (
        WORKER
        + """
with pixpress.Pool(max_workers=1, cache=folder) as pool:
    print(pool.submit(source).result().from_cache, "127.127.127" in str(pixpress.features()))
"""
    )

    def run(**environment: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", body, folder, jpeg_file],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert run() == "False False\n"
    other = run(LD_PRELOAD=str(library))
    if other.endswith("False\n"):
        pytest.skip("libwebp is part of the package")
    assert other == "False True\n"
    assert run() == "True False\n"
    assert run(LD_PRELOAD=str(library)) == "True True\n"


def test_the_key_covers_the_content_of_bytes(
    pool: pixpress.Pool, tiny_jpeg: bytes, tmp_path: Path
) -> None:
    assert not is_hit(pool, tiny_jpeg)
    assert is_hit(pool, bytearray(tiny_jpeg))
    path = tmp_path / "upload.jpg"
    path.write_bytes(tiny_jpeg)
    with path.open("rb") as file:
        assert is_hit(pool, file)
    assert not is_hit(pool, tiny_jpeg + b"\0")
    pixels = noise(20, 20)
    assert not is_hit(pool, pixels, format="png")
    assert is_hit(pool, pixels.copy(), format="png")
    assert not is_hit(pool, pixels[:10], format="png")
    assert not is_hit(pool, pixels.reshape(10, 40, 3), format="png")


def test_entries_are_validated_on_get(pool: pixpress.Pool, folder: Path, tiny_jpeg: bytes) -> None:
    good = pool.submit(tiny_jpeg).result(PATIENCE_S).data
    (entry,) = entries(folder)
    whole = entry.read_bytes()
    damages = [whole[:-1], whole[:40], b"", whole + b"\0", whole[:-1] + bytes([whole[-1] ^ 1])]
    for bad_entries, damage in enumerate(damages, 1):
        entry.write_bytes(damage)
        result = pool.submit(tiny_jpeg).result(PATIENCE_S)
        assert not result.from_cache
        assert result.data == good
        assert entry.read_bytes() == whole, "and made anew"
        assert cache_of(pool).bad_entries == bad_entries
    entry.unlink()
    assert not is_hit(pool, tiny_jpeg)


def test_eviction_unlinks(folder: Path) -> None:
    with pixpress.Pool(max_workers=1, cache=folder, cache_size="4KB") as pool:
        seen: set[Path] = set()
        for value in range(100):
            is_hit(pool, gray(value), format="png")
            seen.update(entries(folder))
            assert sum(path.stat().st_size for path in entries(folder)) <= 4096
        assert len(seen) == 100
        assert cache_of(pool).evictions == 100 - len(entries(folder)) > 50
        assert cache_of(pool).bytes == sum(path.stat().st_size for path in entries(folder))


def test_entries_are_checksummed(pool: pixpress.Pool, folder: Path) -> None:
    """One flipped bit anywhere in the image is found."""
    good = pool.submit(gray(7), format="png").result(PATIENCE_S).data
    assert good is not None
    (entry,) = entries(folder)
    whole = entry.read_bytes()
    start = whole.index(good)
    for place in range(start, len(whole)):
        bad = bytearray(whole)
        bad[place] ^= 1 << (place % 8)
        entry.write_bytes(bad)
        result = pool.submit(gray(7), format="png").result(PATIENCE_S)
        assert (result.from_cache, result.data) == (False, good)


def test_processes_share_it_safely(folder: Path, tmp_path: Path) -> None:
    """Four processes with the same images in a cache too small for all: every answer is right."""
    body = (
        WORKER
        + """
import random
import numpy as np
random.seed(int(source))
hits = 0
with pixpress.Pool(max_workers=2, cache=folder, cache_entries=12) as pool:
    for _ in range(8):
        values = [random.randrange(20) for _ in range(20)]
        jobs = [(v, pool.submit(np.full((8, 8), v, np.uint8), format="png")) for v in values]
        for value, job in jobs:
            result = job.result()
            assert (pixpress.decode(result.data) == value).all()
            hits += result.from_cache
    assert pool.metrics().cache.bad_entries == 0
print(hits)
"""
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", body, folder, str(seed)], stdout=subprocess.PIPE, text=True
        )
        for seed in range(4)
    ]
    outputs = [process.communicate(timeout=PATIENCE_S)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert all(int(output) > 0 for output in outputs)
    assert len(entries(folder)) <= 12
    assert not list(folder.glob("*.tmp"))


def test_identical_jobs_in_flight_run_once(folder: Path) -> None:
    pixels = noise(1500, 1500)
    with pixpress.Pool(max_workers=2, min_workers=2, cache=folder) as pool:
        futures = [pool.submit(pixels, format="png", effort=3) for _ in range(12)]
        other = pool.submit(noise(50, 50), format="png").result(PATIENCE_S)
        results = [future.result(PATIENCE_S) for future in futures]
        assert not other.from_cache
        assert sum(not result.from_cache for result in results) == 1
        assert len({result.data for result in results}) == 1
        assert (cache_of(pool).misses, cache_of(pool).hits) == (2, 11)
