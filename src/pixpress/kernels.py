"""Single operations on numpy arrays, on the caller's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _native
from .arguments import boolean, choice, whole
from .errors import expected
from .foreign import ForeignSource
from .options import AUTO, DEFAULT, FILTERS, format_value, settings_of
from .result import ImageInfo
from .sources import array_source, is_pixels, open_source, pixels_of

# numpy is imported by what makes an array, so that whoever has files only need not wait for it.
if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]
else:
    Array = Any
_MODES = {
    "L": (0, False),
    "LA": (0, True),
    "RGB": (1, False),
    "RGBA": (1, True),
    "CMYK": (3, False),
}


def probe(src: Any) -> ImageInfo:
    """Read the header of an image, no pixels.

    Parameters
    ----------
    src : path, bytes-like or binary file
        A file is read to its end.

    Returns
    -------
    ImageInfo

    Raises
    ------
    OptionError
        `src` is none of these.
    InputError
        It cannot be read.
    UnidentifiedImageError, UnsupportedFormatError, CorruptImageError, LimitExceededError
        It is no image, none that is supported, damaged, or beyond the default `Limits`.

    Examples
    --------
    >>> import numpy as np
    >>> info = probe(encode(np.zeros((3, 5), np.uint8), "png"))
    >>> info.format, info.width, info.height, info.mode
    ('png', 5, 3, 'L')
    """
    if is_pixels(src):
        raise expected("an encoded image: a path, bytes or a binary file", "src", src)
    source = open_source(src)
    if isinstance(source, ForeignSource):
        from . import imported

        found = imported.probe(source, DEFAULT.limits)
        if found is not None:
            return found
        source = _native.NativeSource(source.name, source.data)
    return _native.probe(source, DEFAULT.native)


def _allocate(frames: int, height: int, width: int, channels: int, bits: int) -> Array:
    import numpy as np

    shape = (frames, height, width) if channels == 1 else (frames, height, width, channels)
    return np.empty(shape, np.uint16 if bits == 16 else np.uint8)


def decode(src: Any, *, mode: str | None = None, frames: bool = False) -> Array:
    """Decode an image, in the orientation that it is stored in.

    Parameters
    ----------
    src : path, bytes-like or binary file
        A file is read to its end.
    mode : {"L", "LA", "RGB", "RGBA", "CMYK"}, optional
        Channels of the array, named as by Pillow; None is the image's own.
    frames : bool
        Whether to decode all frames, composed as they are shown, instead of the first.

    Returns
    -------
    ndarray
        H x W for gray, else H x W x C; uint8, or uint16 for images of 16 bits, whatever the mode.
        With `frames` there is one more dimension in front.

    Raises
    ------
    OptionError
        `mode` is none of these, or the image cannot become it.
    InputError, UnidentifiedImageError, CorruptImageError, LimitExceededError
        As `probe`; damage may be found in the pixels too.

    Examples
    --------
    >>> import numpy as np
    >>> data = encode(np.full((2, 3), 7, np.uint8), "png")
    >>> decode(data)
    array([[7, 7, 7],
           [7, 7, 7]], dtype=uint8)
    >>> decode(data, mode="RGB").shape
    (2, 3, 3)
    """
    if mode is not None and mode not in _MODES:
        raise expected("one of " + ", ".join(_MODES), "mode", mode)
    color, has_alpha = (-1, False) if mode is None else _MODES[mode]
    source = open_source(src)
    if isinstance(source, ForeignSource):
        from . import imported

        source = imported.load(source, DEFAULT.limits)
    array: Array = _native.decode(source, color, has_alpha, frames, _allocate)
    return array if frames else array[0]


def encode(array: Array, format: str, **settings: Any) -> bytes:
    """Encode pixels, on this thread.

    Parameters
    ----------
    array : ndarray
        H x W or H x W x C with 1 to 4 channels (gray, gray and alpha, RGB, RGBA); uint8 or uint16.
    format : {"jpeg", "png", "webp", "gif", "avif"}
        What to make; `features` says what this build can.
    **settings
        Fields of `Settings`.

    Returns
    -------
    bytes
        Of PNG the pixels are exact, and uint16 stays 16 bits. Channels that say nothing, such as
        three that are equal, are left out: `decode` with `mode` gives them back.

    Raises
    ------
    OptionError
        A setting is wrong, or the array is of another shape or type.
    LimitExceededError
        It has more pixels than `limits` allow or the format can hold.

    Examples
    --------
    >>> import numpy as np
    >>> encode(np.zeros((2, 2, 3), np.uint8), "png")[:4]
    b'\\x89PNG'
    """
    number = format_value(format)
    if number in (0, AUTO):
        raise expected("one of jpeg, png, webp, gif, avif", "format", format)
    native = settings_of(None, settings).native.with_format(number)
    return _native.run(native, array_source(array))


def resize(
    array: Array, size: tuple[int, int], resample: str = "lanczos", linear: bool = False
) -> Array:
    """Resample pixels, on this thread. Colors are weighted by their alpha.

    Parameters
    ----------
    array : ndarray
        H x W or H x W x C with 1 to 4 channels, uint8 or uint16.
    size : (int, int)
        Width and height of the result in pixels.
    resample : {"nearest", "box", "bilinear", "hamming", "bicubic", "mitchell", "lanczos"}
        The filter.
    linear : bool
        Whether to average light instead of sRGB values.

    Returns
    -------
    ndarray
        height x width, with the channels and the type of `array`.

    Raises
    ------
    OptionError
        An argument is of another shape or type, or a side is not from 1 to 2**24.

    Examples
    --------
    >>> import numpy as np
    >>> resize(np.zeros((4, 4), np.uint8), (2, 3)).shape
    (3, 2)
    """
    import numpy as np

    if not isinstance(size, (tuple, list)) or len(size) != 2:
        raise expected("(width, height)", "size", size)
    width, height = (whole("size", side, 1, 2**24) for side in size)
    array = pixels_of(array)
    source = array_source(array)
    out = np.empty((height, width, *array.shape[2:]), array.dtype.newbyteorder("="))
    _native.resize(
        source,
        width,
        height,
        choice("resample", resample, FILTERS),
        boolean("linear", linear),
        out.reshape(-1).view(np.uint8),
    )
    return out


def quantize(
    array: Array, colors: int = 256, *, dither: float = 1.0, min_quality: int | None = None
) -> tuple[Array, Array]:
    """Reduce colors to a palette, on this thread.

    Parameters
    ----------
    array : ndarray
        H x W x 3 or H x W x 4, uint8.
    colors : int
        Most colors of the palette, 2 to 256.
    dither : float
        How much of the error to spread, 0 to 1.
    min_quality : int, optional
        Quality from 1 to 100 below which the result is refused.

    Returns
    -------
    indices : ndarray
        H x W, uint8.
    palette : ndarray
        N x 4, uint8: RGBA of N colors; ``palette[indices]`` is the image.

    Raises
    ------
    OptionError
        An argument is wrong, or the result would be below `min_quality`.

    Examples
    --------
    >>> import numpy as np
    >>> indices, palette = quantize(np.zeros((2, 3, 3), np.uint8), 16)
    >>> indices.shape, palette.tolist()
    ((2, 3), [[0, 0, 0, 255]])
    """
    import numpy as np

    array = pixels_of(array)
    if array.ndim != 3 or array.shape[2] not in (3, 4) or array.dtype != np.uint8:
        raise expected("uint8 RGB or RGBA", "array", f"{array.dtype} {array.shape}")
    settings = settings_of(None, {"colors": colors, "dither": dither, "min_quality": min_quality})
    out = np.empty(array.shape[:2], np.uint8)
    least = -1 if settings.min_quality is None else settings.min_quality
    palette = _native.quantize(array_source(array), colors, settings.dither, least, out.reshape(-1))
    return out, np.array(palette, np.uint8)


def ssimulacra2(reference: Array, distorted: Array) -> float:
    """Score how much an image looks like its original, on this thread.

    SSIMULACRA2 2.1: 90 is hardly to be told from the original, 70 is high quality, 50 medium, 30
    low. Images with alpha are scored over a dark and over a light background, and the lower score
    counts.

    Parameters
    ----------
    reference, distorted : ndarray
        H x W or H x W x C with 1 to 4 channels, uint8 or uint16, both of one height and width.
        Values are taken as sRGB.

    Returns
    -------
    float
        100 for equal images, below 0 for very bad ones.

    Raises
    ------
    OptionError
        An array is of another shape or type, or they differ in height or width.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64).astype(np.uint8)
    >>> ssimulacra2(image, image), ssimulacra2(image, image // 16 * 16) < 90
    (100.0, True)
    """
    arrays = [pixels_of(reference), pixels_of(distorted)]
    if arrays[0].shape[:2] != arrays[1].shape[:2]:
        shapes = f"{arrays[0].shape} and {arrays[1].shape}"
        raise expected("two images of one size", "reference, distorted", shapes)
    return _native.score(*[array_source(array) for array in arrays])
