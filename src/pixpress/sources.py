"""What callers may pass as an image, as a source of the core."""

from __future__ import annotations

import os
from typing import Any

from . import _native
from .errors import OptionError, expected

_EXTENSIONS = {"jpg": 1, "jpeg": 1, "jpe": 1, "jfif": 1, "png": 2, "webp": 3, "avif": 5}


def open_source(src: Any) -> _native.NativeSource:
    """A path, bytes-like object, file object, numpy array or Pillow image."""
    if isinstance(src, (str, os.PathLike)):
        return _native.NativeSource(os.fspath(src))
    if isinstance(src, (bytes, bytearray, memoryview)):
        return _native.NativeSource("<bytes>", src)
    if hasattr(src, "dtype"):
        return array_source(src)
    if hasattr(src, "read"):
        data = src.read()
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise expected("a file opened in binary mode", "src", src)
        return _native.NativeSource(str(getattr(src, "name", "<file>")), data)
    if hasattr(src, "__array_interface__") and hasattr(src, "getbands"):
        return _image_source(src)
    raise expected("a path, bytes, a binary file, an array or an image", "src", src)


def array_source(array: Any) -> _native.NativeSource:
    """Pixels of H x W or H x W x 1 to 4, uint8 or uint16."""
    import numpy as np

    channels = 1 if array.ndim == 2 else array.shape[2] if array.ndim == 3 else 0
    if not 1 <= channels <= 4 or array.dtype not in (np.uint8, np.uint16) or not array.size:
        raise expected(
            "uint8 or uint16 pixels of (H, W) or (H, W, 1 to 4)",
            "array",
            f"{array.dtype} {array.shape}",
        )
    flat = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("=")).reshape(-1)
    layout = (array.shape[1], array.shape[0], int(channels > 2), channels in (2, 4))
    return _native.NativeSource("<array>", flat.view(np.uint8), (*layout, 8 * array.dtype.itemsize))


def output_format(chosen: int, path: str | None, source: _native.NativeSource) -> int:
    """The format number of a job: the extension of `path` wins over keep (0)."""
    named = 0
    if path is not None:
        extension = os.path.splitext(path)[1][1:].lower()
        named = _EXTENSIONS.get(extension, 0)
        if extension and not named and not chosen:
            raise OptionError(f"Expected a known extension or a format, got {path!r}")
    if chosen and named and chosen != named:
        raise OptionError(f"Expected an extension of the chosen format for dst, got {path!r}")
    if not chosen and not named and source.name in ("<array>", "<image>"):
        raise OptionError("Expected a format or an extension of dst for pixels, got neither")
    return chosen or named


def _image_source(image: Any) -> _native.NativeSource:
    import numpy as np

    if image.mode not in ("L", "LA", "RGB", "RGBA", "I;16"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    return array_source(np.asarray(image))
