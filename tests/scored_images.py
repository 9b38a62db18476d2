"""Pairs of images to score: an original and a distorted one, the same on every machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

# Odd and even sides, few and many scales, and the least that has one.
SIZES = ((8, 8), (9, 37), (64, 48), (131, 97), (255, 256), (401, 300))


def _noise(shape: tuple[int, ...], seed: int) -> Array:
    """Whole numbers from 0 to 255, by a hash of the place: no generator's version matters."""
    at = np.arange(np.prod(shape), dtype=np.uint64) + np.uint64(seed * 0x9E3779B9)
    at ^= at >> np.uint64(16)
    at = at * np.uint64(0x45D9F3B) & np.uint64(0xFFFFFFFF)
    at ^= at >> np.uint64(15)
    return (at >> np.uint64(7) & np.uint64(255)).astype(np.int64).reshape(shape)


def _photo(width: int, height: int) -> Array:
    """Slopes and waves, with disks and some grain."""
    y, x = np.mgrid[0:height, 0:width]
    disks = ((x % 60 - 30) ** 2 + (y % 50 - 25) ** 2 < 300) * 70
    channels = [x * 150 // width + disks, y * 120 // height + disks // 2 + 40, 190 - x * y % 97]
    return np.clip(np.stack(channels, axis=2) + _noise((height, width, 3), 1) // 16, 0, 255)


def _graphic(width: int, height: int) -> Array:
    """Flat areas with hard edges and thin lines."""
    y, x = np.mgrid[0:height, 0:width]
    index = (x // 23 + y // 17) % 4
    colors = np.array([[250, 250, 245], [30, 60, 160], [200, 40, 30], [20, 20, 20]])
    image = colors[index]
    image[(x + 2 * y) % 41 == 0] = (0, 120, 60)
    return image


def _coarse(image: Array, strength: int) -> Array:
    step = 4 << strength
    return np.clip(image // step * step + step // 2, 0, 255)


def _grainy(image: Array, strength: int) -> Array:
    return np.clip(image + (_noise(image.shape, 2) - 128) * strength // 12, 0, 255)


def _blurred(image: Array, strength: int) -> Array:
    for _ in range(strength):
        image = (np.roll(image, 1, 0) + 2 * image + np.roll(image, -1, 0) + 2) // 4
        image = (np.roll(image, 1, 1) + 2 * image + np.roll(image, -1, 1) + 2) // 4
    return image


def _blocky(image: Array, strength: int) -> Array:
    """Each 8 x 8 block moved towards its upper left pixel."""
    height, width = image.shape[:2]
    corner = image[np.arange(height)[:, None] // 8 * 8, np.arange(width)[None, :] // 8 * 8]
    return (image * (8 - strength) + corner * strength) // 8


_ORIGINALS: dict[str, Callable[[int, int], Array]] = {"photo": _photo, "graphic": _graphic}
_DISTORTIONS: dict[str, Callable[[Array, int], Array]] = {
    "coarse": _coarse,
    "grainy": _grainy,
    "blurred": _blurred,
    "blocky": _blocky,
}


def pairs() -> Iterator[tuple[str, Array, Array]]:
    """Each with its name; uint8, RGB, and gray ones (H x W)."""
    for kind, original in _ORIGINALS.items():
        for width, height in SIZES:
            image = original(width, height)
            for name, distort in _DISTORTIONS.items():
                for strength in (1, 2, 4):
                    pair = [image.astype(np.uint8), distort(image, strength).astype(np.uint8)]
                    label = f"{kind} {width}x{height} {name} {strength}"
                    yield label, pair[0], pair[1]
                    yield f"{label} gray", pair[0][:, :, 1].copy(), pair[1][:, :, 1].copy()
