"""What callers may pass as an image, as a source of the core."""

from __future__ import annotations

import errno
import os
import stat
from typing import Any

from . import _native
from .errors import CorruptImageError, InputError, OptionError, OutputError, expected
from .foreign import ForeignSource, format_of_bytes, format_of_file
from .options import AUTO

_FORMATS = ("keep", "jpeg", "png", "webp", "gif", "avif")  # By number of the core.
_ROWS = [line.split("\t") for line in _native.built_in()[1].splitlines()]
WRITTEN = [row[0] for row in _ROWS if "w" in row[2]]
_EXTENSIONS = {extension: _FORMATS.index(row[0]) for row in _ROWS for extension in row[3:]}
_EXTENSIONS.setdefault("avif", _FORMATS.index("avif"))  # A job says if it is not built in.
_NEW_EXTENSIONS = {row[0]: "." + row[3] for row in _ROWS}
# Of outputs whose format is known only once they are made: the core puts the real one there.
OPEN_EXTENSION = ".*"
# Modes of Pillow whose arrays are pixels of ours as they are; the rest is converted.
_PLAIN_MODES = ("L", "LA", "RGB", "RGBA", "I;16", "I;16L", "I;16B", "I;16N")
_CONVERTED = {"1": "L", "La": "LA", "RGBa": "RGBA", "PA": "RGBA"}


def path_text(name: str, path: Any) -> str:
    """`path` as text, which the system will read as it is."""
    if not isinstance(path, (str, os.PathLike)):
        raise expected("a path", name, path)
    text = str.__str__(os.fsdecode(path))  # Of a subclass, numpy's say, a plain one.
    if not text or "\0" in text:
        raise expected("a path of at least one character and without NUL", name, text)
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        raise expected("a path that the file system can have", name, ascii(text)) from None
    return text


def link_target(path: str) -> str:
    """`path`, or the file that it leads to if it is a symbolic link; that need not be there yet.

    Raises
    ------
    OutputError
        The link leads to a device or pipe or round in a circle, or the system does not let this
        process follow it.
    """
    if not os.path.islink(path):
        return path
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return os.path.realpath(path)
    except OSError as error:
        raise _output_error(path, error.errno, error.strerror) from error
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # A name in /proc, maybe, and no place.
        raise _output_error(path, errno.EINVAL, "not a regular file")
    return os.path.realpath(path)


def _output_error(path: str, number: int | None, text: str | None) -> OutputError:
    message = f"{path}: {text or os.strerror(number or 0)}"
    return OutputError(message, stage="write", errno=number, filename=path)


def open_source(src: Any) -> _native.NativeSource | ForeignSource:
    """A path, bytes-like object, file object, numpy array or Pillow image.

    What Pillow is to decode is told by the first bytes; of TGA, which has none of its own, by the
    extension.
    """
    if isinstance(src, (str, os.PathLike)):
        path = path_text("src", src)
        try:
            foreign = format_of_file(path)
        except OSError as error:
            return _native.NativeSource(path, unseen_errno=error.errno or 0)
        return _native.NativeSource(path) if foreign is None else ForeignSource(path, foreign)
    if isinstance(src, (bytes, bytearray, memoryview)):
        return _bytes_source("<bytes>", src)
    if is_pixels(src):
        return array_source(src)
    if hasattr(src, "read"):
        return _file_source(src)
    try:
        view = memoryview(src)
    except TypeError:
        problem = expected("a path, bytes, a binary file, an array or an image", "src", src)
        raise problem from None
    return _bytes_source("<bytes>", view)


def _bytes_source(
    name: str, data: bytes | bytearray | memoryview
) -> _native.NativeSource | ForeignSource:
    if isinstance(data, memoryview) and not data.c_contiguous:
        data = bytes(data)
    if isinstance(data, memoryview) and data.format != "B":
        data = data.cast("B")
    foreign = format_of_bytes(data)
    if foreign is None and name.lower().endswith(".tga"):
        foreign = "tga"  # Has no magic: the name of a file object must tell.
    return (
        _native.NativeSource(name, data) if foreign is None else ForeignSource(name, foreign, data)
    )


def _file_source(file: Any) -> _native.NativeSource | ForeignSource:
    if getattr(file, "closed", False) is True:
        raise expected("an open file", "src", file)
    name = getattr(file, "name", None)
    shown = str.__str__(name) if isinstance(name, str) and name else "<file>"
    try:
        data = file.read()
    except OSError as error:
        text = error.strerror or f"cannot be read ({error})"
        raise InputError(
            f"{shown}: {text}", stage="read", errno=error.errno, filename=error.filename
        ) from error
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise expected("a file opened in binary mode", "src", file)
    return _bytes_source(shown, data)


def _is_image(src: Any) -> bool:
    return hasattr(src, "getbands") and hasattr(src, "convert")


def is_pixels(src: Any) -> bool:
    """Whether this is an array or a Pillow image."""
    if isinstance(src, (str, bytes)):  # numpy's have a type too.
        return False
    return hasattr(src, "dtype") or _is_image(src)


def pixels_of(array: Any) -> Any:
    """`array` as numpy has it; of a Pillow image not its indices or inks, but what it shows."""
    import numpy as np

    return _image_pixels(array) if _is_image(array) else np.asarray(array)


def array_source(array: Any) -> _native.NativeSource:
    """Pixels of H x W or H x W x 1 to 4, uint8 or uint16 of any byte order and strides."""
    import numpy as np

    array = pixels_of(array)
    channels = 1 if array.ndim == 2 else array.shape[2] if array.ndim == 3 else 0
    is_number = array.dtype.kind == "u" and array.dtype.itemsize in (1, 2)
    if not is_number or not 1 <= channels <= 4 or not array.size:
        raise expected(
            "uint8 or uint16 pixels of (H, W) or (H, W, 1 to 4), at least one,",
            "array",
            f"{array.dtype} {array.shape}",
        )
    flat = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("=")).reshape(-1)
    layout = (array.shape[1], array.shape[0], int(channels > 2), channels in (2, 4))
    return _native.NativeSource("<array>", flat.view(np.uint8), (*layout, 8 * array.dtype.itemsize))


def output_format(
    chosen: int, path: str | None, source: _native.NativeSource | ForeignSource
) -> int:
    """The format number of a job: the extension of `path` wins over keep (0)."""
    named = 0
    if path is not None:
        extension = os.path.splitext(path)[1].lower()
        named = _EXTENSIONS.get(extension[1:], 0)
        if extension not in ("", OPEN_EXTENSION) and not named and not chosen:
            raise OptionError(f"Expected a known extension or a format, got {path!r}")
    if chosen == AUTO and named:
        raise OptionError(f"Expected no extension of a format for dst with auto, got {path!r}")
    if chosen and named and chosen != named:
        raise OptionError(f"Expected an extension of the chosen format for dst, got {path!r}")
    if not chosen and not named and source.name in ("<array>", "<image>"):
        raise OptionError("Expected a format or an extension of dst for pixels, got neither")
    if not chosen and not named and isinstance(source, ForeignSource):
        raise OptionError(
            f"Expected a format or an extension of dst for {source.format} input, which cannot be "
            f"kept, got neither for {source.name}"
        )
    return chosen or named


def output_name(path: str, format: str) -> str:
    """`path` with an extension of `format`: its own if that fits, or for keep; open for auto."""
    stem, extension = os.path.splitext(path)
    if format == "auto":
        return stem + OPEN_EXTENSION
    if format == "keep" or _FORMATS[_EXTENSIONS.get(extension[1:].lower(), 0)] == format:
        return path
    return stem + _NEW_EXTENSIONS[format]


def possible_names(path: str) -> list[str]:
    """What the output file may be called in the end."""
    stem, extension = os.path.splitext(path)
    if extension != OPEN_EXTENSION:
        return [path]
    return [stem + extension for extension in _NEW_EXTENSIONS.values()]


def check_many(sources: object, errors: str) -> None:
    """Refuse one source, whose letters or bytes would be taken for many, and unknown `errors`."""
    if isinstance(sources, (str, bytes, bytearray, memoryview, os.PathLike)):
        raise OptionError(f"Expected an iterable of sources, got one: {type(sources).__name__}")
    if errors not in ("raise", "return"):
        raise expected("raise or return", "errors", errors)


def output_paths(
    sources: list[object], out_dir: str, format: str
) -> list[tuple[object, str | None]]:
    """Each source with its output; refuses two for one output before any work starts."""
    from pathlib import Path

    folder = Path(out_dir)
    by_output: dict[str, str] = {}
    for src in sources:
        name = path_text("sources with out_dir", src)
        output = str(folder / output_name(os.path.basename(name), format.lower()))
        if output in by_output:
            raise OptionError(f"{by_output[output]} and {name} would both be written to {output}")
        by_output[output] = name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _output_error(out_dir, error.errno, error.strerror) from error
    return [(src, output) for output, src in by_output.items()]


def extension_format(path: str) -> str:
    """The format that the extension of `path` names, "keep" if none."""
    return _FORMATS[_EXTENSIONS.get(os.path.splitext(path)[1][1:].lower(), 0)]


def _image_pixels(image: Any) -> Any:
    import numpy as np

    try:
        image.load()
    except (OSError, SyntaxError) as error:  # Pillow opens lazily.
        raise CorruptImageError(f"<image>: {error}", stage="decode") from error
    except ValueError as error:
        raise expected("an image that is open", "src", image) from error
    if image.mode == "I":
        wide = np.asarray(image)
        if wide.size and not 0 <= int(wide.min()) <= int(wide.max()) <= 65535:
            raise expected("values from 0 to 65535 in mode I", "src", image)
        return wide.astype(np.uint16)
    if image.mode == "F":
        raise expected("an image of whole numbers, not of mode F", "src", image)
    if image.mode.startswith("I;16"):
        return np.asarray(image)
    if image.has_transparency_data and image.mode not in ("LA", "La", "RGBA", "RGBa", "PA"):
        image = image.convert("LA" if image.mode in ("1", "L") else "RGBA")
    elif image.mode not in _PLAIN_MODES:
        image = image.convert(_CONVERTED.get(image.mode, "RGB"))
    return np.asarray(image)
