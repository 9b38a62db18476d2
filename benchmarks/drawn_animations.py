"""Animated GIF files that are drawn, other ones for each seed."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw

_PAPER, _INK, _BAR = (250, 250, 247), (30, 32, 36), (58, 92, 160)
_Random = np.random.Generator


def _gif(frames: list[Image.Image], duration_ms: int) -> bytes:
    out = io.BytesIO()
    # Whole frames, as recorders write them: what stands still is for the optimizer to find.
    frames[0].save(
        out,
        "GIF",
        save_all=True,
        append_images=frames[1:],
        duration=duration_ms,
        loop=0,
        disposal=1,
        optimize=False,
    )
    return out.getvalue()


def screen_recording(random: _Random, frames: int = 24) -> bytes:
    """Return a window in which text is typed, with a pointer that moves, and one scroll."""
    size = 520 + int(random.integers(80)), 360 + int(random.integers(60))
    page = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 0, size[0], 24), fill=_BAR)
    for row in range(12):
        shade = tuple(int(v) for v in random.integers(90, 230, 3))
        draw.rectangle((8, 34 + 26 * row, 30, 54 + 26 * row), fill=shade)
        _write(draw, random, 40, 36 + 26 * row, int(random.integers(10, 50)))
    made, x, y = [], 40, 36 + 26 * 12
    for number in range(frames):
        if number == frames // 2:
            page.paste(page.crop((0, 50, *size)), (0, 24))
            y -= 26
        _write(ImageDraw.Draw(page), random, x, y, 3)
        x += 24
        shown = page.copy()
        place = 60 + 17 * number % 400, 300 - 9 * number % 250
        arrow = [(0, 0), (0, 16), (5, 12), (11, 11)]
        points = [(place[0] + dx, place[1] + dy) for dx, dy in arrow]
        ImageDraw.Draw(shown).polygon(points, fill="white", outline="black")
        made.append(shown.quantize(128, dither=Image.Dither.NONE))
    return _gif(made, 100)


def _write(draw: ImageDraw.ImageDraw, random: _Random, x: int, y: int, letters: int) -> None:
    text = "".join(chr(int(code)) for code in random.integers(97, 123, letters))
    draw.text((x, y), text, fill=_INK)


def video(random: _Random, photo: Image.Image, frames: int = 12, colors: int = 256) -> bytes:
    """Return a dithered pan over a photograph with the noise of a camera."""
    width, height = 320, 240
    scale = 1.6 * max(width / photo.width, height / photo.height)
    large = photo.convert("RGB").resize(
        (int(photo.width * scale), int(photo.height * scale)), Image.Resampling.LANCZOS
    )
    left, top = (int(random.integers(0, max(1, n // 8))) for n in large.size)
    palette = large.quantize(colors)
    made = []
    for number in range(frames):
        box = left + 4 * number, top + number, left + 4 * number + width, top + number + height
        noisy = np.asarray(large.crop(box), np.float32) + random.normal(0, 2, (height, width, 1))
        frame = Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
        made.append(frame.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG))
    return _gif(made, 80)


def still_camera(random: _Random, photo: Image.Image, frames: int = 12) -> bytes:
    """Return a dithered photograph before which a disk moves: only a part changes."""
    small = photo.convert("RGB").resize((400, 300), Image.Resampling.LANCZOS)
    x, y = (int(v) for v in random.integers(20, 120, 2))
    made = []
    for number in range(frames):
        frame = small.copy()
        left = x + 14 * number
        ImageDraw.Draw(frame).ellipse((left, y, left + 60, y + 60), fill=(210, 60, 40))
        made.append(frame.quantize(200, dither=Image.Dither.FLOYDSTEINBERG))
    return _gif(made, 60)


def drawing(random: _Random, frames: int = 30) -> bytes:
    """Return turning polygons in a few flat colors."""
    width, height = 360, 360
    colors = [tuple(int(v) for v in random.integers(0, 256, 3)) for _ in range(9)]
    center = np.array([width / 2, height / 2])
    corners = [int(n) for n in random.integers(3, 8, 8)]
    radii, speeds = random.integers(30, 150, 8), random.uniform(-0.2, 0.2, 8)
    made = []
    for number in range(frames):
        image = Image.new("RGB", (width, height), colors[0])
        draw = ImageDraw.Draw(image)
        for k in range(8):
            turn = np.arange(corners[k]) * 2 * np.pi / corners[k] + speeds[k] * number + k
            points = center + 0.6 * radii[7 - k] * np.array([np.cos(k), np.sin(k)])
            outline = points + radii[k] * np.stack([np.cos(turn), np.sin(turn)], 1)
            draw.polygon([(float(a), float(b)) for a, b in outline], fill=colors[k + 1])
        made.append(image.quantize(16, dither=Image.Dither.NONE))
    return _gif(made, 50)


def all_kinds(seed: int, photos: list[Image.Image]) -> Iterator[tuple[str, bytes]]:
    """Yield names and files: each kind once, of the photographs what moves in two ways."""
    random = np.random.default_rng(seed)
    yield "screen recording", screen_recording(random)
    yield "drawing", drawing(random)
    for number, photo in enumerate(photos):
        yield f"video {number}", video(random, photo, colors=256 if number % 2 == 0 else 64)
        yield f"still camera {number}", still_camera(random, photo)
