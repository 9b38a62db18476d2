"""Outputs whose extension is known once they are made: `.*`, folders with `format="auto"`."""

from __future__ import annotations

import io
import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from made_pictures import saved
from PIL import Image

import pixpress

PATIENCE_S = 120
WRITING = 2  # Of csrc/store/journal_record.h.
EXTENSIONS = {"jpeg": "jpg"}  # Where it is not the format's name.


def named(stem: Path, format: str) -> Path:
    return stem.with_name(f"{stem.name}.{EXTENSIONS.get(format, format)}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A noisy picture, one of two colors, and an animation."""
    inside = tmp_path / "in"
    inside.mkdir()
    rng = np.random.default_rng(5)
    smooth = np.mgrid[0:60, 0:80].sum(axis=0)[..., None] + rng.integers(0, 9, (60, 80, 3))
    (inside / "photo.jpg").write_bytes(saved(smooth.astype(np.uint8), "JPEG", quality=95))
    flat = np.zeros((60, 80, 3), np.uint8)
    flat[10:30, 20:70] = (200, 30, 40)
    (inside / "flat.v2.png").write_bytes(saved(flat, "PNG"))
    frames = [Image.fromarray(np.roll(flat, 5 * step, axis=1)) for step in range(4)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=70, loop=0)
    (inside / "moving.gif").write_bytes(out.getvalue())
    return inside


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "pixpress", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def outputs(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def wanted(folder: Path) -> dict[str, bytes]:
    """What folders of outputs have to hold: the same bytes as in memory, under true names."""
    found = {}
    for path in folder.iterdir():
        result = pixpress.compress(path, format="auto")
        found[named(Path(path.stem), result.format).name] = result.data
    return found


def test_a_star_becomes_the_extension_of_whatever_format_is_made(
    folder: Path, tmp_path: Path
) -> None:
    photo = folder / "photo.jpg"
    for options in ({}, {"format": "webp"}, {"format": "png"}, {"format": "auto"}):
        result = pixpress.compress(photo, tmp_path / "a.b.*", **options)
        expected = named(tmp_path / "a.b", result.format)
        assert result.output_path == str(expected)
        assert pixpress.probe(expected).format == options.get("format", "jpeg").replace(
            "auto", result.format
        )
        expected.unlink()
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    with pytest.raises(pixpress.OptionError, match="format"):
        pixpress.compress(np.zeros((4, 4), np.uint8), tmp_path / "a.*")


@pytest.mark.parametrize("options", [{}, {"isolation": "process"}, {"cache": True}])
def test_map_writes_auto_into_a_folder(
    options: dict[str, object], folder: Path, tmp_path: Path
) -> None:
    if "cache" in options:
        options = {"cache": tmp_path / "cache"}
    expected = wanted(folder)
    with pixpress.Pool(max_workers=2, **options) as pool:
        for _ in range(2):  # The second time from the cache, if there is one.
            results = list(pool.map(folder.iterdir(), out_dir=tmp_path / "out", format="auto"))
            assert outputs(tmp_path / "out") == expected
            for result in results:
                stem = tmp_path / "out" / Path(result.source).stem
                assert result.output_path == str(named(stem, result.format))
        task = pool.task(results[0].task_id)
        assert task is not None
        assert task.output_path == results[0].output_path
    assert {result.from_cache for result in results} == {"cache" in options}


def test_two_inputs_that_may_get_one_name_are_refused_before_work_starts(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "photo.png").write_bytes((folder / "flat.v2.png").read_bytes())
    out = tmp_path / "out"
    with pixpress.Pool(max_workers=1) as pool:
        with pytest.raises(pixpress.OptionError, match="both"):
            pool.map(sorted(folder.iterdir()), out_dir=out, format="auto")
        assert pool.stats()["submitted"] == 0
    done = command("compress", folder, "-R", "-f", "auto", "-o", out)
    assert done.returncode == 2
    assert "photo.jpg and" in done.stderr
    assert "would both be written to" in done.stderr
    assert not out.exists()


def test_an_output_that_may_replace_another_input_is_refused(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "out" / "photo.webp"
    other.parent.mkdir()
    other.write_bytes(pixpress.compress(folder / "photo.jpg", format="webp").data)
    before = other.read_bytes()
    done = command("compress", folder / "photo.jpg", other, "-f", "auto", "-o", f"{other.parent}/")
    assert done.returncode == 2
    assert other.read_bytes() == before


def test_an_output_that_exists_is_kept_or_replaced_under_its_true_name(
    folder: Path, tmp_path: Path
) -> None:
    source = folder / "photo.jpg"
    result = pixpress.compress(source, format="auto")
    there = named(tmp_path / "a", result.format)
    there.write_bytes(b"old")
    with pytest.raises(pixpress.OutputExistsError) as caught:
        pixpress.compress(source, tmp_path / "a.*", format="auto", overwrite="never")
    assert caught.value.filename == str(there)
    smaller = pixpress.compress(source, tmp_path / "a.*", format="auto", overwrite="smaller")
    assert smaller.skipped_reason is pixpress.SkippedReason.OUTPUT_NOT_LARGER
    assert there.read_bytes() == b"old"
    pixpress.compress(source, tmp_path / "a.*", format="auto")
    assert there.read_bytes() == result.data


def test_the_command_does_folders_once(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    line = ("compress", folder, "-R", "-f", "auto", "-o", out, "--json")
    plan = [json.loads(row) for row in command(*line, "--dry-run").stdout.splitlines()]
    assert {row["output"] for row in plan} == {
        str(out / name) for name in ("photo.*", "flat.v2.*", "moving.*")
    }
    assert not any(row["exists"] for row in plan)
    assert not out.exists()
    first = command(*line)
    assert first.returncode == 0, first.stderr
    expected = wanted(folder)
    assert outputs(out) == expected
    rows = [json.loads(row) for row in first.stdout.splitlines()]
    assert {Path(row["output_path"]).name for row in rows} == expected.keys()
    again = [json.loads(row) for row in command(*line).stdout.splitlines()]
    assert {row["skipped_reason"] for row in again} == {"output_exists"}
    assert {Path(row["output_path"]).name for row in again} == expected.keys()
    assert all(json.loads(row)["exists"] for row in command(*line, "--dry-run").stdout.splitlines())


def test_a_source_is_no_output_that_exists(folder: Path) -> None:
    before = outputs(folder)
    done = command("compress", folder, "-R", "-f", "auto", "-o", folder, "--json")
    assert done.returncode == 0, done.stderr
    after = outputs(folder)
    assert before.items() <= after.items()
    assert after.keys() == before.keys() | wanted(folder).keys()


def test_the_report_and_the_lines_have_the_true_names(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    out = tmp_path / "out"
    done = command("compress", folder, "-R", "-f", "auto", "-o", out, "--report", page)
    assert done.returncode == 0, done.stderr
    assert "*" not in done.stdout
    for name in outputs(out):
        assert f"-> {out / name}: " in done.stdout
        assert name in page.read_text()


CHILD = """
import os, signal, sys
from pathlib import Path
import numpy as np
import pixpress

journal, folder, out = sys.argv[1:]
noise = np.random.default_rng(1).integers(0, 256, (2000, 3000, 3), dtype=np.uint8)
pool = pixpress.Pool(journal=journal, max_workers=1)
pool.submit(noise, format="png", effort=10, persist=False)  # Nothing else can start before it.
for path in Path(folder).iterdir():
    pool.submit(path, Path(out) / f"{path.stem}.*", format="auto")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("way", ["recover", "resume"])
def test_a_killed_process_is_finished_under_the_same_names(
    way: str, folder: Path, tmp_path: Path
) -> None:
    out, journal = tmp_path / "out", tmp_path / "queue.db"
    out.mkdir()
    child = subprocess.run(
        [sys.executable, "-c", CHILD, journal, folder, out], timeout=PATIENCE_S, check=False
    )
    assert child.returncode == -signal.SIGKILL
    assert not outputs(out)
    if way == "recover":
        with pixpress.Pool.recover(journal) as pool:
            made = {future.result().output_path for future in pool.recovered}
            assert {row.output_path for row in pool.journal_rows()} == {
                str(out / f"{path.stem}.*") for path in folder.iterdir()
            }
            assert {row.written_path for row in pool.journal_rows()} == made
    else:
        done = command("resume", journal, "--json")
        assert done.returncode == 0, done.stderr
        made = {json.loads(row)["output_path"] for row in done.stdout.splitlines()}
    assert outputs(out) == wanted(folder)
    assert {Path(path).name for path in made} == outputs(out).keys()


def test_what_was_written_before_the_end_was_recorded_is_not_done_again(
    folder: Path, tmp_path: Path
) -> None:
    journal = tmp_path / "queue.db"
    with pixpress.Pool(journal=journal) as pool:
        list(pool.map(folder.iterdir(), out_dir=tmp_path / "out", format="auto"))
    database = sqlite3.connect(journal)
    with database:  # As after a kill between the rename and the last record.
        database.execute("UPDATE jobs SET state = ?", (WRITING,))
    database.close()
    with pixpress.Pool.recover(journal) as pool:
        assert pool.recovered == ()
        assert {row.state for row in pool.journal_rows()} == {"done"}
