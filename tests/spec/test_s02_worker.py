"""S2: the worker's messages as methods, and its result."""

from __future__ import annotations

from pathlib import Path

import pytest
from busy_pools import Blocker

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


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory, tiny_jpeg: bytes) -> pixpress.Result:
    """Of a file of 16 x 16 pixels that becomes a WebP."""
    folder = tmp_path_factory.mktemp("result")
    (folder / "a.jpg").write_bytes(tiny_jpeg)
    with pixpress.Pool(max_workers=1) as pool:
        return pool.submit(folder / "a.jpg", folder / "b.webp").result(timeout=60)


def test_result_original_size(result: pixpress.Result, tiny_jpeg: bytes) -> None:
    assert result.original_size == len(tiny_jpeg)


def test_result_compressed_size(result: pixpress.Result) -> None:
    assert result.output_path is not None
    assert result.compressed_size == Path(result.output_path).stat().st_size > 0


def test_result_compression_ratio(result: pixpress.Result) -> None:
    assert result.compression_ratio == result.compressed_size / result.original_size


def test_result_processing_time(result: pixpress.Result) -> None:
    assert 0 < sum(result.timings.values()) <= result.processing_time * 1.001 < 60


def test_result_output_path(result: pixpress.Result) -> None:
    assert result.output_path is not None
    assert result.output_path.endswith("b.webp")
    assert pixpress.probe(result.output_path).format == "webp"


def test_validation_comes_before_any_work(tmp_path: Path) -> None:
    with pixpress.Pool(max_workers=1) as pool:
        with pytest.raises(pixpress.OptionError, match="quality"):
            pool.submit(tmp_path / "a.jpg", quality=0)
        assert pool.stats()["submitted"] == 0


def test_state_current_task_is_the_job_that_runs() -> None:
    with pixpress.Pool(max_workers=1) as pool:
        blocker = Blocker(pool)
        (worker,) = pool.metrics().workers
        blocker.release()
    assert worker.current_task == blocker.future.task_id
    assert worker.tasks_in_progress == 1


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
