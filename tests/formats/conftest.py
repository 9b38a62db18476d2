"""The corpus of real images as its manifest describes it."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

Played = tuple[list[NDArray[np.uint8]], list[float], int | None]

CORPUS = Path(
    os.environ.get("PIXPRESS_CORPUS", Path(__file__).parents[2].parent / "shared" / "corpus")
)
SMALL_PX = 70_000
GOOD = ("photos_jpeg", "odd_jpeg", "photos_png", "graphics_png", "webp", "gif")


@dataclass(frozen=True)
class CorpusFile:
    """One row of manifest.csv."""

    path: Path
    folder: str
    kind: str
    width: int
    height: int

    @property
    def is_animated(self) -> bool:
        return "animated" in self.kind or (self.folder == "gif" and "static" not in self.kind)

    @property
    def is_unsupported_jpeg(self) -> bool:
        return self.folder == "odd_jpeg" and ("12-bit" in self.kind or "SOF3" in self.kind)


def _read_manifest() -> list[CorpusFile]:
    if not CORPUS.is_dir():
        return []
    with open(CORPUS / "manifest.csv", newline="") as manifest:
        return [
            CorpusFile(
                path=CORPUS / row["file"],
                folder=row["file"].split("/")[0],
                kind=row["kind"],
                width=int(row["width"] or 0),
                height=int(row["height"] or 0),
            )
            for row in csv.DictReader(manifest)
        ]


def _is_still(file: CorpusFile) -> bool:
    return file.folder in GOOD and not file.is_animated and not file.is_unsupported_jpeg


def _is_exact(file: CorpusFile) -> bool:
    return file.folder in ("photos_png", "graphics_png", "webp", "gif")


# Parameters of tests, and the files that each stands for.
SELECTIONS: dict[str, Callable[[CorpusFile], bool]] = {
    "still": _is_still,
    "jpeg": lambda file: "jpeg" in file.folder and _is_still(file),
    "unsupported_jpeg": lambda file: file.is_unsupported_jpeg,
    "png": lambda file: file.folder in ("photos_png", "graphics_png"),
    "webp": lambda file: file.folder == "webp" and _is_still(file),
    "gif": lambda file: file.folder == "gif",
    "animation": lambda file: file.folder in GOOD and file.is_animated,
    "exact": _is_exact,
    "small_exact": lambda file: _is_exact(file) and file.width * file.height <= SMALL_PX,
    "animated_webp": lambda file: file.folder == "webp" and file.is_animated,
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name, is_selected in SELECTIONS.items():
        if name in metafunc.fixturenames:
            files = [file for file in _read_manifest() if is_selected(file)]
            metafunc.parametrize(name, files, ids=[file.path.name for file in files])


@pytest.fixture(scope="session")
def bad_files() -> list[CorpusFile]:
    files = [file for file in _read_manifest() if file.folder == "bad"]
    if not files:
        pytest.skip("the corpus of real images is not beside the project")
    return files


@pytest.fixture(scope="session")
def opened() -> Callable[[bytes | Path], Image.Image]:
    """Open with Pillow, pixels and all."""

    def open_image(source: bytes | Path) -> Image.Image:
        data = source if isinstance(source, bytes) else source.read_bytes()
        image = Image.open(io.BytesIO(data))
        image.load()
        return image

    return open_image


@pytest.fixture(scope="session")
def played() -> Callable[[bytes], Played]:
    """Return the RGBA canvases, durations in ms and loop entry that Pillow sees."""

    def play(data: bytes) -> Played:
        canvases, durations = [], []
        with Image.open(io.BytesIO(data)) as image:
            for index in range(getattr(image, "n_frames", 1)):
                image.seek(index)
                canvases.append(np.asarray(image.convert("RGBA")))
                durations.append(image.info.get("duration", 0))
            return canvases, durations, image.info.get("loop")

    return play
