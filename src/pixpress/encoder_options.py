"""What experts choose for an encoder themselves, instead of what the effort says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from .arguments import boolean, choice, whole
from .errors import OptionError, expected

Knob = Callable[[str, object], int]

_FILTERS = ("none", "sub", "up", "average", "paeth", "adaptive")


def _whole(low: int, high: int) -> Knob:
    return partial(_in_range, low, high)


def _in_range(low: int, high: int, name: str, value: object) -> int:
    return whole(name, value, low, high)


def _filter(name: str, value: object) -> int:
    return choice(name, value, _FILTERS)


# In the order of the core's ExpertOptions.
_KNOBS: dict[str, dict[str, Knob]] = {
    "jpeg": {"trellis": boolean, "scan_search": boolean},
    "png": {"compression_level": _whole(1, 12), "filter": _filter},
    "webp": {"method": _whole(0, 6), "sharp_yuv": boolean},
    "avif": {"speed": _whole(0, 10)},
}
_UNSET = -1


class EncoderOptions(Mapping[str, Mapping[str, Any]]):
    """`Settings.encoder_options`, checked: hashable, picklable, and equal to the dict it came from.

    Raises
    ------
    OptionError
        A format or a knob is unknown, or a value is not in its range.
    """

    def __init__(self, options: object = None) -> None:
        if options is not None and not isinstance(options, Mapping):
            raise expected("a dict of dicts by format", "encoder_options", options)
        given: Mapping[Any, Any] = {} if options is None else options
        self._values: dict[str, dict[str, Any]] = {}
        self._core = {(f, k): _UNSET for f, knobs in _KNOBS.items() for k in knobs}
        for format, values in given.items():
            self._take(format, values)

    def _take(self, format: object, values: object) -> None:
        if not isinstance(format, str) or format not in _KNOBS:
            raise expected("one of " + ", ".join(_KNOBS), "a key of encoder_options", format)
        if not isinstance(values, Mapping):
            raise expected("a dict", f"encoder_options[{format!r}]", values)
        for knob, value in values.items():
            name = f"encoder_options[{format!r}][{knob!r}]"
            if knob not in _KNOBS[format]:
                known = ", ".join(_KNOBS[format])
                raise OptionError(f"Expected one of {known} for {format}, got {name} = {value!r}")
            self._core[format, knob] = int(_KNOBS[format][knob](name, value))
        self._values[format] = dict(values)

    def as_tuple(self) -> tuple[int, ...]:
        """The values in the core's order."""
        return tuple(self._core.values())

    def __getitem__(self, format: str) -> Mapping[str, Any]:
        return dict(self._values[format])

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(self.as_tuple())

    def __reduce__(self) -> tuple[type[EncoderOptions], tuple[dict[str, dict[str, Any]]]]:
        return EncoderOptions, (self._values,)

    def __repr__(self) -> str:
        return repr(self._values)
