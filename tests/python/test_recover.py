"""What a pool finds that another one has left in its journal."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from busy_pools import Blocker
from PIL import Image

import pixpress
from pixpress.options import Settings

Run = Callable[..., subprocess.CompletedProcess[str]]


def leave_jobs(journal: Path, sources: list[Path], outputs: Path, **options: object) -> None:
    """Put jobs into the journal as a pool does that ends before them."""
    with pixpress.Pool(journal=journal, max_workers=1, durable=False) as pool:
        blocker = Blocker(pool)
        for source in sources:
            pool.submit(source, outputs / f"{source.stem}.webp", **options)
        pool.shutdown(wait=False, cancel_futures=True)
        blocker.release()


def test_an_unfinished_journal_is_refused_and_recovered(
    journal: Path, photo_file: Path, tmp_path: Path
) -> None:
    settings = {"quality": 55, "width": 100}
    leave_jobs(journal, [photo_file], tmp_path, priority="low", batch="b", **settings)
    with pytest.raises(pixpress.JournalNotEmptyError, match="1 unfinished jobs") as caught:
        pixpress.Pool(journal=journal)
    assert caught.value.code == "JOURNAL_NOT_EMPTY"
    with pixpress.Pool.recover(journal, max_workers=1) as pool:
        (future,) = pool.recovered
        result = future.result()
        task = pool.task(future.task_id)
        assert task is not None
        assert (task.priority, task.batch_id) == (pixpress.Priority.LOW, "b")
        assert task.settings == Settings(**settings)
        assert pool.batch("b").progress.completed == 1
    assert (result.width, result.output_path) == (100, str(tmp_path / "photo.webp"))
    with pixpress.Pool(journal=journal) as pool:
        assert pool.recovered == ()
        assert pool.submit(photo_file, tmp_path / "next.webp").task_id > future.task_id


def test_a_result_that_is_kept_in_memory_comes_with_the_recovered_future(
    journal: Path, photo_file: Path, tmp_path: Path
) -> None:
    with pixpress.Pool(journal=journal, max_workers=1) as pool:
        blocker = Blocker(pool)
        pool.submit(photo_file, format="webp")
        pool.shutdown(wait=False, cancel_futures=True)
        blocker.release()
    with pixpress.Pool.recover(journal) as pool:
        data = pool.recovered[0].result().data
    assert data == pixpress.compress(photo_file, format="webp").data


def test_relative_paths_mean_the_same_from_another_folder(
    journal: Path, photo_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    leave_jobs(journal, [Path("photo.jpg")], Path("."))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    with pixpress.Pool.recover(journal) as pool:
        pool.recovered[0].result()
    assert (tmp_path / "photo.webp").exists()


def test_a_cancelled_job_does_not_come_back(
    journal: Path, photo_file: Path, tmp_path: Path
) -> None:
    with pixpress.Pool(journal=journal, max_workers=1) as pool:
        blocker = Blocker(pool)
        future = pool.submit(photo_file, tmp_path / "a.webp")
        assert future.cancel()
        blocker.release()
        pool.shutdown()
    with pixpress.Pool.recover(journal) as pool:
        assert pool.recovered == ()
        assert [row.state for row in pool.journal_rows()] == ["cancelled"]


def test_settings_of_a_newer_version_are_not_touched(
    journal: Path, photo_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pixpress.journal._VERSION", 99)
    leave_jobs(journal, [photo_file], tmp_path)
    monkeypatch.undo()
    with pytest.raises(pixpress.JournalError, match="version 99"):
        pixpress.Pool.recover(journal)
    monkeypatch.setattr("pixpress.journal._VERSION", 99)
    with pixpress.Pool.recover(journal) as pool:
        pool.recovered[0].result()


def test_an_exception_in_the_block_keeps_the_rest_for_the_next_pool(
    journal: Path, photo_file: Path, tmp_path: Path
) -> None:
    waiting, pools = [], []

    def fail() -> None:
        with pixpress.Pool(journal=journal, max_workers=1) as pool:
            pools.append(pool)
            Blocker(pool)
            waiting.append(pool.submit(photo_file, tmp_path / "a.webp"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert waiting[0].cancelled()
    pools[0].shutdown()  # The block did not wait for what was slow to stop, and had the journal.
    with pixpress.Pool.recover(journal) as pool:
        assert [future.result().width for future in pool.recovered] == [320]


def test_an_interrupted_interpreter_says_where_its_jobs_are(
    journal: Path, photo_file: Path, run: Run
) -> None:
    done = run(
        """
        pool = pixpress.Pool(journal=sys.argv[1], max_workers=1)
        Blocker(pool)
        pool.submit(sys.argv[2], format="webp")
        raise KeyboardInterrupt
        """,
        journal,
        photo_file,
    )
    last = done.stderr.strip().splitlines()[-1]
    assert (
        last
        == f"pixpress: interrupted, 2 jobs were not done; Pool.recover finds what is in {journal}"
    )
    with pixpress.Pool.recover(journal) as pool:
        assert len(pool.recovered) == 1


def test_images_that_pillow_reads_are_recovered_unless_cancelled(
    journal: Path, tmp_path: Path
) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.bmp")
    with pixpress.Pool(journal=journal, max_workers=1, durable=False) as pool:
        blocker = Blocker(pool)
        kept = [pool.submit(tmp_path / "a.bmp", tmp_path / f"{i}.webp") for i in range(3)]
        assert kept[1].cancel()
        pool.shutdown(wait=False, cancel_futures=True)
        blocker.release()
    with pixpress.Pool.recover(journal) as pool:
        assert [future.result().width for future in pool.recovered] == [4, 4]
        assert [row.state for row in pool.journal_rows()] == ["done", "cancelled", "done"]
        assert {row.crashes for row in pool.journal_rows()} == {0}
    assert sorted(path.name for path in tmp_path.glob("*.webp")) == ["0.webp", "2.webp"]


def test_a_new_priority_is_kept(journal: Path, photo_file: Path, tmp_path: Path) -> None:
    with pixpress.Pool(journal=journal, max_workers=1) as pool:
        blocker = Blocker(pool)
        tasks = [
            pool.submit(photo_file, tmp_path / f"{i}.webp", priority="low").task_id
            for i in range(2)
        ]
        assert pool.reprioritize(tasks[1], "critical")
        assert [row.priority.name for row in pool.journal_rows()] == ["LOW", "CRITICAL"]
        pool.shutdown(wait=False, cancel_futures=True)
        blocker.release()
    with pixpress.Pool.recover(journal, max_workers=1) as pool:
        priorities = [pool.task(future.task_id).priority.name for future in pool.recovered]
    assert priorities == ["LOW", "CRITICAL"]
