"""Whether lossless outputs show what their inputs do."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageSequence

Shown = list[tuple[np.ndarray, float]]


def shown(data: bytes) -> Shown:
    """Return the canvases with their durations; equal ones in a row are one."""
    canvases: Shown = []
    with Image.open(io.BytesIO(data)) as image:
        for frame in ImageSequence.Iterator(image):
            canvas = np.asarray(frame.convert("RGBA")).copy()
            canvas[canvas[..., 3] == 0] = 0  # No color is seen where nothing is.
            duration = float(frame.info.get("duration", 0))
            if canvases and np.array_equal(canvases[-1][0], canvas):
                canvases[-1] = canvas, canvases[-1][1] + duration
            else:
                canvases.append((canvas, duration))
    return canvases


def difference(source: bytes, output: bytes) -> str:
    """Return what of an output is not as in its input; nothing if it shows the same."""
    before, after = shown(source), shown(output)
    if [duration for _, duration in before] != [duration for _, duration in after]:
        return f"{len(after)} frames instead of {len(before)}, or other durations"
    most = 0
    for (old, _), (new, _) in zip(before, after, strict=True):
        if old.shape != new.shape:
            return "another size"
        most = max(most, int(np.abs(np.subtract(old, new, dtype=np.int16)).max()))
    return f"samples differ by up to {most}" if most else ""
