"""What every Python test may use."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

CORPUS = Path(
    os.environ.get("PIXPRESS_CORPUS", Path(__file__).parents[2].parent / "shared" / "corpus")
)

# Far more than a test program takes; what it may leave undone would take longer still.
PATIENCE_S = 300
PRELUDE = (
    f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
"""
    + """
import gc, os, signal, threading, time
import numpy as np
import pixpress
from busy_pools import LONG, Blocker, await_running, noise, submit_long
from pixpress.compress import default_pool

small = np.zeros((8, 8), np.uint8)
# Seconds on one worker, so that a queue of hundreds cannot be finished in a test.
large = np.random.default_rng(1).integers(0, 256, (2000, 3000, 3), dtype=np.uint8)
SLOW = {"format": "png", "effort": 10}

def say(text):
    print(text, flush=True)

def main_is_in(function):
    frame = sys._current_frames()[threading.main_thread().ident]
    while frame is not None and frame.f_code.co_qualname != function:
        frame = frame.f_back
    return frame is not None

def interrupt_when_waiting(pool):
    def wait():
        while pool.stats()["running"] == 0 or not main_is_in("JobFuture._wait"):
            os.sched_yield()
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=wait).start()
"""
)


def make_photo(width: int = 320, height: int = 240) -> np.ndarray:
    """Return smooth shapes with some noise: compressible like a photograph."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0:height, 0:width].astype(float)
    planes = [
        128 + 90 * np.sin(x / 23 + phase) * np.cos(y / 31 - phase) for phase in (0.0, 1.0, 2.0)
    ]
    noisy = np.stack(planes, axis=-1) + rng.normal(0, 4, (height, width, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8)


@pytest.fixture(autouse=True, scope="session")
def _cache_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what examples and commands cache out of the home of who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="session")
def photo() -> np.ndarray:
    return make_photo()


@pytest.fixture(scope="session")
def photo_jpeg(photo: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(photo).save(out, "JPEG", quality=95)
    return out.getvalue()


@pytest.fixture
def photo_file(tmp_path: Path, photo_jpeg: bytes) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo_jpeg)
    return path


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "queue.db"


@pytest.fixture(scope="session")
def corpus() -> Path:
    if not CORPUS.is_dir():
        pytest.skip("the corpus of real images is not beside the project")
    return CORPUS


@pytest.fixture(scope="session")
def program() -> Callable[[str], list[str]]:
    """The command that runs a body after PRELUDE."""
    return lambda body: [sys.executable, "-c", PRELUDE + textwrap.dedent(body)]


@pytest.fixture(scope="session")
def run(
    program: Callable[[str], list[str]],
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a body to its end."""

    def run_body(body: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = [*program(body), *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )

    return run_body
