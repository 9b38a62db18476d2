"""S7: what is answered from the cache, and what is not kept there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from busy_pools import noise
from cached_pools import PATIENCE_S, entries, gray, is_hit
from PIL import Image

import pixpress


def test_a_hit_has_every_field_of_the_first_result(
    pool: pixpress.Pool, tmp_path: Path, tiny_jpeg: bytes
) -> None:
    png = tmp_path / "photo.png"
    Image.fromarray(noise(30, 20)).save(png, optimize=True)
    jobs: list[tuple[Path, dict[str, object]]] = [
        (png, {}),  # The original is kept.
        (png, {"format": "webp", "quality": 33, "width": 11}),
        (png, {"format": "jpeg", "max_bytes": 900}),
        (png, {"format": "jpeg", "target": "ssimulacra2:50"}),
    ]
    reasons = set()
    for path, settings in jobs:
        first = pool.submit(path, **settings).result(PATIENCE_S)
        again = pool.submit(path, **settings).result(PATIENCE_S)
        assert (first.from_cache, again.from_cache) == (False, True)
        own = {"task_id", "from_cache", "processing_time", "timings", "worker_id"}
        own |= {"estimated_memory", "peak_memory"}
        assert {name: value for name, value in first.to_dict().items() if name not in own} == {
            name: value for name, value in again.to_dict().items() if name not in own
        }
        assert again.data == first.data
        assert again.peak_memory <= again.estimated_memory <= first.estimated_memory
        assert set(again.timings) == {"read"}
        reasons.add(again.skipped_reason)
    assert reasons == {pixpress.SkippedReason.NONE, pixpress.SkippedReason.NOT_SMALLER}


def test_warnings_come_with_the_answer(pool: pixpress.Pool, tmp_path: Path) -> None:
    path = tmp_path / "moving.gif"
    frames = [Image.fromarray(noise(20, 20, seed)) for seed in range(3)]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    for is_cached in (False, True):
        result = pool.submit(path, format="jpeg").result(PATIENCE_S)
        assert result.from_cache == is_cached
        assert result.warnings == ("only the first of 3 frames was kept",)


def test_a_hit_is_written_by_the_rules_of_any_output(
    pool: pixpress.Pool, jpeg_file: Path, tmp_path: Path
) -> None:
    data = pool.submit(jpeg_file, format="jpeg", quality=30).result(PATIENCE_S).data
    assert data is not None
    out = tmp_path / "out.jpg"
    out.write_bytes(b"x" * 100_000)
    out.chmod(0o640)
    with pytest.raises(pixpress.OutputExistsError):
        pool.submit(jpeg_file, out, quality=30, overwrite="never").result(PATIENCE_S)
    result = pool.submit(jpeg_file, out, quality=30, overwrite="smaller").result(PATIENCE_S)
    assert (result.from_cache, result.output_path, result.data) == (True, str(out), None)
    assert out.read_bytes() == data
    assert out.stat().st_mode & 0o777 == 0o640
    kept = pool.submit(jpeg_file, out, quality=30, overwrite="smaller").result(PATIENCE_S)
    assert kept.skipped_reason is pixpress.SkippedReason.OUTPUT_NOT_LARGER
    with pytest.raises(pixpress.OutputError):
        pool.submit(jpeg_file, tmp_path / "none" / "out.jpg", quality=30).result(PATIENCE_S)
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".tmp")]


@pytest.mark.parametrize("durable", [False, True])
def test_a_hit_of_a_journalled_job_is_done_in_the_journal(
    folder: Path, tmp_path: Path, jpeg_file: Path, durable: bool
) -> None:
    journal = tmp_path / "queue.db"
    with pixpress.Pool(max_workers=1, cache=folder, journal=journal, durable=durable) as pool:
        for number in range(2):
            result = pool.submit(jpeg_file, tmp_path / f"{number}.jpg").result(PATIENCE_S)
            assert result.from_cache == (number == 1)
        rows = list(pool.journal_rows())
    assert [row.state for row in rows] == ["done", "done"]
    assert rows[0].written_sha256 == rows[1].written_sha256 is not None
    assert (tmp_path / "0.jpg").read_bytes() == (tmp_path / "1.jpg").read_bytes()


def test_events_are_complete(pool: pixpress.Pool, jpeg_file: Path) -> None:
    pool.submit(jpeg_file).result(PATIENCE_S)
    events = pool.events()
    future = pool.submit(jpeg_file)
    pool.shutdown()
    # The end of the first may come late.
    own = [event for event in events if getattr(event, "task_id", None) == future.task_id]
    progress, complete = own
    assert isinstance(progress, pixpress.TaskProgress)
    assert progress.percentage == 100
    assert isinstance(complete, pixpress.TaskComplete)
    assert complete.result.from_cache


def test_what_is_salvaged_is_not_kept(
    pool: pixpress.Pool, folder: Path, tmp_path: Path, photo_like: bytes
) -> None:
    path = tmp_path / "cut.jpg"
    path.write_bytes(photo_like[: len(photo_like) // 2])
    for _ in range(2):
        result = pool.submit(path, on_damage="salvage").result(PATIENCE_S)
        assert result.warnings
        assert not result.from_cache
    assert entries(folder) == []


@pytest.fixture
def photo_like() -> bytes:
    return pixpress.encode(noise(64, 64), "jpeg")


def test_failures_are_not_kept(pool: pixpress.Pool, folder: Path, corrupt_file: Path) -> None:
    for _ in range(2):
        with pytest.raises(pixpress.CorruptImageError):
            pool.submit(corrupt_file).result(PATIENCE_S)
    assert entries(folder) == []


def test_an_output_that_was_left_is_not_kept(
    pool: pixpress.Pool, folder: Path, jpeg_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.jpg"
    out.write_bytes(b"tiny")
    for _ in range(2):
        result = pool.submit(jpeg_file, out, overwrite="smaller").result(PATIENCE_S)
        assert result.skipped_reason is pixpress.SkippedReason.OUTPUT_NOT_LARGER
        assert not result.from_cache
    assert entries(folder) == []


def test_a_source_that_is_replaced_by_its_output_is_not_kept(
    pool: pixpress.Pool, folder: Path, jpeg_file: Path
) -> None:
    pool.submit(jpeg_file, jpeg_file, quality=30).result(PATIENCE_S)
    assert entries(folder) == []


def test_a_change_that_keeps_size_and_mtime_is_seen(pool: pixpress.Pool, tmp_path: Path) -> None:
    """As tools make that restore the time of modification."""
    images = [gray(value) for value in range(1, 5)]  # 0 takes one bit.
    files = [pixpress.encode(image, "png") for image in images]
    assert len({len(file) for file in files}) == 1
    path = tmp_path / "a.png"
    hits = 0
    for round_ in range(200):
        place = round_ // 2 % len(files)
        if round_ % 2 == 0:
            path.write_bytes(files[place])
            os.utime(path, (1, 1))
        result = pool.submit(path, format="webp", lossless=True).result(PATIENCE_S)
        assert result.data is not None
        shown = pixpress.decode(result.data, mode="L")
        assert (shown == images[place]).all(), round_
        hits += result.from_cache
    assert hits > 50, "and what did not change is found at once"


@pytest.mark.usefixtures("no_process_is_left")
def test_isolated_jobs_use_it_too(folder: Path, jpeg_file: Path) -> None:
    results = {}
    for isolation in ("process", "thread", "process"):
        with pixpress.Pool(max_workers=1, cache=folder, isolation=isolation) as pool:
            result = pool.submit(jpeg_file, quality=50).result(PATIENCE_S)
            results[isolation] = result
            assert result.from_cache == (len(results) > 1 or isolation == "thread")
    assert results["process"].data == results["thread"].data


def test_formats_that_pillow_reads_use_it_too(pool: pixpress.Pool, tmp_path: Path) -> None:
    path = tmp_path / "a.bmp"
    Image.fromarray(noise(30, 20)).save(path)
    first = pool.submit(path, format="webp").result(PATIENCE_S)
    again = pool.submit(path, format="webp").result(PATIENCE_S)
    assert (first.from_cache, again.from_cache) == (False, True)
    assert again.data == first.data
    assert again.original_size == path.stat().st_size
    Image.fromarray(noise(30, 20, seed=2)).save(path)
    assert not is_hit(pool, path, format="webp")


def test_a_hit_needs_no_memory_of_pixels(folder: Path, tmp_path: Path) -> None:
    """Not even where the job itself could never run."""
    path = tmp_path / "large.jpg"
    path.write_bytes(pixpress.encode(noise(2000, 2000), "jpeg", quality=1))
    settings = {"format": "png", "width": 10}
    with pixpress.Pool(max_workers=1, cache=folder) as pool:
        first = pool.submit(path, **settings).result(PATIENCE_S)
    needed = first.estimated_memory
    with pixpress.Pool(max_workers=1, cache=folder, memory_limit=needed - 1) as pool:
        again = pool.submit(path, **settings).result(PATIENCE_S)
        assert again.from_cache
        assert again.peak_memory <= 1 << 17
        with pytest.raises(pixpress.MemoryLimitError):
            pool.submit(path, **settings, quality=70).result(PATIENCE_S)
