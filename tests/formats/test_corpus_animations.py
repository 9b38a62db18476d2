"""Every animation of the corpus, to every format: canvas, frames, times and loops as Pillow reads.

What is not compared exactly, and why: frames that show the same canvas one after the other become
one that lasts as long; GIF has 256 colors a frame, alpha of one bit, times of 10 ms (the sum stays)
and no plays beyond 65,536; JPEG holds the first frame, and a warning says so. test_avif_sequence.py
has AVIF.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pixpress

ANIMATED = ("gif", "png", "webp")
# Above this many pixels of all frames they are made at this width.
LARGE_PX = 4_000_000
SMALL_WIDTH = 120
# Pillow plays the still image that APNG shows where it is not animated, and loses alpha with every
# blend; browsers and pixpress do neither. test_apng.py has what is right.
ONLY_OWN = ("apng_blend_over.png",)
# Mean difference of palettes, and of resizing with another filter, on canvases of 0 to 255.
MOST_OF_PALETTE = 2.0
MOST_OF_RESIZING = 1.0
MOST_OF_LOSSY = 8.0

Timeline = list[tuple[np.ndarray, float]]


def seen(canvas: np.ndarray) -> np.ndarray:
    """Whatever its color, nothing is seen of a pixel of alpha 0."""
    return np.where(canvas[..., 3:] == 0, 0, canvas)


def timeline(canvases: list[np.ndarray], durations: list[float]) -> Timeline:
    """Return what is seen and for how long; equal canvases in a row are one."""
    line: Timeline = []
    for canvas, duration in zip(canvases, durations, strict=True):
        if line and np.array_equal(line[-1][0], seen(canvas)):
            line[-1] = (line[-1][0], line[-1][1] + duration)
        else:
            line.append((seen(canvas), duration))
    return line


@lru_cache(maxsize=1)  # All targets of a file come one after the other.
def source_timeline(path: Path, play) -> tuple[Timeline, int | None]:
    canvases, durations, loop = play(path.read_bytes())
    if path.name in ONLY_OWN:
        canvases = list(pixpress.decode(path, mode="RGBA", frames=True))
        durations = durations[1:]
    return timeline(canvases, durations), loop


def plays(format: str, loop: int | None) -> int:
    """How often all is shown; 0 is for ever. GIF counts repeats."""
    if format != "gif":
        assert loop is not None
        return loop
    return 1 if loop is None else loop and loop + 1


def smaller(canvas: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(Image.fromarray(canvas).resize(size, Image.Resampling.LANCZOS))


def difference(own: np.ndarray, theirs: np.ndarray) -> float:
    """Of colors where both are opaque, on black elsewhere."""
    flat = [canvas[..., :3].astype(float) * canvas[..., 3:] / 255 for canvas in (own, theirs)]
    return float(np.abs(flat[0] - flat[1]).mean())


@pytest.mark.parametrize("target", ANIMATED)
def test_animations_keep_canvas_frames_times_and_loops(animation, target: str, played) -> None:
    line, loop = source_timeline(animation.path, played)
    source = pixpress.probe(animation.path)
    height, width = line[0][0].shape[:2]
    is_shrunk = len(line) * width * height > LARGE_PX
    settings: dict[str, object] = {} if target == "gif" else {"lossless": True}
    if is_shrunk:
        width, height = SMALL_WIDTH, max(1, round(height * SMALL_WIDTH / width))
        settings["width"] = width
    result = pixpress.compress(animation.path, format=target, effort=1, **settings)
    assert not result.warnings
    canvases, durations, entry = played(result.data)
    own = timeline(canvases, durations)

    assert (result.width, result.height) == (width, height)
    assert plays(target, entry) == plays(source.format, loop)
    assert [time for _, time in own] == pytest.approx([time for _, time in line])
    assert len(canvases) <= source.frames
    for (canvas, _), (expected, _) in zip(own, line, strict=True):
        assert canvas.shape == (height, width, 4)
        if is_shrunk:
            most = MOST_OF_RESIZING + (MOST_OF_PALETTE if target == "gif" else 0)
            assert difference(canvas, smaller(expected, (width, height))) <= most
        elif target == "gif" and source.format != "gif":
            assert difference(canvas, expected) <= MOST_OF_PALETTE
        else:
            assert np.array_equal(canvas, expected)


def test_jpeg_gets_the_first_frame_and_a_warning(animation, played, opened) -> None:
    first = source_timeline(animation.path, played)[0][0][0]
    if animation.path.name in ONLY_OWN:  # Its still image, which is not in the animation.
        first = pixpress.decode(animation.path, mode="RGBA")
    result = pixpress.compress(animation.path, format="jpeg", effort=1)
    image = opened(result.data)
    assert getattr(image, "n_frames", 1) == 1
    assert image.size == first.shape[1::-1] == (result.width, result.height)
    frames = pixpress.probe(animation.path).frames
    assert result.warnings == (f"only the first of {frames} frames was kept",)
    on_white = Image.new("RGBA", image.size, "white")
    on_white.alpha_composite(Image.fromarray(first))
    shown = Image.new("RGBA", image.size, "white")
    shown.alpha_composite(image.convert("RGBA"))
    assert difference(np.asarray(shown), np.asarray(on_white)) <= MOST_OF_LOSSY


def test_decoded_gif_frames_equal_pillows_composition(gif, played) -> None:
    """Exceptions: none in the corpus.

    Of made files, one: Pillow disposes of a frame whose disposal is 0 as of the last frame that
    specified one. The specification, browsers and pixpress keep it; test_gif.py has that.
    """
    canvases, _, _ = played(gif.path.read_bytes())
    frames = pixpress.decode(gif.path, mode="RGBA", frames=True)
    assert len(frames) == len(canvases) == pixpress.probe(gif.path).frames
    for index, (own, theirs) in enumerate(zip(frames, canvases, strict=True)):
        assert np.array_equal(own, theirs), f"frame {index}"
