"""Options of commands that are those of a `Pool`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from .cache import cache_folder
from .config import load_config
from .errors import PixpressError
from .journal import journal_path
from .pool_options import ISOLATIONS, resolve

_OPTIONS = (
    click.option("--workers", "max_workers", type=click.IntRange(1, 1024), help="Worker threads."),
    click.option("--memory", "memory_limit", help="What all jobs may hold, such as 2GB."),
    click.option(
        "--timeout",
        "task_timeout",
        type=click.FloatRange(0, 1e9, min_open=True, max_open=True),
        help="Seconds that one file may take.",
    ),
    click.option(
        "--retries",
        "max_retries",
        type=click.IntRange(0, 1000),
        help="Attempts after the first where the system fails for a moment.",
    ),
    click.option(
        "--isolation",
        type=click.Choice(ISOLATIONS),
        help="Where images are decoded: on threads, or in sandboxed processes.",
    ),
    click.option(
        "--cache/--no-cache",
        default=None,
        help="Answer files that were done before, with these settings, from what was kept.",
    ),
    click.option(
        "--cache-dir",
        type=click.Path(file_okay=False),
        help="Where results are kept, instead of the folder of the user; implies --cache.",
    ),
    click.option(
        "--config",
        type=click.Path(exists=True, dir_okay=False),
        help="Where the options of workers, memory and retries come from that are not given.",
    ),
)
_NAMES = (
    "max_workers",
    "memory_limit",
    "task_timeout",
    "max_retries",
    "isolation",
    "cache",
    "config",
)


def has_pool_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give `command` the options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_pool_options(options: dict[str, Any]) -> dict[str, Any]:
    """Take the arguments of `Pool` out of `options`: those that were given.

    The others are left to the environment, to the file of ``--config`` and to the defaults.
    """
    found = {name: options.pop(name) for name in _NAMES}
    folder = options.pop("cache_dir")
    if folder is not None and found["cache"] is False:
        raise click.UsageError("--cache-dir and --no-cache contradict each other")
    found["cache"] = folder or found["cache"]
    return {name: value for name, value in found.items() if value is not None}


def journal_of(pool_options: Mapping[str, Any]) -> str | None:
    """The path of the journal that a pool of these options has; None without one."""
    try:
        return journal_path(_resolved(pool_options)["journal"])
    except PixpressError as error:
        raise click.UsageError(str(error)) from error


def cache_of(pool_options: Mapping[str, Any]) -> str | None:
    """The folder of the cache that a pool of these options has; None without one."""
    try:
        return cache_folder(_resolved(pool_options)["cache"])
    except PixpressError as error:
        raise click.UsageError(str(error)) from error


def _resolved(pool_options: Mapping[str, Any]) -> dict[str, object]:
    path = pool_options.get("config")
    return resolve(pool_options, {} if path is None else load_config(path).pool_options())
