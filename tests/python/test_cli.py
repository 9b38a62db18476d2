"""The command: files in, files out, what is said where, exit codes."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

PATIENCE_S = 60
COMMAND = [sys.executable, "-m", "pixpress"]


def pixpress(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, timeout=PATIENCE_S, check=False, input=stdin
    )


def compress(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return pixpress("compress", *arguments, stdin=stdin)


def files_in(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def shown(path: Path) -> tuple[str | None, tuple[int, int]]:
    with Image.open(path) as image:
        image.load()
        return image.format, image.size


@pytest.fixture
def tree(tmp_path: Path, photo: np.ndarray, photo_jpeg: bytes) -> Path:
    """A folder with two images, and four files that are none or not readable as one."""
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.jpg").write_bytes(photo_jpeg)
    Image.fromarray(photo).save(folder / "sub" / "b.png")
    (folder / "notes.txt").write_text("no image")
    (folder / "page.jpg").write_text("<html>no image either</html>")
    (folder / "empty.png").write_bytes(b"")
    (folder / "photo.psd").write_bytes(b"8BPS" + bytes(100))
    os.mkfifo(folder / "pipe.png")
    return folder


def test_a_folder_is_compressed_with_its_tree(tree: Path, tmp_path: Path) -> None:
    done = compress(tree, "-R", "-o", tmp_path / "out", "--quality", "80")
    assert done.returncode == 0, done.stderr.decode()
    assert files_in(tmp_path / "out") == ["a.jpg", "sub/b.png"]
    assert shown(tmp_path / "out" / "a.jpg") == ("JPEG", (320, 240))


def test_files_that_are_no_images_are_counted_in_walked_folders(tree: Path, tmp_path: Path) -> None:
    done = compress(tree, "-R", "-o", tmp_path / "out")
    last = done.stderr.decode().splitlines()[-1]
    assert last.startswith("2 of 2 done, 4 no images, 1 of formats not supported; "), last


def test_the_same_file_is_a_failure_when_it_is_named(tree: Path, tmp_path: Path) -> None:
    done = compress(tree / "page.jpg", tree / "a.jpg", "-o", tmp_path / "out")
    assert done.returncode == 1
    assert b"page.jpg: the input is not an image" in done.stderr
    assert files_in(tmp_path / "out") == ["a.jpg"]


def test_results_go_to_standard_output_and_the_log_to_standard_error(
    tree: Path, tmp_path: Path
) -> None:
    done = compress(tree, "-R", "-o", tmp_path / "out")
    lines = done.stdout.decode().splitlines()
    assert len(lines) == 2
    assert all(" -> " in line and line.endswith("bytes") for line in lines)
    assert b"saved)" in done.stderr
    assert b"\x1b" not in done.stderr


def test_json_gives_one_object_per_file_failures_too(tree: Path, tmp_path: Path) -> None:
    done = compress(tree / "a.jpg", tree / "page.jpg", "-o", tmp_path / "out", "--json")
    rows = {Path(row["source"]).name: row for row in map(json.loads, done.stdout.splitlines())}
    assert rows["a.jpg"]["compressed_size"] == (tmp_path / "out" / "a.jpg").stat().st_size
    assert rows["a.jpg"]["output_path"] == str(tmp_path / "out" / "a.jpg")
    assert rows["page.jpg"]["error"] == "UNIDENTIFIED_IMAGE"


def test_quiet_says_nothing_but_failures(tree: Path, tmp_path: Path) -> None:
    good = compress(tree, "-R", "-o", tmp_path / "out", "--quiet")
    assert (good.returncode, good.stdout, good.stderr) == (0, b"", b"")
    bad = compress(tree / "page.jpg", "-o", tmp_path / "out", "--quiet")
    assert (bad.returncode, bad.stdout) == (1, b"")
    assert bad.stderr.count(b"\n") == 1


def test_a_dry_run_writes_nothing_and_says_what_would_be(tree: Path, tmp_path: Path) -> None:
    done = compress(tree, "-R", "-o", tmp_path / "out", "-f", "webp", "--dry-run")
    assert done.returncode == 0
    first = done.stdout.decode().splitlines()[0]
    assert first.startswith(f"{tree}/a.jpg -> {tmp_path}/out/a.webp  (jpeg 320x240, ")
    assert not (tmp_path / "out").exists()
    rows = compress(tree, "-R", "-o", tmp_path / "out", "--dry-run", "--json").stdout.splitlines()
    assert [json.loads(row)["format"] for row in rows] == ["jpeg", "png"]


def test_a_dry_run_of_a_bad_file_gives_exit_code_1(tree: Path, tmp_path: Path) -> None:
    done = compress(tree / "page.jpg", "-o", tmp_path / "out", "--dry-run")
    assert done.returncode == 1
    assert b"error: " in done.stdout


def test_overwrite_says_what_becomes_of_existing_outputs(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jpg"
    out.write_bytes(b"old and short")
    for mode, is_kept in (
        ((), True),
        (("--overwrite", "smaller"), True),
        (
            ("--overwrite", "all"),
            False,
        ),
    ):
        done = compress(tree / "a.jpg", "-o", out, *mode)
        assert done.returncode == 0, done.stderr
        assert (out.read_bytes() == b"old and short") is is_kept, mode


def test_an_existing_output_is_left_without_work(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "a.webp").write_bytes(b"old")
    done = compress(tree / "a.jpg", "-o", tmp_path / "a.webp", "--json")
    assert json.loads(done.stdout)["skipped_reason"] == "output_exists"
    assert b"1 left as they were" in done.stderr


def test_a_folder_can_be_compressed_in_place(tree: Path) -> None:
    before = (tree / "a.jpg").stat().st_size
    done = compress(tree, "-R", "-o", tree, "--overwrite", "smaller")
    assert done.returncode == 0, done.stderr
    assert (tree / "a.jpg").stat().st_size < before
    assert shown(tree / "a.jpg") == ("JPEG", (320, 240))
    assert len(files_in(tree)) == 6


def test_an_output_folder_inside_the_input_is_not_walked_again(tree: Path) -> None:
    for _ in range(2):
        done = compress(tree, "-R", "-o", tree / "out", "--overwrite", "all")
        assert done.returncode == 0, done.stderr
    assert files_in(tree / "out") == ["a.jpg", "sub/b.png"]


def test_a_wrong_extension_is_put_right_instead_of_converting(tree: Path, tmp_path: Path) -> None:
    (tree / "a.jpg").rename(tree / "really_jpeg.png")
    compress(tree, "-R", "-o", tmp_path / "out")
    assert files_in(tmp_path / "out") == ["really_jpeg.jpg", "sub/b.png"]


def test_standard_input_and_output_take_the_image(photo_jpeg: bytes) -> None:
    done = compress("-", "-o", "-", "-f", "webp", "--width", "100", stdin=photo_jpeg)
    assert done.returncode == 0, done.stderr
    image = Image.open(io.BytesIO(done.stdout))
    assert (image.format, image.size) == ("WEBP", (100, 75))


def test_standard_input_can_be_written_to_a_file(photo_jpeg: bytes, tmp_path: Path) -> None:
    done = compress("-", "-o", tmp_path / "a.png", stdin=photo_jpeg)
    assert done.returncode == 0, done.stderr
    assert shown(tmp_path / "a.png") == ("PNG", (320, 240))


def test_settings_reach_the_job(tree: Path, tmp_path: Path) -> None:
    flags = ["-f", "webp", "--lossless", "--width", "64", "--fit", "fill", "--height", "10"]
    more = ["--effort", "2", "--metadata", "none", "--workers", "1", "--memory", "256MB"]
    assert compress(tree / "a.jpg", "-o", tmp_path / "a.webp", *flags, *more).returncode == 0
    data = (tmp_path / "a.webp").read_bytes()
    assert Image.open(io.BytesIO(data)).size == (64, 10)
    assert b"VP8L" in data[:40]


def test_subsampling_reaches_the_encoder(tree: Path, tmp_path: Path) -> None:
    from PIL import JpegImagePlugin

    for name, layers in (("4:4:4", 0), ("4:2:2", 1), ("4:2:0", 2)):
        out = tmp_path / f"{layers}.jpg"
        compress(tree / "sub" / "b.png", "-o", out, "--subsampling", name)
        with Image.open(out) as image:
            assert JpegImagePlugin.get_sampling(image) == layers


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nonsense"],
        ["in"],
        ["in", "-o", "out"],
        ["missing.jpg", "-o", "out"],
        ["in/a.jpg", "-o", "out", "-q", "0"],
        ["in/a.jpg", "-o", "out", "--memory", "much"],
        ["in/a.jpg", "-o", "a.webp", "-f", "png"],
        ["in/a.jpg", "-o", "a.bmp"],
        ["in/a.jpg", "-o", "-", "--json"],
        ["in/a.jpg", "in/sub/b.png", "-o", "-"],
        ["in/a.jpg", "in/sub/b.png", "-o", "in/notes.txt"],
        ["in", "-R", "-o", "-"],
        ["-", "in/a.jpg", "-o", "out"],
        ["in/a.jpg", "in/../in/a.jpg", "-o", "out"],
    ],
    ids=" ".join,
)
def test_wrong_usage_gives_exit_code_2_and_no_output(
    arguments: list[str], tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree.parent)
    before = files_in(tree.parent)
    done = compress(*arguments)
    assert done.returncode == 2, done.stderr
    assert b"Error: " in done.stderr
    assert files_in(tree.parent) == before


def test_two_inputs_for_one_output_are_refused_before_work_starts(
    tree: Path, photo_jpeg: bytes, tmp_path: Path
) -> None:
    (tree / "a.jpeg").write_bytes(photo_jpeg)
    done = compress(tree, "-R", "-o", tmp_path / "out", "-f", "webp")
    assert done.returncode == 2
    assert b"would both be written to" in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_output_that_cannot_be_made_fails_its_file_only(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "sub").write_text("a file where a folder must be")
    done = compress(tree, "-R", "-o", out)
    assert done.returncode == 1
    assert files_in(out) == ["a.jpg", "sub"]
    assert b"1 of 2 done, 1 failed" in done.stderr


def test_names_cannot_play_with_the_terminal(photo_jpeg: bytes, tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/evil\x1b[2J\xff\n.jpg"
    with open(name, "wb") as file:
        file.write(photo_jpeg)
    done = compress(tmp_path, "-R", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert b"\x1b" not in done.stdout + done.stderr
    assert done.stdout.count(b"\n") == 1
    assert len(files_in(tmp_path / "out")) == 1


def test_info_says_what_files_are(tree: Path, photo_jpeg: bytes) -> None:
    done = pixpress("info", tree / "a.jpg", tree / "sub" / "b.png")
    lines = done.stdout.decode().splitlines()
    assert lines[0].startswith(f"{tree}/a.jpg: jpeg 320x240 RGB, 8 bits, quality 9")
    assert lines[1] == f"{tree}/sub/b.png: png 320x240 RGB, 8 bits"
    piped = pixpress("info", "-", "--json", stdin=photo_jpeg)
    assert json.loads(piped.stdout)["width"] == 320


def test_info_of_a_bad_file_gives_exit_code_1_and_goes_on(tree: Path) -> None:
    done = pixpress("info", tree / "page.jpg", tree / "a.jpg")
    assert done.returncode == 1
    assert b"page.jpg" in done.stderr
    assert b"a.jpg: jpeg" in done.stdout


def test_the_version_names_codecs_when_asked() -> None:
    plain, verbose = pixpress("--version"), pixpress("--version", "-v")
    assert plain.stdout.count(b"\n") == 1
    assert verbose.stdout.startswith(plain.stdout)
    assert b"png: read, write; libpng " in verbose.stdout
    assert pixpress().returncode == 2


def on_a_terminal(*arguments: object) -> tuple[bytes, bytes]:
    """Run the command with standard error on a terminal: standard output, and what is seen."""
    primary, secondary = os.openpty()
    command = [*COMMAND, *map(str, arguments)]
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=secondary, env=env) as process:
        os.close(secondary)
        seen = b""
        while True:
            try:
                part = os.read(primary, 4096)
            except OSError:  # EIO: the command has closed its end.
                break
            seen += part
        assert process.wait(PATIENCE_S) == 0
        assert process.stdout is not None
        out = process.stdout.read()
    os.close(primary)
    return out, seen


def test_a_terminal_sees_files_workers_queue_and_memory(tree: Path, tmp_path: Path) -> None:
    out, seen = on_a_terminal("compress", tree, "-R", "-o", tmp_path / "out")
    assert out.count(b"\n") == 2
    for part in (b"2/2", b"saved", b"left", b"worker 0", b"queue: 0 waiting", b"memory: "):
        assert part in seen


@pytest.mark.parametrize(("option", "lines"), [("--json", 2), ("--quiet", 0)])
def test_json_and_quiet_have_no_live_view(
    tree: Path, tmp_path: Path, option: str, lines: int
) -> None:
    out, seen = on_a_terminal("compress", tree, "-R", "-o", tmp_path / "out", option)
    assert out.count(b"\n") == lines
    assert b"worker" not in seen
    assert b"\x1b" not in seen


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
def test_a_signal_stops_cleanly_and_says_what_is_done(
    number: signal.Signals, code: int, tmp_path: Path
) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (1000, 1500, 3), dtype=np.uint8)
    source = tmp_path / "in"
    source.mkdir()
    Image.fromarray(noise).save(source / "0.png", compress_level=0)
    for i in range(1, 300):
        os.link(source / "0.png", source / f"{i}.png")
    options = ["--effort", "10", "--workers", "1"]
    command = [*COMMAND, "compress", str(source), "-R", "-o", str(tmp_path / "out"), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # The first is done, and hundreds are not.
        process.send_signal(number)
        out, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code
    done = 1 + out.count(b"\n")
    last = errors.decode().splitlines()[-1]
    assert last.startswith(f"interrupted: {done} of 300 done, {300 - done} not done; ")
    assert len(files_in(tmp_path / "out")) == done
