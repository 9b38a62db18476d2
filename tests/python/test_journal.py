from __future__ import annotations

import logging
import os
import subprocess
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pixpress
from pixpress.encoder_options import EncoderOptions
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
    "target": "ssimulacra2:77.5",
    "near_lossless": 60,
    "alpha_quality": 90,
    "metadata": "all",
    "auto_orient": False,
    "overwrite": "smaller",
    "on_damage": "salvage",
    "post_process": True,
    "encoder_options": EncoderOptions({"jpeg": {"trellis": False}, "png": {"filter": "up"}}),
    "animated": False,
    "max_frames": 5,
    "max_bytes": "200KB",
    "limits": Limits(max_pixels=99, max_scans=7),
}


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
    assert row.written_path == row.output_path == result.output_path
    assert row.written_size == result.compressed_size
    assert row.written_sha256 is not None
    assert 0 <= row.changed_at - row.created_at < 60
    assert (rows[1].state, rows[1].code) == ("failed", error.code)
    assert rows[1].message in str(error)
    assert rows[1].written_sha256 is rows[1].written_path is None


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


def test_a_job_may_be_looked_up_while_it_is_being_submitted(
    run: Run, journal: Path, photo_file: Path
) -> None:
    done = run(
        """
        import itertools
        pool = pixpress.Pool(journal=sys.argv[1], max_workers=1, durable=True)
        is_over = threading.Event()
        found = set()

        def look_up():
            for number in itertools.cycle(range(60)):
                task = pool.task(number)
                if task is not None:
                    found.add((task.id, task.batch_id))
                if is_over.is_set():
                    return

        threads = [threading.Thread(target=look_up) for _ in range(2)]
        for thread in threads:
            thread.start()
        for number in range(40):
            pool.submit(sys.argv[2], width=16, batch="b")
        pool.shutdown()
        is_over.set()
        for thread in threads:
            thread.join()
        assert {batch for _, batch in found} == {"b"}
        say(len(found))
        """,
        journal,
        photo_file,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0
