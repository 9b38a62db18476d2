"""What arguments may be: each function returns the value in the core's form, or raises."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from .errors import OptionError, expected

_UNITS = {"": 1, "B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}


def known(names: Iterable[str], options: Collection[str]) -> None:
    """Refuse a name that is none of `options`, and say which one may have been meant."""
    for name in names:
        if name not in options:
            import difflib

            close = difflib.get_close_matches(name, options, 1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            raise OptionError(f"Expected a known option, got {name!r}{hint}")


def _index(value: object) -> int | None:
    """`value` if it is a whole number, numpy's too; True and False are none."""
    index = getattr(value, "__index__", None)
    return None if index is None or isinstance(value, bool) else int(index())


def whole(name: str, value: object, low: int, high: int) -> int:
    """`value` if it is a whole number from `low` to `high`."""
    index = _index(value)
    if index is None or not low <= index <= high:
        raise expected(f"a whole number from {low} to {high}", name, value)
    return index


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
    size = _index(value)
    if size is not None and 0 < size < 2**63:
        return size
    if isinstance(value, str):
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?B?)\s*", value.upper())
        if match:
            unit = match[2] if match[2].endswith("B") or not match[2] else match[2] + "B"
            size = int(float(match[1]) * _UNITS[unit])
            if 0 < size < 2**63:
                return size
    raise expected('bytes or a size such as "256MB"', name, value)


def fraction(name: str, value: object) -> float:
    """`value` if it is a number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise expected("a number from 0 to 1", name, value)
    return float(value)


def number(name: str, value: object, low: float, high: float) -> float:
    """`value` if it is a number from `low` to `high`."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not low <= value <= high:  # type: ignore[operator]
        raise expected(f"a number from {low:g} to {high:g}", name, value)
    return float(value)  # type: ignore[arg-type]
