from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from busy_pools import Blocker
from PIL import Image

import pixpress
from pixpress.errors import BY_STATUS
from pixpress.journal import read_settings, write_settings
from pixpress.options import Limits, Settings

Run = Callable[..., subprocess.CompletedProcess[str]]

# A value of each field that is not its default.
CHANGED = {
    "format": "webp",
    "quality": 71,
    "effort": 7,
    "lossless": True,
    "width": 640,
    "height": 480,
    "fit": "cover",
    "position": (0.1, 1 / 3),
    "background": (1, 2, 3, 4),
    "resample": "mitchell",
    "upscale": True,
    "linear": True,
    "progressive": True,
    "subsampling": "4:4:4",
    "colors": 17,
    "dither": 0.7,
    "min_quality": 33,
    "near_lossless": 60,
    "alpha_quality": 90,
    "metadata": "all",
    "auto_orient": False,
    "overwrite": "smaller",
    "animated": False,
    "max_frames": 5,
    "max_bytes": "200KB",
    "limits": Limits(max_pixels=99, max_scans=7),
}


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "queue.db"


@pytest.fixture
def photo_file(tmp_path: Path, photo_jpeg: bytes) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo_jpeg)
    return path


def leave_jobs(journal: Path, sources: list[Path], outputs: Path, **options: object) -> None:
    """Put jobs into the journal as a pool does that ends before them."""
    with pixpress.Pool(journal=journal, max_workers=1, durable=False) as pool:
        blocker = Blocker(pool)
        for source in sources:
            pool.submit(source, outputs / f"{source.stem}.webp", **options)
        pool.shutdown(wait=False, cancel_futures=True)
        blocker.release()


def test_settings_survive_the_journal_exactly() -> None:
    assert CHANGED.keys() == {item.name for item in fields(Settings)}, "a new field needs a value"
    changed = Settings(**CHANGED)
    assert read_settings(write_settings(changed)) == changed
    for name, value in CHANGED.items():
        one = Settings(**{name: value})
        again = read_settings(write_settings(one))
        assert again == one
        assert again != Settings(), name
        assert type(getattr(again, name)) is type(value)
    assert read_settings(write_settings(Settings(quality=np.int64(5)))) == Settings(quality=5)
    assert read_settings(write_settings(Settings())) == Settings()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b'{"version":2,"settings":{"limits":{}}}',
        b'{"version":1,"settings":{"limits":{},"hue":3}}',
        b'{"version":1,"settings":{"limits":{"max_moons":3}}}',
    ],
)
def test_settings_of_another_version_or_form_are_refused(text: bytes) -> None:
    with pytest.raises(pixpress.JournalError, match=r"settings"):
        read_settings(text)


def test_a_row_has_all_that_was_submitted_and_what_became_of_it(
    journal: Path, photo_file: Path, tmp_path: Path
) -> None:
    with pixpress.Pool(journal=journal) as pool:
        done = pool.submit(
            photo_file, tmp_path / "a.webp", priority="high", batch="july", quality=60
        )
        failed = pool.submit(tmp_path / "missing.jpg")
        result, error = done.result(), failed.exception()
        rows = list(pool.journal_rows())
        assert not list(pool.journal_rows(unfinished=True))
    assert [row.id for row in rows] == [done.task_id, failed.task_id]
    row = rows[0]
    assert (row.state, row.source, row.output_path) == ("done", str(photo_file), result.output_path)
    assert row.settings == Settings(quality=60)
    assert (row.priority, row.batch) == (pixpress.Priority.HIGH, "july")
    assert (row.attempts, row.retries, row.crashes) == (1, 0, 0)
    assert row.written_size == result.compressed_size
    assert row.written_sha256 is not None
    assert 0 <= row.changed_at - row.created_at < 60
    assert (rows[1].state, rows[1].code) == ("failed", error.code)
    assert rows[1].message in str(error)
    assert rows[1].written_sha256 is None


def test_names_of_errors_in_the_journal_are_those_of_the_exceptions(
    journal: Path, tmp_path: Path, photo_jpeg: bytes
) -> None:
    (tmp_path / "text.jpg").write_bytes(b"no image")
    (tmp_path / "half.jpg").write_bytes(photo_jpeg[: len(photo_jpeg) // 2])
    (tmp_path / "good.jpg").write_bytes(photo_jpeg)
    with pixpress.Pool(journal=journal) as pool:
        futures = [
            pool.submit(tmp_path / "text.jpg", tmp_path / "a.webp"),
            pool.submit(tmp_path / "half.jpg", tmp_path / "b.webp"),
            pool.submit(tmp_path / "good.jpg", tmp_path / "none" / "c.webp"),
            pool.submit(tmp_path / "good.jpg", tmp_path / "d.webp", limits=Limits(max_pixels=9)),
        ]
        codes = [future.exception().code for future in futures]
        assert [row.code for row in pool.journal_rows()] == codes
    assert len({kind.code for kind in BY_STATUS}) == len(set(BY_STATUS))


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


def test_sources_in_memory_need_persist_false(journal: Path, photo_jpeg: bytes) -> None:
    with pixpress.Pool(journal=journal) as pool:
        with pytest.raises(pixpress.OptionError, match="persist=False"):
            pool.submit(photo_jpeg)
        with pytest.raises(pixpress.OptionError, match="persist"):
            pool.submit(photo_jpeg, persist=1)
        pool.submit(photo_jpeg, persist=False).result()
        assert not list(pool.journal_rows())
    with pixpress.Pool() as pool, pytest.raises(pixpress.OptionError, match="journal"):
        pool.submit("photo.jpg", persist=True)


def test_map_and_asyncio_take_persist_too(journal: Path, photo_jpeg: bytes) -> None:
    import asyncio

    async def main(pool: pixpress.Pool) -> list[object]:
        one = await pool.compress(photo_jpeg, persist=False)
        return [one, *[r async for r in pool.as_completed([photo_jpeg], persist=False)]]

    with pixpress.Pool(journal=journal) as pool:
        assert len(list(pool.map([photo_jpeg], persist=False))) == 1
        assert len(asyncio.run(main(pool))) == 2


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


def test_one_pool_at_a_time_has_the_journal(journal: Path, run: Run) -> None:
    with pixpress.Pool(journal=journal):
        with pytest.raises(pixpress.JournalError, match=str(os.getpid())):
            pixpress.Pool.recover(journal)
        other = run("pixpress.Pool(journal=sys.argv[1])", journal)
    assert other.returncode == 1
    assert f"{os.getpid()}" in other.stderr
    assert "JournalError" in other.stderr
    pixpress.Pool(journal=journal).shutdown()


def test_the_journal_itself_is_no_source(journal: Path) -> None:
    with (
        pixpress.Pool(journal=journal) as pool,
        pytest.raises(pixpress.OptionError, match="is the journal"),
    ):
        pool.submit(journal, format="webp")


def test_finished_rows_can_be_forgotten(journal: Path, photo_file: Path, tmp_path: Path) -> None:
    with pixpress.Pool(journal=journal) as pool:
        pool.submit(photo_file, tmp_path / "a.webp").result()
        assert pool.purge_journal(older_than=3600) == 0
        assert pool.purge_journal() == 1
        assert not list(pool.journal_rows())
    with pixpress.Pool() as pool:
        for ask in (pool.journal_rows, pool.purge_journal):
            with pytest.raises(pixpress.OptionError, match="journal"):
                ask()


def test_a_damaged_journal_is_set_aside_loudly(
    journal: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pixpress.Pool(journal=journal).shutdown()
    journal.write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 16)
    with caplog.at_level(logging.ERROR, "pixpress"):
        pixpress.Pool(journal=journal).shutdown()
    assert "damaged" in caplog.text
    assert len(list(journal.parent.glob("queue.db.corrupt-*"))) == 1


def test_a_file_that_is_no_journal_is_refused_and_left_alone(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("not yours")
    with pytest.raises(pixpress.JournalError):
        pixpress.Pool(journal=notes)
    assert notes.read_text() == "not yours"


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
    waiting = []

    def fail() -> None:
        with pixpress.Pool(journal=journal, max_workers=1) as pool:
            Blocker(pool)
            waiting.append(pool.submit(photo_file, tmp_path / "a.webp"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert waiting[0].cancelled()
    with pixpress.Pool.recover(journal) as pool:
        assert [future.result().width for future in pool.recovered] == [320]


def test_an_interrupted_interpreter_says_where_its_jobs_are(
    journal: Path, photo_file: Path, run: Run
) -> None:
    done = run(
        """
        pool = pixpress.Pool(journal=sys.argv[1], max_workers=1)
        pool.submit(large, persist=False, **SLOW)
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


def test_a_forked_child_leaves_the_journal_alone(journal: Path, photo_file: Path) -> None:
    with pixpress.Pool(journal=journal) as pool:
        child = os.fork()
        if child == 0:
            try:
                pool.journal_rows()
            except pixpress.ForkedPoolError:
                os._exit(0)
            os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        pool.submit(photo_file, format="webp").result()
        assert [row.state for row in pool.journal_rows()] == ["done"]


@pytest.mark.parametrize("durable", [True, False])
def test_durable_outputs_are_the_same_and_leave_no_other_file(
    durable: bool, photo_file: Path, tmp_path: Path
) -> None:
    plain = pixpress.compress(photo_file, format="webp")
    out = tmp_path / "out"
    with pixpress.Pool(durable=durable) as pool:
        list(pool.map([photo_file] * 1, out_dir=out, format="webp"))
        futures = [pool.submit(photo_file, out / f"{i}.webp") for i in range(100)]
        assert {future.result().compressed_size for future in futures} == {plain.compressed_size}
        kept = pool.submit(photo_file, out / "1.webp", overwrite="never").exception()
        smaller = pool.submit(photo_file, out / "1.webp", overwrite="smaller").result()
    assert isinstance(kept, pixpress.OutputExistsError)
    assert smaller.skipped_reason is pixpress.SkippedReason.OUTPUT_NOT_LARGER
    assert sorted(os.listdir(out)) == sorted(["photo.webp", *[f"{i}.webp" for i in range(100)]])
    assert all(path.read_bytes() == plain.data for path in out.iterdir())


SYNCED = """
import sys, pixpress
with pixpress.Pool(max_workers=1, durable=sys.argv[1] == "True") as pool:
    pool.submit(sys.argv[2], sys.argv[3]).result()
"""


@pytest.mark.parametrize("durable", [True, False])
def test_durable_syncs_the_file_before_and_the_folder_after_the_rename(
    durable: bool, photo_file: Path, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    try:
        calls = "trace=fsync,renameat,renameat2"
        made = str(tmp_path / "made.webp")
        program = [sys.executable, "-c", SYNCED, str(durable), str(photo_file), made]
        tracer = ["strace", "-f", "-y", "-o", str(trace), "-e", calls]
        subprocess.run([*tracer, *program], check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("needs strace, and the right to trace")
    calls = [
        line.split(None, 1)[1].split("(")[0]
        for line in trace.read_text().splitlines()
        if str(tmp_path) in line and "= 0" in line
    ]
    assert calls == (["fsync", "renameat", "fsync"] if durable else ["renameat"])


def test_images_that_pillow_reads_are_kept_too(journal: Path, tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "good.bmp")
    (tmp_path / "bad.bmp").write_bytes(b"BM no image")
    with pixpress.Pool(journal=journal) as pool:
        good = pool.submit(tmp_path / "good.bmp", tmp_path / "a.webp", priority="high")
        bad = pool.submit(tmp_path / "bad.bmp", tmp_path / "b.webp")
        assert good.result().task_id == good.task_id
        code = bad.exception().code
        rows = list(pool.journal_rows())
    assert [(row.id, row.state, row.code) for row in rows] == [
        (good.task_id, "done", ""),
        (2, "failed", code),
    ]
    assert rows[0].priority == pixpress.Priority.HIGH
    assert [row.attempts for row in rows] == [1, 1]


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
