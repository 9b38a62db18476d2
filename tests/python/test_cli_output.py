"""The command where its output cannot go, and where none is to be made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "pixpress"]
PATIENCE_S = 120


@pytest.mark.parametrize(
    "arguments", [("info",), ("compress", "-o", "-"), ("compress", "-o", "made.webp")]
)
def test_a_full_standard_output_is_one_line_and_a_failure(
    arguments: tuple[str, ...], photo_jpeg: bytes, tmp_path: Path
) -> None:
    (tmp_path / "a.jpg").write_bytes(photo_jpeg)
    command, *options = arguments
    with open("/dev/full", "wb") as full:
        ended = subprocess.run(
            [*COMMAND, command, "a.jpg", *options],
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=PATIENCE_S,
            check=False,
            cwd=tmp_path,
        )
    assert ended.returncode == 1
    assert ended.stderr == b"error: standard output: No space left on device\n"


@pytest.mark.parametrize(
    "options", [["--target", "psnr:40"], ["--max-size", "much"]], ids=["target", "max size"]
)
def test_a_dry_run_refuses_what_the_run_would(
    options: list[str], photo_jpeg: bytes, tmp_path: Path
) -> None:
    (tmp_path / "a.jpg").write_bytes(photo_jpeg)
    line = [*COMMAND, "compress", "a.jpg", "-o", "out.jpg", *options]
    runs = [
        subprocess.run(
            [*line, *more], capture_output=True, timeout=PATIENCE_S, check=False, cwd=tmp_path
        )
        for more in (["--dry-run"], [])
    ]
    assert [ended.returncode for ended in runs] == [2, 2]
    assert runs[0].stderr == runs[1].stderr
