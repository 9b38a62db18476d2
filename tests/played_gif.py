"""What Pillow shows of a GIF."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


def played(data: bytes) -> tuple[list[np.ndarray], list[int], int | None]:
    """Return the canvases, durations in ms and loop entry that Pillow sees."""
    image = Image.open(io.BytesIO(data))
    canvases, durations = [], []
    for index in range(getattr(image, "n_frames", 1)):
        image.seek(index)
        canvases.append(np.asarray(image.convert("RGBA")))
        durations.append(image.info.get("duration", 0))
    return canvases, durations, image.info.get("loop")
