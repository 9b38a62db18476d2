"""Configuration files of pools, in the YAML of the specification."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from .arguments import boolean, byte_count, choice, number, whole
from .errors import ConfigError, OptionError, expected
from .pool_options import ISOLATIONS, OPTIONS

_LEVELS = ("debug", "info", "warning", "warn", "error", "critical")
_MOST_MS = 10**12


@dataclass(frozen=True)
class _Key:
    """One key of the file: the option it sets, and how its value is checked and converted."""

    path: str
    option: str
    read: Callable[[str, object], Any]
    write: Callable[[Any], Any] = lambda value: value


def _seconds(name: str, value: object) -> float:
    return number(name, value, 1, _MOST_MS) / 1000


def _ms(seconds: float) -> float:
    ms = seconds * 1000
    return int(ms) if ms == int(ms) else ms


def _size(name: str, value: object) -> int | str:
    byte_count(name, value)
    return value  # type: ignore[return-value]


def _level(name: str, value: object) -> str:
    level = _LEVELS[choice(name, value.lower() if isinstance(value, str) else value, _LEVELS)]
    return "warning" if level == "warn" else level


def _isolation(name: str, value: object) -> str:
    return ISOLATIONS[choice(name, value, ISOLATIONS)]


# The one table of keys. Times are milliseconds in the file and seconds in Python.
KEYS = (
    _Key("pool.min", "min_workers", lambda name, value: whole(name, value, 1, 1024)),
    _Key("pool.max", "max_workers", lambda name, value: whole(name, value, 1, 1024)),
    _Key("pool.idleTimeout", "idle_timeout", _seconds, _ms),
    _Key("pool.taskTimeout", "task_timeout", _seconds, _ms),
    _Key("pool.cpuThreshold", "cpu_threshold", lambda name, value: number(name, value, 1, 100)),
    _Key("memory.limitPerWorker", "worker_memory_limit", _size),
    _Key("memory.globalLimit", "memory_limit", _size),
    _Key("memory.gcThreshold", "gc_threshold", lambda name, value: number(name, value, 1, 100)),
    _Key("performance.enableCaching", "cache", boolean),
    _Key("performance.cacheSize", "cache_size", _size),
    _Key("performance.batchGrouping", "batch_grouping", boolean),
    _Key("performance.adaptiveConcurrency", "adaptive_concurrency", boolean),
    _Key("performance.isolation", "isolation", _isolation),
    _Key("monitoring.metricsInterval", "metrics_interval", _seconds, _ms),
    _Key("monitoring.healthCheckInterval", "health_check_interval", _seconds, _ms),
    _Key("monitoring.logLevel", "log_level", _level),
    _Key("recovery.maxRetries", "max_retries", lambda name, value: whole(name, value, 0, 1000)),
    _Key("recovery.retryDelay", "retry_delay", _seconds, _ms),
    _Key(
        "recovery.backoffMultiplier",
        "backoff_multiplier",
        lambda name, value: number(name, value, 1, 1000),
    ),
    _Key("recovery.persistQueue", "journal", boolean),
)
_BY_PATH = {key.path: key for key in KEYS}


@dataclass(frozen=True)
class PoolConfig:
    """What a configuration file says: options of `Pool` by their Python names, None if not said.

    Times are seconds here. `to_yaml` writes the file again.

    Examples
    --------
    >>> config = PoolConfig(max_workers=2, task_timeout=30)
    >>> print(config.to_yaml(), end="")
    worker:
      pool:
        max: 2
        taskTimeout: 30000
    >>> PoolConfig.from_yaml(config.to_yaml()) == config
    True
    """

    min_workers: int | None = None
    max_workers: int | None = None
    idle_timeout: float | None = None
    task_timeout: float | None = None
    cpu_threshold: float | None = None
    worker_memory_limit: int | str | None = None
    memory_limit: int | str | None = None
    gc_threshold: float | None = None
    cache: bool | None = None
    cache_size: int | str | None = None
    batch_grouping: bool | None = None
    adaptive_concurrency: bool | None = None
    isolation: str | None = None
    metrics_interval: float | None = None
    health_check_interval: float | None = None
    log_level: str | None = None
    max_retries: int | None = None
    retry_delay: float | None = None
    backoff_multiplier: float | None = None
    journal: bool | None = None

    def __post_init__(self) -> None:
        for key in KEYS:
            value = getattr(self, key.option)
            if value is not None:
                _checked(key, key.option, key.write(value))

    @classmethod
    def from_yaml(cls, text: str) -> PoolConfig:
        """Read the text of a file.

        Raises
        ------
        ConfigError
            It is no YAML, a key is unknown, or a value is wrong; the message names the key, the
            value and what was expected.
        """
        import yaml

        try:
            document = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"not YAML: {error}") from None
        found = _section("", {} if document is None else document, {"worker"})
        worker = found.get("worker")
        sections = _section("worker", {} if worker is None else worker, _names(0))
        options: dict[str, Any] = {}
        for name, section in sections.items():
            allowed = {key.path.split(".")[1] for key in KEYS if key.path.startswith(name + ".")}
            for leaf, value in _section(f"worker.{name}", section or {}, allowed).items():
                key = _BY_PATH[f"{name}.{leaf}"]
                options[key.option] = _checked(key, f"worker.{key.path}", value)
        return cls(**options)

    def to_yaml(self) -> str:
        """The text of a file that says the same."""
        import yaml

        worker: dict[str, dict[str, Any]] = {}
        for key in KEYS:
            value = getattr(self, key.option)
            if value is not None:
                section, leaf = key.path.split(".")
                worker.setdefault(section, {})[leaf] = key.write(value)
        return yaml.safe_dump({"worker": worker}, sort_keys=False)

    def pool_options(self) -> dict[str, object]:
        """What the file says, as arguments of `Pool` that it has."""
        said = {item.name: getattr(self, item.name) for item in fields(self)}
        return {
            name: value for name, value in said.items() if value is not None and name in OPTIONS
        }


def options_of(config: str | os.PathLike[str] | PoolConfig | None) -> dict[str, object]:
    """What the file of a pool says, as arguments of `Pool`; takes over its log level."""
    if config is None:
        return {}
    if not isinstance(config, PoolConfig):
        if not isinstance(config, (str, os.PathLike)):
            raise expected("a path or a PoolConfig", "config", config)
        config = load_config(config)
    if config.log_level is not None:
        logging.getLogger("pixpress").setLevel(config.log_level.upper())
    return config.pool_options()


def load_config(path: str | os.PathLike[str]) -> PoolConfig:
    """Read a configuration file, such as ``worker-config.yaml``.

    Parameters
    ----------
    path : path

    Returns
    -------
    PoolConfig

    Raises
    ------
    ConfigError
        The file cannot be read, or is wrong: see `PoolConfig.from_yaml`.
    """
    from pathlib import Path

    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{os.fspath(path)}: {error}") from None
    try:
        return PoolConfig.from_yaml(text)
    except ConfigError as error:
        raise ConfigError(f"{os.fspath(path)}: {error}") from None


def _names(place: int) -> set[str]:
    return {key.path.split(".")[place] for key in KEYS}


def _section(path: str, value: object, allowed: set[str]) -> Mapping[str, Any]:
    where = path or "the file"
    if not isinstance(value, dict):
        raise ConfigError(f"Expected keys and values for {where}, got {value!r}")
    for name in value:
        if name not in allowed:
            known = ", ".join(sorted(allowed))
            prefix = f"{path}." if path else ""
            raise ConfigError(f"Expected one of {known} in {where}, got {prefix}{name}")
    return value


def _checked(key: _Key, name: str, value: object) -> Any:
    try:
        return key.read(name, value)
    except OptionError as error:
        raise ConfigError(str(error)) from None
