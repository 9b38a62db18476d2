"""Every example of the README runs as it is printed, on small images."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pixpress

README = Path(__file__).parents[2] / "README.md"


def examples(language: str) -> list[str]:
    """Return the README's blocks of a language."""
    if not README.exists():
        pytest.skip("README.md is not beside the tests")
    return re.findall(rf"^```{language}\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, photo: np.ndarray) -> Path:
    """A folder with the files that the examples name."""
    (tmp_path / "photos").mkdir()
    for name in ("photo.jpg", "photos/a.jpg", "photos/b.jpg"):
        Image.fromarray(photo).save(tmp_path / name, quality=95)
    return tmp_path


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_python_examples_run_in_order(folder: Path) -> None:
    blocks = examples("python")
    assert len(blocks) >= 4
    told = [run(folder, "-W", "error", "-c", block) for block in blocks]
    assert "jpeg 320 240" in told[0]
    assert pixpress.probe(folder / "photo.webp").format == "webp"
    assert told[1].count("bytes saved") == 2
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["a.webp", "b.webp"]


def test_the_commands_run_in_order(folder: Path) -> None:
    lines = [line for block in examples("sh") for line in block.splitlines()]
    commands = [shlex.split(line) for line in lines if line.startswith("pixpress ")]
    assert len(commands) >= 3
    told = [run(folder, "-m", *command) for command in commands]
    assert any("photo.jpg: jpeg 320x240" in text for text in told)
    made = sorted(path.name for path in (folder / "compressed").rglob("*.jpg"))
    assert made == ["a.jpg", "b.jpg"]
    assert pixpress.probe(folder / "photo_1600.webp").format == "webp"
