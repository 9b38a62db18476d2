"""Jobs and helpers of the specification's tests."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from busy_pools import Blocker
from PIL import Image

import pixpress


@pytest.fixture(scope="session")
def tiny_jpeg() -> bytes:
    out = io.BytesIO()
    Image.radial_gradient("L").resize((16, 16)).convert("RGB").save(out, "JPEG", quality=95)
    return out.getvalue()


@pytest.fixture
def jpeg_file(tmp_path: Path, tiny_jpeg: bytes) -> Path:
    path = tmp_path / "tiny.jpg"
    path.write_bytes(tiny_jpeg)
    return path


@pytest.fixture
def corrupt_file(tmp_path: Path, tiny_jpeg: bytes) -> Path:
    path = tmp_path / "corrupt.jpg"
    path.write_bytes(tiny_jpeg[: len(tiny_jpeg) // 2])
    return path


@pytest.fixture
def block() -> Iterator[Callable[[pixpress.Pool], Blocker]]:
    made: list[Blocker] = []

    def make(pool: pixpress.Pool) -> Blocker:
        made.append(Blocker(pool))
        return made[-1]

    yield make
    for blocker in made:
        blocker.release()
