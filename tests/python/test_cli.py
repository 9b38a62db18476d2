"""The command: files in, files out, exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image


def pixpress(*arguments: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "pixpress", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, timeout=60, check=False)


def test_a_folder_is_compressed_with_its_tree(tmp_path: Path, photo: np.ndarray) -> None:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    Image.fromarray(photo).save(tmp_path / "in" / "a.jpg", quality=95)
    Image.fromarray(photo).save(tmp_path / "in" / "sub" / "b.png")
    (tmp_path / "in" / "notes.txt").write_text("no image")
    done = pixpress("compress", tmp_path / "in", "-R", "-o", tmp_path / "out", "--quality", "80")
    assert done.returncode == 0, done.stderr.decode()
    made = sorted(path.name for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert made == ["a.jpg", "b.png"]


def test_a_bad_file_gives_exit_code_1(tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"\xff\xd8\xff but no more")
    done = pixpress("compress", bad, "-o", tmp_path / "out")
    assert done.returncode == 1
    assert b"bad.jpg" in done.stderr + done.stdout


def test_wrong_usage_gives_exit_code_2(tmp_path: Path) -> None:
    assert pixpress("compress", "--nonsense").returncode == 2
    assert pixpress("--version").returncode == 0
