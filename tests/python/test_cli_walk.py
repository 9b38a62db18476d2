"""Which files the command takes from folders, and what links and times become."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from pixpress.cli_inputs import find_work

PATIENCE_S = 60
LONG_AGO_NS = 1_000_000_000 * 10**9 + 123_456_789


def compress(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "pixpress", "compress", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, timeout=PATIENCE_S, check=False, input=stdin
    )


def files_in(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


@pytest.fixture
def tree(tmp_path: Path, photo_jpeg: bytes) -> Path:
    folder = tmp_path / "in"
    for name in ("a.jpg", "b.jpeg", "new/c.jpg", "old/d.jpg", "old/deep/e.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(photo_jpeg)
    return folder


@pytest.mark.parametrize(
    ("options", "taken"),
    [
        ((), ["a.jpg", "b.jpeg", "new/c.jpg", "old/d.jpg", "old/deep/e.jpg"]),
        (("--include", "*.jpeg"), ["b.jpeg"]),
        (("--include", "a.*", "--include", "c.*"), ["a.jpg", "new/c.jpg"]),
        (("--exclude", "old"), ["a.jpg", "b.jpeg", "new/c.jpg"]),
        (("--exclude", "old/"), ["a.jpg", "b.jpeg", "new/c.jpg"]),
        (("--exclude", "old/*.jpg"), ["a.jpg", "b.jpeg", "new/c.jpg"]),
        (("--exclude", "old/deep"), ["a.jpg", "b.jpeg", "new/c.jpg", "old/d.jpg"]),
        (("--include", "old/*", "--exclude", "e.jpg"), ["old/d.jpg"]),
        (("--include", "*.JPG"), []),
    ],
)
def test_patterns_select_files_of_walked_folders(
    tree: Path, tmp_path: Path, options: tuple[str, ...], taken: list[str]
) -> None:
    out = tmp_path / "out"
    done = compress(tree, "-R", "-o", out, *options)
    assert done.returncode == 0, done.stderr.decode()
    assert files_in(out) == taken


def test_patterns_do_not_drop_files_that_are_named(tree: Path, tmp_path: Path) -> None:
    done = compress(tree / "a.jpg", "-o", tmp_path / "o.jpg", "--exclude", "*.jpg")
    assert done.returncode == 0
    assert (tmp_path / "o.jpg").exists()


def test_links_in_walked_folders_are_counted_and_not_followed(tree: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.jpg").write_bytes((tree / "a.jpg").read_bytes())
    (tree / "file.jpg").symlink_to(outside / "x.jpg")
    (tree / "folder").symlink_to(outside)
    (tree / "loop").symlink_to(tree)
    (tree / "nowhere.jpg").symlink_to(outside / "missing.jpg")
    done = compress(tree, "-R", "-o", tmp_path / "out", "--exclude", "old")
    assert done.returncode == 0, done.stderr.decode()
    assert files_in(tmp_path / "out") == ["a.jpg", "b.jpeg", "new/c.jpg"]
    assert b"4 links not followed" in done.stderr


def test_a_link_that_is_named_is_followed(tree: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.jpg"
    link.symlink_to(tree / "a.jpg")
    folder = tmp_path / "all"
    folder.symlink_to(tree)
    assert compress(link, "-o", tmp_path / "o.jpg").returncode == 0
    assert link.is_symlink()
    assert compress(folder, "-R", "-o", tmp_path / "out").returncode == 0
    assert len(files_in(tmp_path / "out")) == 5


def test_an_output_that_is_a_hard_link_becomes_a_file_of_its_own(
    tree: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.jpg"
    before = (tree / "a.jpg").read_bytes()
    os.link(tree / "a.jpg", other)
    done = compress(tree / "b.jpeg", "-q", "20", "-o", other, "--overwrite", "all")
    assert done.returncode == 0, done.stderr.decode()
    assert (tree / "a.jpg").read_bytes() == before
    assert len(other.read_bytes()) < len(before)
    assert other.stat().st_nlink == 1


def test_hard_links_among_inputs_are_files_each(tree: Path, tmp_path: Path) -> None:
    os.link(tree / "a.jpg", tree / "again.jpg")
    before = (tree / "a.jpg").read_bytes()
    done = compress(tree, "-R", "-o", tmp_path / "out", "-q", "20", "--include", "a*.jpg")
    assert done.returncode == 0, done.stderr.decode()
    assert files_in(tmp_path / "out") == ["a.jpg", "again.jpg"]
    # In place, each is replaced by a file of its own.
    done = compress(tree / "a.jpg", "-o", tree / "a.jpg", "-q", "20", "--overwrite", "all")
    assert done.returncode == 0, done.stderr.decode()
    assert (tree / "again.jpg").read_bytes() == before
    assert len((tree / "a.jpg").read_bytes()) < len(before)


def test_the_same_input_named_twice_is_refused_before_any_work(tree: Path, tmp_path: Path) -> None:
    done = compress(tree / "a.jpg", tree / "." / "old" / ".." / "a.jpg", "-o", tmp_path / "out")
    assert done.returncode == 2
    assert b"would both be written to" in done.stderr
    assert not (tmp_path / "out").exists()


def test_keep_times_gives_outputs_the_times_of_their_inputs(tree: Path, tmp_path: Path) -> None:
    for name in files_in(tree):
        os.utime(tree / name, ns=(LONG_AGO_NS, LONG_AGO_NS))
    kept, fresh = tmp_path / "kept", tmp_path / "fresh"
    assert compress(tree, "-R", "-o", kept, "--keep-times").returncode == 0
    assert compress(tree, "-R", "-o", fresh).returncode == 0
    assert {(kept / name).stat().st_mtime_ns for name in files_in(kept)} == {LONG_AGO_NS}
    assert LONG_AGO_NS not in {(fresh / name).stat().st_mtime_ns for name in files_in(fresh)}


def test_keep_times_holds_where_the_output_replaces_its_input(tree: Path) -> None:
    path = tree / "a.jpg"
    before = path.read_bytes()
    os.utime(path, ns=(LONG_AGO_NS, LONG_AGO_NS))
    options = ("-q", "20", "--overwrite", "all", "--keep-times")
    assert compress(path, "-o", path, *options).returncode == 0
    assert path.read_bytes() != before
    assert path.stat().st_mtime_ns == LONG_AGO_NS


def test_keep_times_leaves_outputs_alone_that_were_not_written(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.jpg"
    out.write_bytes(b"small")
    before_ns = out.stat().st_mtime_ns
    os.utime(tree / "a.jpg", ns=(LONG_AGO_NS, LONG_AGO_NS))
    done = compress(tree / "a.jpg", "-o", out, "--overwrite", "smaller", "--keep-times")
    assert done.returncode == 0
    assert out.stat().st_mtime_ns == before_ns


def test_keep_times_is_possible_with_standard_input(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.jpg"
    done = compress("-", "-o", out, "--keep-times", stdin=(tree / "a.jpg").read_bytes())
    assert done.returncode == 0, done.stderr.decode()
    assert out.exists()


def test_max_size_bounds_every_output_or_says_which_cannot(tree: Path, tmp_path: Path) -> None:
    size = (tree / "a.jpg").stat().st_size
    done = compress(tree, "-R", "-o", tmp_path / "out", "--max-size", str(size // 3))
    assert done.returncode == 0, done.stderr.decode()
    sizes = [(tmp_path / "out" / name).stat().st_size for name in files_in(tmp_path / "out")]
    assert len(sizes) == 5
    assert max(sizes) <= size // 3
    done = compress(tree / "a.jpg", "-o", tmp_path / "b.jpg", "--max-size", "10B", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"] == "LIMIT_EXCEEDED"
    assert not (tmp_path / "b.jpg").exists()


def test_a_max_size_that_is_none_is_a_wrong_command(tree: Path, tmp_path: Path) -> None:
    done = compress(tree / "a.jpg", "-o", tmp_path / "b.jpg", "--max-size", "big")
    assert done.returncode == 2
    assert b"max_bytes" in done.stderr


def test_two_inputs_for_one_output_are_refused_before_any_work(tree: Path, tmp_path: Path) -> None:
    (tree / "a.jpeg").write_bytes((tree / "a.jpg").read_bytes())
    done = compress(tree, "-R", "-o", tmp_path / "out", "-f", "webp")
    assert done.returncode == 2
    assert b"would both be written to" in done.stderr
    assert not (tmp_path / "out").exists()
    chosen = compress(tree, "-R", "-o", tmp_path / "out", "-f", "webp", "--exclude", "a.jpeg")
    assert chosen.returncode == 0


def test_names_that_differ_in_case_are_two_outputs_here(tmp_path: Path, photo_jpeg: bytes) -> None:
    for name in ("in/a.jpg", "in/A.jpg", "in/b.JPG", "in/b.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(photo_jpeg)
    out = tmp_path / "out" / "deep"
    done = compress(tmp_path / "in", "-R", "-o", out)
    assert done.returncode == 0, done.stderr.decode()
    assert files_in(tmp_path / "out") == ["deep/A.jpg", "deep/a.jpg", "deep/b.JPG", "deep/b.jpg"]


def test_names_that_differ_in_case_collide_where_case_is_ignored(
    tmp_path: Path, photo_jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.jpg", "A.jpg"):
        (tmp_path / name).write_bytes(photo_jpeg)
    inputs = (str(tmp_path / "a.jpg"), str(tmp_path / "A.jpg"))
    folder = tmp_path / "out"
    folder.mkdir()
    assert len(find_work(inputs, str(folder), False, "webp").works) == 2
    assert files_in(folder) == []  # What it made to find out is gone.
    monkeypatch.setattr(os.path, "lexists", lambda path: True)  # As of such a file system.
    with pytest.raises(click.UsageError, match="would both be written"):
        find_work(inputs, str(folder), False, "webp")


def test_damaged_files_can_be_salvaged_and_are_said_to_be(
    tmp_path: Path, photo_jpeg: bytes
) -> None:
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(photo_jpeg[: len(photo_jpeg) // 2])
    refused = compress(cut, "-o", tmp_path / "made.webp")
    assert refused.returncode == 1
    assert not (tmp_path / "made.webp").exists()
    done = compress(cut, "-o", tmp_path / "made.webp", "--on-damage", "salvage")
    assert done.returncode == 0, done.stderr.decode()
    assert b"salvaged from damaged data" in done.stdout
    assert (tmp_path / "made.webp").exists()
