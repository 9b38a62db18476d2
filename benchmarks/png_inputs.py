"""Images for the benchmark of PNG: photographs and graphics, varied, and drawn ones."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

_LANCZOS = Image.Resampling.LANCZOS
_INK = (34, 34, 38)
_SERIES = ((31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189))


@dataclass(frozen=True)
class Input:
    name: str
    kind: str  # "photograph" or "graphic".
    data: bytes


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.info.clear()
    image.save(out, "PNG", compress_level=6)
    return out.getvalue()


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as image:
        image.load()
        return image.convert("RGBA" if "A" in image.mode or "transparency" in image.info else "RGB")


def _crop(image: Image.Image, width: int, height: int, seed: int) -> Image.Image:
    chance = random.Random(seed)
    left = chance.randint(0, max(0, image.width - width))
    top = chance.randint(0, max(0, image.height - height))
    return image.crop((left, top, min(image.width, left + width), min(image.height, top + height)))


def _shrunk(image: Image.Image, side_px: int) -> Image.Image:
    made = image.copy()
    made.thumbnail((side_px, side_px), _LANCZOS)
    return made


def _with_soft_edge(image: Image.Image) -> Image.Image:
    """Return a photograph cut out by an ellipse with a soft edge."""
    mask = Image.new("L", image.size, 0)
    inset_px = min(image.size) // 12
    box = (inset_px, inset_px, image.width - inset_px, image.height - inset_px)
    ImageDraw.Draw(mask).ellipse(box, fill=255)
    made = image.convert("RGB")
    made.putalpha(mask.filter(ImageFilter.GaussianBlur(6)))
    return made


def _photo_variants() -> list[tuple[str, Callable[[Image.Image, int], Image.Image]]]:
    return [
        ("crop", lambda image, seed: _crop(image.convert("RGB"), 640, 448, seed)),
        ("shrunk", lambda image, _: _shrunk(image.convert("RGB"), 560)),
        ("gray", lambda image, seed: _crop(image.convert("L"), 720, 500, seed)),
        ("cut out", lambda image, _: _with_soft_edge(_shrunk(image, 520))),
        ("larger", lambda image, _: _shrunk(image.convert("RGB"), 1400)),
    ]


def _graphic_variants() -> list[tuple[str, Callable[[Image.Image, int], Image.Image]]]:
    return [
        ("crop", lambda image, seed: _crop(image, 720, 540, seed)),
        ("shrunk", lambda image, _: _shrunk(image, 640)),
        ("palette", lambda image, seed: _crop(image, 800, 600, seed).convert("RGB").quantize(64)),
        ("gray", lambda image, seed: _crop(image, 700, 500, seed).convert("L")),
    ]


def _line_chart(seed: int) -> Image.Image:
    """Draw lines with smooth edges, a grid and labels."""
    chance = random.Random(seed)
    image = Image.new("RGB", (1800, 1200), "white")
    draw = ImageDraw.Draw(image)
    for y in range(100, 1150, 150):
        draw.line((120, y, 1760, y), fill=(221, 221, 221), width=2)
        draw.text((30, y - 16), f"{(1150 - y) * 4}", fill=_INK, font_size=32)
    for color in _SERIES:
        level = chance.uniform(300, 900)
        points = []
        for x in range(120, 1760, 12):
            level = min(1100, max(120, level + chance.gauss(0, 22)))
            points.append((x, level))
        draw.line(points, fill=color, width=5, joint="curve")
    return image.resize((900, 600), _LANCZOS)


def _bars(seed: int) -> Image.Image:
    """Draw flat bars of few colors."""
    chance = random.Random(seed)
    image = Image.new("RGB", (960, 540), (250, 250, 250))
    draw = ImageDraw.Draw(image)
    for i in range(24):
        height = chance.randint(40, 440)
        color = _SERIES[i % len(_SERIES)]
        draw.rectangle((40 + i * 37, 500 - height, 66 + i * 37, 500), fill=color)
        draw.text((42 + i * 37, 506), f"{height}", fill=_INK, font_size=14)
    return image


def _window(seed: int) -> Image.Image:
    """Draw what looks like a program's window: text, buttons, shaded bars and a picture."""
    chance = random.Random(seed)
    ramp = np.linspace(250, 214, 48).astype(np.uint8)
    bar = np.repeat(np.repeat(ramp[:, None, None], 1024, axis=1), 3, axis=2)
    image = Image.new("RGB", (1024, 700), (244, 245, 247))
    image.paste(Image.fromarray(bar), (0, 0))
    draw = ImageDraw.Draw(image)
    for i in range(7):
        draw.rounded_rectangle((14 + i * 96, 9, 100 + i * 96, 39), 7, fill=(228, 232, 240))
        draw.text((28 + i * 96, 15), chance.choice(("Open", "Save", "Copy")), _INK, font_size=15)
    letters = "etaoinshrdlucmfwyp  "
    for row in range(28):
        line = "".join(chance.choice(letters) for _ in range(chance.randint(40, 82)))
        draw.text((232, 66 + row * 22), line, fill=_INK, font_size=15)
        draw.text(
            (16, 66 + row * 22), f"item {chance.randint(1, 999)}", (52, 86, 160), font_size=15
        )
    return image


def _badge(seed: int) -> Image.Image:
    """Draw an emblem with shades and a shadow on transparent ground."""
    chance = random.Random(seed)
    y, x = np.mgrid[0:480, 0:480].astype(np.float64)
    shade = np.clip(np.stack([255 - y / 3, 96 + x / 4, 128 + (x + y) / 9], axis=2), 0, 255)
    disc = Image.fromarray(shade.astype(np.uint8)).convert("RGBA")
    mask = Image.new("L", (480, 480), 0)
    draw = ImageDraw.Draw(mask)
    draw.ellipse((50, 50, 430, 430), fill=255)
    for _ in range(5):
        left, top = chance.randint(90, 330), chance.randint(90, 330)
        draw.ellipse((left, top, left + 60, top + 60), fill=0)
    image = Image.new("RGBA", (480, 480), (0, 0, 0, 0))
    shadow = Image.new("RGBA", (480, 480), (20, 20, 30, 255))
    shadow.putalpha(mask.filter(ImageFilter.GaussianBlur(12)).point(lambda a: a // 2))
    image.alpha_composite(shadow)
    disc.putalpha(mask.filter(ImageFilter.GaussianBlur(1)))
    image.alpha_composite(disc)
    return image


_DRAWN = (("line chart", _line_chart), ("bars", _bars), ("window", _window), ("badge", _badge))


def _varied(
    paths: list[Path],
    variants: list[tuple[str, Callable[[Image.Image, int], Image.Image]]],
    seed: int,
) -> list[tuple[str, bytes]]:
    """Return one image for each variant, each of another file."""
    chance = random.Random(seed)
    chosen = chance.sample(paths, min(len(variants), len(paths)))
    made = []
    for i, (name, vary) in enumerate(variants):
        path = chosen[i % len(chosen)]
        made.append((f"{path.stem}, {name}", _png(vary(_opened(path), seed + i))))
    return made


def make_inputs(photos: list[Path], graphics: list[Path], seed: int) -> list[Input]:
    """Return varied photographs and graphics, and drawn ones; the same ones for a seed."""
    inputs: list[Input] = []
    if photos:
        for name, data in _varied(photos, _photo_variants(), seed):
            inputs.append(Input(name, "photograph", data))
    if graphics:
        for name, data in _varied(graphics, _graphic_variants(), seed):
            inputs.append(Input(name, "graphic", data))
    inputs.extend(Input(name, "graphic", _png(draw(seed))) for name, draw in _DRAWN)
    return inputs
