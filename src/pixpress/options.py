"""Settings of a job: frozen, validated on construction, hashable and picklable."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

from . import _native
from .arguments import boolean, byte_count, choice, fraction, known, whole
from .color import rgba
from .encoder_options import EncoderOptions
from .errors import expected
from .limits import Limits
from .target import target_score


class Priority(enum.IntEnum):
    """How urgent a job is. Small inputs and long waits raise a job among others.

    Examples
    --------
    >>> Priority.HIGH > Priority.NORMAL
    True
    """

    LOW = 0
    NORMAL = 1
    HIGH = 2
    CRITICAL = 3


_FORMATS = {"keep": 0, "jpeg": 1, "jpg": 1, "png": 2, "webp": 3, "gif": 4, "avif": 5, "auto": 6}
AUTO = _FORMATS["auto"]
_FITS = ("inside", "cover", "contain", "fill", "outside")
FILTERS = ("nearest", "box", "bilinear", "hamming", "bicubic", "mitchell", "lanczos")
_SUBSAMPLINGS = ("auto", "4:4:4", "4:2:2", "4:2:0")
_POLICIES = ("none", "safe", "all")
_DAMAGES = ("error", "salvage")
_OVERWRITES = ("all", "never", "smaller")
_POSITIONS = {
    "center": (0.5, 0.5),
    "top": (0.5, 0.0),
    "bottom": (0.5, 1.0),
    "left": (0.0, 0.5),
    "right": (1.0, 0.5),
    "top left": (0.0, 0.0),
    "top right": (1.0, 0.0),
    "bottom left": (0.0, 1.0),
    "bottom right": (1.0, 1.0),
}
_MAX_SIDE = 2**31 - 1


def priority_value(value: object) -> int:
    """A `Priority`, its name in lower case, or its number."""
    if isinstance(value, str) and value.upper() in Priority.__members__:
        return int(Priority[value.upper()])
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 3:
        return int(value)
    raise expected("one of low, normal, high, critical", "priority", value)


def format_value(value: object) -> int:
    """The number of a format's name."""
    if isinstance(value, str) and value.lower() in _FORMATS:
        return _FORMATS[value.lower()]
    raise expected("one of keep, jpeg, png, webp, gif, avif, auto", "format", value)


@dataclass(frozen=True)
class Settings:
    """How to make an output. Frozen, hashable and picklable; every call takes its fields too.

    Parameters
    ----------
    format : {"keep", "jpeg", "png", "webp", "gif", "avif", "auto"}
        Format of the output; "keep" is the one of `dst`'s extension, else of the source. "auto" is
        what makes the fewest bytes at the same score; see `docs/formats.md`.
    quality : int
        1 to 100, for lossy formats; GIF keeps its colors from 80 on.
    effort : int
        1 (fast) to 10 (small).
    lossless : bool
        Whether to keep every pixel, or fail: JPEG, colors that a palette has no room for, and
        16 bits in anything but still PNG.
    width, height : int, optional
        Box to fit the image into, in pixels, from 1; None follows from the other side.
    fit : {"inside", "cover", "contain", "fill", "outside"}
        How to fit it: within the box, cropped to it, padded to it, distorted to it, or around it.
    position : str or (float, float)
        What "cover" keeps and where "contain" puts it: "center", "top", "bottom left" and so on, or
        (x, y), each 0 (left, top) to 1.
    background : str or tuple of int
        Behind transparent pixels and padding: "#rrggbb", "#rrggbbaa", "white", "black",
        "transparent", or (r, g, b[, a]), each 0 to 255.
    resample : {"nearest", "box", "bilinear", "hamming", "bicubic", "mitchell", "lanczos"}
        The filter for another size.
    upscale : bool
        Whether the image may become larger than the source.
    linear : bool
        Whether to resample light instead of sRGB values.
    progressive : bool or "auto"
        Whether a JPEG is progressive; "auto" is what should be smaller.
    subsampling : {"auto", "4:4:4", "4:2:2", "4:2:0"}
        Chroma resolution of JPEG; "auto" is 4:2:0, or the source's at high quality.
    colors : int, optional
        Most colors of a palette, 2 to 256; None keeps true color in PNG and is 256 in GIF.
    dither : float
        How much of a palette's error to spread, 0 to 1.
    min_quality : int, optional
        Quality from 1 to 100 that a palette must reach, with the fewest colors that do. Of JPEG,
        and WebP and AVIF that are not lossless, the least SSIMULACRA2 of the output: `quality` is
        raised for it, and what cannot be that good fails: LimitExceededError.
    target : str, optional
        "ssimulacra2:80" takes the lowest quality whose output scores 80 instead of `quality`; less
        if `max_bytes` needs that. Lossy, still outputs only; see `docs/targets.md`.
    near_lossless : int
        How far lossless WebP may change pixels: 0 (most) to 100 (not).
    alpha_quality : int
        Of the alpha channel of lossy WebP, 0 to 100 (exact).
    metadata : {"none", "safe", "all"}
        What to keep. "safe" is profile, orientation, copyright, artist and density.
    auto_orient : bool
        Whether an image that gets another size is turned upright.
    overwrite : {"all", "never", "smaller"}
        Whether `dst` may be replaced; "smaller" only by a smaller file.
    animated : bool or "auto"
        Whether to keep all frames; "auto" does if the output can hold them.
    max_frames : int, optional
        Most frames to keep, from 1; None keeps all.
    max_bytes : int or str, optional
        Most bytes of the output, such as 200_000 or "200KB". JPEG, and WebP and AVIF that are not
        lossless, get a lower quality for it; others that are larger fail: LimitExceededError.
    on_damage : {"error", "salvage"}
        Whether a damaged source fails, or what can be decoded of it is made the output, with a line
        in `Result.warnings`.
    post_process : bool
        Whether to try at the end to make the output smaller without loss, whatever the effort: the
        scans and Huffman tables of a JPEG, filters and compression of a still PNG. There is nothing
        more to do for WebP, AVIF and GIF.
    encoder_options : dict of dict
        What to choose instead of what `effort` says, by format; see `docs/encoder_options.md`.
    limits : Limits
        What the source may cost.

    Raises
    ------
    OptionError
        A value is not in its range.

    Examples
    --------
    >>> Settings(format="webp", quality=75).quality
    75
    >>> Settings(quality=101)
    Traceback (most recent call last):
    ...
    pixpress.errors.OptionError: Expected a whole number from 1 to 100 for quality, got 101
    """

    format: str = "keep"
    quality: int = 80
    effort: int = 5
    lossless: bool = False
    width: int | None = None
    height: int | None = None
    fit: str = "inside"
    position: str | tuple[float, float] = "center"
    background: str | tuple[int, ...] = "white"
    resample: str = "lanczos"
    upscale: bool = False
    linear: bool = False
    progressive: bool | str = "auto"
    subsampling: str = "auto"
    colors: int | None = None
    dither: float = 1.0
    min_quality: int | None = None
    target: str | None = None
    near_lossless: int = 100
    alpha_quality: int = 100
    metadata: str = "safe"
    auto_orient: bool = True
    overwrite: str = "all"
    animated: bool | str = "auto"
    max_frames: int | None = None
    max_bytes: int | str | None = None
    on_damage: str = "error"
    post_process: bool = False
    encoder_options: Mapping[str, Mapping[str, Any]] = field(default_factory=EncoderOptions)
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if not isinstance(self.encoder_options, EncoderOptions):
            object.__setattr__(self, "encoder_options", EncoderOptions(self.encoder_options))
        for name in ("position", "background"):
            if isinstance(getattr(self, name), list):  # So that equal settings have equal hashes.
                object.__setattr__(self, name, tuple(getattr(self, name)))
        self.native  # noqa: B018 - validates

    @cached_property
    def native(self) -> _native.NativeSettings:
        """The core's copy, made once."""
        if not isinstance(self.limits, Limits):
            raise expected("Limits", "limits", self.limits)
        return _native.NativeSettings(
            format_value(self.format),
            whole("quality", self.quality, 1, 100),
            whole("effort", self.effort, 1, 10),
            boolean("lossless", self.lossless),
            _side("width", self.width),
            _side("height", self.height),
            choice("fit", self.fit, _FITS),
            _position(self.position),
            rgba("background", self.background),
            choice("resample", self.resample, FILTERS),
            boolean("upscale", self.upscale),
            boolean("linear", self.linear),
            _automatic("progressive", self.progressive),
            choice("subsampling", self.subsampling, _SUBSAMPLINGS),
            0 if self.colors is None else whole("colors", self.colors, 2, 256),
            fraction("dither", self.dither),
            -1 if self.min_quality is None else whole("min_quality", self.min_quality, 1, 100),
            target_score(self.target),
            whole("near_lossless", self.near_lossless, 0, 100),
            whole("alpha_quality", self.alpha_quality, 0, 100),
            choice("metadata", self.metadata, _POLICIES),
            boolean("auto_orient", self.auto_orient),
            choice("overwrite", self.overwrite, _OVERWRITES),
            choice("on_damage", self.on_damage, _DAMAGES),
            _automatic("animated", self.animated),
            0 if self.max_frames is None else whole("max_frames", self.max_frames, 1, 2**32 - 1),
            byte_count("max_bytes", self.max_bytes),
            boolean("post_process", self.post_process),
            EncoderOptions(self.encoder_options).as_tuple(),
            self.limits.as_tuple(),
        )

    def __getstate__(self) -> dict[str, Any]:
        return {item.name: getattr(self, item.name) for item in fields(self)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


_NAMES = frozenset(item.name for item in fields(Settings))
_cache: dict[tuple[tuple[str, object], ...], Settings] = {}


def settings_of(base: Settings | None, options: dict[str, Any]) -> Settings:
    """The settings of keywords over `base`; the same keywords give the same object."""
    if base is not None and not isinstance(base, Settings):
        raise expected("Settings", "settings", base)
    if not options:
        return DEFAULT if base is None else base
    if base is not None:
        known(options, _NAMES)
        return replace(base, **options)
    # The type too, since 1, 1.0 and True are equal keys.
    key = tuple((name, (type(value), value)) for name, value in options.items())
    try:
        found = _cache.get(key)
    except TypeError:
        known(options, _NAMES)
        return Settings(**options)
    if found is None:
        known(options, _NAMES)
        found = Settings(**options)
        if len(_cache) >= 256:
            _cache.clear()
        _cache[key] = found
    return found


def _side(name: str, value: int | None) -> int:
    return 0 if value is None else whole(name, value, 1, _MAX_SIDE)


def _position(value: str | tuple[float, float]) -> tuple[float, float]:
    if isinstance(value, str):
        if value in _POSITIONS:
            return _POSITIONS[value]
    elif isinstance(value, (tuple, list)) and len(value) == 2:
        return fraction("position", value[0]), fraction("position", value[1])
    raise expected("(x, y) from 0 to 1 or one of " + ", ".join(_POSITIONS), "position", value)


def _automatic(name: str, value: bool | str) -> int:
    if value == "auto" and isinstance(value, str):
        return 0
    if isinstance(value, bool):
        return 2 if value else 1
    raise expected('True, False or "auto"', name, value)


DEFAULT = Settings()
