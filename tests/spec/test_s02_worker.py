"""S2: the worker's messages as methods, and its result."""

from __future__ import annotations

from pathlib import Path

import pixpress


def test_compress_image_is_submit_and_gives_every_field(jpeg_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jpg"
    with pixpress.Pool(max_workers=1) as pool:
        result = pool.submit(jpeg_file, output, quality=50).result(timeout=60)
    assert result.original_size == jpeg_file.stat().st_size
    assert result.compressed_size == output.stat().st_size
    assert result.compression_ratio == result.compressed_size / result.original_size
    assert result.processing_time > 0
    assert result.output_path == str(output)


def test_health_check_is_health() -> None:
    with pixpress.Pool(max_workers=1) as pool:
        assert pool.health().workers == 1


def test_terminate_is_shutdown(tiny_jpeg: bytes) -> None:
    pool = pixpress.Pool(max_workers=1)
    future = pool.submit(tiny_jpeg)
    pool.shutdown()
    assert future.done()
    assert pool.stats()["workers"] >= 0


def test_update_config_is_update_config() -> None:
    with pixpress.Pool(min_workers=1, max_workers=1) as pool:
        pool.update_config(max_workers=4, min_workers=4)
        assert pool.stats()["workers"] == 4


def test_state_shows_id_tasks_processed_current_task_and_memory(tiny_jpeg: bytes) -> None:
    with pixpress.Pool(max_workers=1) as pool:
        pool.submit(tiny_jpeg).result(timeout=60)
        # A job has ended a moment before its worker takes the next.
        while (worker := pool.metrics().workers[0]).tasks_in_progress:
            pass
    assert worker.worker_id == 0
    assert worker.tasks_processed == 1
    assert worker.current_task is None
    assert worker.memory_usage > 0
