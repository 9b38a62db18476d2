"""Jobs and helpers of the specification's tests."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from busy_pools import Blocker
from PIL import Image
from worker_processes import await_processes

import pixpress
from pixpress import _native

CORE = Path(__file__).parents[2] / "build" / "core"


@pytest.fixture(autouse=True)
def _cache_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what a configuration makes pools cache out of the home of who runs the tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def pool(folder: Path) -> Iterator[pixpress.Pool]:
    """A pool with a cache in `folder`."""
    with pixpress.Pool(max_workers=2, cache=folder) as pool:
        yield pool


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


@pytest.fixture(scope="session")
def hooked_worker() -> str:
    """The worker program that misbehaves as images ask for."""
    if not (CORE / "build.ninja").exists() or shutil.which("ninja") is None:
        pytest.skip("needs the build folder of the core")
    command = ["ninja", "-C", str(CORE), "--quiet", "pixpress_hooked_worker"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    return str(CORE / "pixpress_hooked_worker")


@pytest.fixture
def hooks(hooked_worker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_native, "WORKER_PROGRAM", hooked_worker)


@pytest.fixture
def marked(tiny_jpeg: bytes) -> Callable[[str], bytes]:
    """A JPEG with a comment that the hooked worker obeys."""

    def make(what: str) -> bytes:
        text = f"pixpress-test:{what}".encode()
        comment = b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text
        return tiny_jpeg[:2] + comment + tiny_jpeg[2:]

    return make


@pytest.fixture
def no_process_is_left() -> Iterator[None]:
    """Fail the test if a worker process outlives its pool."""
    yield
    assert await_processes(0) == []
