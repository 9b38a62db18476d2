"""What a journal keeps of jobs, as Python has it."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, fields
from typing import Any

from . import _native
from .errors import JournalError, OptionError, expected
from .limits import Limits
from .options import Priority, Settings
from .sources import path_text

# After so many a source is blacklisted: kMostCrashes of the core.
MOST_CRASHES = 2
_VERSION = 1
_NAMES = tuple(item.name for item in fields(Settings))


@dataclass(frozen=True)
class JournalRow:
    """A job as the journal of a pool knows it; see `Pool.journal_rows`.

    Attributes
    ----------
    id : int
        The number of the job; they rise in order of submission.
    state : {"queued", "started", "writing", "done", "failed", "cancelled", "blacklisted"}
        The last four are final.
    source, output_path : str
        Absolute paths as submitted; the output is None if the result is kept in memory.
    settings : Settings
        As submitted.
    priority : Priority
    batch : str or None
    attempts, retries, crashes : int
        How often it was started, how many of its retries are used up, and how many processes died
        while it ran.
    created_at, changed_at : float
        When it was submitted and when its state changed: seconds since the epoch.
    written_path : str or None
        The output file; None before its content is known.
    written_size : int
        Bytes of the output, 0 before its content is known.
    written_sha256 : str or None
        Its digest, in hexadecimal.
    code, message : str
        Why it failed; empty if it did not.
    """

    id: int
    state: str
    source: str
    output_path: str | None
    settings: Settings
    priority: Priority
    batch: str | None
    attempts: int
    retries: int
    crashes: int
    created_at: float
    changed_at: float
    written_path: str | None
    written_size: int
    written_sha256: str | None
    code: str
    message: str


def is_kept(src: object, persist: bool | None, has_journal: bool) -> bool:
    """Whether a journal keeps the job from `src`; refuses what it cannot keep."""
    if persist is not None and not isinstance(persist, bool):
        raise expected("True, False or None", "persist", persist)
    if persist and not has_journal:
        raise OptionError("persist=True needs a pool with a journal")
    if persist is False or not has_journal:
        return False
    if not isinstance(src, (str, os.PathLike)):
        raise OptionError("Expected persist=False for a source in memory: a journal keeps paths")
    return True


def make_row(entry: _native.JournalEntry) -> JournalRow:
    """What an entry of the core says."""
    (
        state, source, output, priority, batch, attempts, retries, crashes,
        created_ns, changed_ns, written, size, digest, code, message,
    ) = entry.fields()  # fmt: skip
    return JournalRow(
        id=entry.task_id,
        state=state,
        source=source,
        output_path=output,
        settings=read_settings(entry.settings),
        priority=Priority(priority),
        batch=batch,
        attempts=attempts,
        retries=retries,
        crashes=crashes,
        created_at=created_ns * 1e-9,
        changed_at=changed_ns * 1e-9,
        written_path=written,
        written_size=size,
        written_sha256=digest,
        code=code,
        message=message,
    )


def write_settings(settings: Settings) -> bytes:
    """All fields of `settings`, with the version of this form."""
    import json

    values = {name: getattr(settings, name) for name in _NAMES}
    values["limits"] = asdict(settings.limits)
    values["encoder_options"] = {f: dict(knobs) for f, knobs in settings.encoder_options.items()}
    document = {"version": _VERSION, "settings": values}
    return json.dumps(document, default=int, separators=(",", ":")).encode()


def read_settings(text: bytes) -> Settings:
    """What `write_settings` made; equal to what it was given.

    Raises
    ------
    JournalError
        It is of another version, or not of this form.
    """
    import json

    try:
        document: Any = json.loads(text)
        version, values = document["version"], document["settings"]
        limits = Limits(**values.pop("limits"))
        values = {name: _hashable(value) for name, value in values.items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise JournalError(f"the journal holds settings that cannot be read: {error!r}") from None
    if version != _VERSION or not values.keys() <= set(_NAMES):
        raise JournalError(
            f"Expected settings of version {_VERSION} in the journal, got version {version!r}"
        )
    return Settings(**values, limits=limits)


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def journal_path(value: object) -> str | None:
    """The path that an option of a pool means. Its folder need not be there yet."""
    if value is None or value is False:
        return None
    if value is not True:
        return path_text("journal", value)
    from pathlib import Path

    state = os.environ.get("XDG_STATE_HOME", "")
    # The base directory specification has relative paths ignored.
    base = Path(state) if os.path.isabs(state) else Path.home() / ".local" / "state"
    return str(base / "pixpress" / "queue.db")


def ready_journal_path(value: object) -> str | None:
    """The same; makes the folder of a journal that has no path of its own."""
    path = journal_path(value)
    if value is not True or path is None:
        return path
    folder = os.path.dirname(path)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError as error:
        raise JournalError(
            f"{folder}: {error.strerror}", errno=error.errno, filename=folder
        ) from error
    return path
