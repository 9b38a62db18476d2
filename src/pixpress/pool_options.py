"""The options of a pool: their checks, defaults, and where they may come from."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .arguments import boolean, byte_count, choice, number, seconds_ns, whole
from .errors import ConfigError, OptionError, expected


class _Default:
    def __repr__(self) -> str:
        return "<default>"


# What an argument is that was not given, so that the environment and files can have their say.
DEFAULT: Any = _Default()


@dataclass(frozen=True)
class _Option:
    default: object
    check: Callable[[str, object], float]  # The value in the core's form.
    is_native: bool = True
    is_live: bool = False  # `Pool.update_config` may change it.


def _workers(name: str, value: object) -> int:
    return 0 if value is None else whole(name, value, 1, 1024)


def _count(name: str, value: object) -> int:
    return 0 if value is None else whole(name, value, 1, 2**31)


def _percent(name: str, value: object) -> float:
    return number(name, value, 1, 100)


ISOLATIONS = ("thread", "process")


def _place(name: str, value: object) -> int:
    """Only checks: the core takes the path by itself."""
    is_path = isinstance(value, (str, os.PathLike)) and os.fspath(value)
    if value is not None and not isinstance(value, bool) and not is_path:
        raise expected("a path, True or None", name, value)
    return 0


def _cache_size(name: str, value: object) -> int:
    if value is None:
        raise expected('bytes or a size such as "1GB"', name, value)
    return byte_count(name, value)


_seconds: Callable[[str, object], float] = seconds_ns
OPTIONS: Mapping[str, _Option] = {
    "max_workers": _Option(None, _workers, is_live=True),
    "min_workers": _Option(1, lambda name, value: whole(name, value, 1, 1024), is_live=True),
    "memory_limit": _Option(None, byte_count, is_live=True),
    "worker_memory_limit": _Option(None, byte_count, is_live=True),
    "task_timeout": _Option(300, _seconds, is_live=True),
    "queue_timeout": _Option(None, _seconds, is_live=True),
    "idle_timeout": _Option(60, _seconds, is_live=True),
    "cpu_threshold": _Option(90, _percent, is_live=True),
    "max_queue": _Option(None, _count),
    "max_queue_bytes": _Option(None, byte_count),
    "isolation": _Option("thread", lambda name, value: choice(name, value, ISOLATIONS)),
    "durable": _Option(None, lambda name, value: value is not None and boolean(name, value)),
    "max_retries": _Option(3, lambda name, value: whole(name, value, 0, 1000), is_live=True),
    "retry_delay": _Option(1.0, _seconds, is_live=True),
    "backoff_multiplier": _Option(
        2, lambda name, value: number(name, value, 1, 1000), is_live=True
    ),
    "adaptive_concurrency": _Option(True, boolean, is_live=True),
    "gc_threshold": _Option(80, _percent, is_live=True),
    "worker_nice": _Option(10, lambda name, value: whole(name, value, 0, 19)),
    "batch_grouping": _Option(True, boolean, is_native=False),
    "metrics_interval": _Option(5, _seconds, is_native=False),
    "health_check_interval": _Option(30, _seconds, is_native=False),
    "journal": _Option(None, _place, is_native=False),
    "cache": _Option(None, _place, is_native=False),
    "cache_size": _Option("1GB", _cache_size),
    "cache_entries": _Option(500, lambda name, value: whole(name, value, 1, 10**6)),
}
LIVE = tuple(name for name, option in OPTIONS.items() if option.is_live)
_WORDS = {"true": True, "false": False, "none": None}


def resolve(given: Mapping[str, object], file: Mapping[str, object]) -> dict[str, object]:
    """The value of each option: argument, environment, file, default, in this order."""
    environment = _environment()
    chosen: dict[str, object] = {}
    for name, option in OPTIONS.items():
        value = given.get(name, DEFAULT)
        for source in (environment, file):
            if value is DEFAULT:
                value = source.get(name, DEFAULT)
        chosen[name] = option.default if value is DEFAULT else value
    return chosen


def native(chosen: Mapping[str, object]) -> dict[str, float]:
    """The options of the core in its own form; checks them all."""
    values = {name: OPTIONS[name].check(name, value) for name, value in chosen.items()}
    most = values.get("max_workers")
    if most and values.get("min_workers", 1) > most:
        whole("min_workers", chosen["min_workers"], 1, int(most))
    return {name: value for name, value in values.items() if OPTIONS[name].is_native}


def _environment() -> dict[str, object]:
    found: dict[str, object] = {}
    for name, option in OPTIONS.items():
        variable = f"PIXPRESS_{name.upper()}"
        text = os.environ.get(variable)
        if text is None:
            continue
        found[name] = value = _parsed(text)
        try:
            option.check(variable, value)
        except OptionError as error:
            raise ConfigError(str(error)) from None
    return found


def _parsed(text: str) -> object:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
