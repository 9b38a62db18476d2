"""Single operations on numpy arrays, on the caller's thread."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from . import _native
from .errors import expected
from .options import DEFAULT, FILTERS, choice, format_value, settings_of, whole
from .result import ImageInfo
from .sources import array_source, open_source

Array = npt.NDArray[Any]
_MODES = {
    "L": (0, False),
    "LA": (0, True),
    "RGB": (1, False),
    "RGBA": (1, True),
    "CMYK": (3, False),
}


def probe(src: Any) -> ImageInfo:
    """Read the header of an image."""
    return _native.probe(open_source(src), DEFAULT.native)


def _allocate(frames: int, height: int, width: int, channels: int, bits: int) -> Array:
    shape = (frames, height, width) if channels == 1 else (frames, height, width, channels)
    return np.empty(shape, np.uint16 if bits == 16 else np.uint8)


def decode(src: Any, *, mode: str | None = None, frames: bool = False) -> Array:
    """Decode to H x W x C, or H x W for gray, in the stored orientation."""
    if mode is not None and mode not in _MODES:
        raise expected("one of " + ", ".join(_MODES), "mode", mode)
    color, has_alpha = (-1, False) if mode is None else _MODES[mode]
    array: Array = _native.decode(open_source(src), color, has_alpha, frames, _allocate)
    return array if frames else array[0]


def encode(array: Array, format: str, **settings: Any) -> bytes:
    """Encode pixels.

    Examples
    --------
    >>> encode(np.zeros((2, 2, 3), np.uint8), "png")[:4]
    b'\\x89PNG'
    """
    number = format_value(format)
    if number == 0:
        raise expected("one of jpeg, png, webp", "format", format)
    native = settings_of(None, settings).native.with_format(number)
    return _native.run(native, array_source(array))


def resize(
    array: Array, size: tuple[int, int], resample: str = "lanczos", linear: bool = False
) -> Array:
    """Resample to `size`, which is (width, height).

    Examples
    --------
    >>> resize(np.zeros((4, 4), np.uint8), (2, 3)).shape
    (3, 2)
    """
    if len(size) != 2:
        raise expected("(width, height)", "size", size)
    width, height = (whole("size", side, 1, 2**24) for side in size)
    source = array_source(array)
    out = np.empty((height, width, *array.shape[2:]), array.dtype.newbyteorder("="))
    _native.resize(
        source,
        width,
        height,
        choice("resample", resample, FILTERS),
        linear,
        out.reshape(-1).view(np.uint8),
    )
    return out


def quantize(
    array: Array, colors: int = 256, *, dither: float = 1.0, min_quality: int | None = None
) -> tuple[Array, Array]:
    """Reduce RGB or RGBA to a palette: indices (H x W) and palette (N x 4)."""
    if array.ndim != 3 or array.shape[2] not in (3, 4) or array.dtype != np.uint8:
        raise expected("uint8 RGB or RGBA", "array", f"{array.dtype} {array.shape}")
    settings = settings_of(None, {"colors": colors, "dither": dither, "min_quality": min_quality})
    out = np.empty(array.shape[:2], np.uint8)
    least = -1 if settings.min_quality is None else settings.min_quality
    palette = _native.quantize(array_source(array), colors, settings.dither, least, out.reshape(-1))
    return out, np.array(palette, np.uint8)


def optimal_worker_count() -> int:
    """Workers that a pool starts at most by default."""
    return max(1, min(_native.allowed_cpus(), _native.allowed_memory_bytes() // (50 << 20)))


def features() -> dict[str, Any]:
    """What is built in."""
    return {"formats": ["jpeg", "png", "webp"], "simd": _native.simd_target()}
