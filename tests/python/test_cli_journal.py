from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from busy_pools import Blocker
from PIL import Image

import pixpress

PATIENCE_S = 60


def pixpress_command(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pixpress", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


@pytest.fixture
def folder(tmp_path: Path, photo_jpeg: bytes) -> Path:
    inside = tmp_path / "in"
    inside.mkdir()
    for name in ("a.jpg", "b.jpg"):
        (inside / name).write_bytes(photo_jpeg)
    return inside


def test_a_command_with_a_journal_does_the_same_and_leaves_its_rows(
    folder: Path, tmp_path: Path
) -> None:
    plain = pixpress_command("compress", folder, "-R", "-o", tmp_path / "plain", "--json")
    journal = tmp_path / "queue.db"
    for _ in range(2):  # The second run finds and forgets the rows of the first.
        kept = pixpress_command(
            *("compress", folder, "-R", "-o", tmp_path / "kept", "--json"),
            *("--overwrite", "all", "--journal", journal),
        )
        assert kept.returncode == 0, kept.stderr
    size = [json.loads(line)["compressed_size"] for line in plain.stdout.splitlines()]
    assert size == [json.loads(line)["compressed_size"] for line in kept.stdout.splitlines()]
    with pixpress.Pool(journal=journal) as pool:
        assert [row.state for row in pool.journal_rows()] == ["done", "done"]


def test_a_walk_skips_the_journal_by_its_identity(folder: Path, tmp_path: Path) -> None:
    journal = folder / "queue.db"
    (tmp_path / "name").symlink_to(journal)
    for name in (journal, tmp_path / "name"):
        done = pixpress_command(
            *("compress", folder, "-R", "-o", tmp_path / "out", "--overwrite", "all"),
            *("--journal", name),
        )
        assert done.returncode == 0, done.stderr
        assert "no images" not in done.stderr
    assert sorted(os.listdir(tmp_path / "out")) == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize("place", ["file", "environment"])
def test_a_walk_skips_a_journal_that_the_configuration_names(
    place: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    config = tmp_path / "config.yaml"
    config.write_text(
        "worker: {recovery: {persistQueue: true}}" if place == "file" else "worker: {}"
    )
    if place == "environment":
        monkeypatch.setenv("PIXPRESS_JOURNAL", "true")
    for _ in range(2):  # The second walk finds the journal of the first.
        done = pixpress_command(
            *("compress", folder, "-R", "-o", tmp_path / "out", "--overwrite", "all"),
            *("--config", config),
        )
        assert done.returncode == 0, done.stderr
        assert "no images" not in done.stderr
    assert (folder / "pixpress" / "queue.db").exists()
    assert sorted(os.listdir(tmp_path / "out")) == ["a.jpg", "b.jpg"]


def test_a_dry_run_makes_no_folder_for_the_journal(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PIXPRESS_JOURNAL", "true")
    done = pixpress_command("compress", folder, "-R", "-o", tmp_path / "out", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "state").exists()


def test_what_was_left_is_refused_and_resumed(folder: Path, tmp_path: Path) -> None:
    journal = tmp_path / "queue.db"
    with pixpress.Pool(journal=journal, max_workers=1) as pool:
        pool.submit(folder / "gone.jpg", tmp_path / "gone.webp").exception()
        blocker = Blocker(pool)
        pool.submit(folder / "a.jpg", tmp_path / "a.webp")
        pool.submit(folder / "gone.jpg", tmp_path / "b.webp")
        pool.shutdown(wait=False, cancel_futures=True)
        blocker.release()
    refused = pixpress_command(
        "compress", folder / "b.jpg", "-o", tmp_path / "c.webp", "--journal", journal
    )
    assert refused.returncode == 2
    assert "2 unfinished jobs" in refused.stderr
    assert "pixpress resume" in refused.stderr
    page = tmp_path / "pages" / "left.html"
    resumed = pixpress_command("resume", journal, "--json", "--report", page)
    assert resumed.returncode == 1
    rows = {row.get("output_path"): row for row in map(json.loads, resumed.stdout.splitlines())}
    assert rows[str(tmp_path / "a.webp")]["width"] == 320
    assert rows[None]["error"] == "INPUT"
    assert "1 of 2 done, 1 failed" in resumed.stderr
    text = page.read_text(encoding="utf-8")
    assert "1 of 2 done, 1 failed" in text
    assert str(tmp_path / "a.webp") in text
    assert str(folder / "gone.jpg") in text
    assert text.count("data:image/webp;base64,") == 2  # Before and after of the one that was done.
    again = pixpress_command("resume", journal)
    assert again.returncode == 0
    assert again.stderr.startswith("0 of 0 done")


def test_a_report_of_what_was_left_never_takes_the_place_of_an_image(
    folder: Path, tmp_path: Path
) -> None:
    journal = tmp_path / "queue.db"
    image = tmp_path / "odd.html"
    image.write_bytes((folder / "a.jpg").read_bytes())
    before = image.read_bytes()
    with pixpress.Pool(journal=journal, max_workers=1) as pool:
        blocker = Blocker(pool)
        pool.submit(image, tmp_path / "a.webp")
        pool.shutdown(wait=False, cancel_futures=True)
        blocker.release()
    refused = pixpress_command("resume", journal, "--report", image)
    assert refused.returncode == 2
    assert "is an input or output too" in refused.stderr
    assert image.read_bytes() == before
    assert pixpress_command("resume", journal).returncode == 0  # All is there still.


def test_jobs_without_output_files_are_left_to_python(folder: Path, tmp_path: Path) -> None:
    journal = tmp_path / "queue.db"
    with pixpress.Pool(journal=journal, max_workers=1) as pool:
        blocker = Blocker(pool)
        pool.submit(folder / "a.jpg", format="webp")
        pool.shutdown(wait=False, cancel_futures=True)
        blocker.release()
    resumed = pixpress_command("resume", journal)
    assert resumed.returncode == 2
    assert "Pool.recover" in resumed.stderr
    with pixpress.Pool.recover(journal) as pool:
        assert pool.recovered[0].result().format == "webp"


def test_images_that_pillow_reads_are_in_the_journal_too(folder: Path, tmp_path: Path) -> None:
    Image.new("RGB", (5, 4)).save(folder / "c.bmp")
    journal = tmp_path / "queue.db"
    done = pixpress_command(
        "compress", folder, "-R", "-o", tmp_path / "out", "-f", "webp", "--journal", journal
    )
    assert done.returncode == 0, done.stderr
    assert sorted(os.listdir(tmp_path / "out")) == ["a.webp", "b.webp", "c.webp"]
    with pixpress.Pool(journal=journal) as pool:
        assert [Path(row.source).name for row in pool.journal_rows()] == ["a.jpg", "b.jpg", "c.bmp"]


@pytest.mark.parametrize(
    "arguments",
    [["-", "-o", "a.webp"], ["a.jpg", "-o", "-"], ["a.jpg", "-o", "b.jpg", "--keep-times"]],
    ids=["standard input", "standard output", "times"],
)
def test_what_a_journal_does_not_keep_is_refused(
    arguments: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    done = pixpress_command("compress", *arguments, "--journal", "queue.db")
    assert done.returncode == 2
    assert "--journal keeps neither" in done.stderr
    assert sorted(os.listdir(folder)) == ["a.jpg", "b.jpg"]


def test_a_journal_that_another_process_has_is_refused_with_its_number(
    folder: Path, tmp_path: Path
) -> None:
    journal = tmp_path / "queue.db"
    with pixpress.Pool(journal=journal):
        done = pixpress_command("resume", journal)
    assert done.returncode == 2
    assert str(os.getpid()) in done.stderr
