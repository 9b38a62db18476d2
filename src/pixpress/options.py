"""Settings of a job: frozen, validated on construction, hashable and picklable."""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

from . import _native
from .errors import OptionError, expected


class Priority(enum.IntEnum):
    """How urgent a job is."""

    LOW = 0
    NORMAL = 1
    HIGH = 2
    CRITICAL = 3


_FORMATS = {"keep": 0, "jpeg": 1, "jpg": 1, "png": 2, "webp": 3, "avif": 5}
_UNBUILT_FORMATS = ("gif", "auto")
_FITS = ("inside", "cover", "contain", "fill", "outside")
FILTERS = ("nearest", "box", "bilinear", "hamming", "bicubic", "mitchell", "lanczos")
_SUBSAMPLINGS = ("auto", "4:4:4", "4:2:2", "4:2:0")
_POLICIES = ("none", "safe", "all")
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
_COLORS = {"white": (255, 255, 255, 255), "black": (0, 0, 0, 255), "transparent": (0, 0, 0, 0)}
_UNITS = {"": 1, "B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
_MAX_SIDE = 2**31 - 1


def whole(name: str, value: object, low: int, high: int) -> int:
    """`value` if it is a whole number from `low` to `high`."""
    index = getattr(value, "__index__", None)
    if isinstance(value, bool) or index is None or not low <= int(index()) <= high:
        raise expected(f"a whole number from {low} to {high}", name, value)
    return int(index())


def choice(name: str, value: object, allowed: Sequence[str]) -> int:
    """The place of `value` in `allowed`."""
    if isinstance(value, str) and value in allowed:
        return allowed.index(value)
    raise expected("one of " + ", ".join(allowed), name, value)


def boolean(name: str, value: object) -> bool:
    """`value` if it is True or False."""
    if isinstance(value, bool):
        return value
    raise expected("True or False", name, value)


def seconds_ns(name: str, value: object) -> int:
    """Seconds as nanoseconds; None is 0, which means none."""
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e9:
        raise expected("a positive number of seconds or None", name, value)
    return max(1, int(value * 1e9))


def byte_count(name: str, value: object) -> int:
    """A size such as ``"256MB"`` (powers of 1024) in bytes; None is 0."""
    if value is None:
        return 0
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63:
        return value
    if isinstance(value, str):
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?B?)\s*", value.upper())
        if match:
            unit = match[2] if match[2].endswith("B") or not match[2] else match[2] + "B"
            size = int(float(match[1]) * _UNITS[unit])
            if 0 < size < 2**63:
                return size
    raise expected('bytes or a size such as "256MB"', name, value)


def priority_value(value: object) -> int:
    """A `Priority`, its name in lower case, or its number."""
    if isinstance(value, str) and value.upper() in Priority.__members__:
        return int(Priority[value.upper()])
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 3:
        return int(value)
    raise expected("one of low, normal, high, critical", "priority", value)


def format_value(value: object) -> int:
    """The number of a format's name."""
    if isinstance(value, str):
        if value.lower() in _FORMATS:
            return _FORMATS[value.lower()]
        if value.lower() in _UNBUILT_FORMATS:
            raise OptionError(f"format={value!r} is not built")
    raise expected("one of keep, jpeg, png, webp", "format", value)


@dataclass(frozen=True)
class Limits:
    """What an untrusted image may cost before it is refused."""

    max_pixels: int = 178_956_970
    max_total_pixels: int = 1_000_000_000
    max_frames: int = 10_000
    max_scans: int = 100
    max_pixel_scans: int = 10_000_000_000
    max_metadata_bytes: int = 8 << 20
    max_input_bytes: int = 2 << 30

    def __post_init__(self) -> None:
        for item in fields(self):
            high = 2**32 - 1 if item.name in ("max_frames", "max_scans") else 2**63 - 1
            whole(item.name, getattr(self, item.name), 1, high)

    def as_tuple(self) -> tuple[int, ...]:
        """The values in the core's order."""
        return tuple(int(getattr(self, item.name)) for item in fields(self))


@dataclass(frozen=True)
class Settings:
    """How to make an output.

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
    near_lossless: int = 100
    alpha_quality: int = 100
    metadata: str = "safe"
    auto_orient: bool = True
    overwrite: str = "all"
    animated: bool | str = "auto"
    max_frames: int | None = None
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
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
            _color(self.background),
            choice("resample", self.resample, FILTERS),
            boolean("upscale", self.upscale),
            boolean("linear", self.linear),
            _automatic("progressive", self.progressive),
            choice("subsampling", self.subsampling, _SUBSAMPLINGS),
            0 if self.colors is None else whole("colors", self.colors, 2, 256),
            _fraction("dither", self.dither),
            -1 if self.min_quality is None else whole("min_quality", self.min_quality, 1, 100),
            whole("near_lossless", self.near_lossless, 0, 100),
            whole("alpha_quality", self.alpha_quality, 0, 100),
            choice("metadata", self.metadata, _POLICIES),
            boolean("auto_orient", self.auto_orient),
            choice("overwrite", self.overwrite, _OVERWRITES),
            _automatic("animated", self.animated),
            0 if self.max_frames is None else whole("max_frames", self.max_frames, 1, 2**32 - 1),
            self.limits.as_tuple(),
        )

    def __getstate__(self) -> dict[str, Any]:
        return {item.name: getattr(self, item.name) for item in fields(self)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


_NAMES = frozenset(item.name for item in fields(Settings))
_UNBUILT = frozenset({"max_bytes", "target", "post_process", "on_damage"} | {"encoder_options"})
_cache: dict[tuple[tuple[str, object], ...], Settings] = {}


def settings_of(base: Settings | None, options: dict[str, Any]) -> Settings:
    """The settings of keywords over `base`; the same keywords give the same object."""
    if not options:
        return DEFAULT if base is None else base
    if base is not None:
        check_names(options)
        return replace(base, **options)
    # The type too, since 1, 1.0 and True are equal keys.
    key = tuple((name, (type(value), value)) for name, value in options.items())
    try:
        found = _cache.get(key)
    except TypeError:
        check_names(options)
        return Settings(**options)
    if found is None:
        check_names(options)
        found = Settings(**options)
        if len(_cache) >= 256:
            _cache.clear()
        _cache[key] = found
    return found


def check_names(options: dict[str, Any]) -> None:
    """Refuse unknown options by name."""
    for name in options:
        if name in _UNBUILT:
            raise OptionError(f"option {name!r} is not built")
        if name not in _NAMES:
            raise OptionError(f"Expected a known option, got {name!r}")


def _side(name: str, value: int | None) -> int:
    return 0 if value is None else whole(name, value, 1, _MAX_SIDE)


def _fraction(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise expected("a number from 0 to 1", name, value)
    return float(value)


def _position(value: str | tuple[float, float]) -> tuple[float, float]:
    if isinstance(value, str):
        if value in _POSITIONS:
            return _POSITIONS[value]
    elif isinstance(value, (tuple, list)) and len(value) == 2:
        return _fraction("position", value[0]), _fraction("position", value[1])
    raise expected("(x, y) from 0 to 1 or one of " + ", ".join(_POSITIONS), "position", value)


def _color(value: str | tuple[int, ...]) -> tuple[int, int, int, int]:
    if isinstance(value, str):
        if value in _COLORS:
            return _COLORS[value]
        if re.fullmatch(r"#([0-9a-fA-F]{6}|[0-9a-fA-F]{8})", value):
            parts = bytes.fromhex(value[1:])
            return parts[0], parts[1], parts[2], parts[3] if len(parts) == 4 else 255
    elif isinstance(value, (tuple, list)) and len(value) in (3, 4):
        parts = bytes(whole("background", part, 0, 255) for part in value)
        return parts[0], parts[1], parts[2], parts[3] if len(parts) == 4 else 255
    raise expected('"#rrggbb", a color name or (r, g, b[, a])', "background", value)


def _automatic(name: str, value: bool | str) -> int:
    if value == "auto" and isinstance(value, str):
        return 0
    if isinstance(value, bool):
        return 2 if value else 1
    raise expected('True, False or "auto"', name, value)


DEFAULT = Settings()
