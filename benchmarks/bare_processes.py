"""What processes reach that share nothing: Pillow re-encoding images, each process its share."""

from __future__ import annotations

import io
import multiprocessing
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image


def reencode(blob: bytes) -> None:
    """Decode and encode an image with nothing but its codec."""
    image = Image.open(io.BytesIO(blob))
    kind = image.format
    if kind == "JPEG":
        image.draft("YCbCr", image.size)
    image.load()
    options = {"quality": 80, "subsampling": "4:2:0"} if kind == "JPEG" else {}
    image.save(io.BytesIO(), kind, **options)


def reencode_all(images: Sequence[bytes | Path]) -> None:
    """Re-encode images, some of which may be files."""
    for image in images:
        reencode(image.read_bytes() if isinstance(image, Path) else image)


def bare_seconds(images: Sequence[bytes | Path], count: int) -> float:
    """Return the seconds that ``count`` processes take, each for its share of the images."""
    context = multiprocessing.get_context("fork")
    shares = [images[index::count] for index in range(count)]
    processes = [context.Process(target=reencode_all, args=(share,)) for share in shares]
    start = time.perf_counter()
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    seconds = time.perf_counter() - start
    assert all(process.exitcode == 0 for process in processes)
    return seconds
