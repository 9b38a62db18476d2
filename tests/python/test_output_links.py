"""Outputs whose names are symbolic links: followed where they were named, never in a folder."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from busy_pools import Blocker

import pixpress

PATIENCE_S = 60
OLD = b"the old content, which is longer than what is made" * 400


def compress(*arguments: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "pixpress", "compress", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, timeout=PATIENCE_S, check=False)


def files_in(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


@pytest.fixture
def far(tmp_path: Path) -> Path:
    """Return a folder that links lead to."""
    folder = tmp_path / "far"
    folder.mkdir()
    return folder


@pytest.fixture
def near(tmp_path: Path) -> Path:
    """Return a folder that has links, and nothing else."""
    folder = tmp_path / "near"
    folder.mkdir()
    return folder


@pytest.fixture
def source(tmp_path: Path, photo_jpeg: bytes) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo_jpeg)
    return path


def is_jpeg(path: Path) -> bool:
    return path.read_bytes()[:2] == b"\xff\xd8"


def test_the_target_of_a_link_is_replaced_and_the_link_stays(
    source: Path, near: Path, far: Path
) -> None:
    target, link = far / "real.jpg", near / "o.jpg"
    target.write_bytes(OLD)
    target.chmod(0o640)
    link.symlink_to(target)
    result = pixpress.compress(source, link)
    assert is_jpeg(target)
    assert link.is_symlink()
    assert result.output_path == str(target)
    assert target.stat().st_mode & 0o777 == 0o640
    assert (files_in(near), files_in(far)) == (["o.jpg"], ["real.jpg"])


def test_relative_links_and_links_to_links_are_followed_to_the_end(
    source: Path, near: Path, far: Path
) -> None:
    (far / "real.jpg").write_bytes(OLD)
    (far / "middle").symlink_to("real.jpg")
    (near / "o.jpg").symlink_to("../far/middle")
    pixpress.compress(source, near / "o.jpg")
    assert is_jpeg(far / "real.jpg")
    assert (far / "middle").is_symlink()


def test_a_link_to_nothing_makes_what_it_names(source: Path, near: Path, far: Path) -> None:
    (near / "o.jpg").symlink_to(far / "new.jpg")
    pixpress.compress(source, near / "o.jpg")
    assert is_jpeg(far / "new.jpg")
    (near / "p.jpg").symlink_to(far / "none" / "new.jpg")
    with pytest.raises(pixpress.OutputError) as caught:
        pixpress.compress(source, near / "p.jpg")
    assert caught.value.errno == errno.ENOENT


def test_loops_and_links_to_folders_and_pipes_are_errors_and_stay(
    source: Path, near: Path, far: Path
) -> None:
    loop, folder, pipe = near / "loop.jpg", near / "folder.jpg", near / "pipe.jpg"
    loop.symlink_to(loop)
    folder.symlink_to(far)
    os.mkfifo(near / "fifo")
    pipe.symlink_to(near / "fifo")
    for link, number in ((loop, errno.ELOOP), (folder, errno.EISDIR), (pipe, errno.EINVAL)):
        with pytest.raises(pixpress.OutputError) as caught:
            pixpress.compress(source, link)
        assert caught.value.errno == number
        assert link.is_symlink()
    assert files_in(far) == []


def test_in_place_through_a_link_changes_the_file_itself(source: Path, near: Path) -> None:
    before = source.read_bytes()
    (near / "link.jpg").symlink_to(source)
    result = pixpress.compress(near / "link.jpg", near / "link.jpg", quality=20)
    assert len(source.read_bytes()) == result.compressed_size < len(before)
    assert (near / "link.jpg").is_symlink()


def test_never_leaves_links_alone_also_those_to_nothing(
    source: Path, near: Path, far: Path
) -> None:
    (far / "real.jpg").write_bytes(OLD)
    (near / "a.jpg").symlink_to(far / "real.jpg")
    (near / "b.jpg").symlink_to(far / "none.jpg")
    for name in ("a.jpg", "b.jpg"):
        with pytest.raises(pixpress.OutputExistsError):
            pixpress.compress(source, near / name, overwrite="never")
    assert (far / "real.jpg").read_bytes() == OLD
    assert files_in(far) == ["real.jpg"]


def test_smaller_compares_with_the_target(source: Path, near: Path, far: Path) -> None:
    (far / "small.jpg").write_bytes(b"x")
    (far / "large.jpg").write_bytes(OLD)
    for name in ("small.jpg", "large.jpg"):
        (near / name).symlink_to(far / name)
        pixpress.compress(source, near / name, overwrite="smaller", quality=20)
    assert (far / "small.jpg").read_bytes() == b"x"
    assert is_jpeg(far / "large.jpg")


def test_the_name_of_the_link_says_the_format(source: Path, near: Path, far: Path) -> None:
    (near / "o.webp").symlink_to(far / "blob-1")
    result = pixpress.compress(source, near / "o.webp")
    assert result.format == "webp"
    assert (far / "blob-1").read_bytes()[8:12] == b"WEBP"


@pytest.fixture
def other_file_system(tmp_path: Path) -> Iterator[Path]:
    base = Path("/dev/shm")
    if not os.access(base, os.W_OK) or base.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no other file system to write to")
    with TemporaryDirectory(dir=base) as folder:
        yield Path(folder)


def test_a_link_may_lead_to_another_file_system(
    source: Path, near: Path, other_file_system: Path
) -> None:
    (near / "o.jpg").symlink_to(other_file_system / "real.jpg")
    pixpress.compress(source, near / "o.jpg")
    assert is_jpeg(other_file_system / "real.jpg")
    assert files_in(other_file_system) == ["real.jpg"]


def test_awaited_isolated_and_cached_jobs_follow_too(
    source: Path, near: Path, far: Path, tmp_path: Path
) -> None:
    links = []
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (near / name).symlink_to(far / name)
        links.append(near / name)
    asyncio.run(pixpress.compress_async(source, links[0]))
    with pixpress.Pool(isolation="process", max_workers=1, cache=tmp_path / "cache") as pool:
        pool.submit(source, links[1]).result()
        assert pool.submit(source, links[2]).result().from_cache
    assert files_in(far) == ["a.jpg", "b.jpg", "c.jpg"]
    assert all(link.is_symlink() for link in links)


def test_links_in_an_out_dir_are_replaced(source: Path, near: Path, far: Path) -> None:
    (far / "real.jpg").write_bytes(OLD)
    (near / "photo.jpg").symlink_to(far / "real.jpg")
    with pixpress.Pool(max_workers=1) as pool:
        list(pool.map([source], out_dir=near))
    assert (far / "real.jpg").read_bytes() == OLD
    assert is_jpeg(near / "photo.jpg")
    assert not (near / "photo.jpg").is_symlink()


def test_an_out_dir_that_cannot_be_made_is_an_output_error(source: Path, near: Path) -> None:
    (near / "nothing").symlink_to(near / "none")
    wrong = {source: errno.EEXIST, source / "below": errno.ENOTDIR, near / "nothing": errno.EEXIST}
    with pixpress.Pool(max_workers=1) as pool:
        for out_dir, number in wrong.items():
            with pytest.raises(pixpress.OutputError) as caught:
                pool.map([source], out_dir=out_dir)
            assert (caught.value.errno, caught.value.filename) == (number, str(out_dir))


def test_a_journal_keeps_the_target_and_recovery_follows_nothing(
    source: Path, near: Path, far: Path, tmp_path: Path
) -> None:
    journal, planted = tmp_path / "queue.db", tmp_path / "planted.jpg"
    planted.write_bytes(OLD)
    (near / "o.jpg").symlink_to(far / "real.jpg")
    with pixpress.Pool(journal=journal, max_workers=1, durable=False) as pool:
        blocker = Blocker(pool)
        pool.submit(source, near / "o.jpg")
        pool.submit(source, near / "p.jpg")
        pool.shutdown(wait=False, cancel_futures=True)
        blocker.release()
    (near / "p.jpg").symlink_to(planted)
    with pixpress.Pool.recover(journal) as pool:
        paths = [future.result().output_path for future in pool.recovered]
    assert paths == [str(far / "real.jpg"), str(near / "p.jpg")]
    assert is_jpeg(far / "real.jpg")
    assert (near / "o.jpg").is_symlink()
    assert planted.read_bytes() == OLD
    assert not (near / "p.jpg").is_symlink()


def test_the_command_follows_an_output_that_is_named(source: Path, near: Path, far: Path) -> None:
    (near / "o.jpg").symlink_to(far / "real.jpg")
    done = compress(source, "-o", near / "o.jpg", "--overwrite", "all")
    assert done.returncode == 0, done.stderr.decode()
    assert is_jpeg(far / "real.jpg")
    done = compress(source, "-o", near / "o.jpg", "--overwrite", "never")
    assert b"exists, left as it is" in done.stdout


def test_the_command_follows_a_named_input_that_it_compresses_in_place(
    source: Path, near: Path
) -> None:
    before = source.read_bytes()
    (near / "link.jpg").symlink_to(source)
    done = compress(near / "link.jpg", "-q", "20", "-o", near, "--overwrite", "all")
    assert done.returncode == 0, done.stderr.decode()
    assert len(source.read_bytes()) < len(before)
    assert (near / "link.jpg").is_symlink()


def test_the_command_follows_no_link_in_a_folder_of_outputs(
    source: Path, near: Path, far: Path, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    (tree / "sub" / "deep").mkdir(parents=True)
    for name in ("a.jpg", "sub/b.jpg", "sub/deep/c.jpg"):
        (tree / name).write_bytes(source.read_bytes())
    (far / "real.jpg").write_bytes(OLD)
    (near / "a.jpg").symlink_to(far / "real.jpg")
    (near / "sub").symlink_to(far)
    done = compress(tree, "-R", "-o", near, "--overwrite", "all")
    assert done.returncode == 1
    assert done.stderr.decode().count("a link in a folder of outputs is not followed") == 2
    assert files_in(far) == ["real.jpg"]
    assert (far / "real.jpg").read_bytes() == OLD
    assert is_jpeg(near / "a.jpg")
    assert not (near / "a.jpg").is_symlink()
    # The folder itself is named: that is what it is for.
    (tmp_path / "other").symlink_to(far)
    assert compress(tree, "-R", "-o", tmp_path / "other").returncode == 0
    assert files_in(far) == ["a.jpg", "real.jpg", "sub/b.jpg", "sub/deep/c.jpg"]


def test_pixels_and_reports_go_through_links_too(source: Path, near: Path, far: Path) -> None:
    (near / "o.png").symlink_to(far / "real.png")
    pixpress.compress(np.zeros((4, 4), np.uint8), near / "o.png")
    assert pixpress.probe(far / "real.png").format == "png"
    (near / "r.html").symlink_to(far / "report.html")
    assert compress(source, "-o", near / "o.jpg", "--report", near / "r.html").returncode == 0
    assert (near / "r.html").is_symlink()
    assert "<html" in (far / "report.html").read_text()
