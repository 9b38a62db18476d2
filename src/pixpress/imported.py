"""Images that Pillow reads for us: BMP, TIFF, PPM, ICO and TGA, and never another format."""

from __future__ import annotations

import errno
import importlib
import io
import os
import stat
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from . import _native
from .errors import (
    CorruptImageError,
    InputError,
    LimitExceededError,
    MemoryLimitError,
    PixpressError,
    UnidentifiedImageError,
    UnsupportedFormatError,
)
from .foreign import HEAD_BYTES, OPEN_FLAGS, ForeignSource, format_of_bytes
from .icons import check_icon
from .limits import Limits
from .options import DEFAULT
from .result import ImageInfo
from .tiff_frames import count_frames

# The classes of Pillow by format. Naming them keeps `Image.open` and all its other formats out.
_CLASSES = {
    "bmp": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "tiff": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "ppm": ("PIL.PpmImagePlugin", "PpmImageFile"),
    "ico": ("PIL.IcoImagePlugin", "IcoImageFile"),
    "tga": ("PIL.TgaImagePlugin", "TgaImageFile"),
}
# Modes of Pillow: that of our pixels, the core's color model, alpha, bits, and channels.
_GRAY, _RGB, _CMYK = 0, 1, 3
_MODES = {
    "1": ("L", _GRAY, False, 8, 1),
    "L": ("L", _GRAY, False, 8, 1),
    "LA": ("LA", _GRAY, True, 8, 2),
    "La": ("LA", _GRAY, True, 8, 2),
    "RGB": ("RGB", _RGB, False, 8, 3),
    "RGBX": ("RGB", _RGB, False, 8, 3),
    "YCbCr": ("RGB", _RGB, False, 8, 3),
    "P": ("RGB", _RGB, False, 8, 3),
    "RGBA": ("RGBA", _RGB, True, 8, 4),
    "RGBa": ("RGBA", _RGB, True, 8, 4),
    "PA": ("RGBA", _RGB, True, 8, 4),
    "CMYK": ("CMYK", _CMYK, False, 8, 4),
    "I": ("I", _GRAY, False, 16, 1),
    "I;16": ("I;16", _GRAY, False, 16, 1),
    "I;16L": ("I;16L", _GRAY, False, 16, 1),
    "I;16B": ("I;16B", _GRAY, False, 16, 1),
    "I;16N": ("I;16N", _GRAY, False, 16, 1),
}
_NAMES = {_GRAY: "L", _RGB: "RGB", _CMYK: "CMYK"}
_STRIP_PIXELS = 1 << 20
# Tags of IFD0 that say something about the picture; the others describe how the file stores it.
_KEPT_TAGS = (270, 271, 272, 274, 282, 283, 296, 305, 306, 315, 33432)
_SUB_BLOCKS = (0x8769, 0x8825)  # EXIF and GPS
_XMP_TAG = 700


@dataclass(frozen=True)
class _Opened:
    """An image of Pillow whose header was read and whose size is within the limits."""

    image: Any
    format: str
    frames: int
    encoded_bytes: int

    @property
    def mode(self) -> tuple[str, int, bool, int, int]:
        """As in `_MODES`; a palette with transparency has alpha."""
        if self.image.mode == "P" and self.image.has_transparency_data:
            return _MODES["PA"]
        return _MODES[self.image.mode]

    @property
    def pixel_bytes(self) -> int:
        """What the pixels take in our form."""
        _, _, _, bits, channels = self.mode
        return int(self.image.width * self.image.height * channels * bits // 8)

    @property
    def needed_bytes(self) -> int:
        """What is held while they are decoded: Pillow has 1 or 4 bytes for a pixel."""
        own = 1 if self.image.mode in ("1", "L", "P") else 4
        return self.pixel_bytes + int(self.image.width * self.image.height) * own


def load(
    source: ForeignSource,
    limits: Limits,
    admit: Callable[[int, int], None] = lambda needed, kept: None,
) -> _native.NativeSource:
    """Decode an image into pixels with their metadata, as a source of the core.

    `admit` is called with the bytes that decoding needs and those that stay afterwards, before any
    pixel is decoded, and may raise. A file that is of a format of the core after all is left to it.
    """
    with _open_file(source, limits) as (file, size):
        format = _format_of(source, file)
        if format is None:
            return _native.NativeSource(source.name, source.data)
        with _fence(source.name), _opened(source.name, format, file, size, limits) as opened:
            admit(opened.needed_bytes, opened.pixel_bytes)
            opened.image.load()
            _check_size(source.name, opened.image.size, limits)
            _, color, has_alpha, bits, _ = opened.mode
            pixels = _pixels(source.name, opened)
            layout = (*opened.image.size, color, has_alpha, bits)
            imported = (*_metadata(source.name, opened.image, limits), opened.frames, size)
            return _native.NativeSource(source.name, pixels, layout, imported)


def probe(source: ForeignSource, limits: Limits) -> ImageInfo | None:
    """Read the header; None if the file is of a format of the core after all."""
    with _open_file(source, limits) as (file, size):
        format = _format_of(source, file)
        if format is None:
            return None
        with _fence(source.name), _opened(source.name, format, file, size, limits) as opened:
            _, color, has_alpha, bits, _ = opened.mode
            mode = _NAMES[color] + ("A" if has_alpha else "")
            is_lossless = opened.image.info.get("compression") not in ("jpeg", "webp")
            has_icc = bool(opened.image.info.get("icc_profile"))
            width, height = opened.image.size
            return ImageInfo(
                format, width, height, opened.frames, 1, mode, has_alpha, bits, False,
                is_lossless, has_icc, 0, 1,
            )  # fmt: skip


def _format_of(source: ForeignSource, file: IO[bytes]) -> str | None:
    """What the content says, whatever the extension; TGA has no magic."""
    format = format_of_bytes(file.read(HEAD_BYTES))
    if format is not None or source.format != "tga":
        return format
    try:
        _native.probe(_native.NativeSource(source.name, source.data), DEFAULT.native)
    except UnidentifiedImageError:
        return "tga"
    except PixpressError:
        return None
    return None


@contextmanager
def _open_file(source: ForeignSource, limits: Limits) -> Iterator[tuple[IO[bytes], int]]:
    """The source as a file, and its size; regular files only."""
    if source.data is not None:
        size = memoryview(source.data).nbytes
        _check_input_bytes(source.name, size, limits)
        yield io.BytesIO(source.data), size
        return
    try:
        number = os.open(source.name, OPEN_FLAGS)
    except OSError as error:
        raise _input_error(source.name, error.errno) from error
    try:
        found = os.fstat(number)
        if stat.S_ISDIR(found.st_mode):
            raise _input_error(source.name, errno.EISDIR)
        if not stat.S_ISREG(found.st_mode):
            raise _input_error(source.name, errno.EINVAL, "not a regular file")
        _check_input_bytes(source.name, found.st_size, limits)
        with os.fdopen(number, "rb", closefd=False) as file:
            yield file, found.st_size
    finally:
        os.close(number)


def _input_error(name: str, number: int | None, text: str = "") -> InputError:
    text = text or os.strerror(number or 0)
    return InputError(f"{name}: {text}", stage="read", errno=number, filename=name)


def _check_input_bytes(name: str, size: int, limits: Limits) -> None:
    if size > limits.max_input_bytes:
        raise LimitExceededError(
            f"{name}: the input has {size} bytes; max_input_bytes is {limits.max_input_bytes}",
            stage="probe",
        )


def _check_size(name: str, size: tuple[int, int], limits: Limits) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise CorruptImageError(f"{name}: the image is {width} x {height} pixels", stage="probe")
    if width * height > limits.max_pixels:
        raise LimitExceededError(
            f"{name}: the image is {width} x {height} pixels; max_pixels is {limits.max_pixels}",
            stage="probe",
        )


@contextmanager
def _fence(name: str) -> Iterator[None]:
    """Whatever Pillow raises for what is in a file, as an error of ours."""
    try:
        yield
    except PixpressError:
        raise
    except MemoryError as error:
        raise MemoryLimitError(f"{name}: no memory for the image", stage="decode") from error
    except OSError as error:
        if error.errno is not None:
            raise _input_error(name, error.errno) from error
        raise CorruptImageError(f"{name}: {error}", stage="decode") from error
    except Exception as error:  # The decoders raise all kinds, warnings made errors too.
        raise CorruptImageError(
            f"{name}: {error or type(error).__name__}", stage="decode"
        ) from error


@contextmanager
def _opened(
    name: str, format: str, file: IO[bytes], size: int, limits: Limits
) -> Iterator[_Opened]:
    frames = 1
    if format == "ico":  # Pillow decodes these while it opens them.
        check_icon(name, file)
    elif format == "tiff":
        frames = count_frames(file, limits.max_frames)
        if frames > limits.max_frames:
            raise LimitExceededError(
                f"{name}: the image has more than {limits.max_frames} frames, max_frames",
                stage="probe",
            )
    file.seek(0)
    module, kind = _CLASSES[format]
    with getattr(importlib.import_module(module), kind)(file) as image:
        _check_size(name, image.size, limits)
        if image.mode not in _MODES:
            raise UnsupportedFormatError(
                f"{name}: pixels of Pillow's mode {image.mode} are not supported", stage="probe"
            )
        yield _Opened(image, format, frames, size)


def _pixels(name: str, opened: _Opened) -> Any:
    """All samples as one array of bytes, converted a strip at a time."""
    import numpy as np

    image = opened.image
    wanted, _, _, bits, channels = opened.mode
    width, height = image.size
    pixels = np.empty((height, width, channels), np.uint16 if bits == 16 else np.uint8)
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        end = min(height, top + rows)
        strip = image if rows >= height else image.crop((0, top, width, end))
        if strip.mode != wanted:
            strip = strip.convert(wanted)
        samples = np.asarray(strip)
        if wanted == "I" and not 0 <= int(samples.min()) <= int(samples.max()) <= 65535:
            raise UnsupportedFormatError(
                f"{name}: samples of more than 16 bits are not supported", stage="decode"
            )
        pixels[top:end] = samples.reshape(end - top, width, channels)
    return pixels.reshape(-1).view(np.uint8)


def _metadata(name: str, image: Any, limits: Limits) -> tuple[bytes, bytes, bytes]:
    """Profile, EXIF as a TIFF block, and XMP."""
    icc = image.info.get("icc_profile") or b""
    xmp = image.info.get("xmp") or b""
    exif = _exif_block(image)
    size = len(icc) + len(xmp) + len(exif)
    if size > limits.max_metadata_bytes:
        raise LimitExceededError(
            f"{name}: the metadata has {size} bytes; max_metadata_bytes is "
            f"{limits.max_metadata_bytes}",
            stage="decode",
        )
    return bytes(icc), exif, xmp.encode() if isinstance(xmp, str) else bytes(xmp)


def _exif_block(image: Any) -> bytes:
    """What the file says about the picture; nothing if that is damaged, as in the core."""
    from PIL import Image

    try:
        found = image.getexif()
        kept = Image.Exif()
        for tag in _KEPT_TAGS:
            if tag in found:
                kept[tag] = found[tag]
        for tag in _SUB_BLOCKS:
            block = found.get_ifd(tag)
            if block:
                kept[tag] = dict(block)
        return kept.tobytes().removeprefix(b"Exif\0\0") if len(kept) else b""
    except (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError,
            struct.error):  # fmt: skip
        return b""
